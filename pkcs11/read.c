/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/read.h"

#define EQUAL_ENOUGH 3u             /* objects of a kind whose one-call answer is compared with single reads */
#define TRIES 4u
#define ONE_ROOM 2048u
#define ABSENT CK_UNAVAILABLE_INFORMATION

void chsm_object_done(struct chsm_object *o)
{
    for (size_t i = 0; i < CHSM_A_COUNT; i++)
        chsm_bytes_done(&o->v[i]);
    *o = (struct chsm_object){ 0 };
}

unsigned long chsm_object_ulong(const struct chsm_object *o, enum chsm_attr a)
{
    CK_ULONG v = 0;

    if (o->have[a])
        memcpy(&v, o->v[a].p, sizeof v);
    return v;
}

/* Codes of C_GetAttributeValue that are an answer: "not this attribute", not "not this object". */
static bool answered(CK_RV rv)
{
    return rv == CKR_OK || rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL;
}

/* Keeps a value; a flag or number of a wrong size is nonsense, an empty one is "not there" (SoftHSM does that). */
static int keep(struct chsm_object *o, enum chsm_attr a, const void *p, size_t n, struct chsm_err *err)
{
    const struct chsm_attr_def *def = &chsm_attrs[a];
    size_t want = def->kind == CHSM_ATTR_FLAG ? sizeof(CK_BBOOL) : sizeof(CK_ULONG);

    if (def->kind != CHSM_ATTR_BYTES && n == 0)
        return 0;
    if (def->kind != CHSM_ATTR_BYTES && n != want)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s has %zu bytes instead of %zu", def->name, n, want);
    if (chsm_bytes_set(&o->v[a], p, n, err) < 0)
        return -1;
    o->have[a] = true;
    return 0;
}

/* A value that did not fit at first: its size is asked for, bounded, and the value read again. */
static int read_large(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, struct chsm_object *o, struct chsm_err *err)
{
    CK_ATTRIBUTE t = { chsm_attrs[a].type, NULL, 0 };
    CK_RV rv = CHSM_CK(r->ck, C_GetAttributeValue, r->session, h, &t, 1);
    AUTO_FREE void *room = NULL;
    CK_ULONG size = t.ulValueLen;

    if (!answered(rv))
        return chsm_ck_fail(err, "C_GetAttributeValue", rv);
    if (size == ABSENT)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s does not fit, and its size is not told", chsm_attrs[a].name);
    if (size > CHSM_READ_MAX)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s claims %lu bytes", chsm_attrs[a].name, size);
    room = calloc(1, size + 1);
    if (!room)
        return chsm_oom(err);
    t.pValue = room;
    rv = CHSM_CK(r->ck, C_GetAttributeValue, r->session, h, &t, 1);
    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_GetAttributeValue", rv);
    if (t.ulValueLen > size)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s changes its size while it is read", chsm_attrs[a].name);
    return keep(o, a, room, t.ulValueLen, err);
}

static int read_attr(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, struct chsm_object *o, struct chsm_err *err)
{
    unsigned char room[ONE_ROOM] = { 0 };
    CK_ATTRIBUTE t = { chsm_attrs[a].type, room, sizeof room };
    CK_RV rv;

    /* Some modules want the exact size for a flag or a number. */
    if (chsm_attrs[a].kind != CHSM_ATTR_BYTES)
        t.ulValueLen = chsm_attrs[a].room;
    rv = CHSM_CK(r->ck, C_GetAttributeValue, r->session, h, &t, 1);
    if (!answered(rv))
        return chsm_ck_fail(err, "C_GetAttributeValue", rv);
    if (rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID)
        return 0;
    if (rv == CKR_OK && t.ulValueLen == ABSENT)
        return 0;
    if (rv == CKR_BUFFER_TOO_SMALL || t.ulValueLen > sizeof room)
        return read_large(r, h, a, o, err);
    return keep(o, a, room, t.ulValueLen, err);
}

static bool wanted(enum chsm_attr a, CK_OBJECT_CLASS cls)
{
    return chsm_attrs[a].classes & 1u << cls;
}

static int read_singly(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, struct chsm_object *ret,
                       struct chsm_err *err)
{
    struct chsm_object o = { 0 };

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++) {
        /* The key type stands before what depends on it. */
        if (!wanted(a, cls) || (o.have[CHSM_A_KEY_TYPE] && !chsm_attr_fits(a, chsm_object_ulong(&o, CHSM_A_KEY_TYPE))))
            continue;
        if (read_attr(r, h, a, &o, err) < 0) {
            chsm_object_done(&o);
            return -1;
        }
    }
    *ret = o;
    return 0;
}

/* One value of a one-call answer; -1 also means "read it singly". */
static int take(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, CK_RV rv, const CK_ATTRIBUTE *t, struct chsm_object *o)
{
    if (t->ulValueLen == ABSENT || t->ulValueLen > chsm_attrs[a].room) {
        /* "Does not fit" is also told as "unavailable" (facts: pkcs11-stack.md §5), so that it is looked at alone. */
        if (rv == CKR_BUFFER_TOO_SMALL || t->ulValueLen != ABSENT)
            return read_attr(r, h, a, o, NULL);
        return 0;
    }
    return keep(o, a, t->pValue, t->ulValueLen, NULL);
}

/* All attributes in one call. -1: this object has to be read singly. */
static int read_at_once(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, struct chsm_object *ret)
{
    CK_ATTRIBUTE t[CHSM_A_COUNT];
    enum chsm_attr which[CHSM_A_COUNT];
    struct chsm_object o = { 0 };
    AUTO_FREE unsigned char *room = NULL;
    size_t size = 0;
    CK_ULONG n = 0;
    CK_RV rv;

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++)
        size += chsm_attrs[a].room + sizeof(CK_ULONG);
    room = calloc(1, size);
    if (!room)
        return -1;
    size = 0;
    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++) {
        if (!wanted(a, cls))
            continue;
        which[n] = a;
        t[n++] = (CK_ATTRIBUTE){ chsm_attrs[a].type, room + size, chsm_attrs[a].room };
        /* Numbers want to be aligned: modules store a CK_ULONG through the pointer. */
        size += (chsm_attrs[a].room + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
    }
    rv = CHSM_CK(r->ck, C_GetAttributeValue, r->session, h, t, n);
    if (!answered(rv))
        return -1;
    for (CK_ULONG i = 0; i < n; i++) {
        if (take(r, h, which[i], rv, &t[i], &o) < 0) {
            chsm_object_done(&o);
            return -1;
        }
    }
    *ret = o;
    return 0;
}

/* True when both reads say the same; attributes that the type cannot have are not looked at. */
static bool same(const struct chsm_object *once, const struct chsm_object *singly)
{
    CK_KEY_TYPE type = chsm_object_ulong(singly, CHSM_A_KEY_TYPE);

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++) {
        if (singly->have[CHSM_A_KEY_TYPE] && !chsm_attr_fits(a, type))
            continue;
        if (once->have[a] != singly->have[a] || (once->have[a] && !chsm_bytes_eq(&once->v[a], &singly->v[a])))
            return false;
    }
    return true;
}

/* NULL when there are too many kinds: then every object of a new one is read singly. */
static struct chsm_calibration *calibration(struct chsm_reader *r, CK_OBJECT_CLASS cls, const struct chsm_object *o)
{
    CK_KEY_TYPE type = o->have[CHSM_A_KEY_TYPE] ? chsm_object_ulong(o, CHSM_A_KEY_TYPE) : ABSENT;
    uint32_t have = 0;

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++)
        have |= (uint32_t)o->have[a] << a;
    for (size_t i = 0; i < r->nknown; i++)
        if (r->known[i].cls == cls && r->known[i].type == type && r->known[i].have == have)
            return &r->known[i];
    if (r->nknown == ARRAY_LEN(r->known))
        return NULL;
    r->known[r->nknown] = (struct chsm_calibration){ cls, type, have, 0 };
    return &r->known[r->nknown++];
}

static int read_once(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, struct chsm_object *ret,
                     struct chsm_err *err)
{
    AUTO_OBJECT struct chsm_object once = { 0 };
    AUTO_OBJECT struct chsm_object singly = { 0 };
    struct chsm_calibration *c = NULL;
    bool got = !r->one_by_one[cls] && read_at_once(r, h, cls, &once) == 0;

    if (got) {
        c = calibration(r, cls, &once);
        if (c && c->equal >= EQUAL_ENOUGH) {
            *ret = once;
            once = (struct chsm_object){ 0 };
            return 0;
        }
    }
    if (read_singly(r, h, cls, &singly, err) < 0)
        return -1;
    if (got && same(&once, &singly)) {
        if (c)
            c->equal++;
    } else {
        r->one_by_one[cls] = true;
    }
    *ret = singly;
    singly = (struct chsm_object){ 0 };
    return 0;
}

int chsm_read_object(struct chsm_reader *r, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS cls, struct chsm_object *ret,
                     struct chsm_err *err)
{
    struct chsm_err e = { 0 };

    for (unsigned i = 0; i < TRIES; i++) {
        if (read_once(r, handle, cls, ret, &e) == 0)
            return 0;
        if (!chsm_ck_transient(e.ck_rv) || r->retries_left == 0 || i + 1 == TRIES)
            break;
        r->retries_left--;
        (void)usleep(25000u << i);
    }
    if (err)
        *err = e;
    return -1;
}

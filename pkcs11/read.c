/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/nested.h"

#define TRIES 4u
#define LIMIT_TRIES 2u              /* more, where one attribute cannot be read */
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

CK_RV chsm_read_get(struct chsm_reader *r, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *t, CK_ULONG n)
{
    r->reads->calls++;
    return CHSM_CK(r->ck, C_GetAttributeValue, r->session, handle, t, n);
}

static int by_number(const void *x, const void *y)
{
    CK_ULONG a, b;

    memcpy(&a, x, sizeof a);
    memcpy(&b, y, sizeof b);
    return (a > b) - (a < b);
}

/* Keeps a value; a flag or number of a wrong size is nonsense, an empty one is "not there" (SoftHSM does that). */
static int keep(struct chsm_object *o, enum chsm_attr a, const void *p, size_t n, struct chsm_err *err)
{
    const struct chsm_attr_def *def = &chsm_attrs[a];
    size_t want = def->kind == CHSM_ATTR_FLAG ? sizeof(CK_BBOOL) : sizeof(CK_ULONG);

    if (def->kind != CHSM_ATTR_BYTES && n == 0)
        return 0;
    if (def->kind == CHSM_ATTR_SET ? n % want != 0 : def->kind != CHSM_ATTR_BYTES && n != want)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s has %zu bytes instead of %zu", def->name, n, want);
    if (chsm_bytes_set(&o->v[a], p, n, err) < 0)
        return -1;
    if (def->kind == CHSM_ATTR_SET) {
        CK_ULONG last;

        qsort(o->v[a].p, n / want, want, by_number);
        memcpy(&last, o->v[a].p + n - want, sizeof last);
        if (last > UINT32_MAX)
            return chsm_fail(err, CHSM_PKCS11, "attribute %s holds 0x%lx", def->name, last);
    }
    o->have[a] = true;
    return 0;
}

static int accept_value(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, const void *p, size_t n, struct chsm_object *o,
                        struct chsm_err *err)
{
    if (chsm_attrs[a].kind == CHSM_ATTR_TEMPLATE)
        return chsm_nested_read(r, h, a, n, o, err);
    return keep(o, a, p, n, err);
}

/* A value that did not fit at first: its size is asked for, bounded, and the value read again. */
static int read_large(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, struct chsm_object *o, struct chsm_err *err)
{
    CK_ATTRIBUTE t = { chsm_attrs[a].type, NULL, 0 };
    CK_RV rv = chsm_read_get(r, h, &t, 1);
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
    rv = chsm_read_get(r, h, &t, 1);
    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_GetAttributeValue", rv);
    if (t.ulValueLen > size)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s changes its size while it is read", chsm_attrs[a].name);
    return accept_value(r, h, a, room, t.ulValueLen, o, err);
}

/*
 * What limits a key's use. SoftHSM, for one, stores the dates of private objects and cannot read them again, and p11-kit's remote
 * protocol does not carry templates: that there may be such a limit must not be lost, nor the object.
 */
static bool fails_to_tell(enum chsm_attr a, CK_RV rv)
{
    return a >= CHSM_A_START_DATE && a <= CHSM_A_UNWRAP_TEMPLATE && (rv == CKR_GENERAL_ERROR || rv == CKR_DEVICE_ERROR);
}

static int keep_unreadable(struct chsm_object *o, enum chsm_attr a, struct chsm_err *err)
{
    o->have[a] = true;
    if (chsm_attrs[a].kind != CHSM_ATTR_BYTES)
        return 0;
    return chsm_bytes_set(&o->v[a], CHSM_ATTR_UNREADABLE, strlen(CHSM_ATTR_UNREADABLE), err);
}

static int read_attr(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, struct chsm_object *o, struct chsm_err *err)
{
    unsigned char room[ONE_ROOM] = { 0 };
    CK_ATTRIBUTE t = { chsm_attrs[a].type, room, sizeof room };
    CK_RV rv;

    /* Some modules want the exact size for a flag or a number. */
    if (chsm_attrs[a].kind != CHSM_ATTR_BYTES)
        t.ulValueLen = chsm_attrs[a].room;
    rv = chsm_read_get(r, h, &t, 1);
    /* Again, for those codes come at random, too. */
    for (unsigned i = 0; i < LIMIT_TRIES && fails_to_tell(a, rv); i++) {
        t.ulValueLen = chsm_attrs[a].room;
        rv = chsm_read_get(r, h, &t, 1);
    }
    if (fails_to_tell(a, rv))
        return keep_unreadable(o, a, err);
    if (!answered(rv))
        return (void)chsm_ck_fail(err, "C_GetAttributeValue", rv), chsm_err_prefix(err, "attribute %s", chsm_attrs[a].name);
    if (rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID)
        return 0;
    if (rv == CKR_OK && t.ulValueLen == ABSENT)
        return 0;
    if (rv == CKR_BUFFER_TOO_SMALL || t.ulValueLen > sizeof room)
        return read_large(r, h, a, o, err);
    return accept_value(r, h, a, room, t.ulValueLen, o, err);
}

static bool wanted(enum chsm_attr a, CK_OBJECT_CLASS cls)
{
    return chsm_attrs[a].classes & 1u << chsm_attr_row(cls);
}

/* The class is what the search has asked for, and no other search gave the same object. */
static bool class_is_known(const struct chsm_reads *reads, CK_OBJECT_CLASS cls)
{
    return reads->class_known && chsm_attr_row(cls) != CHSM_ATTR_OTHER;
}

static int read_singly(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, struct chsm_object *ret,
                       struct chsm_err *err)
{
    struct chsm_object o = { 0 };

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++) {
        /* The key type stands before what depends on it. */
        if (!wanted(a, cls) || chsm_attr_is_rare(a) || (a == CHSM_A_CLASS && class_is_known(r->reads, cls)))
            continue;
        if (o.have[CHSM_A_KEY_TYPE] && !chsm_attr_fits(a, chsm_object_ulong(&o, CHSM_A_KEY_TYPE)))
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
    return accept_value(r, h, a, t->pValue, t->ulValueLen, o, NULL);
}

/* The attributes of a class with room for each, in the order of the table or from the last to the first. */
struct template {
    CK_ATTRIBUTE t[CHSM_A_COUNT];
    enum chsm_attr which[CHSM_A_COUNT];
    CK_ULONG n;
    unsigned char *room;
};

static int make_template(struct template *t, CK_OBJECT_CLASS cls, bool backwards)
{
    size_t size = 0, at = 0;

    t->n = 0;
    for (enum chsm_attr i = 0; i < CHSM_A_COUNT; i++) {
        enum chsm_attr a = backwards ? CHSM_A_COUNT - 1 - i : i;

        if (!wanted(a, cls) || chsm_attr_is_rare(a))
            continue;
        t->which[t->n] = a;
        t->t[t->n++] = (CK_ATTRIBUTE){ chsm_attrs[a].type, NULL, chsm_attrs[a].room };
        size += chsm_attrs[a].room + sizeof(CK_ULONG);
    }
    t->room = calloc(1, size);
    for (CK_ULONG i = 0; t->room && i < t->n; i++) {
        t->t[i].pValue = t->room + at;
        /* Numbers want to be aligned: modules store a CK_ULONG through the pointer. */
        at += (t->t[i].ulValueLen + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
    }
    return t->room ? 0 : -1;
}

/* All attributes in one call. -1 with the reason: this object has to be read singly, or the call again. */
static int read_at_once(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, bool backwards, struct chsm_object *ret,
                        struct chsm_err *err)
{
    struct template t;
    struct chsm_object o = { 0 };
    CK_RV rv;
    int rc = 0;

    if (make_template(&t, cls, backwards) < 0)
        return chsm_oom(err);
    rv = chsm_read_get(r, h, t.t, t.n);
    if (!answered(rv))
        rc = chsm_ck_fail(err, "C_GetAttributeValue", rv);
    for (CK_ULONG i = 0; rc == 0 && i < t.n; i++)
        if (take(r, h, t.which[i], rv, &t.t[i], &o) < 0)
            rc = chsm_fail(err, CHSM_PKCS11, "attribute %s is not answered properly", chsm_attrs[t.which[i]].name);
    free(t.room);
    if (rc < 0) {
        chsm_object_done(&o);
        return -1;
    }
    *ret = o;
    return 0;
}

/* True when both reads say the same; attributes that the type cannot have are not looked at. */
static bool same(const struct chsm_reads *reads, CK_OBJECT_CLASS cls, const struct chsm_object *once, const struct chsm_object *other)
{
    CK_KEY_TYPE type = chsm_object_ulong(other, CHSM_A_KEY_TYPE);

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++) {
        if (other->have[CHSM_A_KEY_TYPE] && !chsm_attr_fits(a, type))
            continue;
        if (a == CHSM_A_CLASS && class_is_known(reads, cls)) {
            /* The searches have told it, and single reads did not ask. */
            if (once->have[a] && chsm_object_ulong(once, a) != cls)
                return false;
            continue;
        }
        if (once->have[a] != other->have[a] || (once->have[a] && !chsm_bytes_eq(&once->v[a], &other->v[a])))
            return false;
    }
    return true;
}

static struct chsm_calibration *kind_of(struct chsm_reader *r, CK_OBJECT_CLASS cls, const struct chsm_object *o, enum chsm_trust *ret_trust)
{
    CK_KEY_TYPE type = o->have[CHSM_A_KEY_TYPE] ? chsm_object_ulong(o, CHSM_A_KEY_TYPE) : ABSENT;
    uint64_t have = 0;

    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++)
        have |= (uint64_t)(o->have[a] && o->v[a].len > 0) << a;     /* an empty value shows no lie */
    return chsm_reads_kind(r->reads, cls, type, have, ret_trust);
}

/* The object both ways, the first of its kind. What single reads say counts. */
static int compare_singly(struct chsm_reader *r, CK_OBJECT_HANDLE h, struct chsm_calibration *c, const struct chsm_object *once,
                          struct chsm_object *ret, struct chsm_err *err)
{
    if (read_singly(r, h, c->cls, ret, err) < 0) {
        chsm_reads_give_back(r->reads, c);
        return -1;
    }
    chsm_reads_judge(r->reads, c, same(r->reads, c->cls, once, ret));
    return 0;
}

/* One more of a kind whose first one was equal: in the other order. 1 when that was equal, too. */
static int compare_backwards(struct chsm_reader *r, CK_OBJECT_HANDLE h, struct chsm_calibration *c, const struct chsm_object *once,
                             struct chsm_err *err)
{
    AUTO_OBJECT struct chsm_object again = { 0 };
    bool equal;

    if (read_at_once(r, h, c->cls, true, &again, err) < 0)
        return -1;
    equal = same(r->reads, c->cls, once, &again);
    chsm_reads_judge(r->reads, c, equal);
    return equal;
}

/* What the one-call answer is worth. 1: *once is the answer; 0: it has been read another way, into *ret; -1 failed. */
static int weigh(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, const struct chsm_object *once, struct chsm_object *ret,
                 struct chsm_calibration **ret_kind, struct chsm_err *err)
{
    enum chsm_trust trust;
    struct chsm_calibration *c = kind_of(r, cls, once, &trust);
    int rc;

    switch (trust) {
    case CHSM_TRUST_FULL:
        return 1;
    case CHSM_TRUST_PENDING:
        *ret_kind = c;
        return 1;
    case CHSM_TRUST_NONE:
        return compare_singly(r, h, c, once, ret, err);
    case CHSM_TRUST_PARTLY:
        rc = compare_backwards(r, h, c, once, err);
        if (rc != 0)
            return rc;
        break;
    case CHSM_TRUST_BROKEN:
        break;
    }
    return read_singly(r, h, cls, ret, err);
}

static int read_once(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, struct chsm_object *ret,
                     struct chsm_calibration **ret_kind, struct chsm_err *err)
{
    struct chsm_object once = { 0 };
    struct chsm_err e = { 0 };
    int rc;

    if (chsm_reads_singly(r->reads, cls))
        return read_singly(r, h, cls, ret, err);
    if (read_at_once(r, h, cls, false, &once, &e) < 0) {
        if (read_singly(r, h, cls, ret, err) < 0)
            return -1;
        chsm_reads_failed(r->reads, cls);
        return 0;
    }
    rc = weigh(r, h, cls, &once, ret, ret_kind, err);
    if (rc == 1)
        *ret = once;
    else
        chsm_object_done(&once);
    return rc < 0 ? -1 : 0;
}

/* What only some key types have is not worth a place in the one call for all. */
static int read_rare(struct chsm_reader *r, CK_OBJECT_HANDLE h, CK_OBJECT_CLASS cls, struct chsm_object *o, struct chsm_err *err)
{
    if (!o->have[CHSM_A_KEY_TYPE])
        return 0;
    for (enum chsm_attr a = CHSM_A_RARE; chsm_attr_is_rare(a); a++)
        if (wanted(a, cls) && chsm_attr_fits(a, chsm_object_ulong(o, CHSM_A_KEY_TYPE)) && read_attr(r, h, a, o, err) < 0)
            return -1;
    return 0;
}

int chsm_read_object(struct chsm_reader *r, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS cls, struct chsm_object *ret,
                     struct chsm_calibration **ret_kind, struct chsm_err *err)
{
    struct chsm_calibration *kind = NULL;
    struct chsm_object o = { 0 };
    struct chsm_err e = { 0 };

    for (unsigned i = 0; i < TRIES; i++) {
        if (read_once(r, handle, cls, &o, &kind, &e) == 0 && read_rare(r, handle, cls, &o, &e) == 0) {
            *ret_kind = kind;
            *ret = o;
            return 0;
        }
        chsm_object_done(&o);
        kind = NULL;
        if (i + 1 == TRIES || !chsm_reads_may_retry(r->reads, &e))
            break;
        (void)usleep(25000u << i);
    }
    if (err)
        *err = e;
    return -1;
}

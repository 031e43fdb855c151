/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/nested.h"
#include "util/buf.h"

#define NESTED_MAX 64u              /* attributes of one template */
#define VALUE_MAX 4096u             /* bytes of one of them */

/* The array, and the room that its values were given: what the module says afterwards is not believed. */
struct nested {
    CK_ATTRIBUTE t[NESTED_MAX];
    size_t room[NESTED_MAX];
    size_t n;
    unsigned char *values;
};

static int get(struct chsm_reader *r, CK_OBJECT_HANDLE h, enum chsm_attr a, struct nested *s, struct chsm_err *err)
{
    CK_ATTRIBUTE outer = { chsm_attrs[a].type, s->t, s->n * sizeof s->t[0] };
    CK_RV rv = chsm_read_get(r, h, &outer, 1);

    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_GetAttributeValue", rv);
    if (outer.ulValueLen != s->n * sizeof s->t[0])
        return chsm_fail(err, CHSM_PKCS11, "attribute %s changes its size while it is read", chsm_attrs[a].name);
    return 0;
}

/* Room for each value, of the length that was told. */
static int make_room(struct nested *s, enum chsm_attr a, struct chsm_err *err)
{
    size_t total = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->t[i].ulValueLen > VALUE_MAX)
            return chsm_fail(err, CHSM_PKCS11, "attribute %s holds a value of %lu bytes", chsm_attrs[a].name, s->t[i].ulValueLen);
        if (s->t[i].type > UINT32_MAX)
            return chsm_fail(err, CHSM_PKCS11, "attribute %s holds one of type 0x%lx", chsm_attrs[a].name, s->t[i].type);
        s->room[i] = s->t[i].ulValueLen;
        total += s->room[i] + sizeof(CK_ULONG);
    }
    s->values = calloc(1, total + 1);
    if (!s->values)
        return chsm_oom(err);
    total = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->t[i].pValue = s->room[i] > 0 ? s->values + total : NULL;
        /* Numbers want to be aligned: modules store a CK_ULONG through the pointer. */
        total += (s->room[i] + sizeof(CK_ULONG) - 1) / sizeof(CK_ULONG) * sizeof(CK_ULONG);
    }
    return 0;
}

static int by_type(const void *x, const void *y)
{
    const CK_ATTRIBUTE *a = x, *b = y;
    size_t n = a->ulValueLen < b->ulValueLen ? a->ulValueLen : b->ulValueLen;
    int c = (a->type > b->type) - (a->type < b->type);

    if (c == 0 && n > 0)
        c = memcmp(a->pValue, b->pValue, n);
    return c != 0 ? c : (a->ulValueLen > b->ulValueLen) - (a->ulValueLen < b->ulValueLen);
}

static int keep(struct nested *s, enum chsm_attr a, struct chsm_object *o, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(NESTED_MAX * (VALUE_MAX + 12u));

    for (size_t i = 0; i < s->n; i++)
        if (s->t[i].ulValueLen > s->room[i])
            return chsm_fail(err, CHSM_PKCS11, "attribute %s changes while it is read", chsm_attrs[a].name);
    qsort(s->t, s->n, sizeof s->t[0], by_type);
    for (size_t i = 0; i < s->n; i++) {
        unsigned char head[12];

        for (unsigned k = 0; k < 8; k++)
            head[k] = (unsigned char)((uint64_t)s->t[i].type >> (56 - 8 * k));
        for (unsigned k = 0; k < 4; k++)
            head[8 + k] = (unsigned char)(s->t[i].ulValueLen >> (24 - 8 * k));
        if (chsm_buf_add(&out, head, sizeof head, err) < 0 || chsm_buf_add(&out, s->t[i].pValue, s->t[i].ulValueLen, err) < 0)
            return -1;
    }
    if (chsm_bytes_set(&o->v[a], out.p, out.len, err) < 0)
        return -1;
    o->have[a] = true;
    return 0;
}

int chsm_nested_read(struct chsm_reader *r, CK_OBJECT_HANDLE handle, enum chsm_attr a, size_t n, struct chsm_object *o,
                     struct chsm_err *err)
{
    struct nested s = { .n = n / sizeof(CK_ATTRIBUTE) };
    int rc;

    if (n == 0)
        return 0;
    if (n % sizeof(CK_ATTRIBUTE) != 0 || s.n > NESTED_MAX)
        return chsm_fail(err, CHSM_PKCS11, "attribute %s has %zu bytes", chsm_attrs[a].name, n);
    rc = get(r, handle, a, &s, err);
    if (rc == 0)
        rc = make_room(&s, a, err);
    if (rc == 0)
        rc = get(r, handle, a, &s, err);
    if (rc == 0)
        rc = keep(&s, a, o, err);
    free(s.values);
    return rc;
}

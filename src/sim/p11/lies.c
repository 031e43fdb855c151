/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/p11/attributes.h"
#include "sim/p11/gate.h"
#include "sim/p11/lies.h"

#define VALUE_MAX 4096

static bool has_value(const CK_ATTRIBUTE *a)
{
    return a->pValue && a->ulValueLen > 0 && a->ulValueLen != CK_UNAVAILABLE_INFORMATION;
}

static CK_ATTRIBUTE *find(CK_ATTRIBUTE *template, CK_ULONG n, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < n; i++)
        if (template[i].type == type && has_value(&template[i]))
            return &template[i];
    return NULL;
}

/* The attribute that a lie is about: the public point or modulus, else the check value, else the label. */
static CK_ATTRIBUTE *victim(CK_ATTRIBUTE *template, CK_ULONG n)
{
    static const CK_ATTRIBUTE_TYPE types[] = { CKA_EC_POINT, CKA_MODULUS, CKA_CHECK_VALUE, CKA_LABEL };
    CK_ATTRIBUTE *a = NULL;

    for (size_t i = 0; !a && i < ARRAY_LEN(types); i++)
        a = find(template, n, types[i]);
    return a;
}

static void exchange(CK_ATTRIBUTE *a, CK_ATTRIBUTE *b, CK_ULONG a_room, CK_ULONG b_room)
{
    unsigned char kept[VALUE_MAX];
    CK_ULONG n = a->ulValueLen;

    if (n > sizeof kept || n > b_room || b->ulValueLen > a_room)
        return;
    memcpy(kept, a->pValue, n);
    memcpy(a->pValue, b->pValue, b->ulValueLen);
    a->ulValueLen = b->ulValueLen;
    memcpy(b->pValue, kept, n);
    b->ulValueLen = n;
}

static void lie(CK_ATTRIBUTE *template, CK_ULONG n, const CK_ATTRIBUTE *before)
{
    CK_ATTRIBUTE *a = victim(template, n), *id = find(template, n, CKA_ID), *label = find(template, n, CKA_LABEL);

    switch (sim_quirks()->batch_lies) {
    case SIM_LIE_BYTES:
        if (a)
            ((unsigned char *)a->pValue)[a->ulValueLen / 2] ^= 1;
        break;
    case SIM_LIE_ORDER:
        if (id && label)
            exchange(id, label, before[id - template].ulValueLen, before[label - template].ulValueLen);
        break;
    case SIM_LIE_STALE:
        if (a)
            memset(a->pValue, 0, a->ulValueLen);
        break;
    case SIM_LIE_SILENT:
        if (a)
            a->ulValueLen = 0;
        break;
    case SIM_HONEST:
        break;
    }
}

static void stretch(CK_ATTRIBUTE *a, CK_ULONG room)
{
    if (a->type != CKA_LABEL || !has_value(a))
        return;
    if (sim_quirks()->length_lies == SIM_LENGTH_OVER)
        a->ulValueLen = room + 1;
    else if (sim_quirks()->length_lies == SIM_LENGTH_ABSENT)
        a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    else if (sim_quirks()->length_lies == SIM_LENGTH_ZERO)
        a->ulValueLen = 0;
}

/* Control characters, a NUL and broken UTF-8 over the beginning. */
static void smear(CK_ATTRIBUTE *a)
{
    static const unsigned char odd[] = { 0x1b, '[', '3', '1', 'm', 0x00, 0xff, '\n', 0xc3 };

    if ((a->type == CKA_LABEL || (a->type == CKA_ID && a->ulValueLen > sizeof odd)) && has_value(a))
        memcpy(a->pValue, odd, a->ulValueLen < sizeof odd ? a->ulValueLen : sizeof odd);
}

static bool wants_lies(const struct sim_object *o, CK_ULONG n)
{
    const struct sim_quirks *q = sim_quirks();

    return q->batch_lies && n > 1 && (q->batch_lies_of == CK_UNAVAILABLE_INFORMATION || q->batch_lies_of == o->cls);
}

CK_RV sim_lies_read(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n)
{
    static const CK_BBOOL yes = CK_TRUE;
    AUTO_FREE CK_ATTRIBUTE *before = NULL;
    CK_RV rv;

    if (sim_quirks()->one_attribute && n > 1)
        return sim_quirks()->one_attribute;
    before = calloc(n + 1, sizeof *before);
    if (!before)
        return CKR_HOST_MEMORY;
    if (n > 0)
        memcpy(before, template, n * sizeof *before);
    rv = sim_attributes_read(o, template, n);
    if (wants_lies(o, n))
        lie(template, n, before);
    for (CK_ULONG i = 0; i < n; i++) {
        if (sim_quirks()->odd_names)
            smear(&template[i]);
        if (sim_quirks()->length_lies)
            stretch(&template[i], before[i].ulValueLen);
        if (sim_quirks()->always_authenticate && o->cls == CKO_PRIVATE_KEY && template[i].type == CKA_ALWAYS_AUTHENTICATE &&
            template[i].pValue && before[i].ulValueLen >= sizeof yes) {
            memcpy(template[i].pValue, &yes, sizeof yes);
            template[i].ulValueLen = sizeof yes;
        }
    }
    return rv;
}

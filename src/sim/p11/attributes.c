/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/keystore_spki.h"
#include "sim/p11/attributes.h"
#include "sim/p11/gate.h"

#define CHECK_VALUE_LEN 3
#define MATERIAL_MAX 1024

/* Private and secret keys are private, whatever SoftHSM was told (keystore_object.h: in_the_clear). */
static const CK_BBOOL yes = CK_TRUE;

/* Who answers for an attribute. */
enum from { FROM_TOKEN, FROM_HERE, FROM_NOBODY, FROM_OVERLAY };

static enum from source_of(const struct sim_object *o, CK_ATTRIBUTE_TYPE type)
{
    bool ec_private = o->cls == CKO_PRIVATE_KEY && o->type == CKK_EC;

    if (o->overlay && sim_overlay_change_of(o->overlay, type))
        return FROM_OVERLAY;
    if (type == CKA_PRIVATE && (o->cls == CKO_PRIVATE_KEY || o->cls == CKO_SECRET_KEY))
        return FROM_HERE;
    if (type == CKA_CHECK_VALUE && (o->cls == CKO_PUBLIC_KEY || (o->cls == CKO_PRIVATE_KEY && o->type == CKK_RSA)))
        return FROM_HERE;
    if (sim_quirks()->ec_private_no_point && ec_private && (type == CKA_EC_POINT || type == CKA_PUBLIC_KEY_INFO))
        return FROM_NOBODY;
    return FROM_TOKEN;
}

static CK_RV put(CK_ATTRIBUTE *a, const void *value, CK_ULONG n)
{
    if (a->pValue && a->ulValueLen < n) {
        a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    if (a->pValue && n > 0)
        memcpy(a->pValue, value, n);
    a->ulValueLen = n;
    return CKR_OK;
}

static CK_RV refuse(CK_ATTRIBUTE *a)
{
    a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV put_overlay(const struct sim_overlay_change *change, CK_ATTRIBUTE *a)
{
    return change->absent ? refuse(a) : put(a, change->value.p, change->value.len);
}

/* What SoftHSM is asked in one call: the attributes of the template that are its own, then what the check value is made of. */
struct question {
    CK_ATTRIBUTE *a;
    CK_ULONG own;               /* how many are the template's */
    CK_ULONG n;
    unsigned char first[MATERIAL_MAX], second[MATERIAL_MAX];
};

static void ask_material(const struct sim_object *o, struct question *q)
{
    bool rsa = o->type == CKK_RSA;

    q->a[q->n++] = (CK_ATTRIBUTE){ rsa ? CKA_MODULUS : CKA_EC_PARAMS, q->first, sizeof q->first };
    q->a[q->n++] = (CK_ATTRIBUTE){ rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, q->second, sizeof q->second };
}

static CK_RV put_check_value(const struct sim_object *o, const struct question *q, CK_ATTRIBUTE *a)
{
    struct chsm_bytes first = { (unsigned char *)q->first, q->a[q->own].ulValueLen };
    struct chsm_bytes second = { (unsigned char *)q->second, q->a[q->own + 1].ulValueLen };
    AUTO_BYTES struct chsm_bytes spki = { 0 };
    unsigned char value[CHECK_VALUE_LEN];

    if (o->type != CKK_RSA && o->type != CKK_EC && o->type != CKK_EC_EDWARDS)
        return refuse(a);
    if (first.len > sizeof q->first || second.len > sizeof q->second ||
        (o->type == CKK_RSA ? sim_spki_rsa(&first, &second, &spki, NULL) : sim_spki_ec(&first, &second, &spki, NULL)) < 0 ||
        sim_spki_check_value(&spki, value, NULL) < 0)
        return refuse(a);
    return put(a, value, sizeof value);
}

/* Answers what SoftHSM is not asked; the first failure wins, as everywhere in C_GetAttributeValue. */
static CK_RV answer_rest(const struct sim_object *o, const struct question *q, CK_ATTRIBUTE *template, CK_ULONG n, CK_RV rv)
{
    for (CK_ULONG i = 0; i < n; i++) {
        enum from from = source_of(o, template[i].type);
        CK_RV one = CKR_OK;

        if (from == FROM_HERE)
            one = template[i].type == CKA_PRIVATE ? put(&template[i], &yes, sizeof yes) : put_check_value(o, q, &template[i]);
        else if (from == FROM_NOBODY)
            one = refuse(&template[i]);
        else if (from == FROM_OVERLAY)
            one = put_overlay(sim_overlay_change_of(o->overlay, template[i].type), &template[i]);
        if (rv == CKR_OK)
            rv = one;
    }
    return rv;
}

static CK_RV read_plain(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n)
{
    AUTO_FREE CK_ATTRIBUTE *asked = calloc(n + 2, sizeof *asked);
    struct question q;
    bool here = false;
    CK_RV rv = CKR_OK;

    if (!asked)
        return CKR_HOST_MEMORY;
    q.a = asked;
    q.n = 0;
    for (CK_ULONG i = 0; i < n; i++) {
        enum from from = source_of(o, template[i].type);

        here |= from == FROM_HERE && template[i].type == CKA_CHECK_VALUE;
        if (from == FROM_TOKEN)
            asked[q.n++] = template[i];
    }
    q.own = q.n;
    if (here)
        ask_material(o, &q);
    if (q.n > 0)
        rv = sim_state()->fl->C_GetAttributeValue(o->session, o->object, asked, q.n);
    for (CK_ULONG i = n, at = q.own; i-- > 0;)
        if (source_of(o, template[i].type) == FROM_TOKEN)
            template[i].ulValueLen = asked[--at].ulValueLen;
    return answer_rest(o, &q, template, n, rv);
}

/* Quirk template-strict: asks for lengths only; true when some attribute is not supported. */
static bool spoiled(const struct sim_object *o, const CK_ATTRIBUTE *template, CK_ULONG n)
{
    AUTO_FREE CK_ATTRIBUTE *lengths = calloc(n + 1, sizeof *lengths);
    CK_ULONG i;

    for (i = 0; lengths && i < n; i++)
        lengths[i].type = template[i].type;
    return lengths && read_plain(o, lengths, n) == CKR_ATTRIBUTE_TYPE_INVALID;
}

CK_RV sim_attributes_read(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_ULONG i;
    CK_RV rv;

    if (sim_quirks()->template_strict && spoiled(o, template, n)) {
        for (i = 0; i < n; i++)
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
        rv = CKR_ATTRIBUTE_TYPE_INVALID;
    } else {
        rv = read_plain(o, template, n);
    }
    if (rv != CKR_OK)
        sim_noise(false, "C_GetAttributeValue failed with error code : 0x%lx\n", rv);
    return rv;
}

bool sim_attributes_match(const struct sim_object *o, const CK_ATTRIBUTE *template, CK_ULONG n)
{
    for (CK_ULONG i = 0; i < n; i++) {
        AUTO_FREE void *room = malloc(template[i].ulValueLen + 1);
        CK_ATTRIBUTE a = { template[i].type, room, template[i].ulValueLen };

        if (!room || sim_attributes_read(o, &a, 1) != CKR_OK || a.ulValueLen != template[i].ulValueLen ||
            (a.ulValueLen > 0 && memcmp(room, template[i].pValue, a.ulValueLen) != 0))
            return false;
    }
    return true;
}

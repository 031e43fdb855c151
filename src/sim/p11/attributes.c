/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/keystore_object.h"
#include "sim/keystore_spki.h"
#include "sim/p11/attributes.h"
#include "sim/p11/gate.h"

#define CHECK_VALUE_LEN 3

/* Who answers for an attribute. */
enum from { FROM_TOKEN, FROM_HERE, FROM_NOBODY };

struct kind {
    CK_OBJECT_CLASS cls;
    CK_KEY_TYPE type;
};

static enum from source_of(const struct kind *kind, CK_ATTRIBUTE_TYPE type)
{
    bool ec_private = kind->cls == CKO_PRIVATE_KEY && kind->type == CKK_EC;

    if (type == CKA_CHECK_VALUE &&
        (kind->cls == CKO_PUBLIC_KEY || (kind->cls == CKO_PRIVATE_KEY && kind->type == CKK_RSA)))
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
    if (a->pValue)
        memcpy(a->pValue, value, n);
    a->ulValueLen = n;
    return CKR_OK;
}

static CK_RV refuse(CK_ATTRIBUTE *a)
{
    a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV put_check_value(const struct sim_object *o, CK_ATTRIBUTE *a)
{
    struct sim_token token = { .fl = sim_state()->fl, .session = o->session };
    AUTO_BYTES struct chsm_bytes spki = { 0 };
    unsigned char value[CHECK_VALUE_LEN];

    if (sim_token_spki(&token, o->object, &spki, NULL) < 0 || sim_spki_check_value(&spki, value, NULL) < 0)
        return refuse(a);
    return put(a, value, sizeof value);
}

/* Answers what SoftHSM is not asked; the first failure wins, as everywhere in C_GetAttributeValue. */
static CK_RV answer_rest(const struct sim_object *o, const struct kind *kind, CK_ATTRIBUTE *template, CK_ULONG n, CK_RV rv)
{
    CK_ULONG i;

    for (i = 0; i < n; i++) {
        CK_RV one = CKR_OK;

        if (source_of(kind, template[i].type) == FROM_HERE)
            one = put_check_value(o, &template[i]);
        else if (source_of(kind, template[i].type) == FROM_NOBODY)
            one = refuse(&template[i]);
        if (rv == CKR_OK)
            rv = one;
    }
    return rv;
}

static CK_RV read_mixed(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n)
{
    struct kind kind = { .cls = CKO_DATA };
    AUTO_FREE CK_ATTRIBUTE *asked = calloc(n + 1, sizeof *asked);
    CK_ULONG asked_n = 0, i;
    CK_RV rv = CKR_OK;

    if (!asked)
        return CKR_HOST_MEMORY;
    if (!sim_object_ulong(o, CKA_CLASS, &kind.cls) || !sim_object_ulong(o, CKA_KEY_TYPE, &kind.type))
        kind.cls = CKO_DATA;        /* a certificate, or an object that is gone: SoftHSM has the answer */
    for (i = 0; i < n; i++)
        if (source_of(&kind, template[i].type) == FROM_TOKEN)
            asked[asked_n++] = template[i];
    if (asked_n > 0)
        rv = sim_state()->fl->C_GetAttributeValue(o->session, o->object, asked, asked_n);
    for (i = n; i-- > 0;)
        if (source_of(&kind, template[i].type) == FROM_TOKEN)
            template[i].ulValueLen = asked[--asked_n].ulValueLen;
    return answer_rest(o, &kind, template, n, rv);
}

/* Only a template with one of these is worth the extra calls. */
static CK_RV read_plain(const struct sim_object *o, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_ULONG i;

    for (i = 0; i < n; i++)
        if (template[i].type == CKA_CHECK_VALUE || template[i].type == CKA_EC_POINT || template[i].type == CKA_PUBLIC_KEY_INFO)
            return read_mixed(o, template, n);
    return sim_state()->fl->C_GetAttributeValue(o->session, o->object, template, n);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <p11-kit/uri.h>

#include "keys/record.h"
#include "pkcs11/choose.h"
#include "util/buf.h"

#define SLOTS_MAX 4096u

/* A fixed field of PKCS#11: padded with blanks, not NUL-terminated, any bytes. malloc()ed, NULL when out of memory. */
static char *field(const unsigned char *p, size_t n)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\0'))
        n--;
    return chsm_bytes_text(&(struct chsm_bytes){ (unsigned char *)(uintptr_t)p, n });
}

/* A blank-padded field against a text of the caller's; NULL fits all. */
static bool is(const unsigned char *p, size_t n, const char *text)
{
    while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\0'))
        n--;
    return !text || (strlen(text) == n && memcmp(p, text, n) == 0);
}

static int slot_list(struct chsm_session *s, CK_SLOT_ID **ret, CK_ULONG *ret_n, struct chsm_err *err)
{
    CK_RV rv = CKR_BUFFER_TOO_SMALL;

    /* Slots may come between the two calls. */
    for (int i = 0; i < 4 && rv == CKR_BUFFER_TOO_SMALL; i++) {
        AUTO_FREE CK_SLOT_ID *slots = NULL;
        CK_ULONG n = 0, room;

        rv = CHSM_CK(&s->ck, C_GetSlotList, CK_TRUE, NULL, &n);
        if (rv != CKR_OK)
            break;
        if (n > SLOTS_MAX)
            return chsm_fail(err, CHSM_PKCS11, "C_GetSlotList: %lu slots are too many", n);
        room = n;
        slots = calloc(room + 1, sizeof *slots);
        if (!slots)
            return chsm_oom(err);
        if (n > 0)
            rv = CHSM_CK(&s->ck, C_GetSlotList, CK_TRUE, slots, &n);
        if (rv == CKR_OK && n > room)
            return chsm_fail(err, CHSM_PKCS11, "C_GetSlotList: more slots than there was room for");
        if (rv == CKR_OK) {
            *ret_n = n;
            *ret = TAKE(slots);
        }
    }
    return rv == CKR_OK ? 0 : chsm_ck_fail(err, "C_GetSlotList", rv);
}

/* What the tokens looked like, while one is chosen. */
struct choosing {
    const struct chsm_token_choice *choice;
    struct chsm_buf seen;       /* "slot 5 \"cu1\", ..." for messages */
    unsigned fitting;
    CK_SLOT_ID slot;
    CK_TOKEN_INFO info;
    P11KitUri *uri;             /* NULL = none */
    CK_INFO library;            /* only with a URI */
};

/* The URI's token, slot and library parts; what it does not say fits all. */
static bool fits_uri(struct chsm_session *s, CK_SLOT_ID slot, CK_TOKEN_INFO *info, const struct choosing *c)
{
    CK_SLOT_INFO slot_info = { 0 };
    CK_SLOT_ID wanted;

    if (!c->uri)
        return true;
    wanted = p11_kit_uri_get_slot_id(c->uri);
    if (wanted != (CK_SLOT_ID)-1 && wanted != slot)
        return false;
    if (!p11_kit_uri_match_token_info(c->uri, info) || !p11_kit_uri_match_module_info(c->uri, &c->library))
        return false;
    return CHSM_CK(&s->ck, C_GetSlotInfo, slot, &slot_info) == CKR_OK && p11_kit_uri_match_slot_info(c->uri, &slot_info);
}

static int look_at(struct chsm_session *s, CK_SLOT_ID slot, struct choosing *c, struct chsm_err *err)
{
    CK_TOKEN_INFO info = { 0 };
    CK_RV rv = CHSM_CK(&s->ck, C_GetTokenInfo, slot, &info);
    bool here = c->choice->slot_given && slot == c->choice->slot;
    AUTO_FREE char *label = NULL;
    bool ready;

    if (rv != CKR_OK && here)
        return chsm_ck_fail(err, "C_GetTokenInfo", rv);
    if (rv != CKR_OK)
        return 0;
    ready = info.flags & CKF_TOKEN_INITIALIZED;
    label = field(info.label, sizeof info.label);
    if (!label)
        return chsm_oom(err);
    if (chsm_buf_addf(&c->seen, err, "%sslot %lu \"%s\"%s", c->seen.len > 0 ? ", " : "", slot, label,
                      ready ? "" : " (not initialised)") < 0)
        return -1;
    if ((c->choice->slot_given && !here) || !is(info.label, sizeof info.label, c->choice->label) ||
        !is(info.serialNumber, sizeof info.serialNumber, c->choice->serial) || !ready || !fits_uri(s, slot, &info, c))
        return 0;
    c->fitting++;
    c->slot = slot;
    c->info = info;
    return 0;
}

static void no_token(const struct choosing *c, struct chsm_err *err)
{
    const struct chsm_token_choice *choice = c->choice;

    if (c->fitting > 0)
        (void)chsm_fail(err, CHSM_PKCS11, "%u tokens fit; name one by its label, serial number or slot", c->fitting);
    else if (choice->slot_given)
        (void)chsm_fail(err, CHSM_PKCS11, "slot %lu has no fitting initialised token", choice->slot);
    else if (choice->uri)
        (void)chsm_fail(err, CHSM_PKCS11, "no initialised token fits the URI");
    else if (choice->serial)
        (void)chsm_fail(err, CHSM_PKCS11, "no fitting initialised token has the serial number \"%s\"", choice->serial);
    else if (choice->label)
        (void)chsm_fail(err, CHSM_PKCS11, "no initialised token is labelled \"%s\"", choice->label);
    else
        (void)chsm_fail(err, CHSM_PKCS11, "the module shows no initialised token");
}

static int choose(struct chsm_session *s, struct choosing *c, struct chsm_err *err)
{
    AUTO_FREE CK_SLOT_ID *slots = NULL;
    CK_ULONG n = 0;
    const char *seen;

    if (slot_list(s, &slots, &n, err) < 0)
        return -1;
    for (CK_ULONG i = 0; i < n; i++)
        if (look_at(s, slots[i], c, err) < 0)
            return -1;
    seen = c->seen.len > 0 ? chsm_buf_str(&c->seen) : "no slot with a token";
    if (c->fitting == 1)
        return 0;
    no_token(c, err);
    return chsm_err_hint(err, "the module shows: %s", seen);
}

static json_t *describe(CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
    AUTO_FREE char *label = field(info->label, sizeof info->label);
    AUTO_FREE char *maker = field(info->manufacturerID, sizeof info->manufacturerID);
    AUTO_FREE char *model = field(info->model, sizeof info->model);
    AUTO_FREE char *serial = field(info->serialNumber, sizeof info->serialNumber);
    AUTO_FREE char *firmware = chsm_strf("%u.%u", info->firmwareVersion.major, info->firmwareVersion.minor);
    AUTO_FREE char *number = chsm_strf("%lu", slot);

    if (!label || !maker || !model || !serial || !firmware || !number)
        return NULL;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "label", label, "manufacturer", maker, "model", model, "serial",
                     serial, "firmware", firmware, "slot", number);
}

int chsm_choose(struct chsm_session *s, const struct chsm_token_choice *choice, CK_TOKEN_INFO *ret_info, json_t **ret_token,
                struct chsm_err *err)
{
    struct choosing c = { .choice = choice, .seen = CHSM_BUF(1u << 20) };
    int rc = 0;

    if (choice->uri) {
        c.uri = p11_kit_uri_new();
        if (!c.uri || p11_kit_uri_parse(choice->uri, P11_KIT_URI_FOR_ANY, c.uri) != P11_KIT_URI_OK ||
            CHSM_CK(&s->ck, C_GetInfo, &c.library) != CKR_OK)
            rc = chsm_fail(err, CHSM_PKCS11, "the URI cannot be compared with the module's tokens");
    }
    if (rc == 0)
        rc = choose(s, &c, err);
    chsm_buf_done(&c.seen);
    p11_kit_uri_free(c.uri);
    if (rc < 0)
        return -1;
    *ret_token = describe(c.slot, &c.info);
    if (!*ret_token)
        return chsm_oom(err);
    s->slot = c.slot;
    *ret_info = c.info;
    return 0;
}

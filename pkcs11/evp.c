/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

/* libp11.h names types that OpenSSL hides with its deprecated functions; none of those is used here. */
#undef OPENSSL_NO_DEPRECATED
#include <libp11.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <p11-kit/uri.h>

#include "pkcs11/evp.h"
#include "pkcs11/request.h"
#include "util/safety.h"

#define SIGNATURE_MAX 4096u
#define ANSWER_MAX CHSM_WIRE_DATA_MAX  /* a certificate */
#define CLOSE_GRACE 5000
#define REASON_MAX 128

/* What libp11 has to be given back, in this order: the key, the slots, the module (facts: pkcs11-stack.md §3). */
struct stack {
    PKCS11_CTX *ctx;
    bool loaded;
    PKCS11_SLOT *slots;
    unsigned nslots;
    EVP_PKEY *key;
    PKCS11_KEY *chosen;         /* libp11's; what `key` was made of */
};

static void mark(const struct chsm_evp_request *q, const char *what)
{
    if (what)
        chsm_ck_enter(q->ck, what);
    else
        chsm_ck_leave(q->ck);
}

/* What libp11 says of its last failure (": PIN incorrect"); "" when it says nothing. Never more than the name of a code. */
static const char *reason(char *out, size_t size)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    (void)snprintf(out, size, "%s%s", text ? ": " : "", text ? text : "");
    ERR_clear_error();
    return out;
}

static void stack_done(const struct chsm_evp_request *q, struct stack *s)
{
    mark(q, "PKCS11_release_all_slots");
    EVP_PKEY_free(s->key);
    if (s->slots)
        PKCS11_release_all_slots(s->ctx, s->slots, s->nslots);
    mark(q, "C_Finalize");
    if (s->loaded)
        PKCS11_CTX_unload(s->ctx);
    mark(q, NULL);
    if (s->ctx)
        PKCS11_CTX_free(s->ctx);
    *s = (struct stack){ 0 };
}

static void pad(unsigned char *to, size_t n, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    memset(to, ' ', n);
    memcpy(to, text ? text : "", len < n ? len : n);
}

/* The URI's token part and slot; libp11 tells these as texts. */
static bool uri_fits(const char *text, PKCS11_SLOT *slot)
{
    P11KitUri *uri = p11_kit_uri_new();
    CK_TOKEN_INFO info = { 0 };
    CK_SLOT_ID id;
    bool fits;

    pad(info.label, sizeof info.label, slot->token->label);
    pad(info.manufacturerID, sizeof info.manufacturerID, slot->token->manufacturer);
    pad(info.model, sizeof info.model, slot->token->model);
    pad(info.serialNumber, sizeof info.serialNumber, slot->token->serialnr);
    fits = uri && p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) == P11_KIT_URI_OK && p11_kit_uri_match_token_info(uri, &info);
    id = uri ? p11_kit_uri_get_slot_id(uri) : (CK_SLOT_ID)-1;
    p11_kit_uri_free(uri);
    return fits && (id == (CK_SLOT_ID)-1 || id == PKCS11_get_slotid_from_slot(slot));
}

static bool slot_fits(const struct chsm_token_choice *c, PKCS11_SLOT *slot)
{
    if (!slot->token || !slot->token->initialized || (c->slot_given && PKCS11_get_slotid_from_slot(slot) != c->slot))
        return false;
    if (c->uri && !uri_fits(c->uri, slot))
        return false;
    return (!c->label || chsm_streq(slot->token->label, c->label)) && (!c->serial || chsm_streq(slot->token->serialnr, c->serial));
}

static PKCS11_SLOT *choose(const struct chsm_evp_request *q, const struct stack *s, struct chsm_err *err)
{
    PKCS11_SLOT *chosen = NULL;
    unsigned fitting = 0;

    for (unsigned i = 0; i < s->nslots; i++) {
        if (slot_fits(&q->choice, &s->slots[i])) {
            chosen = &s->slots[i];
            fitting++;
        }
    }
    if (fitting == 1)
        return chosen;
    (void)chsm_fail(err, CHSM_PKCS11, "%u tokens fit instead of one", fitting);
    return NULL;
}

static int log_in(const struct chsm_evp_request *q, PKCS11_SLOT *slot, struct chsm_err *err)
{
    char why[REASON_MAX];

    if (slot->token->userPinLocked)
        return chsm_refuse(err, CHSM_RULE_PIN_LOCKED, "so says the token");
    if (slot->token->userPinFinalTry)
        return chsm_refuse(err, CHSM_RULE_PIN_FINAL_TRY, "so says the token");
    mark(q, "C_Login");
    ERR_clear_error();
    if (PKCS11_login(slot, /* so= */ 0, q->pin->p) < 0)
        return chsm_fail(err, CHSM_PKCS11, "libp11 could not log in%s", reason(why, sizeof why));
    mark(q, NULL);
    return 0;
}

static bool key_fits(const struct chsm_evp_request *q, const PKCS11_KEY *k)
{
    if (q->id && (k->id_len != q->id->len || (k->id_len && memcmp(k->id, q->id->p, k->id_len) != 0)))
        return false;
    return !q->object || chsm_streq(k->label, q->object);
}

/* The only private key that fits. libp11 would take the first of several (facts: pkcs11-stack.md §3). */
static int find_key(const struct chsm_evp_request *q, PKCS11_SLOT *slot, struct stack *s, struct chsm_err *err)
{
    PKCS11_KEY *keys = NULL, *chosen = NULL;
    unsigned n = 0, fitting = 0;

    mark(q, "PKCS11_enumerate_keys");
    if (PKCS11_enumerate_keys(slot->token, &keys, &n) < 0)
        return chsm_fail(err, CHSM_PKCS11, "libp11 cannot list the token's private keys (one that it does not know is enough)");
    for (unsigned i = 0; i < n; i++) {
        if (key_fits(q, &keys[i])) {
            chosen = &keys[i];
            fitting++;
        }
    }
    if (fitting != 1)
        return chsm_fail(err, CHSM_PKCS11, "%u private keys have the ID or label that is asked for, instead of one", fitting);
    s->chosen = chosen;
    mark(q, "PKCS11_get_private_key");
    s->key = PKCS11_get_private_key(chosen);
    mark(q, NULL);
    return s->key ? 0 : chsm_fail(err, CHSM_PKCS11, "libp11 cannot use the key");
}

/* DER of SEQUENCE { r, s } (RFC 3279 §2.2.3) to r||s of the field's size, as CKM_ECDSA has it. */
static int raw_ecdsa(const EVP_PKEY *key, const unsigned char *der, size_t n, struct chsm_bytes *ret, struct chsm_err *err)
{
    const unsigned char *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
    int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    unsigned char raw[2 * 128];
    int rc = -1;

    if (!sig || half <= 0 || half > 128 || BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, half) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, half) < 0)
        (void)chsm_fail(err, CHSM_PKCS11, "libp11 gave no ECDSA signature");
    else
        rc = chsm_bytes_set(ret, raw, 2 * (size_t)half, err);
    ECDSA_SIG_free(sig);
    return rc;
}

static bool set_pss(EVP_PKEY_CTX *p)
{
    return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) > 0 && EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_sha256()) > 0;
}

static int cannot_sign(const struct chsm_evp_request *q, struct chsm_err *err)
{
    char why[REASON_MAX];

    (void)chsm_fail(err, CHSM_PKCS11, "libp11 could not sign with the key%s%s", q->pss ? " (RSA-PSS)" : "", reason(why, sizeof why));
    return q->pss ? chsm_err_hint(err, "libp11 makes RSA-PSS with raw RSA (CKM_RSA_X_509), which this token may not allow; "
                                       "CHSMCTL_CLIENT_ASSERTION_ALG=RS256 needs CKM_RSA_PKCS only") : -1;
}

static int sign(const struct chsm_evp_request *q, EVP_PKEY *key, struct chsm_bytes *ret, struct chsm_err *err)
{
    unsigned char room[SIGNATURE_MAX];
    size_t n = sizeof room;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;
    int ok;

    mark(q, "C_Sign");
    ok = ctx && EVP_DigestSignInit(ctx, &p, EVP_sha256(), NULL, key) > 0 && (!q->pss || set_pss(p)) &&
         EVP_DigestSign(ctx, room, &n, q->input->p, q->input->len) > 0;
    mark(q, NULL);
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return cannot_sign(q, err);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        return raw_ecdsa(key, room, n, ret, err);
    return chsm_bytes_set(ret, room, n, err);
}

static int der_of(X509 *x, struct chsm_bytes *ret, struct chsm_err *err)
{
    unsigned char *der = NULL;
    int n = x ? i2d_X509(x, &der) : -1, rc;

    if (n <= 0)
        return chsm_fail(err, CHSM_PKCS11, "the certificate in the token cannot be read");
    rc = chsm_bytes_set(ret, der, (size_t)n, err);
    OPENSSL_free(der);
    return rc;
}

/* The only certificate with the key's ID. */
static int find_certificate(const struct chsm_evp_request *q, PKCS11_SLOT *slot, const struct stack *s, struct chsm_bytes *ret,
                            struct chsm_err *err)
{
    const PKCS11_KEY *k = s->chosen;
    PKCS11_CERT *all = NULL, *chosen = NULL;
    unsigned n = 0, fitting = 0;

    mark(q, "PKCS11_enumerate_certs");
    if (PKCS11_enumerate_certs(slot->token, &all, &n) < 0)
        return chsm_fail(err, CHSM_PKCS11, "libp11 cannot list the token's certificates");
    mark(q, NULL);
    for (unsigned i = 0; i < n; i++) {
        if (all[i].id_len == k->id_len && (k->id_len == 0 || memcmp(all[i].id, k->id, k->id_len) == 0)) {
            chosen = &all[i];
            fitting++;
        }
    }
    if (fitting == 1)
        return der_of(chosen->x509, ret, err);
    (void)chsm_fail(err, CHSM_PKCS11, "%u certificates in the token have the key's ID, instead of one", fitting);
    return chsm_err_hint(err, "a PEM file can take its place: name it in CHSMCTL_CLIENT_CERTIFICATE");
}

static int work(const struct chsm_evp_request *q, struct stack *s, struct chsm_bytes *ret, struct chsm_err *err)
{
    PKCS11_SLOT *slot;

    s->ctx = PKCS11_CTX_new();
    if (!s->ctx)
        return chsm_oom(err);
    PKCS11_CTX_init_args(s->ctx, q->init);
    mark(q, "C_Initialize");
    if (PKCS11_CTX_load(s->ctx, q->module) < 0)
        return chsm_fail(err, CHSM_PKCS11, "libp11 cannot load %s", q->module);
    s->loaded = true;
    mark(q, "PKCS11_enumerate_slots");
    /* Not PKCS11_update_slots, which crashes with two slots. */
    if (PKCS11_enumerate_slots(s->ctx, &s->slots, &s->nslots) < 0)
        return chsm_fail(err, CHSM_PKCS11, "libp11 cannot list the slots");
    mark(q, NULL);
    slot = choose(q, s, err);
    if (!slot || log_in(q, slot, err) < 0 || find_key(q, slot, s, err) < 0)
        return -1;
    return q->certificate ? find_certificate(q, slot, s, ret, err) : sign(q, s->key, ret, err);
}

int chsm_evp_work(const struct chsm_evp_request *q, struct chsm_bytes *ret_signature, struct chsm_err *err)
{
    struct stack s = { 0 };
    int rc = work(q, &s, ret_signature, err);

    stack_done(q, &s);
    return rc;
}

static int ask(struct chsm_child *c, json_t *request, const struct chsm_secret *pin, int64_t limit, struct chsm_bytes *ret,
               struct chsm_err *err)
{
    json_t *body = NULL;
    int rc = chsm_request_do(c, CHSM_WIRE_EVP, request, pin, limit, err);

    if (rc == 0)
        rc = chsm_request_reply(c, CHSM_WIRE_ANSWER, limit, &body, err);
    if (rc > 0)
        rc = chsm_child_condemn(c, err, "the PKCS#11 process answers out of turn");
    if (rc == 0)
        rc = chsm_wire_bytes(body, "answer", ANSWER_MAX, ret, err);
    json_decref(body);
    return rc;
}

static int add_text(json_t *request, const char *name, const char *value, struct chsm_err *err)
{
    return value && json_object_set_new(request, name, json_string(value)) < 0 ? chsm_oom(err) : 0;
}

int chsm_evp_use(const struct chsm_hsm_target *target, const struct chsm_secret *pin, const struct chsm_evp_key *key,
                 const struct chsm_bytes *input, struct chsm_bytes *ret, struct chsm_err *err)
{
    struct chsm_child child;
    AUTO_FREE char *input_hex = input ? chsm_hex(input->p, input->len) : NULL;
    json_t *request;
    int rc = -1;

    if (input && !input_hex)
        return chsm_oom(err);
    if (!pin)
        return chsm_fail(err, CHSM_PKCS11, "a signature needs a login");
    /* One login at a time. */
    chsm_hsm_settle();
    request = chsm_request_for(target, err);
    if (!request)
        return -1;
    if (add_text(request, "id", key->id_hex, err) == 0 && add_text(request, "object", key->object, err) == 0 &&
        add_text(request, "input", input_hex, err) == 0 && add_text(request, "pss", key->pss ? "yes" : NULL, err) == 0 &&
        add_text(request, "certificate", key->certificate ? "yes" : NULL, err) == 0 &&
        chsm_child_start(&child, target, pin, err) == 0) {
        rc = ask(&child, request, pin, chsm_request_limit(target), ret, err);
        chsm_child_end(&child, CLOSE_GRACE);
    }
    json_decref(request);
    return rc;
}

int chsm_evp_sign(const struct chsm_hsm_target *target, const struct chsm_secret *pin, const struct chsm_bytes *id,
                  const struct chsm_bytes *input, struct chsm_bytes *ret_signature, struct chsm_err *err)
{
    AUTO_FREE char *id_hex = chsm_hex(id->p, id->len);

    if (!id_hex)
        return chsm_oom(err);
    return chsm_evp_use(target, pin, &(struct chsm_evp_key){ .id_hex = id_hex }, input, ret_signature, err);
}

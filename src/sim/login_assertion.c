/* SPDX-License-Identifier: Apache-2.0 */
/* Client assertions: certificates of an application, and tokens of federated issuers (facts: entra-auth.md §3, §4). */
#include "config.h"

#include <openssl/pem.h>
#include <strings.h>

#include "sim/login.h"

#define SKEW_S 300

/* sim_login_refuse() as "1: refused". */
#define REFUSE(c, err, ...) (sim_login_refuse((c), (err), 401, "invalid_client", __VA_ARGS__) < 0 ? -1 : 1)

static X509 *read_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return x;
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool thumbprint_fits(const X509 *x, const EVP_MD *md, const char *thumbprint)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    AUTO_FREE char *text = X509_digest(x, md, digest, &n) == 1 ? chsm_base64url(digest, n) : NULL;

    return chsm_streq(text, thumbprint);
}

/* The registered certificate that the header names: x5t#S256, or x5t with RS256 only. The caller frees it. */
static X509 *find_certificate(const json_t *principal, const json_t *header, bool pss)
{
    const char *sha256 = chsm_json_str(header, "x5t#S256"), *sha1 = pss ? NULL : chsm_json_str(header, "x5t");
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(principal, "certificates"), i, one) {
        X509 *x = read_certificate(json_string_value(one));

        if (x && ((sha256 && thumbprint_fits(x, EVP_sha256(), sha256)) || (!sha256 && sha1 && thumbprint_fits(x, EVP_sha1(), sha1))))
            return x;
        X509_free(x);
    }
    return NULL;
}

/* x5c, where it is sent: standard base64 of DER, and the signing certificate first. */
static bool chain_fits(const json_t *header, const X509 *leaf)
{
    const json_t *list = json_object_get(header, "x5c"), *one;
    size_t i;

    if (!list)
        return true;
    if (!json_is_array(list) || json_array_size(list) == 0)
        return false;
    json_array_foreach(list, i, one) {
        AUTO_BYTES struct chsm_bytes der = { 0 };
        const unsigned char *at;
        X509 *x;
        bool good;

        if (!json_is_string(one) || chsm_unbase64(json_string_value(one), &der, NULL) < 0)
            return false;
        at = der.p;
        x = d2i_X509(NULL, &at, (long)der.len);
        good = x && (i > 0 || X509_cmp(x, leaf) == 0);
        X509_free(x);
        if (!good)
            return false;
    }
    return true;
}

static int64_t number(const json_t *claims, const char *name)
{
    const json_t *v = json_object_get(claims, name);

    return json_is_integer(v) ? json_integer_value(v) : -1;
}

/* An assertion is good for one request: its jti is kept until it expires. */
static int replayed(struct sim_call *c, const char *jti, int64_t expires, struct chsm_err *err)
{
    json_t *seen = json_object_get(c->root, "assertions"), *value;
    const char *key;
    void *next;

    if (!seen) {
        seen = json_object();
        if (json_object_set_new(c->root, "assertions", seen) < 0)
            return chsm_oom(err);
    }
    json_object_foreach_safe(seen, next, key, value)
        if (json_integer_value(value) < c->now / 1000 - SKEW_S)
            (void)json_object_del(seen, key);
    if (json_object_get(seen, jti))
        return REFUSE(c, err, 700027, "Client assertion was used before (jti '%s').", jti);
    c->state->dirty = true;
    return json_object_set_new(seen, jti, json_integer(expires)) < 0 ? chsm_oom(err) : 0;
}

static int check_time(struct sim_call *c, const json_t *claims, struct chsm_err *err)
{
    int64_t now = c->now / 1000, nbf = number(claims, "nbf"), exp = number(claims, "exp");

    if (nbf < 0 || exp < 0 || nbf > now + SKEW_S || exp < now || exp <= nbf)
        return REFUSE(c, err, 700024, "Client assertion is not within its valid time range. Current time: %lld, assertion valid from %lld, "
                      "expiry time of assertion %lld.", (long long)now, (long long)nbf, (long long)exp);
    return 0;
}

static int check_claims(struct sim_call *c, const json_t *principal, const json_t *claims, struct chsm_err *err)
{
    const char *client = sim_root_str(principal, "clientId"), *jti = chsm_json_str(claims, "jti");
    AUTO_FREE char *audience = chsm_strf("%s/%s/oauth2/v2.0/token", c->cloud->url[SIM_LOGIN], c->rq->seg[0]);
    int rc;

    if (!audience)
        return chsm_oom(err);
    if (!chsm_streq(chsm_json_str(claims, "iss"), client) || !chsm_streq(chsm_json_str(claims, "sub"), client))
        return REFUSE(c, err, 700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
    if (!chsm_streq(chsm_json_str(claims, "aud"), audience))
        return REFUSE(c, err, 700023, "Client assertion audience claim does not match Realm issuer.");
    if (!jti || strlen(jti) < 16)
        return REFUSE(c, err, 50027, "JWT token is invalid or malformed: jti.");
    rc = check_time(c, claims, err);
    return rc ? rc : replayed(c, jti, number(claims, "exp"), err);
}

static int by_certificate(struct sim_call *c, const json_t *principal, const struct sim_jwt *j, const char *text, struct chsm_err *err)
{
    bool pss = chsm_streq(chsm_json_str(j->header, "alg"), "PS256");
    X509 *x = find_certificate(principal, j->header, pss);
    int rc;

    if (!chsm_streq(chsm_json_str(j->header, "typ"), "JWT") || (!pss && !chsm_streq(chsm_json_str(j->header, "alg"), "RS256")))
        rc = REFUSE(c, err, 50027, "JWT token is invalid or malformed: header.");
    else if (!x)
        rc = REFUSE(c, err, 700027, "The certificate with identifier used to sign the client assertion is not registered on application. "
                    "[Reason - The key was not found.]");
    else if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
        rc = REFUSE(c, err, 700027, "The certificate with identifier used to sign the client assertion is expired on application.");
    else if (!chain_fits(j->header, x))
        rc = REFUSE(c, err, 700027, "The x5c header does not begin with the certificate that signed.");
    else if (!sim_jwt_verify(j, text, X509_get0_pubkey(x), pss))
        rc = REFUSE(c, err, 700027, "Client assertion failed signature validation. [Reason - The key used is not the expected one.]");
    else
        rc = check_claims(c, principal, j->claims, err);
    X509_free(x);
    return rc;
}

/* The first federated credential whose issuer, subject and audience fit; *ret_near says how far the best one came. */
static const json_t *find_federated(const json_t *principal, const json_t *claims, int *ret_near)
{
    const json_t *one;
    size_t i;

    *ret_near = 0;
    json_array_foreach(json_object_get(principal, "federated"), i, one) {
        bool issuer = chsm_streq(chsm_json_str(one, "issuer"), chsm_json_str(claims, "iss"));
        bool audience = chsm_streq(chsm_json_str(one, "audience"), chsm_json_str(claims, "aud"));

        if (issuer && audience && chsm_streq(chsm_json_str(one, "subject"), chsm_json_str(claims, "sub")))
            return one;
        if (issuer && *ret_near < (audience ? 2 : 1))
            *ret_near = audience ? 2 : 1;
    }
    return NULL;
}

static int by_federation(struct sim_call *c, const json_t *principal, const struct sim_jwt *j, const char *text, struct chsm_err *err)
{
    static const struct { int number; const char *what; } misses[] = { { 700211, "issuer" }, { 700212, "audience" }, { 700213, "subject" } };
    int near = 0;
    const json_t *one = find_federated(principal, j->claims, &near);
    EVP_PKEY *key = one ? read_key(sim_root_str(one, "key")) : NULL;
    int rc;

    if (!one)
        rc = REFUSE(c, err, misses[near].number, "No matching federated identity record found for presented assertion %s.", misses[near].what);
    else if (!key || !chsm_streq(chsm_json_str(j->header, "alg"), "RS256") || !sim_jwt_verify(j, text, key, false))
        rc = REFUSE(c, err, 50013, "Assertion failed signature validation.");
    else
        rc = check_time(c, j->claims, err);
    EVP_PKEY_free(key);
    return rc;
}

int sim_login_assertion(struct sim_call *c, const json_t *principal, const json_t *form, struct chsm_err *err)
{
    AUTO(sim_jwt_done) struct sim_jwt j = { 0 };
    const char *text = chsm_json_str(form, "client_assertion"), *type = chsm_json_str(form, "client_assertion_type");
    bool federated;

    if (!text || !type)
        return sim_login_refuse(c, err, 400, "invalid_request", 900144, "The request body must contain the following parameter: '%s'.",
                                text ? "client_assertion_type" : "client_assertion") < 0 ? -1 : 1;
    if (!chsm_streq(type, SIM_ASSERTION_TYPE))
        return sim_login_refuse(c, err, 400, "invalid_request", 90023, "The client_assertion_type is not supported.") < 0 ? -1 : 1;
    if (sim_jwt_parse(text, &j) < 0)
        return REFUSE(c, err, 50027, "JWT token is invalid or malformed.");
    federated = !json_object_get(j.header, "x5t") && !json_object_get(j.header, "x5t#S256");
    return federated ? by_federation(c, principal, &j, text, err) : by_certificate(c, principal, &j, text, err);
}

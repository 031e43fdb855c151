/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <strings.h>

#include "azure/certificate_file.h"
#include "azure/credential_certificate.h"
#include "util/json.h"
#include "util/path.h"

#define FILE_MAX_BYTES (1u << 20)
#define ASSERTION_MAX (64u << 10)
#define LIFE_S 600              /* the service wants 5 to 10 minutes */
#define EARLIER_S 60            /* clocks differ */
#define SALT_LEN 32             /* PS256: the digest's length (RFC 7518 §3.5) */

struct chsm_certificate {
    char *what;                 /* the file, for errors */
    char *certificate;          /* PEM file for a key in a token; NULL = the token has it */
    bool pss, x5c;
    EVP_PKEY *key;              /* NULL: in a token */
    struct chsm_key token;
    bool in_token;
    struct chsm_err broken;     /* the token's failure; it is not asked again */
    STACK_OF(X509) *chain;      /* leaf first; NULL: not read yet */
};

bool chsm_certificate_in_token(const char *path)
{
    return strncasecmp(path, "pkcs11:", 7) == 0;
}

void chsm_certificate_free(struct chsm_certificate *c)
{
    if (!c)
        return;
    if (c->token.close)
        c->token.close(c->token.ctx);
    EVP_PKEY_free(c->key);
    chsm_certificates_free(c->chain);
    free(c->what);
    free(c->certificate);
    free(c);
}

static int only_rsa(const EVP_PKEY *key, const char *what, struct chsm_err *err)
{
    if (key && EVP_PKEY_is_a(key, "RSA"))
        return 0;
    (void)chsm_fail(err, CHSM_CONFIG, "%s: the key is not RSA", what);
    return chsm_err_hint(err, "Microsoft Entra takes RSA certificates only");
}

/* Leaf and issuers of the key; `all` is given up. */
static int choose_chain(struct chsm_certificate *c, STACK_OF(X509) *all, EVP_PKEY *key, struct chsm_err *err)
{
    int rc = only_rsa(key, c->what, err);

    if (rc == 0) {
        c->chain = chsm_certificate_chain(all, key);
        if (!c->chain)
            rc = chsm_fail(err, CHSM_CONFIG, "%s: no certificate in it belongs to its private key", c->what);
    }
    chsm_certificates_free(all);
    return rc;
}

static int load_file(struct chsm_certificate *c, const struct chsm_certificate_opts *o, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(FILE_MAX_BYTES);
    STACK_OF(X509) *all = NULL;

    if (chsm_file_read(o->path, FILE_MAX_BYTES, &text, err) < 0 ||
        chsm_certificate_read(&text, c->what, o->password, &c->key, &all, err) < 0)
        return chsm_err_prefix(err, "AZURE_CLIENT_CERTIFICATE_PATH");
    return choose_chain(c, all, c->key, err);
}

static int copy(const char *s, char **ret, struct chsm_err *err)
{
    if (!s)
        return 0;
    *ret = strdup(s);
    return *ret ? 0 : chsm_oom(err);
}

static void certificate_auto(struct chsm_certificate **c)
{
    chsm_certificate_free(*c);
}

int chsm_certificate_load(const struct chsm_certificate_opts *o, struct chsm_certificate **ret, struct chsm_err *err)
{
    AUTO(certificate_auto) struct chsm_certificate *c = calloc(1, sizeof *c);

    if (!c)
        return chsm_oom(err);
    c->pss = o->pss;
    c->x5c = o->chain;
    c->in_token = chsm_certificate_in_token(o->path);
    /* A URI is never shown: somebody may have put a PIN into it. */
    if (copy(c->in_token ? "the key in the token" : o->path, &c->what, err) < 0 || copy(o->certificate, &c->certificate, err) < 0)
        return -1;
    if (!c->in_token && load_file(c, o, err) < 0)
        return -1;
    if (c->in_token && !o->open_key)
        return chsm_fail(err, CHSM_CONFIG, "AZURE_CLIENT_CERTIFICATE_PATH names a key in a token, which this command cannot use");
    if (c->in_token && o->open_key(o->path, o->password, &c->token, err) < 0)
        return chsm_err_prefix(err, "AZURE_CLIENT_CERTIFICATE_PATH");
    *ret = TAKE(c);
    return 0;
}

/* The certificates of a key in a token: from the PEM file, else the one beside the key. */
static int read_chain(struct chsm_certificate *c, chsm_deadline until, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(FILE_MAX_BYTES);
    AUTO_BYTES struct chsm_bytes der = { 0 };
    const unsigned char *at;
    STACK_OF(X509) *all = NULL;
    X509 *leaf;

    if (c->certificate) {
        if (chsm_file_read(c->certificate, FILE_MAX_BYTES, &text, err) < 0 ||
            chsm_certificate_read(&text, c->certificate, NULL, NULL, &all, err) < 0)
            return -1;
        /* Which of them is the leaf is known by the key only, which does not leave its token: the first one counts. */
        return choose_chain(c, all, X509_get0_pubkey(sk_X509_value(all, 0)), err);
    }
    if (c->token.certificate(c->token.ctx, until, &der, err) < 0)
        return -1;
    at = der.p;
    leaf = d2i_X509(NULL, &at, (long)der.len);
    all = sk_X509_new_null();
    if (!leaf || !all || sk_X509_push(all, leaf) <= 0) {
        X509_free(leaf);
        chsm_certificates_free(all);
        return chsm_fail(err, CHSM_CONFIG, "the certificate in the token cannot be read");
    }
    return choose_chain(c, all, X509_get0_pubkey(leaf), err);
}

static int set_pss(EVP_PKEY_CTX *p)
{
    return EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) > 0 && EVP_PKEY_CTX_set_rsa_pss_saltlen(p, SALT_LEN) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_sha256()) > 0;
}

static int sign_here(const struct chsm_certificate *c, const struct chsm_bytes *input, struct chsm_bytes *ret, struct chsm_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;
    unsigned char out[2048];
    size_t n = sizeof out;
    int ok = ctx && EVP_DigestSignInit(ctx, &p, EVP_sha256(), NULL, c->key) > 0 && (!c->pss || set_pss(p)) &&
             EVP_DigestSign(ctx, out, &n, input->p, input->len) > 0;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? chsm_bytes_set(ret, out, n, err) : chsm_fail(err, CHSM_CONFIG, "%s: the private key cannot sign", c->what);
}

static bool verifies(const struct chsm_certificate *c, const struct chsm_bytes *input, const struct chsm_bytes *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;
    EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(c->chain, 0));
    int ok = ctx && EVP_DigestVerifyInit(ctx, &p, EVP_sha256(), NULL, key) > 0 && (!c->pss || set_pss(p)) &&
             EVP_DigestVerify(ctx, signature->p, signature->len, input->p, input->len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* x5c: standard base64 of the DER, leaf first (RFC 7515 §4.1.6). */
static json_t *x5c(const struct chsm_certificate *c)
{
    json_t *list = json_array();

    for (int i = 0; list && i < sk_X509_num(c->chain); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(c->chain, i), &der);
        AUTO_FREE char *text = n > 0 ? chsm_base64(der, (size_t)n) : NULL;

        OPENSSL_free(der);
        if (!text || json_array_append_new(list, json_string(text)) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* PS256 goes with x5t#S256, RS256 with x5t: the pairs that released clients send. */
static json_t *make_header(const struct chsm_certificate *c)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    AUTO_FREE char *thumbprint = NULL;
    json_t *header, *list;

    if (X509_digest(sk_X509_value(c->chain, 0), c->pss ? EVP_sha256() : EVP_sha1(), digest, &n) != 1)
        return NULL;
    thumbprint = chsm_base64url(digest, n);
    if (!thumbprint)
        return NULL;
    header = json_pack("{s:s,s:s,s:s}", "alg", c->pss ? "PS256" : "RS256", "typ", "JWT", c->pss ? "x5t#S256" : "x5t", thumbprint);
    if (!header || !c->x5c)
        return header;
    list = x5c(c);
    if (list && json_object_set_new(header, "x5c", list) == 0)
        return header;
    json_decref(header);
    return NULL;
}

static int add_part(struct chsm_buf *out, json_t *part, struct chsm_err *err)
{
    AUTO_FREE char *text = part ? json_dumps(part, JSON_COMPACT) : NULL;
    AUTO_FREE char *coded = text ? chsm_base64url(text, strlen(text)) : NULL;

    json_decref(part);
    return coded ? chsm_buf_addf(out, err, "%s%s", out->len ? "." : "", coded) : chsm_oom(err);
}

static int build(const struct chsm_certificate *c, const char *client, const char *audience, struct chsm_buf *out, struct chsm_err *err)
{
    json_int_t now = chsm_now() / 1000;
    char jti[37];

    if (chsm_uuid(jti, err) < 0 || add_part(out, make_header(c), err) < 0)
        return -1;
    return add_part(out, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "aud", audience, "iss", client, "sub", client, "jti", jti, "nbf",
                                   now - EARLIER_S, "iat", now, "exp", now + LIFE_S - EARLIER_S), err);
}

static int sign(struct chsm_certificate *c, const struct chsm_bytes *input, chsm_deadline until, struct chsm_bytes *ret, struct chsm_err *err)
{
    if (!c->in_token)
        return sign_here(c, input, ret, err);
    if (c->token.sign(c->token.ctx, c->pss, input, until, ret, err) < 0)
        return -1;
    if (verifies(c, input, ret))
        return 0;
    (void)chsm_fail(err, CHSM_CONFIG, "the key in the token and the certificate do not belong together");
    return chsm_err_hint(err, c->certificate ? "the first certificate in CHSMCTL_CLIENT_CERTIFICATE has to be that of the key"
                                             : "name the certificate's PEM file in CHSMCTL_CLIENT_CERTIFICATE");
}

int chsm_certificate_assert(struct chsm_certificate *c, const char *client, const char *audience, chsm_deadline until, char **ret,
                            struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF_SECRET(ASSERTION_MAX);
    AUTO_BYTES struct chsm_bytes signature = { 0 };
    AUTO_FREE char *coded = NULL;
    struct chsm_err why = c->broken;
    int rc = -1;

    if (c->broken.code == CHSM_OK && (c->chain || read_chain(c, until, &why) == 0) && build(c, client, audience, &out, &why) == 0)
        rc = sign(c, &(struct chsm_bytes){ (unsigned char *)out.p, out.len }, until, &signature, &why);
    if (rc < 0) {
        c->broken = why;
        if (err)
            *err = why;
        return -1;
    }
    coded = chsm_base64url(signature.p, signature.len);
    if (!coded)
        return chsm_oom(err);
    if (chsm_buf_addf(&out, err, ".%s", coded) < 0)
        return -1;
    *ret = chsm_buf_take(&out);
    return *ret ? 0 : chsm_oom(err);
}

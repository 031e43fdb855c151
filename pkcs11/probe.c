/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/probe_ops.h"

#define TRIES 3u

/* After a C_...Init: the login that some keys want for each use (facts: pkcs11-stack.md §7, rule 12). */
static CK_RV ready(struct chsm_probe *p, CK_OBJECT_HANDLE key)
{
    return p->wants_login && key == p->key->handle ? chsm_session_context_login(p->s, p->session) : CKR_OK;
}

/* An operation that failed may still be active, and would be in the way of the next one (facts: pkcs11-stack.md §7, rule 11). */
static CK_RV finish(struct chsm_probe *p, CK_RV rv)
{
    if (rv == CKR_OK)
        return rv;
    chsm_session_reset_proofs(p->s);
    p->session = chsm_session_for_proofs(p->s);
    return rv;
}

CK_RV chsm_probe_sign(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n)
{
    CK_RV rv = CHSM_CK(&p->s->ck, C_SignInit, p->session, m, key);

    if (rv != CKR_OK)
        return rv;
    rv = ready(p, key);
    if (rv != CKR_OK)
        return finish(p, rv);
    p->n = sizeof p->room;
    return finish(p, CHSM_CK(&p->s->ck, C_Sign, p->session, (CK_BYTE *)(uintptr_t)data, n, p->room, &p->n));
}

CK_RV chsm_probe_encrypt(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n)
{
    CK_RV rv = CHSM_CK(&p->s->ck, C_EncryptInit, p->session, m, key);

    if (rv != CKR_OK)
        return rv;
    rv = ready(p, key);
    if (rv != CKR_OK)
        return finish(p, rv);
    p->n = sizeof p->room;
    return finish(p, CHSM_CK(&p->s->ck, C_Encrypt, p->session, (CK_BYTE *)(uintptr_t)data, n, p->room, &p->n));
}

CK_RV chsm_probe_decrypt(struct chsm_probe *p, CK_MECHANISM *m, CK_OBJECT_HANDLE key, const void *data, size_t n)
{
    CK_RV rv = CHSM_CK(&p->s->ck, C_DecryptInit, p->session, m, key);

    if (rv != CKR_OK)
        return rv;
    rv = ready(p, key);
    if (rv != CKR_OK)
        return finish(p, rv);
    p->n = sizeof p->room;
    return finish(p, CHSM_CK(&p->s->ck, C_Decrypt, p->session, (CK_BYTE *)(uintptr_t)data, n, p->room, &p->n));
}

bool chsm_probe_other_spelling(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD;
}

static const struct chsm_probe_op *operation_of(const char *kind)
{
    static const struct chsm_probe_op *const tables[] = { chsm_probe_rsa, chsm_probe_ec, chsm_probe_secret };

    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct chsm_probe_op *op = tables[t]; op->kind; op++)
            if (chsm_streq(op->kind, kind))
                return op;
    return NULL;
}

/* Whether the key says that each use of it needs a login. */
static bool always_authenticate(struct chsm_probe *p)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE t = { CKA_ALWAYS_AUTHENTICATE, &value, sizeof value };

    return CHSM_CK(&p->s->ck, C_GetAttributeValue, p->s->main, p->key->handle, &t, 1) == CKR_OK && t.ulValueLen == sizeof value && value != CK_FALSE;
}

/* Whether to try once more, after this refusal. */
static bool again(struct chsm_probe *p, CK_RV rv, unsigned tries)
{
    if (rv == CKR_USER_NOT_LOGGED_IN && p->s->login && !p->wants_login) {
        p->wants_login = always_authenticate(p);
        return p->wants_login;
    }
    /* A second try would be a second login: these are counted. */
    if (p->wants_login || !chsm_ck_transient(rv) || tries >= TRIES)
        return false;
    (void)usleep(12500u << tries);
    return true;
}

static CK_RV run(struct chsm_probe *p)
{
    CK_RV rv;
    unsigned tries = 0;

    do {
        p->session = chsm_session_for_proofs(p->s);
        p->n = 0;
        rv = p->op->run(p);
        if (rv == CKR_OK && p->n > sizeof p->room)
            rv = CKR_BUFFER_TOO_SMALL;
        if (rv == CKR_OK)
            return rv;
        /* After a plain refusal nothing is active (see finish()), and the session is as good as it was. */
        if (!chsm_challenge_try_next(rv))
            chsm_session_reset_proofs(p->s);
    } while (again(p, rv, ++tries));
    return rv;
}

int chsm_probe(struct chsm_session *s, const struct chsm_listed *key, const char *kind, const struct chsm_bytes *input,
               struct chsm_bytes *ret_answer, CK_RV *ret_rv, struct chsm_err *err)
{
    struct chsm_probe p = { .s = s, .key = key, .input = input, .op = operation_of(kind) };
    CK_RV rv;
    int rc;

    if (!p.op)
        return chsm_fail(err, CHSM_PKCS11, "there is no proof of kind \"%s\"", kind);
    if (p.op->cls != key->cls) {
        *ret_rv = CKR_KEY_TYPE_INCONSISTENT;
        return 1;
    }
    rv = run(&p);
    if (rv == CKR_OK) {
        rc = chsm_bytes_set(ret_answer, p.room, p.n, err);
        chsm_wipe(p.room, sizeof p.room);
        return rc;
    }
    chsm_wipe(p.room, sizeof p.room);
    /* The same number can mean a lost session or a refusal by the HSM's policy (0xb3): the session itself decides. */
    if (chsm_session_check(s, err) < 0)
        return -1;
    *ret_rv = rv;
    return 1;
}

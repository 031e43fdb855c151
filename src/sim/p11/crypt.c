/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encryption, decryption, digests, signatures (PKCS#11 v2.40 §5.8 to §5.12). All of them are passed on to the session on
 * the token in which the key lies; which one that was is remembered for the calls that name no key.
 */
#include "config.h"

#include "sim/p11/gate.h"
#include "sim/p11/state.h"

#define KINDS_MAX 16

/* Quirk wrong-answer=other: the first key that was used does the work of all others of its class and type, too. */
static void mistake(struct sim_object *o)
{
    static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
    static struct sim_object first[KINDS_MAX];      /* of all threads */
    size_t i = 0;

    (void)pthread_mutex_lock(&busy);
    while (i < KINDS_MAX && first[i].object &&
           (first[i].token != o->token || first[i].cls != o->cls || first[i].type != o->type))
        i++;
    if (i < KINDS_MAX && first[i].object)
        o->object = first[i].object;
    else if (i < KINDS_MAX)
        first[i] = *o;
    (void)pthread_mutex_unlock(&busy);
}

/* Quirk wrong-answer: damages what a key has computed. */
static void spoil(CK_BYTE *out, CK_ULONG *n)
{
    if (!out || *n == 0)
        return;
    if (sim_quirks()->wrong_answer == SIM_ANSWER_FLIP)
        out[*n / 2] ^= 1;
    else if (sim_quirks()->wrong_answer == SIM_ANSWER_ZERO)
        memset(out, 0, *n);
    else if (sim_quirks()->wrong_answer == SIM_ANSWER_EMPTY)
        *n = 0;
}

static CK_RV begin(struct sim_session *s, enum sim_op op, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                   struct sim_object *ret)
{
    CK_RV rv;

    if (!s)
        return CKR_SESSION_HANDLE_INVALID;
    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    if (!sim_mechanism_known(mechanism->mechanism))
        return CKR_MECHANISM_INVALID;
    rv = sim_object_find(s, key, CKR_KEY_HANDLE_INVALID, ret);
    if (rv != CKR_OK)
        return rv;
    if (sim_quirks()->wrong_answer == SIM_ANSWER_OTHER)
        mistake(ret);
    if (sim_quirks()->always_authenticate && ret->cls == CKO_PRIVATE_KEY)
        s->wants_context = true;
    s->op_token[op] = ret->token;
    return CKR_OK;
}

/* Quirk always-authenticate: a refusal ends the operation, here by closing the session that SoftHSM runs it in. */
static CK_RV give_up(struct sim_session *s, enum sim_op op)
{
    size_t token = s->op_token[op];

    s->wants_context = false;
    if (token == SIM_NOBODY)
        return CKR_OPERATION_NOT_INITIALIZED;
    (void)sim_state()->fl->C_CloseSession(s->inner[token]);
    s->inner[token] = 0;
    s->op_token[op] = SIM_NOBODY;
    return CKR_USER_NOT_LOGGED_IN;
}

static CK_RV go_on(struct sim_session *s, enum sim_op op, CK_SESSION_HANDLE *ret)
{
    if (!s)
        return CKR_SESSION_HANDLE_INVALID;
    if (s->wants_context)
        return give_up(s, op);
    return s->op_token[op] == SIM_NOBODY ? CKR_OPERATION_NOT_INITIALIZED : sim_session_inner(s, s->op_token[op], ret);
}

#define DEFINE_INIT(name, op) \
    CK_RV name(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key) \
    { \
        struct sim_session *s; \
        struct sim_object o; \
        CK_RV rv; \
        ENTER_FOR(name, SIM_USES); \
        s = sim_session_hold(handle); \
        rv = begin(s, op, mechanism, key, &o); \
        return sim_session_leave(s, rv == CKR_OK ? sim_state()->fl->name(o.session, mechanism, o.object) : rv); \
    }

/* The body of a function that goes on with an operation: `...` are its arguments after the session; `done` spoils the result. */
#define GO_ON(name, op, done, ...) \
    do { \
        struct sim_session *s; \
        CK_SESSION_HANDLE inner; \
        CK_RV rv; \
        ENTER_FOR(name, SIM_USES); \
        s = sim_session_hold(handle); \
        rv = go_on(s, op, &inner); \
        rv = rv == CKR_OK ? sim_state()->fl->name(inner, __VA_ARGS__) : rv; \
        if (rv == CKR_OK && sim_quirks()->wrong_answer) \
            done; \
        return sim_session_leave(s, rv); \
    } while (0)

/* Input and output: C_Encrypt, C_EncryptUpdate, C_Sign, ... */
#define DEFINE_IN_OUT(name, op) \
    CK_RV name(CK_SESSION_HANDLE handle, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len) \
    { \
        GO_ON(name, op, spoil(out, out_len), in, in_len, out, out_len); \
    }

#define DEFINE_OUT(name, op) \
    CK_RV name(CK_SESSION_HANDLE handle, CK_BYTE *out, CK_ULONG *out_len) \
    { \
        GO_ON(name, op, spoil(out, out_len), out, out_len); \
    }

#define DEFINE_IN(name, op) \
    CK_RV name(CK_SESSION_HANDLE handle, CK_BYTE *in, CK_ULONG in_len) \
    { \
        GO_ON(name, op, (void)0, in, in_len); \
    }

DEFINE_INIT(C_EncryptInit, SIM_OP_ENCRYPT)
DEFINE_IN_OUT(C_Encrypt, SIM_OP_ENCRYPT)
DEFINE_IN_OUT(C_EncryptUpdate, SIM_OP_ENCRYPT)
DEFINE_OUT(C_EncryptFinal, SIM_OP_ENCRYPT)

DEFINE_INIT(C_DecryptInit, SIM_OP_DECRYPT)
DEFINE_IN_OUT(C_Decrypt, SIM_OP_DECRYPT)
DEFINE_IN_OUT(C_DecryptUpdate, SIM_OP_DECRYPT)
DEFINE_OUT(C_DecryptFinal, SIM_OP_DECRYPT)

DEFINE_INIT(C_SignInit, SIM_OP_SIGN)
DEFINE_IN_OUT(C_Sign, SIM_OP_SIGN)
DEFINE_IN(C_SignUpdate, SIM_OP_SIGN)
DEFINE_OUT(C_SignFinal, SIM_OP_SIGN)

DEFINE_INIT(C_VerifyInit, SIM_OP_VERIFY)
DEFINE_IN(C_VerifyUpdate, SIM_OP_VERIFY)
DEFINE_IN(C_VerifyFinal, SIM_OP_VERIFY)

CK_RV C_Verify(CK_SESSION_HANDLE handle, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
{
    GO_ON(C_Verify, SIM_OP_VERIFY, (void)0, data, data_len, signature, signature_len);
}

/* A digest needs no key: any token will do. */
CK_RV C_DigestInit(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism)
{
    CK_SESSION_HANDLE inner = 0;
    struct sim_session *s;
    CK_RV rv;

    ENTER(C_DigestInit);
    s = sim_session_find(handle);
    if (!s)
        return sim_leave(CKR_SESSION_HANDLE_INVALID);
    if (!mechanism)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (!sim_mechanism_known(mechanism->mechanism))
        return sim_leave(CKR_MECHANISM_INVALID);
    if (sim_state()->n == 0)
        return sim_leave(CKR_DEVICE_ERROR);
    rv = sim_session_inner(s, 0, &inner);
    if (rv == CKR_OK)
        rv = sim_state()->fl->C_DigestInit(inner, mechanism);
    if (rv == CKR_OK)
        s->op_token[SIM_OP_DIGEST] = 0;
    return sim_leave(rv);
}

DEFINE_IN_OUT(C_Digest, SIM_OP_DIGEST)
DEFINE_IN(C_DigestUpdate, SIM_OP_DIGEST)
DEFINE_OUT(C_DigestFinal, SIM_OP_DIGEST)

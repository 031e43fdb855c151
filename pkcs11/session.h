/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's side of a module: loaded, initialised, one token chosen, logged in once. */
#ifndef CHSM_PKCS11_SESSION_H
#define CHSM_PKCS11_SESSION_H

#include <jansson.h>

#include "pkcs11/ck.h"
#include "util/secret.h"

struct chsm_session {
    struct chsm_ck ck;
    bool by_hand;               /* p11-kit does not initialise and finalise it for us */
    bool initialised;           /* by us: then we finalise */
    CK_SLOT_ID slot;
    CK_TOKEN_INFO token;        /* as it was when the session was opened */
    unsigned reopened;          /* how often */
    CK_FLAGS open_flags;        /* that C_OpenSession accepted */
    CK_SESSION_HANDLE main;     /* stays open from listing to proof: handles and login live as long as it does */
    CK_SESSION_HANDLE proofs;   /* where operations are done; may be closed and opened again */
    bool helper;                /* a thread's second view of the same login: `main` is its one session, good for everything */
    bool login;                 /* logged in as CKU_USER */
    struct chsm_secret pin;     /* while logged in, for keys that want a login for each use; unset with a PIN pad */
    bool context_refused;       /* such a login failed once: there is no second try, failures are counted */
    bool private_hidden;        /* no login, though the token wants one for its private objects */
    bool accept_shared_login;   /* a login of another program is as good as ours */
    bool shared_login;          /* and there was one: whose, cannot be known */
    bool one_thread;            /* the module cannot be used by several threads */
    unsigned long sessions_max; /* of the token, 0 = it does not say */
};

struct chsm_token_choice {
    const char *label;          /* NULL = any */
    const char *serial;         /* NULL = any */
    const char *uri;            /* RFC 7512, its token, slot and library parts; NULL = any */
    bool slot_given;
    unsigned long slot;
    unsigned long jobs;         /* sessions to use; 0 = measured */
    bool accept_shared_login;
};

/* Loads exactly this file with p11-kit and initialises it, with `init` as the reserved argument (NULL = none) (module.c). */
CHSM_MUST_CHECK int chsm_module_load(struct chsm_session *s, const char *path, const char *init, struct chsm_err *err);

/* Finalises what chsm_module_load() initialised. */
void chsm_module_finalize(struct chsm_session *s);

/* Chooses the token and opens the main session. *ret_token: strings that describe it, the caller's. */
CHSM_MUST_CHECK int chsm_session_open(struct chsm_session *s, const struct chsm_token_choice *choice, json_t **ret_token,
                                      struct chsm_err *err);

/* One C_Login, never a second one. Refused when the next wrong PIN would lock the user, or it is locked. */
CHSM_MUST_CHECK int chsm_session_login(struct chsm_session *s, const struct chsm_secret *pin, struct chsm_err *err);

/*
 * C_Login(CKU_CONTEXT_SPECIFIC) for the operation that is active in `session` (PKCS#11 v2.40 §5.6, CKA_ALWAYS_AUTHENTICATE). One try;
 * after a failure CKR_USER_NOT_LOGGED_IN at once, for all keys, as without a login.
 */
CK_RV chsm_session_context_login(struct chsm_session *s, CK_SESSION_HANDLE session);

/* 0 while the main session lives and is still logged in (when it was); CHSM_PKCS11 otherwise. */
CHSM_MUST_CHECK int chsm_session_check(struct chsm_session *s, struct chsm_err *err);

/*
 * After the main session was lost: waits some seconds for the same token in the same slot, opens another session and, where there
 * was a login of ours that succeeded, logs in: one try again. All handles of before are dead. CHSM_PKCS11 when that does
 * not work, or was done CHSM_REOPEN_MAX times. `tick` is called while it waits.
 */
#define CHSM_REOPEN_MAX 3u
CHSM_MUST_CHECK int chsm_session_reopen(struct chsm_session *s, int (*tick)(void *ctx, struct chsm_err *err), void *ctx, struct chsm_err *err);

/* The session for proofs: a second one, or the main one where the token has no more. */
CK_SESSION_HANDLE chsm_session_for_proofs(struct chsm_session *s);

/* Gives that session up, with whatever operation may be active in it. */
void chsm_session_reset_proofs(struct chsm_session *s);

/* Logs out and closes; errors mean nothing any more. */
void chsm_session_close(struct chsm_session *s);

#endif

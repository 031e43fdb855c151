/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HSM session as seen by the rest of the program: a child process that has loaded one PKCS#11 module and logged in
 * once. A module that hangs, crashes, prints or dies in C_Finalize costs one clear error, not the program (design §6).
 */
#ifndef CHSM_PKCS11_HSM_H
#define CHSM_PKCS11_HSM_H

#include "keys/record.h"
#include "util/clock.h"
#include "util/secret.h"

#define CHSM_HSM_JOBS_MAX 64u

struct chsm_hsm_target {
    const char *module;             /* path of the library; realpath() is applied */
    const char *directory;          /* working directory of the child; NULL = this one */
    const char *const *env;         /* "NAME=value" additions, ended by NULL; NULL = none. AZURE_*, ARM_*, IDENTITY_*, MSI_* and
                                       names with TOKEN, SECRET or PASSWORD are never inherited */
    const char *init;               /* handed to C_Initialize as pReserved; NULL = nothing. Not for secrets */
    const char *token_label;        /* NULL = whatever slot has the only initialised token */
    const char *serial;             /* NULL = any */
    const char *uri;                /* that chsm_uri_parse() has found good: its token, slot and library parts; NULL = none */
    bool accept_shared_login;       /* go on as whoever another program on this host has logged in as */
    bool slot_given;
    unsigned long slot;             /* CK_SLOT_ID when slot_given */
    unsigned jobs;                  /* sessions that are used at once, at most CHSM_HSM_JOBS_MAX; 0 = as many as are seen to help, at most 16 */
    int64_t timeout;                /* ms for each step: open, one proof, and in a listing the wait for the next sign of progress
                                       (a whole listing gets 30 times that); 0 = 120 s */
};

struct chsm_hsm;

/*
 * Starts the child, loads the module, opens the session and logs in: one try, never repeated (a locked user is worse than
 * a failed run). pin NULL = no login (public objects only). CHSM_PKCS11 with ck_rv and both readings of a firmware code,
 * CHSM_DEADLINE when the module does not answer in time.
 */
CHSM_MUST_CHECK int chsm_hsm_open(const struct chsm_hsm_target *target, const struct chsm_secret *pin, struct chsm_hsm **ret,
                                  struct chsm_err *err);

/*
 * Reads every token object: per class, to the first empty batch, bounded; then attributes. What cannot be read makes the
 * section incomplete (it is then not an error). ret->records[i].index == i is the name of a key in chsm_hsm_prove().
 * The caller runs chsm_section_done(); `login` is copied into it.
 */
CHSM_MUST_CHECK int chsm_hsm_list(struct chsm_hsm *hsm, const char *login, struct chsm_section *ret, struct chsm_err *err);

/*
 * Performs the operation `kind` (keys/challenge.h) with key `index` of the list, on the handle that the list was read
 * from. 0 and *answer; 1 when the module refused this key or mechanism (*ret_rv, the CK_RV, says why; the session goes
 * on); -1 when the session itself is gone. Token objects are never changed; session objects are destroyed after use.
 */
CHSM_MUST_CHECK int chsm_hsm_prove(struct chsm_hsm *hsm, size_t index, const char *kind, const struct chsm_bytes *input,
                                   struct chsm_bytes *answer, unsigned long *ret_rv, struct chsm_err *err);

/*
 * The same for several keys at once: as many as chsm_hsm_window() questions may be under way. chsm_hsm_submit() gives a ticket, and
 * chsm_hsm_collect() waits for any of the answers and says whose it is; otherwise it is as chsm_hsm_prove(). Nothing else may be
 * asked of the session meanwhile.
 */
unsigned chsm_hsm_window(const struct chsm_hsm *hsm);
#define CHSM_HSM_WINDOW_MAX 64u
CHSM_MUST_CHECK int chsm_hsm_submit(struct chsm_hsm *hsm, size_t index, const char *kind, const struct chsm_bytes *input,
                                    unsigned *ret_ticket, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_hsm_collect(struct chsm_hsm *hsm, unsigned *ret_ticket, struct chsm_bytes *answer, unsigned long *ret_rv,
                                     struct chsm_err *err);

/*
 * How many public, private and secret keys there are now, session objects included: counted before and after proofs, it shows
 * that these left nothing. CHSM_PKCS11 when the searches do not work; the session goes on then.
 */
CHSM_MUST_CHECK int chsm_hsm_count(struct chsm_hsm *hsm, size_t *ret, struct chsm_err *err);

/*
 * Has the child log out, finalise and end, and does not wait for that: results can be written meanwhile. Nothing that was read
 * depends on it: a crash or hang there is a warning (chsm_log), never an error. NULL is allowed.
 */
void chsm_hsm_close(struct chsm_hsm *hsm);

/* Waits for the child of the last chsm_hsm_close(), if any. Whatever opens a session does this first; the program does it last. */
void chsm_hsm_settle(void);
static inline void chsm_hsm_auto_(struct chsm_hsm **h) { chsm_hsm_close(*h); *h = NULL; }
#define AUTO_HSM AUTO(chsm_hsm_auto_)

/* "CKR_PIN_INCORRECT (0xa0)"; firmware codes with both readings. In `out`, which is returned. */
const char *chsm_ckr_text(unsigned long rv, char *out, size_t size);

/* The child's main function: run by src/main.c when argv[1] is CHSM_WORKER_ARG; never returns to the caller's program. */
#define CHSM_WORKER_ARG "--pkcs11-worker"
int chsm_hsm_worker(void);

#endif

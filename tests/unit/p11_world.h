/* SPDX-License-Identifier: Apache-2.0 */
/* A SoftHSM world of its own for PKCS#11 tests: a folder, a configuration, one token with keys made in this process. */
#ifndef CHSM_TESTS_P11_WORLD_H
#define CHSM_TESTS_P11_WORLD_H

#include <p11-kit/p11-kit.h>

#include "pkcs11/hsm.h"

#define WORLD_LABEL "unit"
#define WORLD_PIN "cu1:pass4711"
#define WORLD_SO_PIN "12345678"

struct world {
    char dir[64];
    char conf_env[128];             /* SOFTHSM2_CONF=... */
    const char *env[3];             /* for the child; [1] is free for a test's own */
    CK_FUNCTION_LIST *fl;           /* SoftHSM in this process, while keys are made */
    CK_SESSION_HANDLE session;
};

/* False when SoftHSM is not installed. */
bool world_make(struct world *w);
void world_remove(struct world *w);

/* Loads SoftHSM here, logs in; ends that again (the child must not find the parent's state in its way). */
void world_enter(struct world *w);
void world_leave(struct world *w);

/* Runs `make` in a process of its own, inside the world: SoftHSM leaks where it makes keys on Edwards curves. */
void world_apart(struct world *w, void (*make)(struct world *w));

/* Keys; pairs get the same id on both halves. `usage` of the private half: "s" sign, "d" decrypt, "x" derive, "u" unwrap,
   "a" a login for each use. */
void world_rsa(struct world *w, const char *id, const char *label, const char *usage);
/* oid: DER of the named curve. */
void world_ec(struct world *w, const void *oid, size_t n, const char *id, const char *label, const char *usage);
void world_secret(struct world *w, CK_KEY_TYPE type, const void *value, size_t n, const char *id, const char *label);
/* The same with usage: "e" encrypt, "d" decrypt, "s" sign, "w" wrap, "u" unwrap, "x" derive. */
void world_secret_for(struct world *w, CK_KEY_TYPE type, const void *value, size_t n, const char *label, const char *usage);
/* A pair of another mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN. */
void world_ec_by(struct world *w, CK_MECHANISM_TYPE mechanism, const void *params, size_t n, const char *label, const char *usage);
/* An RSA key that may be used with one mechanism only. */
void world_rsa_only(struct world *w, const char *label, const char *usage, CK_MECHANISM_TYPE mechanism);
void world_certificate(struct world *w, const void *der, size_t n, const char *id, const char *label);
/* How many objects the token shows, session objects of others included. */
unsigned world_count(struct world *w);

/* The tool's side: SoftHSM as target, a session, its list, one record of it. Each fails the test when it does not work. */
struct chsm_hsm_target world_target(struct world *w);
struct chsm_secret world_pin(void);
struct chsm_hsm *world_open(struct world *w);
struct chsm_section world_list(struct chsm_hsm *h);
const struct chsm_record *world_find(const struct chsm_section *s, unsigned long cls, const char *label);

extern const unsigned char world_p256[10], world_p384[7], world_p521[7];

#endif

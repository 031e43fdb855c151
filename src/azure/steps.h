/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing resources to a wanted state step by step: look, send only what is missing, and keep a record of it. With dry_run
 * nothing is written; the record then has the requests that would have been sent.
 */
#ifndef CHSM_AZURE_STEPS_H
#define CHSM_AZURE_STEPS_H

#include "azure/lro.h"

struct chsm_steps {
    struct chsm_arm *arm;
    chsm_deadline deadline;
    bool dry_run;
    bool register_providers;          /* a provider that is not registered is registered, and waited for */
    chsm_lro_watch *watch;            /* progress of what takes its time; ctx is the name of it. May be NULL */
    void (*said)(const json_t *step); /* each step as soon as it is over. May be NULL */
    json_t *request;                  /* what the step under way has sent, or would send: {method, url, body}. NULL: nothing */
    json_t *done;                     /* array of steps, in order */
};
CHSM_MUST_CHECK int chsm_steps_begin(struct chsm_steps *s, struct chsm_err *err);
void chsm_steps_done(struct chsm_steps *s);

/* Whether a refusal says that a resource, or something above it that could be made, is not there. A 404 alone does not. */
bool chsm_steps_absent(const struct chsm_err *why);

/* GET. *ret = NULL when chsm_steps_absent(); any other refusal is an error. The caller owns *ret. */
CHSM_MUST_CHECK int chsm_steps_read(struct chsm_steps *s, const char *path, json_t **ret, struct chsm_err *err);

/*
 * PUT or PATCH to the end of the operation that it starts; *ret = the resource as it is then. With dry_run it is only noted,
 * *ret = NULL. A refusal comes with what to do about it.
 */
CHSM_MUST_CHECK int chsm_steps_write(struct chsm_steps *s, const char *method, const char *path, const json_t *body,
                                     const char *name, json_t **ret, struct chsm_err *err);

/* Waits until a resource that was read is settled (provisioningState Succeeded); *resource is replaced by a newer reading. */
CHSM_MUST_CHECK int chsm_steps_settle(struct chsm_steps *s, const char *path, const char *name, json_t **resource,
                                      struct chsm_err *err);

enum chsm_outcome { CHSM_STEP_EXISTS, CHSM_STEP_CREATED, CHSM_STEP_CHANGED };

/*
 * Ends a step: {"step", "name", "id", "outcome", ...members of more (stolen, may be NULL), "request" with dry_run}. The
 * outcome is "exists",
 * "created" or "changed"; with dry_run "would-create" or "would-change".
 */
CHSM_MUST_CHECK int chsm_steps_say(struct chsm_steps *s, const char *step, const char *name, const char *id,
                                   enum chsm_outcome outcome, json_t *more, struct chsm_err *err);

/* Puts the remedies of storage, network and role assignments on a refusal; `path` is what the request was for. Always -1. */
int chsm_steps_explain(const char *path, struct chsm_err *err);

#endif

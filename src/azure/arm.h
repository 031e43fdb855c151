/* SPDX-License-Identifier: Apache-2.0 */
/* Azure Resource Manager: authenticated requests, errors, retries (facts: arm.md §2). */
#ifndef CHSM_AZURE_ARM_H
#define CHSM_AZURE_ARM_H

#include "azure/send.h"
#include "util/json.h"

struct chsm_arm {                   /* everything that a request needs; lives as long as the command */
    struct chsm_http *http;
    struct chsm_cloud cloud;
    struct chsm_credential *credential;
    int64_t poll_interval;          /* ms between polls when the service names none; 0 = 30 s (what az waits) */
    char correlation[37];           /* one x-ms-correlation-request-id per command */
};

struct chsm_arm_opts {
    struct chsm_http_opts http;
    const char *cloud;              /* chsm_cloud_find() */
    struct chsm_credential_opts credential;
    int64_t poll_interval;
};
CHSM_MUST_CHECK int chsm_arm_open(const struct chsm_arm_opts *opts, struct chsm_arm **ret, struct chsm_err *err);
void chsm_arm_close(struct chsm_arm *arm);
static inline void chsm_arm_auto_(struct chsm_arm **a) { chsm_arm_close(*a); *a = NULL; }
#define AUTO_ARM AUTO(chsm_arm_auto_)

struct chsm_arm_guard { /* whether a request may still be sent; -1 with *err: no */
    int (*ask)(void *ctx, struct chsm_err *err);
    void *ctx;
};

/*
 * Sends to `path` ("/subscriptions/...?api-version=...") or to an absolute URL within ARM's host. The answer's status is
 * 2xx on success; *ret_json (may be NULL) gets the parsed body, or NULL when it is empty. Otherwise the error has http,
 * service_code, message, details, request ids and, for the well-known codes, a remedy (arm.md §2.3). A 401 gets one fresh
 * token. CHSM_SERVICE, CHSM_AUTH, CHSM_DEADLINE, CHSM_INTERRUPTED.
 * With CHSM_REPEAT_START, response->sent && status == 0 (or 5xx) means: unknown whether it started.
 */
CHSM_MUST_CHECK int chsm_arm_do(struct chsm_arm *arm, const char *method, const char *path, const json_t *body,
                                enum chsm_repeat repeat, chsm_deadline deadline, struct chsm_response *response,
                                json_t **ret_json, struct chsm_err *err);

/*
 * The POST that starts a job: chsm_arm_do() with CHSM_REPEAT_START. `guard` is asked before each repetition, which may come
 * minutes after the first try (429); when it says no, its error is the result, and the job has certainly not been started.
 */
CHSM_MUST_CHECK int chsm_arm_start(struct chsm_arm *arm, const char *path, const json_t *body,
                                   const struct chsm_arm_guard *guard, chsm_deadline deadline,
                                   struct chsm_response *response, struct chsm_err *err);

/* Fills *err from an answer with an error status: the ARM envelope, else the status alone. Pure. Always -1. */
int chsm_arm_error(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err);

/* Whether an error says that the resource itself is not there: 404 is also what proxies, missing groups and providers answer. */
bool chsm_arm_absent(const struct chsm_err *err);

/*
 * The message of an error object with its details, inner errors and policies, in one line and without secrets; "" when it has
 * none. malloc()ed; NULL when out of memory. Pure.
 */
char *chsm_arm_error_text(const json_t *e);

/* The remedy for err->service_code, where one is known and none is given yet. Always -1. */
int chsm_arm_error_hint(struct chsm_err *err);

/* All pages of a list; nextLink is followed verbatim within ARM's host, at most 1,000 pages. *ret = array. */
CHSM_MUST_CHECK int chsm_arm_list(struct chsm_arm *arm, const char *path, chsm_deadline deadline, json_t **ret,
                                  struct chsm_err *err);

/* Resource ids compare without regard to case (arm.md §2.1); a slash at the end does not count. */
bool chsm_arm_id_eq(const char *a, const char *b);

#endif

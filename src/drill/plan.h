/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a drill: YAML, apiVersion chsmctl/v1, kind Drill (schema: cfg/plan.schema.json). It holds no secret. */
#ifndef CHSM_DRILL_PLAN_H
#define CHSM_DRILL_PLAN_H

#include "keys/compare.h"
#include "util/yaml.h"

struct chsm_plan_side {
    char *group;                /* resource group */
    char *cluster;
    char *directory;            /* working directory of the HSM's library for this cluster; absolute */
    char **env;                 /* "NAME=value" for the library, ended by NULL */
};

struct chsm_plan_login {
    char *name;
    char *pin;                  /* source of the PIN (util/secret.h), never the PIN */
};

struct chsm_plan {
    char *path;                 /* the file it was read from */
    char *name;
    char *subscription;
    struct chsm_plan_side source, destination;
    char *identity;             /* resource id of the managed identity */
    char *container_uri;
    char *module;               /* PKCS#11 library */
    char *token_label;          /* NULL = any */
    int64_t pkcs11_timeout;     /* ms */
    struct chsm_plan_login *logins;
    size_t n_logins;
    enum chsm_require require;
    bool allow_unexpected;
    bool no_proofs;
    int64_t rto, rpo;           /* ms, 0 = no objective */
    bool objectives_required;   /* a miss fails the drill */
    int64_t poll_interval;      /* ms, 0 = what the service says, else 30 s */
    int64_t deadline;           /* ms for the whole drill, 0 = none */
    char *evidence;             /* directory, absolute */
};

void chsm_plan_done(struct chsm_plan *p);
#define AUTO_PLAN AUTO(chsm_plan_done)

/*
 * Reads and checks a plan. Every mistake is found at once: *problems gets one line each, "FILE:LINE:COLUMN: what was found
 * and what is expected". Relative paths are taken from the plan's own folder. CHSM_CONFIG when there is any mistake.
 */
CHSM_MUST_CHECK int chsm_plan_load(const char *path, struct chsm_plan *ret, struct chsm_buf *problems, struct chsm_err *err);

#endif

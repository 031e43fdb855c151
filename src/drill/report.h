/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the report together from what a run knows (format: doc/EVIDENCE.md, fields: what auditors ask for). */
#ifndef CHSM_DRILL_REPORT_H
#define CHSM_DRILL_REPORT_H

#include "azure/job.h"
#include "keys/compare.h"
#include "nodes/coverage.h"

struct chsm_report_side {
    const char *cluster;                        /* resource id; NULL = not known */
    const struct chsm_inventory *inventory;     /* NULL = not read */
    const char *inventory_file;                 /* name in the evidence directory, or path; NULL */
};

struct chsm_report_parts {
    const char *command;                        /* "drill run", "keys verify" */
    const char *run_id;
    int64_t started, ended;                     /* ms since 1970 */
    const char *plan;                           /* path; NULL */
    struct chsm_report_side source, destination;
    const char *container_uri;                  /* NULL */
    const struct chsm_job *backup, *restore;    /* NULL = none */
    int64_t backup_requested, restore_requested, verified;  /* ms since 1970; 0 = did not happen */
    int64_t rto, rpo;                           /* objectives in ms; 0 = none */
    bool objectives_required;
    const struct chsm_comparison *comparison;   /* NULL = nothing was compared */
    const struct chsm_policy *policy;
    const char *proofs;                         /* which keys were asked: "all", "none", "sample:N:SEED"; NULL = not known */
    json_t *nodes;                              /* member "nodes"; borrowed; NULL = they were not looked at */
    enum chsm_coverage_outcome coverage;        /* of it */
    json_t *steps;                              /* array; borrowed; NULL */
    const struct chsm_err *error;               /* why the run ended early; NULL */
};

/*
 * *ret = the report (the caller's), *ret_code = the exit status that follows from it: CHSM_OK only for "verified"; the
 * error's own code when there is one. An objective that is required and missed makes a verified run fail.
 */
CHSM_MUST_CHECK int chsm_report_build(const struct chsm_report_parts *parts, json_t **ret, enum chsm_code *ret_code, struct chsm_err *err);

#endif

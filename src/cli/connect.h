/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that talk to Azure begin with. */
#ifndef CHSM_CLI_CONNECT_H
#define CHSM_CLI_CONNECT_H

#include "azure/job.h"
#include "cli/args.h"
#include "cli/output.h"

struct chsm_connection {
    struct chsm_arm *arm;
    struct chsm_cluster_ref cluster;    /* group and name may be NULL where a command does not need them */
    chsm_deadline deadline;
};

/* Reads the connection options and signs in on the first request. `need_cluster`: --resource-group and --name must be given. */
CHSM_MUST_CHECK int chsm_connect(const struct chsm_args *args, bool need_cluster, struct chsm_connection *ret, struct chsm_err *err);
/* The same for what needs no subscription: addresses of the blob service. */
CHSM_MUST_CHECK int chsm_connect_bare(const struct chsm_args *args, struct chsm_connection *ret, struct chsm_err *err);
void chsm_disconnect(struct chsm_connection *c);
#define AUTO_CONNECTION AUTO(chsm_disconnect)

/* --poll-interval, --timeout (as http.limit) and the options of the HTTP gate; strings are borrowed from args. */
CHSM_MUST_CHECK int chsm_connect_opts(const struct chsm_args *args, struct chsm_arm_opts *ret, struct chsm_err *err);

/* A chsm_lro_watch that shows state and elapsed time; ctx is the name of what is waited for. */
void chsm_connect_watch(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms);

/* What a change of the connection's cluster needs; borrows from it. */
struct chsm_cluster_task chsm_connect_task(const struct chsm_args *args, const struct chsm_connection *c);

/* The same for a job: with what recordings let expect, as long as its begin is known. */
struct chsm_job_watch {
    enum chsm_job_kind kind;
    const char *id;
    bool from_start;        /* the wait began when the job did */
};
void chsm_connect_watch_job(void *ctx, const struct chsm_lro *l, int64_t elapsed_ms);

/* The options that name a cluster, for the command tables. */
#define CHSM_OPTS_CLUSTER                                                                                                             \
    { "resource-group", NULL, 'g', CHSM_OPT_TEXT, offsetof(struct chsm_args, group), "GROUP", "resource group of the cluster" },      \
    { "name", "cluster-name", 'n', CHSM_OPT_TEXT, offsetof(struct chsm_args, name), "NAME", "name of the cluster" }

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with the client on this machine, and what to do about it. Pure: from one look (client/look.h), from what the network
 * showed, and from what was found of handles.
 *   ok        it is as it should be
 *   warning   it works, or may work, but will fail later: a certificate that expires, a handle that does not survive a restore
 *   unknown   it could not be established
 *   problem   the client does not work like this, or uses another cluster than its configuration says
 */
#ifndef CHSM_CLIENT_DOCTOR_H
#define CHSM_CLIENT_DOCTOR_H

#include "client/reach.h"

enum chsm_finding_level { CHSM_DOCTOR_OK, CHSM_DOCTOR_WARNING, CHSM_DOCTOR_UNKNOWN, CHSM_DOCTOR_PROBLEM };
const char *chsm_doctor_level_name(enum chsm_finding_level level);

struct chsm_doctor {
    const json_t *look;
    int64_t now;                    /* ms since 1970 */
    const struct chsm_reach *nodes; /* those of chsm_doctor_hosts(), looked at */
    size_t n_nodes;
    json_t *findings; /* [{check, level, what, remedy}]; made by chsm_doctor_judge() */
};
void chsm_doctor_done(struct chsm_doctor *d);
#define AUTO_DOCTOR AUTO(chsm_doctor_done)

/*
 * The hosts to look at: what the first readable copy names, and the other nodes of that cluster as far as its names tell. *ret_all is
 * false when they do not: an address says nothing of the others.
 */
CHSM_MUST_CHECK int chsm_doctor_hosts(const json_t *look, struct chsm_paths *ret, bool *ret_all, struct chsm_err *err);

/* Makes the findings about files, daemon and nodes. `all_nodes` as from chsm_doctor_hosts(). */
CHSM_MUST_CHECK int chsm_doctor_judge(struct chsm_doctor *d, bool all_nodes, struct chsm_err *err);

/* Adds a finding; the remedy may be NULL. */
CHSM_MUST_CHECK CHSM_PRINTF(6, 7) int chsm_doctor_add(struct chsm_doctor *d, enum chsm_finding_level level, const char *check,
                                                      const char *remedy, struct chsm_err *err, const char *fmt, ...);

/* Findings about what holds a handle: from chsm_handles_scan() and chsm_handles_certificates(); either may be NULL. */
CHSM_MUST_CHECK int chsm_doctor_handles(struct chsm_doctor *d, const json_t *scan, const json_t *certificates,
                                        struct chsm_err *err);

/* The worst level: a problem, else unknown, else a warning, else ok. */
enum chsm_finding_level chsm_doctor_worst(const struct chsm_doctor *d);

#endif

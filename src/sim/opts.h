/* SPDX-License-Identifier: Apache-2.0 */
/* chsm-sim's command line: long options only, as a table. */
#ifndef CHSM_SIM_OPTS_H
#define CHSM_SIM_OPTS_H

#include "util/err.h"

struct sim_opt {
    const char *name;       /* "dir" for --dir */
    const char **value;     /* set to the option's argument; NULL for a flag */
    bool *flag;
};

/*
 * Reads argv[1..]: "--name VALUE", "--name=VALUE", flags, and words. Gives the number of words, of which there may be at most
 * max, and points ret_words at them. -1 with CHSM_USAGE on an unknown or repeated option, or a missing argument.
 */
CHSM_MUST_CHECK int sim_opts_parse(int argc, char **argv, const struct sim_opt *opts, size_t n, const char **ret_words, size_t max,
                                   struct chsm_err *err);

/* A whole decimal number within bounds; `what` names it in the error. */
CHSM_MUST_CHECK int sim_number(const char *text, const char *what, long low, long high, long *ret, struct chsm_err *err);

/* The commands: 0 or an exit status; they print their results themselves. Errors go up to main(). */
typedef int sim_command(int argc, char **argv, struct chsm_err *err);
sim_command sim_cmd_serve, sim_cmd_seed, sim_cmd_set, sim_cmd_fault;
sim_command sim_cmd_app, sim_cmd_device, sim_cmd_revoke;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. This folder is the only one that prints. */
#ifndef CHSM_CLI_CLI_H
#define CHSM_CLI_CLI_H

/* Runs one command; returns the exit status (util/err.h). */
int chsm_cli_main(int argc, char **argv);

#endif

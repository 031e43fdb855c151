/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the management tool as a person at a terminal would: on a pseudo-terminal, so that its prompts come unbuffered and so
 * that it can ask for a password without echo. The password goes to its stdin alone; it is in no argument, no environment, no
 * log line and no error. Only prompts that are known are answered, and a question whether to change something with "n".
 * The tool runs in a session of its own; all of it is killed at the end.
 *
 * "loginHSM CO name -hpswd" makes the tool ask for the password: so do its relatives in the AWS and Alibaba Cloud clients, with
 * the same prompts. Azure's own guides only show the password in the line; for a tool that does not know -hpswd, and takes it for
 * the password, there is in_line.
 */
#ifndef CHSM_NODES_MGMT_RUN_H
#define CHSM_NODES_MGMT_RUN_H

#include "util/buf.h"
#include "util/clock.h"
#include "util/secret.h"

#define CHSM_MGMT_PROGRAM "/opt/azurecloudhsm/bin/azcloudhsm_mgmt_util"
#define CHSM_MGMT_CONFIG "azcloudhsm_resource.cfg"
#define CHSM_MGMT_TIMEOUT 120000        /* ms, for everything */

struct chsm_mgmt_tool {
    const char *program;                /* NULL = CHSM_MGMT_PROGRAM; relative to our own working directory */
    const char *directory;              /* its working directory; NULL = ours */
    const char *config;                 /* its argument; NULL = CHSM_MGMT_CONFIG; relative to its working directory */
    const char *user;                   /* of the crypto officer (CO); NULL = "admin" */
    const struct chsm_secret *password;
    bool in_line;                       /* password in the line of loginHSM instead of at the prompt that -hpswd brings */
    int64_t timeout;                    /* ms; 0 = CHSM_MGMT_TIMEOUT */
};

struct chsm_mgmt;

/*
 * Starts the tool and waits for its prompt; what it said until then is appended to *talk. The tool and its strings are
 * borrowed until chsm_mgmt_close(). CHSM_CONFIG when it cannot be started or the user name or password cannot be typed,
 * CHSM_DEADLINE, CHSM_INTERRUPTED, CHSM_SERVICE when it ends or prints too much.
 */
CHSM_MUST_CHECK int chsm_mgmt_open(const struct chsm_mgmt_tool *tool, struct chsm_mgmt **ret, struct chsm_buf *talk,
                                   struct chsm_err *err);

/*
 * Logs the crypto officer in, once; what the tool answers is put into *answer, which must be a secret buffer (the tool may
 * repeat what was typed). Whether the login succeeded is for the reader of the answer.
 */
CHSM_MUST_CHECK int chsm_mgmt_login(struct chsm_mgmt *m, struct chsm_buf *answer, struct chsm_err *err);

/* Sends a command that changes nothing and puts its answer, without the prompt that ends it, into *answer. */
CHSM_MUST_CHECK int chsm_mgmt_ask(struct chsm_mgmt *m, const char *command, struct chsm_buf *answer, struct chsm_err *err);

/* A copy of text without the password; NULL when out of memory. The caller frees it. */
char *chsm_mgmt_redact(const struct chsm_mgmt *m, const char *text);

/* Logs out, quits, and kills what is left. NULL is allowed. */
void chsm_mgmt_close(struct chsm_mgmt *m);
static inline void chsm_mgmt_auto_(struct chsm_mgmt **m) { chsm_mgmt_close(*m); }
#define AUTO_MGMT AUTO(chsm_mgmt_auto_)

#endif

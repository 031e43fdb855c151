/* SPDX-License-Identifier: Apache-2.0 */
/* What a module prints on stdout and stderr: line by line into the debug log, redacted, bounded. */
#ifndef CHSM_PKCS11_OUTPUT_H
#define CHSM_PKCS11_OUTPUT_H

#include "pkcs11/child.h"

/* Takes what there is; never waits. */
void chsm_output_drain(struct chsm_child *c);

/* A copy without the PIN and the password in it; NULL when out of memory. The caller frees it. */
char *chsm_output_redact(const struct chsm_child *c, const char *text);

/* Takes the rest, an unfinished last line, too, and closes. */
void chsm_output_end(struct chsm_child *c);

#endif

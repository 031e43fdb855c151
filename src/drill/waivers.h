/* SPDX-License-Identifier: Apache-2.0 */
/* Waivers from a file (YAML: apiVersion chsmctl/v1, kind Waivers; every member in cfg/waivers.yaml). */
#ifndef CHSM_DRILL_WAIVERS_H
#define CHSM_DRILL_WAIVERS_H

#include "keys/waiver.h"
#include "util/buf.h"

/*
 * Reads waivers. Every mistake is a line of *problems ("FILE:LINE:COLUMN: path: what"), and CHSM_CONFIG says how many there are: a
 * waiver that is not understood must neither count nor be overlooked. The caller runs chsm_waivers_done().
 */
CHSM_MUST_CHECK int chsm_waivers_load(const char *path, struct chsm_waivers *ret, struct chsm_buf *problems, struct chsm_err *err);

/* The same from memory; `name` stands for the file in messages. */
CHSM_MUST_CHECK int chsm_waivers_parse(const char *text, size_t n, const char *name, struct chsm_waivers *ret, struct chsm_buf *problems,
                                       struct chsm_err *err);

#endif

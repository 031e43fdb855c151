/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs of the tools from tests/data/mgmt. */
#ifndef CHSM_TESTS_NODES_DATA_H
#define CHSM_TESTS_NODES_DATA_H

#include "check.h"
#include "util/path.h"

/* The file tests/data/mgmt/<name>; the caller runs chsm_buf_done(). */
static inline struct chsm_buf mgmt_data(const char *name)
{
    const char *top = getenv("abs_top_srcdir");
    struct chsm_buf b = CHSM_BUF(1u << 20);
    struct chsm_err err = { 0 };
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/tests/data/mgmt/%s", top ? top : ".", name);
    assert_ok(chsm_file_read(path, 1u << 20, &b, &err), err);
    return b;
}

#endif

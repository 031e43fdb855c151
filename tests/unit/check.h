/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka in its required order, and assertions on error values that show the error. */
#ifndef CHSM_TESTS_CHECK_H
#define CHSM_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/err.h"

/* The call returned 0; else its error is shown. */
#define assert_ok(call, err) check_ok_((call), &(err), #call, __FILE__, __LINE__)

/* The call returned -1 with this code and a message. */
#define assert_fails(call, wanted, err) check_fails_((call), &(err), (wanted), #call, __FILE__, __LINE__)

#define assert_contains(text, part) check_contains_((text), (part), 1, __FILE__, __LINE__)
#define assert_lacks(text, part) check_contains_((text), (part), 0, __FILE__, __LINE__)

static inline void check_ok_(int rc, const struct chsm_err *err, const char *call, const char *file, int line)
{
    if (rc == 0)
        return;
    print_error("%s returned %d: %s: %s\n", call, rc, chsm_code_name(err->code), err->text);
    _fail(file, line);
}

static inline void check_fails_(int rc, const struct chsm_err *err, enum chsm_code wanted, const char *call, const char *file, int line)
{
    if (rc == -1 && err->code == wanted && err->text[0])
        return;
    print_error("%s returned %d: %s instead of %s: %s\n", call, rc, chsm_code_name(err->code), chsm_code_name(wanted), err->text);
    _fail(file, line);
}

static inline void check_contains_(const char *text, const char *part, int wanted, const char *file, int line)
{
    if (text && (strstr(text, part) != NULL) == wanted)
        return;
    print_error("\"%s\" is %sin \"%s\"\n", part, wanted ? "not " : "", text ? text : "(null)");
    _fail(file, line);
}

#endif

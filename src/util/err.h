/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error value. It is filled where the error happens, passed up by pointer, and printed by src/cli only. Secrets that
 * the process holds (known.h) are covered in every text that is put into it.
 */
#ifndef CHSM_UTIL_ERR_H
#define CHSM_UTIL_ERR_H

#include "util/compat.h"

/* Every code is also the exit status of the program (append only; chsmctl(1), "EXIT STATUS"). */
enum chsm_code {
    CHSM_OK = 0,
    CHSM_FAILED = 1,        /* verification failed */
    CHSM_USAGE = 2,
    CHSM_CONFIG = 3,        /* bad configuration, plan or input file */
    CHSM_AUTH = 4,          /* sign-in failed */
    CHSM_SERVICE = 5,       /* the service refused, or a job failed */
    CHSM_PKCS11 = 6,
    CHSM_REFUSED = 7,       /* refused by a safety rule */
    CHSM_DEADLINE = 8,
    CHSM_EVIDENCE = 9,      /* evidence does not verify */
    CHSM_INCONCLUSIVE = 10,
    CHSM_INTERRUPTED = 130,
};

struct chsm_err {
    enum chsm_code code;
    unsigned long ck_rv;    /* CK_RV of the PKCS#11 call that failed, 0 when none */
    long http;              /* HTTP status of the answer, 0 when none */
    char service_code[64];  /* the service's own error code ("AuthorizationFailed"), "" when none */
    char text[1024];        /* what happened, and where; valid UTF-8, like the hint: it goes into JSON */
    char hint[512];         /* what to do about it, "" when there is nothing useful to say */
};

/* Fills *err (which may be NULL) with code and text, and clears its other fields. Always returns -1. */
CHSM_PRINTF(3, 4) int chsm_fail(struct chsm_err *err, enum chsm_code code, const char *fmt, ...);

/* chsm_fail() for a system call that has just failed: appends ": " and strerror(errno). Always returns -1. */
CHSM_PRINTF(3, 4) int chsm_fail_errno(struct chsm_err *err, enum chsm_code code, const char *fmt, ...);

/* Puts "<text>: " before the text of an error that is already there. Always returns -1. */
CHSM_PRINTF(2, 3) int chsm_err_prefix(struct chsm_err *err, const char *fmt, ...);

/* Puts text (less than half its size) behind an error that is already there, which loses its own end if need be. Always -1. */
CHSM_PRINTF(2, 3) int chsm_err_suffix(struct chsm_err *err, const char *fmt, ...);

/* Sets the remedy of an error that is already there. Always returns -1. */
CHSM_PRINTF(2, 3) int chsm_err_hint(struct chsm_err *err, const char *fmt, ...);

/* "out of memory" as an error value. Always returns -1. */
int chsm_oom(struct chsm_err *err);

/* The name of a code as used in reports ("refused", "service"); never NULL. */
const char *chsm_code_name(enum chsm_code code);

#endif

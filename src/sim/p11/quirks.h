/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways in which the real client library has been seen to misbehave, switched on one by one by the environment's
 * CHSM_SIM_QUIRKS, a list separated by commas:
 *   template-strict         one unsupported attribute spoils the whole C_GetAttributeValue: every length is -1
 *   bad-login=0xRV          answer to a wrong user or password (otherwise 0xa3, the firmware's own number)
 *   already-logged-in[=CU]  sessions start logged in as that user (the first one without a name), C_Login says 0x100
 *   daemon-down             C_Initialize answers CKR_GENERAL_ERROR
 *   ro-refused              a read-only session is refused with CKR_FUNCTION_FAILED
 *   find-duplicates         every object is listed twice
 *   find-vanishing          the first object that a search lists is CKR_OBJECT_HANDLE_INVALID ever after
 *   find-endless            a search never comes to its end: it begins again
 *   find-short-batches      at most 3 handles at a time, whatever was asked for
 *   ec-private-no-point     private EC keys have neither CKA_EC_POINT nor CKA_PUBLIC_KEY_INFO
 *   mechanisms=all          every mechanism that SoftHSM has, instead of those of the real library
 *   noise                   chatter on stdout and stderr
 *   latency=MS              every call takes that much longer
 *   hang=C_NAME             that call never returns
 *   crash=C_NAME            that call aborts the process
 *   error=C_NAME:0xRV[:N]   that call (only the Nth one since C_Initialize, when N is given) answers RV
 */
#ifndef CHSM_SIM_P11_QUIRKS_H
#define CHSM_SIM_P11_QUIRKS_H

#include <p11-kit/pkcs11.h>

#include "sim/p11/functions.h"
#include "util/err.h"

struct sim_quirks {
    bool template_strict, already_logged_in, daemon_down, ro_refused;
    bool all_mechanisms;        /* mechanisms=all */
    bool find_duplicates, find_vanishing, find_endless, find_short_batches, ec_private_no_point, noise;
    char inherited[32];         /* already-logged-in: the user, "" = the first */
    CK_RV bad_login;
    unsigned latency_ms;
    struct {
        bool hang, crash, fail;
        CK_RV error;            /* when fail */
        unsigned long nth;      /* 0 = each call */
    } fn[FN_COUNT];
};

/* Reads a list as above (NULL = none); CHSM_USAGE that quotes what is unknown: a typo must not make a test pass. */
CHSM_MUST_CHECK int sim_quirks_parse(const char *list, struct sim_quirks *ret, struct chsm_err *err);

#endif

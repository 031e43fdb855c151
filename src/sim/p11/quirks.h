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
 *   find-truncated          every other search ends half-way
 *   find-ignores-class      CKA_CLASS in a template is taken for true
 *   find-zero               one of the handles that a search lists is 0
 *   find-session-objects    searches list a session object, too
 *   search-busy=0xRV|hang   calls while a search is open, but those of the search, fail or hang
 *   batch-lies=HOW[:CLASS]  more than one attribute in a call: bytes (a bit is wrong), order (ID and label exchanged), stale (a value
 *                           is not written), silent (a value is empty); of private, public or secret keys only
 *   one-attribute[=0xRV]    more than one attribute in a call is refused (0x7)
 *   length-lies=HOW         CKA_LABEL is over (longer than the buffer), absent (-1) or zero, with CKR_OK
 *   odd-names               IDs and labels have control characters, NULs and broken UTF-8 in them
 *   wrong-answer=HOW        what keys compute is flip (a bit), zero, empty, or other (another key's)
 *   always-authenticate     private keys want C_Login(CKU_CONTEXT_SPECIFIC) for each use
 *   session-lost=N          at the Nth call all sessions are closed; new ones can be opened
 *   device-removed=N        from the Nth call on every call but C_Finalize is CKR_DEVICE_REMOVED
 *   logged-out=N            at the Nth call nobody is logged in any more
 *   sessions-max=N          one more is CKR_SESSION_COUNT
 *   threads-break[=0xRV]    a call while another one runs fails (0x5)
 *   slots=N                 so many slots; only the first has an initialised token
 *   no-label                the token's label is blank
 *   garbage-info            the texts of slot and token are rubbish
 *   pin=final-try|locked    the token says that the next wrong PIN locks the user, or that one has
 *   slow=C_NAME:MS          that call takes that much longer
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
    bool find_truncated, find_ignores_class, find_zero, find_session_objects;
    bool search_busy_hangs, odd_names, always_authenticate, no_label, garbage_info;
    CK_RV search_busy, one_attribute, threads_break;    /* 0 = off */
    unsigned long session_lost, device_removed, logged_out, sessions_max, slots;    /* 0 = off */
    enum { SIM_HONEST, SIM_LIE_BYTES, SIM_LIE_ORDER, SIM_LIE_STALE, SIM_LIE_SILENT } batch_lies;
    CK_OBJECT_CLASS batch_lies_of;      /* CK_UNAVAILABLE_INFORMATION = all */
    enum { SIM_LENGTHS_RIGHT, SIM_LENGTH_OVER, SIM_LENGTH_ABSENT, SIM_LENGTH_ZERO } length_lies;
    enum { SIM_ANSWERS_RIGHT, SIM_ANSWER_FLIP, SIM_ANSWER_ZERO, SIM_ANSWER_EMPTY, SIM_ANSWER_OTHER } wrong_answer;
    enum { SIM_PIN_FINE, SIM_PIN_FINAL_TRY, SIM_PIN_LOCKED } pin_state;
    char inherited[32];         /* already-logged-in: the user, "" = the first */
    CK_RV bad_login;
    unsigned latency_ms;
    struct {
        bool hang, crash, fail;
        CK_RV error;            /* when fail */
        unsigned long nth;      /* 0 = each call */
        unsigned slow_ms;
    } fn[FN_COUNT];
};

/* Reads a list as above (NULL = none); CHSM_USAGE that quotes what is unknown: a typo must not make a test pass. */
CHSM_MUST_CHECK int sim_quirks_parse(const char *list, struct sim_quirks *ret, struct chsm_err *err);

#endif

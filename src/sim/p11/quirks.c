/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <limits.h>

#include "sim/p11/quirks.h"
#include "util/buf.h"

#define FIRMWARE_LOGIN_FAILURE 0xa3UL   /* RET_USER_LOGIN_FAILURE leaks out as a CK_RV */
#define LATENCY_MAX_MS 60000

const char *const sim_fn_names[FN_COUNT] = {
#define X(name) #name,
    SIM_P11_FUNCTIONS(X)
#undef X
};

static const struct { const char *name; size_t at; } switches[] = {
    { "template-strict", offsetof(struct sim_quirks, template_strict) },
    { "already-logged-in", offsetof(struct sim_quirks, already_logged_in) },
    { "daemon-down", offsetof(struct sim_quirks, daemon_down) },
    { "ro-refused", offsetof(struct sim_quirks, ro_refused) },
    { "find-duplicates", offsetof(struct sim_quirks, find_duplicates) },
    { "find-vanishing", offsetof(struct sim_quirks, find_vanishing) },
    { "find-endless", offsetof(struct sim_quirks, find_endless) },
    { "find-short-batches", offsetof(struct sim_quirks, find_short_batches) },
    { "ec-private-no-point", offsetof(struct sim_quirks, ec_private_no_point) },
    { "find-truncated", offsetof(struct sim_quirks, find_truncated) },
    { "find-ignores-class", offsetof(struct sim_quirks, find_ignores_class) },
    { "find-zero", offsetof(struct sim_quirks, find_zero) },
    { "find-session-objects", offsetof(struct sim_quirks, find_session_objects) },
    { "odd-names", offsetof(struct sim_quirks, odd_names) },
    { "always-authenticate", offsetof(struct sim_quirks, always_authenticate) },
    { "no-label", offsetof(struct sim_quirks, no_label) },
    { "garbage-info", offsetof(struct sim_quirks, garbage_info) },
    { "noise", offsetof(struct sim_quirks, noise) },
};

/* NAME=NUMBER; where it says so NAME alone is that number. */
static const struct { const char *name; size_t at; unsigned long alone; } numbers[] = {
    { "session-lost", offsetof(struct sim_quirks, session_lost), 0 },
    { "device-removed", offsetof(struct sim_quirks, device_removed), 0 },
    { "logged-out", offsetof(struct sim_quirks, logged_out), 0 },
    { "sessions-max", offsetof(struct sim_quirks, sessions_max), 0 },
    { "slots", offsetof(struct sim_quirks, slots), 0 },
    { "one-attribute", offsetof(struct sim_quirks, one_attribute), CKR_ARGUMENTS_BAD },
    { "threads-break", offsetof(struct sim_quirks, threads_break), CKR_GENERAL_ERROR },
    { "search-busy", offsetof(struct sim_quirks, search_busy), 0 },
    { "bad-login", offsetof(struct sim_quirks, bad_login), 0 },
};

/* NAME=WORD: the word's place is the value. */
static const struct { const char *name; size_t at; const char *words[5]; } choices[] = {
    { "batch-lies", offsetof(struct sim_quirks, batch_lies), { "", "bytes", "order", "stale", "silent" } },
    { "length-lies", offsetof(struct sim_quirks, length_lies), { "", "over", "absent", "zero", NULL } },
    { "pin", offsetof(struct sim_quirks, pin_state), { "", "final-try", "locked", NULL, NULL } },
    { "wrong-answer", offsetof(struct sim_quirks, wrong_answer), { "", "flip", "zero", "empty", "other" } },
};

static bool set_number(struct sim_quirks *q, const char *name, unsigned long value)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (chsm_streq(name, numbers[i].name) && value > 0) {
            *(unsigned long *)((char *)q + numbers[i].at) = value;
            return true;
        }
    return false;
}

static bool set_choice(struct sim_quirks *q, const char *name, const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(choices); i++)
        for (size_t k = 1; chsm_streq(name, choices[i].name) && k < ARRAY_LEN(choices[i].words); k++)
            if (chsm_streq(word, choices[i].words[k])) {
                *(unsigned *)((char *)q + choices[i].at) = (unsigned)k;
                return true;
            }
    return false;
}

static bool set_switch(struct sim_quirks *q, const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(numbers); i++)
        if (chsm_streq(name, numbers[i].name))
            return set_number(q, name, numbers[i].alone);
    for (i = 0; i < ARRAY_LEN(switches); i++)
        if (chsm_streq(name, switches[i].name)) {
            *(bool *)((char *)q + switches[i].at) = true;
            return true;
        }
    return false;
}

static bool read_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end;

    if (!*text || *text == '-' || *text == '+' || *text == ' ')
        return false;
    errno = 0;
    *ret = strtoul(text, &end, 0);
    return errno == 0 && *end == '\0' && *ret <= max;
}

static bool read_function(const char *name, enum sim_fn *ret)
{
    size_t i;

    for (i = 0; i < FN_COUNT; i++)
        if (chsm_streq(name, sim_fn_names[i])) {
            *ret = (enum sim_fn)i;
            return true;
        }
    return false;
}

/* "C_NAME:0xRV[:N]" */
static bool set_error(struct sim_quirks *q, char *value)
{
    const char *name = strsep(&value, ":");
    const char *rv = strsep(&value, ":");
    unsigned long number, nth = 0;
    enum sim_fn fn;

    if (!rv || !read_function(name, &fn) || !read_number(rv, ULONG_MAX, &number) || number == CKR_OK)
        return false;
    if (value && (!read_number(value, ULONG_MAX, &nth) || nth == 0))
        return false;
    q->fn[fn].fail = true;
    q->fn[fn].error = number;
    q->fn[fn].nth = nth;
    return true;
}

/* "C_NAME:MS" */
static bool set_slow(struct sim_quirks *q, char *value)
{
    const char *name = strsep(&value, ":");
    unsigned long ms;
    enum sim_fn fn;

    if (!value || !read_function(name, &fn) || !read_number(value, LATENCY_MAX_MS, &ms))
        return false;
    q->fn[fn].slow_ms = (unsigned)ms;
    return true;
}

/* "HOW[:CLASS]" */
static bool set_batch_lies(struct sim_quirks *q, char *value)
{
    const char *how = strsep(&value, ":");

    q->batch_lies_of = !value ? CK_UNAVAILABLE_INFORMATION : chsm_streq(value, "private") ? CKO_PRIVATE_KEY :
                       chsm_streq(value, "public") ? CKO_PUBLIC_KEY : CKO_SECRET_KEY;
    return (!value || chsm_streq(value, "private") || chsm_streq(value, "public") || chsm_streq(value, "secret")) &&
           set_choice(q, "batch-lies", how);
}

static bool set_value(struct sim_quirks *q, const char *name, char *value)
{
    unsigned long number;
    enum sim_fn fn;

    if (chsm_streq(name, "batch-lies"))
        return set_batch_lies(q, value);
    if (read_number(value, ULONG_MAX, &number) && set_number(q, name, number)) {
        return true;
    } else if (set_choice(q, name, value)) {
        return true;
    } else if (chsm_streq(name, "search-busy") && chsm_streq(value, "hang")) {
        q->search_busy_hangs = true;
    } else if (chsm_streq(name, "slow")) {
        return set_slow(q, value);
    } else if (chsm_streq(name, "latency") && read_number(value, LATENCY_MAX_MS, &number)) {
        q->latency_ms = (unsigned)number;
    } else if (chsm_streq(name, "already-logged-in") && *value && strlen(value) < sizeof q->inherited) {
        q->already_logged_in = true;
        memcpy(q->inherited, value, strlen(value) + 1);
    } else if (chsm_streq(name, "mechanisms") && chsm_streq(value, "all")) {
        q->all_mechanisms = true;
    } else if (chsm_streq(name, "hang") && read_function(value, &fn)) {
        q->fn[fn].hang = true;
    } else if (chsm_streq(name, "crash") && read_function(value, &fn)) {
        q->fn[fn].crash = true;
    } else {
        return chsm_streq(name, "error") && set_error(q, value);
    }
    return true;
}

int sim_quirks_parse(const char *list, struct sim_quirks *ret, struct chsm_err *err)
{
    AUTO_FREE char *copy = chsm_strf("%s", list ? list : "");
    AUTO_FREE char *word_copy = NULL;
    struct sim_quirks q = { .bad_login = FIRMWARE_LOGIN_FAILURE };
    char *rest = copy, *word, *name;

    if (!copy)
        return chsm_oom(err);
    while (*copy && (word = strsep(&rest, ",")) != NULL) {
        free(word_copy);
        word_copy = chsm_strf("%s", word);
        if (!word_copy)
            return chsm_oom(err);
        name = strsep(&word, "=");
        if (word ? !set_value(&q, name, word) : !set_switch(&q, name))
            return chsm_fail(err, CHSM_USAGE, "CHSM_SIM_QUIRKS: '%s' is not understood", word_copy);
    }
    *ret = q;
    return 0;
}

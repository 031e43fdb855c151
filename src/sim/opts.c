/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>

#include "sim/opts.h"

static const struct sim_opt *find(const struct sim_opt *opts, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(opts[i].name) == len && strncmp(opts[i].name, name, len) == 0)
            return &opts[i];
    return NULL;
}

/* Takes one option; returns how many further words of argv it used. */
static int take(const struct sim_opt *opt, const char *word, const char *next, struct chsm_err *err)
{
    const char *equals = strchr(word, '=');

    if (opt->flag) {
        if (equals)
            return chsm_fail(err, CHSM_USAGE, "--%s takes no argument", opt->name);
        *opt->flag = true;
        return 0;
    }
    if (*opt->value)
        return chsm_fail(err, CHSM_USAGE, "--%s is given twice", opt->name);
    *opt->value = equals ? equals + 1 : next;
    if (!*opt->value)
        return chsm_fail(err, CHSM_USAGE, "--%s needs an argument", opt->name);
    return equals ? 0 : 1;
}

int sim_opts_parse(int argc, char **argv, const struct sim_opt *opts, size_t n, const char **ret_words, size_t max, struct chsm_err *err)
{
    size_t words = 0;

    for (int i = 1; i < argc; i++) {
        const struct sim_opt *opt;
        int used;

        if (strncmp(argv[i], "--", 2) != 0) {
            if (words == max)
                return chsm_fail(err, CHSM_USAGE, "unexpected word '%s'", argv[i]);
            ret_words[words++] = argv[i];
            continue;
        }
        opt = find(opts, n, argv[i] + 2, strcspn(argv[i] + 2, "="));
        if (!opt)
            return chsm_fail(err, CHSM_USAGE, "unknown option '%s'", argv[i]);
        used = take(opt, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err);
        if (used < 0)
            return -1;
        i += used;
    }
    return (int)words;
}

int sim_number(const char *text, const char *what, long low, long high, long *ret, struct chsm_err *err)
{
    char *end = NULL;
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return chsm_fail(err, CHSM_USAGE, "%s: '%s' is no number from %ld to %ld", what, text, low, high);
    *ret = value;
    return 0;
}

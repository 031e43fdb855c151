/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/args.h"

#define OPT(n, l, k, member, a, h) { n, NULL, l, k, offsetof(struct chsm_args, member), a, h }

const struct chsm_opt chsm_global_opts[] = {
    OPT("output", 'o', CHSM_OPT_TEXT, output, "FORMAT", "table (default), json, yaml, tsv, csv or none"),
    OPT("subscription", 's', CHSM_OPT_TEXT, subscription, "ID", "subscription (default: AZURE_SUBSCRIPTION_ID)"),
    OPT("cloud", 0, CHSM_OPT_TEXT, cloud, "NAME", "AzureCloud, AzureUSGovernment, ... or a FILE"),
    OPT("credential", 0, CHSM_OPT_TEXT, credential, "NAME", "how to sign in; the manual lists the names"),
    OPT("ca-file", 0, CHSM_OPT_TEXT, ca_file, "FILE", "trusted certificates, instead of all others"),
    OPT("poll-interval", 0, CHSM_OPT_TEXT, poll_interval, "TIME", "between looks at a job (default 30s)"),
    OPT("request-timeout", 0, CHSM_OPT_TEXT, request_timeout, "TIME", "for one answer of the service (default 100s)"),
    OPT("timeout", 0, CHSM_OPT_TEXT, timeout, "TIME", "for the whole command (default: none)"),
    OPT("verbose", 'v', CHSM_OPT_FLAG, verbose, NULL, "say more on stderr"),
    OPT("debug", 0, CHSM_OPT_FLAG, debug, NULL, "say everything on stderr, secrets redacted"),
    OPT("record", 0, CHSM_OPT_TEXT, record, "FILE", "make a FILE of all exchanges, secrets redacted"),
    OPT("only-show-errors", 0, CHSM_OPT_FLAG, only_errors, NULL, "no progress and no warnings"),
    OPT("help", 'h', CHSM_OPT_FLAG, help, NULL, "show this help"),
    { 0 },
};

static const struct chsm_opt *find_in(const struct chsm_opt *opts, const char *name, size_t len)
{
    for (; opts && opts->name; opts++)
        if ((strlen(opts->name) == len && strncmp(opts->name, name, len) == 0) ||
            (opts->alias && strlen(opts->alias) == len && strncmp(opts->alias, name, len) == 0))
            return opts;
    return NULL;
}

static const struct chsm_opt *find_letter(const struct chsm_opt *opts, char letter)
{
    for (; opts && opts->name; opts++)
        if (opts->letter == letter)
            return opts;
    return NULL;
}

static int store(const struct chsm_opt *o, const char *value, struct chsm_args *args, struct chsm_err *err)
{
    char *at = (char *)args + o->offset;
    struct chsm_list *list;

    switch (o->kind) {
    case CHSM_OPT_FLAG:
        *(bool *)at = true;
        return 0;
    case CHSM_OPT_TEXT:
        if (*(const char **)(void *)at)
            return chsm_fail(err, CHSM_USAGE, "--%s is given twice", o->name);
        *(const char **)(void *)at = value;
        return 0;
    case CHSM_OPT_LIST:
    case CHSM_OPT_WORDS:
        list = (struct chsm_list *)(void *)at;
        if (list->n == CHSM_LIST_MAX)
            return chsm_fail(err, CHSM_USAGE, "--%s is given more than %d times", o->name, CHSM_LIST_MAX);
        list->item[list->n++] = value;
        return 0;
    }
    return 0;
}

/* All words up to the next option. */
static int more_words(const struct chsm_opt *o, int n, char **argv, int *i, struct chsm_args *args, struct chsm_err *err)
{
    while (*i + 1 < n && argv[*i + 1][0] != '-')
        if (store(o, argv[++*i], args, err) < 0)
            return -1;
    return 0;
}

/* One option word; *i moves on past its value. */
static int parse_option(int n, char **argv, int *i, const struct chsm_opt *opts, struct chsm_args *args, struct chsm_err *err)
{
    const char *word = argv[*i], *value = NULL;
    bool is_long = word[1] == '-';
    size_t len = is_long ? strcspn(word + 2, "=") : 1;
    const struct chsm_opt *o = is_long ? find_in(opts, word + 2, len) : find_letter(opts, word[1]);

    if (!o)
        o = is_long ? find_in(chsm_global_opts, word + 2, len) : find_letter(chsm_global_opts, word[1]);
    if (!o) {
        (void)chsm_fail(err, CHSM_USAGE, "unknown option %.*s", (int)(is_long ? len + 2 : 2), word);
        return chsm_err_hint(err, "--help lists the options of this command");
    }
    if (is_long && word[2 + len] == '=')
        value = word + 2 + len + 1;
    else if (!is_long && word[2])
        value = word + 2;
    if (o->kind == CHSM_OPT_FLAG && value)
        return chsm_fail(err, CHSM_USAGE, "--%s takes no value", o->name);
    if (o->kind != CHSM_OPT_FLAG && !value) {
        if (*i + 1 >= n)
            return chsm_fail(err, CHSM_USAGE, "--%s needs a value (%s)", o->name, o->arg);
        value = argv[++*i];
    }
    if (store(o, value, args, err) < 0)
        return -1;
    return o->kind == CHSM_OPT_WORDS ? more_words(o, n, argv, i, args, err) : 0;
}

int chsm_args_parse(int n, char **argv, const struct chsm_opt *opts, const char *positional, struct chsm_args *ret, struct chsm_err *err)
{
    bool options = true, program = positional && strstr(positional, "...");

    for (int i = 0; i < n; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1]) {
            if (parse_option(n, argv, &i, opts, ret, err) < 0)
                return -1;
        } else if (program && !options) {
            if (ret->words.n == CHSM_LIST_MAX)
                return chsm_fail(err, CHSM_USAGE, "the program after -- has more than %d words", CHSM_LIST_MAX);
            ret->words.item[ret->words.n++] = argv[i];
        } else if (!program && positional && !ret->positional)
            ret->positional = argv[i];
        else if (!program && positional && strchr(positional, ' ') && !ret->second)
            ret->second = argv[i];
        else
            return chsm_fail(err, CHSM_USAGE, "unexpected argument \"%s\"", argv[i]);
    }
    return 0;
}

int chsm_args_need(const char *value, const char *option, struct chsm_err *err)
{
    return value && *value ? 0 : chsm_fail(err, CHSM_USAGE, "%s is needed", option);
}

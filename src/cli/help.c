/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/topics.h"

static void print_opts(const struct chsm_opt *opts)
{
    for (; opts && opts->name; opts++) {
        char left[40];

        if (opts->letter)
            (void)snprintf(left, sizeof left, "-%c, --%s %s", opts->letter, opts->name, opts->arg ? opts->arg : "");
        else
            (void)snprintf(left, sizeof left, "    --%s %s", opts->name, opts->arg ? opts->arg : "");
        printf("  %-28s %s\n", left, opts->help);
    }
}

static void print_command(const struct chsm_cmd *c)
{
    const char *words = c->positional ? c->positional : "";
    bool last = *words == '[';      /* a program and its words end the line */

    printf("usage: chsmctl %s %s%s%s [options]%s%s\n\n%s\n", c->noun, c->verb, *words && !last ? " " : "", last ? "" : words, last ? " " : "",
           last ? words : "", c->help);
    if (c->opts) {
        printf("\noptions\n");
        print_opts(c->opts);
    }
    printf("\nglobal options\n");
    print_opts(chsm_global_opts);
}

static void print_list(const char *noun)
{
    const char *previous = "";

    for (const struct chsm_cmd *c = chsm_commands; c->noun; c++) {
        bool named = c->positional && c->positional[0] != '[';     /* what may be left out is said in the command's own help */
        char left[40];

        if (noun && strcmp(noun, c->noun) != 0)
            continue;
        if (*previous && strcmp(previous, c->noun) != 0)
            printf("\n");
        previous = c->noun;
        (void)snprintf(left, sizeof left, "%s %s%s%s", c->noun, c->verb, named ? " " : "", named ? c->positional : "");
        printf("  %-22s %s\n", left, c->help);
    }
}

void chsm_help(const char *noun, const char *verb)
{
    for (const struct chsm_cmd *c = chsm_commands; verb && c->noun; c++)
        if (strcmp(c->noun, noun) == 0 && strcmp(c->verb, verb) == 0) {
            print_command(c);
            return;
        }
    printf("usage: chsmctl NOUN VERB [options]\n\n"
           "Restores Azure Cloud HSM backups and proves that every key survived.\n\n");
    print_list(noun);
    printf("\n  %-22s %s\n  %-22s %s\n", "help [NOUN VERB]", "show help", "version", "show the version");
    for (const struct chsm_topic *t = chsm_topics; t->name; t++)
        printf("  help %-17s %s\n", t->name, t->help);
    printf("\nglobal options\n");
    print_opts(chsm_global_opts);
    printf("\nEXIT STATUS: 0 done or verified, 1 verification failed, 2 usage, 3 bad input\n"
           "file, 4 sign-in, 5 service or job, 6 PKCS#11, 7 safety rule, 8 deadline,\n"
           "9 evidence, 10 inconclusive, 130 interrupted. See chsmctl(1).\n");
}

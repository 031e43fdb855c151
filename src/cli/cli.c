/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/topics.h"
#include "pkcs11/hsm.h"

static const struct chsm_cmd *find(const char *noun, const char *verb)
{
    for (const struct chsm_cmd *c = chsm_commands; c->noun; c++)
        if (strcmp(c->noun, noun) == 0 && strcmp(c->verb, verb) == 0)
            return c;
    return NULL;
}

static bool is_noun(const char *word)
{
    for (const struct chsm_cmd *c = chsm_commands; c->noun; c++)
        if (strcmp(c->noun, word) == 0)
            return true;
    return false;
}

static int wrong_command(const char *noun, const char *verb)
{
    struct chsm_err err;

    if (is_noun(noun) && verb && *verb != '-')
        (void)chsm_fail(&err, CHSM_USAGE, "\"%s\" has no \"%s\"", noun, verb);
    else if (is_noun(noun))
        (void)chsm_fail(&err, CHSM_USAGE, "what about \"%s\"? A verb is needed", noun);
    else
        (void)chsm_fail(&err, CHSM_USAGE, "there is no command \"%s\"", noun);
    (void)chsm_err_hint(&err, "chsmctl help lists the commands");
    chsm_out_error(&err);
    return CHSM_USAGE;
}

static int run(const struct chsm_cmd *c, int n, char **argv)
{
    struct chsm_args args = { 0 };
    struct chsm_err err = { 0 };
    enum chsm_code code = CHSM_OK;

    if (chsm_args_parse(n, argv, c->opts, c->positional, &args, &err) < 0 || chsm_out_open(&args, &err) < 0) {
        chsm_out_error(&err);
        return (int)err.code;
    }
    if (args.help) {
        chsm_help(c->noun, c->verb);
        return chsm_out_close(&err) < 0 ? (int)err.code : CHSM_OK;
    }
    if (c->run(&args, &code, &err) < 0 || chsm_out_close(&err) < 0) {
        chsm_out_error(&err);
        code = err.code;
    }
    /* The result is out; what a library does in C_Finalize cannot harm it any more. */
    chsm_hsm_settle();
    return (int)code;
}

static int help(const char *noun, const char *verb)
{
    const struct chsm_topic *topic = verb ? NULL : chsm_topic_find(noun);
    struct chsm_err err;

    if (!topic && noun && !is_noun(noun))
        return wrong_command(noun, NULL);
    if (verb && !find(noun, verb))
        return wrong_command(noun, verb);
    if (topic)
        topic->print();
    else
        chsm_help(noun, verb);
    return chsm_out_close(&err) < 0 ? (int)err.code : CHSM_OK;
}

int chsm_cli_main(int argc, char **argv)
{
    const char *noun = argc > 1 ? argv[1] : NULL, *verb = argc > 2 ? argv[2] : NULL;
    const struct chsm_cmd *c = verb ? find(noun, verb) : NULL;

    if (c)
        return run(c, argc - 3, argv + 3);
    if (!noun) {
        (void)fputs("usage: chsmctl NOUN VERB [options]; \"chsmctl help\" lists the commands\n", stderr);
        return CHSM_USAGE;
    }
    if (strcmp(noun, "version") == 0 || strcmp(noun, "--version") == 0) {
        struct chsm_err err;

        printf("chsmctl %s\n", PACKAGE_VERSION);
        return chsm_out_close(&err) < 0 ? (int)err.code : CHSM_OK;
    }
    if (strcmp(noun, "help") == 0 || strcmp(noun, "--help") == 0 || strcmp(noun, "-h") == 0)
        return help(verb, argc > 3 ? argv[3] : NULL);
    if (is_noun(noun) && verb && (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0))
        return help(noun, NULL);
    return wrong_command(noun, verb);
}

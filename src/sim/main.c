/* SPDX-License-Identifier: Apache-2.0 */
/* chsm-sim: an Azure in a box, for rehearsals and tests. */
#include "config.h"

#include <stdio.h>
#include <sys/stat.h>

#include "sim/keystore.h"
#include "sim/opts.h"

static const char help_text[] =
    "Usage: chsm-sim COMMAND --dir DIR [options]\n"
    "\n"
    "  seed FILE.yaml [--force]   make the cloud that FILE describes in DIR\n"
    "  serve [--port-base N] [--ready-fd FD] [--imds]\n"
    "                             serve it on 127.0.0.1 until SIGTERM; source DIR/env\n"
    "                             to point clients at it (--imds: also the address\n"
    "                             of the instance metadata service)\n"
    "  set KEY=VALUE ...          timings: provision update backup restore\n"
    "                             activation snapshotAge tokenLifetime principal\n"
    "                             principalTyped roleDelay storage endpoint\n"
    "                             register deviceInterval retryAfter\n"
    "                             (\"500ms\", \"2s\", \"18m\")\n"
    "  fault add --path REGEX [--method M] [--nth N] [--count K]\n"
    "        (--status CODE [--code ARMCODE] [--retry-after S] [--claims JSON]\n"
    "         [--handle] | --body TEXT [--content-type TYPE] [--handle] |\n"
    "         --stall MS | --reset | --truncate | --drop-answer |\n"
    "         --content-type TYPE | --huge-header BYTES)\n"
    "  fault list | clear         make requests go wrong on purpose\n"
    "  app CLIENT [--certificate PEM] [--public]\n"
    "        [--issuer I --subject S --key PEM [--audience A]]\n"
    "                             register what an application signs in with\n"
    "  device approve | decline   as the person at the device code page\n"
    "  revoke [--forever | --off] refuse tokens issued before now: claims challenge\n"
    "  corrupt CLUSTER KIND [ID]  damage the keys of a cluster\n"
    "  help, version\n"
    "\n"
    "DIR/requests.jsonl holds every request that was served, without secrets.\n";

static const struct { const char *name; sim_command *run; } commands[] = {
    { "serve", sim_cmd_serve }, { "seed", sim_cmd_seed }, { "set", sim_cmd_set }, { "fault", sim_cmd_fault },
    { "app", sim_cmd_app }, { "device", sim_cmd_device }, { "revoke", sim_cmd_revoke },
};

static int report(const struct chsm_err *err)
{
    (void)fprintf(stderr, "chsm-sim: %s\n", err->text);
    if (*err->hint)
        (void)fprintf(stderr, "chsm-sim: %s\n", err->hint);
    return err->code ? (int)err->code : 1;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    struct chsm_err err = { 0 };

    (void)umask(077);
    if (chsm_streq(name, "help") || chsm_streq(name, "--help") || chsm_streq(name, "-h"))
        return fputs(help_text, stdout) < 0;
    if (chsm_streq(name, "version") || chsm_streq(name, "--version"))
        return puts("chsm-sim " PACKAGE_VERSION) < 0;
    if (chsm_streq(name, "corrupt"))
        return sim_cmd_corrupt(argc - 1, argv + 1);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (chsm_streq(commands[i].name, name))
            return commands[i].run(argc - 1, argv + 1, &err) < 0 ? report(&err) : 0;
    (void)chsm_fail(&err, CHSM_USAGE, "no command is called '%s'", name);
    (void)chsm_err_hint(&err, "chsm-sim help lists them");
    return report(&err);
}

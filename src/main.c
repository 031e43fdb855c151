/* SPDX-License-Identifier: Apache-2.0 */
/* Starts things, nothing else. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "pkcs11/hsm.h"
#include "util/clock.h"

/* Descriptors 0 to 2 must exist: a file opened as "stderr" would receive our messages. */
static void hold_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

/* The first signal asks for an orderly end, which may take the time of a request; the second one ends it here. */
static void on_signal(int number)
{
    static const char clear[] = "\r\033[K";

    (void)number;
    if (!chsm_interrupted()) {
        chsm_interrupt();
        return;
    }
    if (isatty(STDERR_FILENO) && write(STDERR_FILENO, clear, sizeof clear - 1) < 0)
        _exit(CHSM_INTERRUPTED);
    _exit(CHSM_INTERRUPTED);
}

static void set_up_process(void)
{
    const struct rlimit none = { 0, 0 };
    struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

    hold_standard_descriptors();
    (void)umask(077);
    /* A core file would hold tokens and PINs. */
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    /* A file size limit is a full disk like another: an error of the write, not the end of a run in the middle of a job. */
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)setlocale(LC_CTYPE, "");
}

int main(int argc, char **argv)
{
    set_up_process();
    if (argc == 2 && strcmp(argv[1], CHSM_WORKER_ARG) == 0)
        return chsm_hsm_worker();
    return chsm_cli_main(argc, argv);
}

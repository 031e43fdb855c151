/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run [--private] FILE PROGRAM [ARGUMENT...]: runs the program and writes "SECONDS RSS PRIVATE" to FILE: wall time; peak memory of the
 * largest process in KiB; memory that the program shares with nobody when it ends, in KiB (its shared libraries are not in it).
 * Without --private that is -1: the program is stopped for it, which takes time.
 */
#include "config.h"

#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "util/compat.h"

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* RssAnon of a process that is about to end. */
static long private_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    FILE *f;

    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    f = fopen(path, "re");
    while (f && kib < 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kib) != 1)
            kib = -1;
    if (f)
        (void)fclose(f);
    return kib;
}

/* Follows the program to its end; it stops only when it starts and when it ends. Its wait status, -1 on failure. */
static int follow(pid_t pid, long *ret_kib)
{
    int status, deliver;

    if (waitpid(pid, &status, 0) != pid || ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT) < 0)
        return -1;
    for (;;) {
        deliver = 0;
        if (WIFSTOPPED(status) && status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8)))
            *ret_kib = private_kib(pid);
        else if (WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP)
            deliver = WSTOPSIG(status);
        if (ptrace(PTRACE_CONT, pid, NULL, deliver) < 0 || waitpid(pid, &status, 0) != pid)
            return -1;
        if (!WIFSTOPPED(status))
            return status;
    }
}

int main(int argc, char **argv)
{
    bool look = argc > 1 && strcmp(argv[1], "--private") == 0;
    double start, took;
    struct rusage used;
    long kib = -1;
    int status = 0;
    pid_t pid;
    FILE *out;

    argv += look;
    if (argc - look < 3)
        return 2;
    start = seconds();
    pid = fork();
    if (pid == 0) {
        if (!look || ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
            (void)execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0)
        return 1;
    if (look)
        status = follow(pid, &kib);
    else if (waitpid(pid, &status, 0) != pid)
        status = -1;
    took = seconds() - start;
    if (status < 0 || getrusage(RUSAGE_CHILDREN, &used) < 0)
        return 1;
    out = fopen(argv[1], "we");
    if (!out || fprintf(out, "%.4f %ld %ld\n", took, used.ru_maxrss, kib) < 0 || fclose(out) != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

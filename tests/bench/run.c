/* SPDX-License-Identifier: Apache-2.0 */
/* run FILE PROGRAM [ARGUMENT...]: runs the program and writes "SECONDS KIB" to FILE: wall time, peak memory of the largest process. */
#include "config.h"

#include <stdio.h>
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

int main(int argc, char **argv)
{
    double start = seconds();
    struct rusage used;
    int status = 0;
    pid_t pid;
    FILE *out;

    if (argc < 3)
        return 2;
    pid = fork();
    if (pid == 0) {
        (void)execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || getrusage(RUSAGE_CHILDREN, &used) < 0)
        return 1;
    out = fopen(argv[1], "we");
    if (!out || fprintf(out, "%.3f %ld\n", seconds() - start, used.ru_maxrss) < 0 || fclose(out) != 0)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

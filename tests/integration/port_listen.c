/* SPDX-License-Identifier: Apache-2.0 */
/* Listens on one free TCP port at every address of the command line, prints the port, and waits to be killed. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "util/compat.h"

/* A listening socket at that address; port 0 takes a free one. */
static int listen_at(const char *address, in_port_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = *port };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    socklen_t n = sizeof a;

    if (inet_pton(AF_INET, address, &a.sin_addr) != 1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        return -1;
    *port = a.sin_port;
    return 0;
}

int main(int argc, char **argv)
{
    in_port_t port = 0;

    for (int i = 1; i < argc; i++)
        if (listen_at(argv[i], &port) < 0) {
            perror(argv[i]);
            return 1;
        }
    printf("%u\n", (unsigned)ntohs(port));
    if (fflush(stdout) != 0)
        return 1;
    (void)pause();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Listens on one free TCP port at every address of the command line, prints the port, and takes connections until it is killed. */
#include "config.h"

#include <arpa/inet.h>
#include <poll.h>
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
        bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) < 0)
        return -1;
    *port = a.sin_port;
    return fd;
}

int main(int argc, char **argv)
{
    struct pollfd fds[8];
    in_port_t port = 0;
    nfds_t n = 0;

    for (int i = 1; i < argc && n < ARRAY_LEN(fds); i++, n++) {
        fds[n] = (struct pollfd){ .fd = listen_at(argv[i], &port), .events = POLLIN };
        if (fds[n].fd < 0) {
            perror(argv[i]);
            return 1;
        }
    }
    printf("%u\n", (unsigned)ntohs(port));
    if (fflush(stdout) != 0)
        return 1;
    while (poll(fds, n, -1) >= 0) {
        for (nfds_t i = 0; i < n; i++) {
            int taken = fds[i].revents ? accept(fds[i].fd, NULL, NULL) : -1;

            if (taken >= 0)
                (void)close(taken);
        }
    }
    return 1;
}

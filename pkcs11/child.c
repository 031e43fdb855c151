/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "pkcs11/child.h"
#include "pkcs11/output.h"
#include "util/log.h"

#define POLL_SLICE 500              /* ms: how late an interruption is noticed when its signal went to another thread */
#define LEAVE_GRACE 500             /* ms that a child whose socket has closed gets to be seen dying by itself */

/* Waits for the child's end for `ms`; true when it has ended, with its status (-1 when someone else took it). */
static bool reap(struct chsm_child *c, int64_t ms, int *ret_status)
{
    chsm_deadline deadline = chsm_mono() + ms;
    pid_t got;

    *ret_status = -1;
    if (c->pid == 0)
        return true;
    for (;;) {
        got = waitpid(c->pid, ret_status, WNOHANG);
        if (got == c->pid || (got < 0 && errno != EINTR))
            break;
        chsm_output_drain(c);
        if (chsm_mono() >= deadline)
            return false;
        (void)poll(NULL, 0, 5);
    }
    if (got < 0)
        *ret_status = -1;
    c->pid = 0;
    return true;
}

/* Kills the child and what it has started, and waits for it: after SIGKILL there is nothing to wait long for. */
static void slay(struct chsm_child *c)
{
    int status;

    c->dead = true;
    if (c->pid == 0)
        return;
    (void)kill(-c->pid, SIGKILL);
    (void)kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    c->pid = 0;
}

static bool call_is_sane(struct chsm_wire_call *call)
{
    call->name[sizeof call->name - 1] = '\0';
    return call->name[0] && strspn(call->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(call->name);
}

/* The name of the call that has been going on for longest; "" for none. The page is the child's, so it is not believed blindly. */
static const char *call_name(const struct chsm_child *c, char out[CHSM_WIRE_CALL_MAX])
{
    struct chsm_wire_call calls[CHSM_WIRE_CALLS] = { 0 };
    const struct chsm_wire_call *oldest = NULL;
    ssize_t n = pread(c->page, calls, sizeof calls, 0);

    for (size_t i = 0; n == (ssize_t)sizeof calls && i < CHSM_WIRE_CALLS; i++)
        if (call_is_sane(&calls[i]) && (!oldest || calls[i].since < oldest->since))
            oldest = &calls[i];
    (void)snprintf(out, CHSM_WIRE_CALL_MAX, "%s", oldest ? oldest->name : "");
    return out;
}

static void add_last_words(struct chsm_child *c, struct chsm_err *err)
{
    chsm_output_drain(c);
    if (c->last[0])
        (void)chsm_err_hint(err, "the module printed last: %s", c->last);
}

static int timed_out(struct chsm_child *c, int64_t limit, struct chsm_err *err)
{
    char call[CHSM_WIRE_CALL_MAX], span[64];

    slay(c);
    chsm_duration_format(limit, span, sizeof span);
    if (*call_name(c, call))
        (void)chsm_fail(err, CHSM_DEADLINE, "%s did not return within %s", call, span);
    else
        (void)chsm_fail(err, CHSM_DEADLINE, "the PKCS#11 process did not answer within %s", span);
    add_last_words(c, err);
    return -1;
}

/* How the child ended, as text. */
static void describe_end(int status, char *out, size_t size)
{
    if (status == -1)
        (void)snprintf(out, size, "ended");
    else if (WIFSIGNALED(status))
        (void)snprintf(out, size, "died by signal %d (%s)", WTERMSIG(status),
                       sigdescr_np(WTERMSIG(status)) ? sigdescr_np(WTERMSIG(status)) : "unknown");
    else
        (void)snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
}

static int has_died(struct chsm_child *c, struct chsm_err *err)
{
    char call[CHSM_WIRE_CALL_MAX], end[96] = "closed its connection";
    int status;

    if (reap(c, LEAVE_GRACE, &status))
        describe_end(status, end, sizeof end);
    slay(c);
    if (*call_name(c, call))
        (void)chsm_fail(err, CHSM_PKCS11, "the PKCS#11 module's process %s in %s", end, call);
    else
        (void)chsm_fail(err, CHSM_PKCS11, "the PKCS#11 module's process %s", end);
    add_last_words(c, err);
    return -1;
}

int chsm_child_condemn(struct chsm_child *c, struct chsm_err *err, const char *text)
{
    slay(c);
    return chsm_fail(err, CHSM_PKCS11, "%s", text);
}

/* Waits until the socket is ready for `events`. -1: the child is then dead. */
static int wait_for(struct chsm_child *c, short events, chsm_deadline deadline, int64_t limit, struct chsm_err *err)
{
    for (;;) {
        struct pollfd fds[2] = { { .fd = c->sock, .events = events }, { .fd = c->out, .events = POLLIN } };
        int64_t left = chsm_deadline_left(deadline);

        if (chsm_interrupted()) {
            slay(c);
            return chsm_fail(err, CHSM_INTERRUPTED, "interrupted while the PKCS#11 module was at work");
        }
        if (left == 0)
            return timed_out(c, limit, err);
        if (poll(fds, 2, (int)(left < POLL_SLICE ? left : POLL_SLICE)) < 0 && errno != EINTR) {
            slay(c);
            return chsm_fail_errno(err, CHSM_PKCS11, "cannot wait for the PKCS#11 process");
        }
        if (fds[1].revents)
            chsm_output_drain(c);
        if (fds[0].revents)
            return 0;
    }
}

static int send_part(struct chsm_child *c, const void *data, size_t n, chsm_deadline deadline, int64_t limit,
                     struct chsm_err *err)
{
    const char *at = data;

    while (n > 0) {
        ssize_t done = send(c->sock, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (done >= 0) {
            at += done;
            n -= (size_t)done;
        } else if (errno == EAGAIN || errno == EINTR) {
            if (wait_for(c, POLLOUT, deadline, limit, err) < 0)
                return -1;
        } else {
            return has_died(c, err);
        }
    }
    return 0;
}

int chsm_child_send(struct chsm_child *c, enum chsm_wire_type type, const void *body, size_t n, int64_t limit,
                    struct chsm_err *err)
{
    chsm_deadline deadline = chsm_mono() + limit;
    unsigned char header[CHSM_WIRE_HEADER];

    if (c->dead)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 session has ended before");
    if (n > CHSM_WIRE_MAX)
        return chsm_fail(err, CHSM_PKCS11, "a request of %zu bytes is too large", n);
    chsm_wire_header(header, type, n);
    if (send_part(c, header, sizeof header, deadline, limit, err) < 0)
        return -1;
    return send_part(c, body, n, deadline, limit, err);
}

/* Appends exactly n bytes from the socket. */
static int recv_part(struct chsm_child *c, struct chsm_buf *to, size_t n, chsm_deadline deadline, int64_t limit,
                     struct chsm_err *err)
{
    while (n > 0) {
        size_t have = c->in_len - c->in_at < n ? c->in_len - c->in_at : n;
        ssize_t got;

        if (chsm_buf_add(to, c->in + c->in_at, have, err) < 0)
            return -1;
        c->in_at += have;
        n -= have;
        if (n == 0)
            break;
        got = recv(c->sock, c->in, sizeof c->in, MSG_DONTWAIT);
        if (got > 0) {
            c->in_at = 0;
            c->in_len = (size_t)got;
        } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (wait_for(c, POLLIN, deadline, limit, err) < 0)
                return -1;
        } else {
            return has_died(c, err);
        }
    }
    return 0;
}

int chsm_child_recv(struct chsm_child *c, unsigned char *ret_type, struct chsm_buf *frame, int64_t limit, struct chsm_err *err)
{
    chsm_deadline deadline = chsm_mono() + limit;
    unsigned char header[CHSM_WIRE_HEADER];
    size_t n = 0;

    if (c->dead)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 session has ended before");
    chsm_buf_clear(frame);
    if (recv_part(c, frame, sizeof header, deadline, limit, err) < 0)
        return -1;
    memcpy(header, frame->p, sizeof header);
    chsm_buf_clear(frame);
    if (chsm_wire_length(header, &n, err) < 0) {
        slay(c);
        return -1;
    }
    if (recv_part(c, frame, n, deadline, limit, err) < 0) {
        slay(c);
        return -1;
    }
    *ret_type = header[0];
    return 0;
}

void chsm_child_leave(struct chsm_child *c, int64_t grace)
{
    /* A child that is gone already is seen by chsm_child_end(). */
    if (!c->dead && c->pid != 0 && !c->leaving)
        (void)!chsm_child_send(c, CHSM_WIRE_CLOSE, "", 0, grace, NULL);
    c->leaving = true;
}

void chsm_child_end(struct chsm_child *c, int64_t grace)
{
    char call[CHSM_WIRE_CALL_MAX], end[96];
    int status = 0;

    if (!c->dead && c->pid != 0) {
        chsm_child_leave(c, grace);
        if (c->dead) {
            chsm_log(CHSM_LOG_WARN, "the PKCS#11 module's process had gone before it was closed");
        } else if (!reap(c, grace, &status)) {
            slay(c);
            chsm_log(CHSM_LOG_WARN, "the PKCS#11 module did not end by itself (%s): killed", call_name(c, call));
        } else if (status != 0) {
            describe_end(status, end, sizeof end);
            chsm_log(CHSM_LOG_WARN, "the PKCS#11 module's process %s while it was closed (%s)", end, call_name(c, call));
        }
    }
    slay(c);
    chsm_output_end(c);
    chsm_auto_close_(&c->sock);
    chsm_auto_close_(&c->page);
    chsm_secret_done(&c->pin);
}

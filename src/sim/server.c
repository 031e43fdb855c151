/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "sim/certs.h"
#include "sim/fault.h"
#include "sim/reqlog.h"
#include "sim/server.h"
#include "util/path.h"

#define BACKLOG 64
#define CONNECTION_MEMORY (size_t)(256u << 10)      /* polling URLs of 3.6 kB and tokens must fit into the headers */
#define IDLE_SECONDS 60u
#define TLS_PRIORITIES "SECURE128:+SECURE192:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct listener {
    struct sim_server *server;
    enum sim_service service;
    struct MHD_Daemon *daemon;
};

struct sim_server {
    char *dir;
    struct sim_cloud cloud;
    struct listener listener[SIM_SERVICES];
    struct chsm_buf cert, key;      /* PEM */
    int stop[2];                    /* a pipe; its write end is closed when stalled requests shall end */
};

struct exchange {                   /* one request on a connection */
    char *target;
    struct sim_request rq;
    struct chsm_err err;
    bool begun, bad;
};

static void *on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct exchange *ex = calloc(1, sizeof *ex);

    (void)ctx;
    (void)connection;
    if (ex)
        ex->target = strdup(target);
    return ex;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **held, enum MHD_RequestTerminationCode why)
{
    struct exchange *ex = *held;

    (void)ctx;
    (void)connection;
    (void)why;
    if (!ex)
        return;
    sim_request_done(&ex->rq);
    free(ex->target);
    free(ex);
    *held = NULL;
}

static enum MHD_Result on_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct exchange *ex = ctx;

    (void)kind;
    if (sim_request_header(&ex->rq, name, value ? value : "", &ex->err) < 0)
        ex->bad = true;
    return MHD_YES;
}

static void begin(struct exchange *ex, const struct listener *l, struct MHD_Connection *connection, const char *method)
{
    ex->begun = true;
    ex->bad = sim_request_init(&ex->rq, l->service, method, ex->target, &ex->err) < 0;
    if (!ex->bad)
        (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, ex);
}

/* What a truncated answer promises and what it sends. */
struct cut { char *body; size_t len, sent; };

static ssize_t cut_read(void *ctx, uint64_t pos, char *out, size_t max)
{
    struct cut *cut = ctx;
    size_t n = pos < cut->sent ? cut->sent - (size_t)pos : 0;

    if (n == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (n > max)
        n = max;
    memcpy(out, cut->body + pos, n);
    return (ssize_t)n;
}

static void cut_free(void *ctx)
{
    struct cut *cut = ctx;

    free(cut->body);
    free(cut);
}

/* A response that announces more than it sends; takes the answer's body. */
static struct MHD_Response *cut_response(struct sim_answer *an)
{
    struct cut *cut = calloc(1, sizeof *cut);
    struct MHD_Response *response;

    if (!cut)
        return NULL;
    *cut = (struct cut){ .body = TAKE(an->body), .len = an->len ? an->len : 1, .sent = an->len / 2 };
    response = MHD_create_response_from_callback(cut->len, 4096, cut_read, cut, cut_free);
    if (!response)
        cut_free(cut);
    return response;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct sim_answer *an, bool truncate)
{
    struct MHD_Response *response = truncate ? cut_response(an) :
        MHD_create_response_from_buffer(an->len, an->body, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_YES;

    if (!response)
        return MHD_NO;
    if (an->type)
        result = MHD_add_response_header(response, "Content-Type", an->type);
    for (size_t i = 0; i < an->headers && result == MHD_YES; i++)
        result = MHD_add_response_header(response, an->header[i].name, an->header[i].value);
    if (result == MHD_YES)
        result = MHD_queue_response(connection, an->status, response);
    MHD_destroy_response(response);
    return result;
}

static void complain(const struct chsm_err *err)
{
    (void)fprintf(stderr, "chsm-sim: %s\n", err->text);
}

/* Makes the answer; with RESET there is none. */
static void make_answer(struct listener *l, const struct sim_request *rq, const struct sim_fault *f, struct sim_answer *an)
{
    struct pollfd stop = { .fd = l->server->stop[0], .events = POLLIN };
    struct chsm_err err = { 0 };
    int rc = 0;

    if (f->kind == SIM_FAULT_STALL)
        (void)poll(&stop, 1, f->ms > INT32_MAX ? INT32_MAX : (int)f->ms);
    if (sim_fault_handles(f))
        rc = sim_cloud_handle(&l->server->cloud, rq, an, &err);
    if (rc == 0 && (f->kind == SIM_FAULT_STATUS || f->kind == SIM_FAULT_BODY)) {
        sim_answer_done(an);
        rc = sim_fault_answer(f, l->service, an, &err);
    }
    if (rc == 0)
        rc = sim_fault_spoil(f, an, &err);
    if (rc < 0)
        complain(&err);
}

static enum MHD_Result answer(struct listener *l, struct exchange *ex, struct MHD_Connection *connection)
{
    AUTO(sim_fault_done) struct sim_fault f = { 0 };
    AUTO(sim_answer_done) struct sim_answer an = { 0 };
    bool silent;

    if (ex->bad)
        return sim_answer_text(&an, 400, "text/plain", "bad request\n", NULL) < 0 ? MHD_NO : send_answer(connection, &an, false);
    if (sim_fault_take(l->server->dir, &ex->rq, &f, &ex->err) < 0)
        complain(&ex->err);
    make_answer(l, &ex->rq, &f, &an);
    silent = f.kind == SIM_FAULT_RESET || f.kind == SIM_FAULT_DROP || an.status == 0;
    if (sim_reqlog_add(l->server->dir, &ex->rq, silent ? 0 : an.status, &f, &ex->err) < 0)
        complain(&ex->err);
    return silent ? MHD_NO : send_answer(connection, &an, f.kind == SIM_FAULT_TRUNCATE);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                                  const char *data, size_t *size, void **held)
{
    struct listener *l = ctx;
    struct exchange *ex = *held;

    (void)url;
    (void)version;
    if (!ex || !ex->target)
        return MHD_NO;
    if (!ex->begun) {
        begin(ex, l, connection, method);
        return MHD_YES;
    }
    if (*size > 0) {
        if (!ex->bad && chsm_buf_add(&ex->rq.body, data, *size, &ex->err) < 0)
            ex->bad = true;
        *size = 0;
        return MHD_YES;
    }
    return answer(l, ex, connection);
}

/* A listening socket on 127.0.0.1; port 0 = any. */
static int listen_on(long port, int *ret_fd, long *ret_port, struct chsm_err *err)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    const int on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(fd, BACKLOG) < 0 || getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot listen on 127.0.0.1:%ld", port);
    *ret_fd = fd;
    fd = -1;
    *ret_port = ntohs(at.sin_port);
    return 0;
}

static int open_listener(struct sim_server *s, enum sim_service service, long port, int *ret_fd, struct chsm_err *err)
{
    long got;

    if (listen_on(port, ret_fd, &got, err) < 0)
        return -1;
    s->listener[service] = (struct listener){ .server = s, .service = service };
    s->cloud.url[service] = chsm_strf("%s://127.0.0.1:%ld", service == SIM_IMDS ? "http" : "https", got);
    return s->cloud.url[service] ? 0 : chsm_oom(err);
}

static int start_daemon(struct sim_server *s, enum sim_service service, int fd, struct chsm_err *err)
{
    struct listener *l = &s->listener[service];
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_KEY, 0, s->key.p }, { MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert.p },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES }, { MHD_OPTION_END, 0, NULL },
    };

    if (service == SIM_IMDS)
        tls[0].option = MHD_OPTION_END;
    else
        flags |= MHD_USE_TLS;
    l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, l, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_target,
                                 l, MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
                                 MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!l->daemon) {
        (void)close(fd);
        return chsm_fail(err, CHSM_CONFIG, "libmicrohttpd could not start the %s service", sim_service_name(service));
    }
    return 0;
}

static int read_pem(const char *dir, const char *name, struct chsm_buf *ret, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, name);

    return path ? chsm_file_read(path, SIM_PEM_MAX, ret, err) : chsm_oom(err);
}

/* All sockets first, so that every URL is known before the first request can come. */
static int start_all(struct sim_server *s, long base, struct chsm_err *err)
{
    int fd[SIM_SERVICES] = { -1, -1, -1, -1 };
    int rc = 0;

    for (int i = 0; i < SIM_SERVICES && rc == 0; i++)
        rc = open_listener(s, (enum sim_service)i, base ? base + i : 0, &fd[i], err);
    for (int i = 0; i < SIM_SERVICES && rc == 0; i++) {
        rc = start_daemon(s, (enum sim_service)i, fd[i], err);
        fd[i] = -1;     /* libmicrohttpd's, or closed */
    }
    for (int i = 0; i < SIM_SERVICES; i++)
        if (fd[i] >= 0)
            (void)close(fd[i]);
    return rc;
}

int sim_server_start(const char *dir, long base, struct sim_server **ret, struct chsm_err *err)
{
    struct sim_server *s = calloc(1, sizeof *s);

    if (!s)
        return chsm_oom(err);
    s->stop[0] = s->stop[1] = -1;
    s->cert = CHSM_BUF(SIM_PEM_MAX);
    s->key = CHSM_BUF_SECRET(SIM_PEM_MAX);
    s->dir = strdup(dir);
    s->cloud.dir = s->dir;
    if (!s->dir)
        (void)chsm_oom(err);
    else if (pipe2(s->stop, O_CLOEXEC) < 0)
        (void)chsm_fail_errno(err, CHSM_CONFIG, "pipe");
    else if (sim_certs_make(dir, err) == 0 && sim_signing_key(dir, &s->cloud.signing, err) == 0 &&
             read_pem(dir, "server.pem", &s->cert, err) == 0 && read_pem(dir, "server.key", &s->key, err) == 0 &&
             start_all(s, base, err) == 0) {
        *ret = s;
        return 0;
    }
    sim_server_stop(s);
    return -1;
}

const char *sim_server_url(const struct sim_server *s, enum sim_service service)
{
    return s->cloud.url[service];
}

void sim_server_stop(struct sim_server *s)
{
    if (!s)
        return;
    if (s->stop[1] >= 0)
        (void)close(s->stop[1]);
    for (int i = 0; i < SIM_SERVICES; i++) {
        if (s->listener[i].daemon)
            MHD_stop_daemon(s->listener[i].daemon);
        free(s->cloud.url[i]);
    }
    if (s->stop[0] >= 0)
        (void)close(s->stop[0]);
    EVP_PKEY_free(s->cloud.signing);
    chsm_buf_done(&s->cert);
    chsm_buf_done(&s->key);
    free(s->dir);
    free(s);
}

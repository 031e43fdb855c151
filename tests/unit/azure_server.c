/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>

#include "tests/unit/azure_server.h"
#include "util/enc.h"

#define REQUESTS_MAX 64
#define REQUEST_MAX 131072

struct connection { struct server *server; int fd; pthread_t thread; };

struct server {
    int fd;
    char url[64], ca[64];
    unsigned port;
    SSL_CTX *tls;
    const char *const *script;
    pthread_t thread;
    pthread_mutex_t lock;
    atomic_bool stop;
    unsigned count;
    atomic_uint connections, bytes;
    char *requests[REQUESTS_MAX];
    struct connection connection[REQUESTS_MAX];
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* Names, validity and issuer; signed by `ca_key`, which is `key` for a self-signed one. */
static X509 *certificate(EVP_PKEY *key, EVP_PKEY *ca_key, enum server_tls tls)
{
    const char *name = tls == SERVER_WRONG_HOST ? "DNS:other.test" : "DNS:localhost,DNS:hsm.localhost,DNS:arm.test,IP:127.0.0.1,IP:192.0.2.7";
    long from = tls == SERVER_EXPIRED ? -7200 : tls == SERVER_NOT_YET ? 3600 : -3600;
    X509 *c = X509_new();
    X509_NAME *issuer = X509_NAME_new();
    X509V3_CTX v3;
    X509_EXTENSION *san, *ca;

    must(c && issuer && X509_set_version(c, X509_VERSION_3) && ASN1_INTEGER_set(X509_get_serialNumber(c), 1), "certificate");
    X509_gmtime_adj(X509_getm_notBefore(c), from);
    X509_gmtime_adj(X509_getm_notAfter(c), from + (tls == SERVER_EXPIRED ? 3600 : 7200));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const unsigned char *)(key == ca_key ? "localhost" : "Nobody"), -1, -1, 0);
    X509_set_issuer_name(c, issuer);
    X509_set_pubkey(c, key);
    X509V3_set_ctx(&v3, c, c, NULL, NULL, 0);
    san = X509V3_EXT_conf_nid(NULL, &v3, NID_subject_alt_name, name);
    ca = X509V3_EXT_conf_nid(NULL, &v3, NID_basic_constraints, key == ca_key ? "critical,CA:TRUE" : "CA:FALSE");
    must(san && ca && X509_add_ext(c, san, -1) && X509_add_ext(c, ca, -1) && X509_sign(c, ca_key, EVP_sha256()), "certificate");
    X509_EXTENSION_free(san);
    X509_EXTENSION_free(ca);
    X509_NAME_free(issuer);
    return c;
}

/* What clients are told to trust: the server's certificate, or, for one that nobody shall know, another one. */
static void write_ca(struct server *s, X509 *c)
{
    FILE *f;
    int fd;

    (void)snprintf(s->ca, sizeof s->ca, "/tmp/chsm-test-ca-XXXXXX");
    fd = mkstemp(s->ca);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    must(f && PEM_write_X509(f, c) && fclose(f) == 0, "CA file");
}

static void start_tls(struct server *s, enum server_tls tls)
{
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    X509 *c = certificate(key, tls == SERVER_UNKNOWN_CA ? other : key, tls);
    X509 *trusted = tls == SERVER_SELF_SIGNED || tls == SERVER_UNKNOWN_CA ? certificate(other, other, SERVER_GOOD) : NULL;

    write_ca(s, trusted ? trusted : c);
    s->tls = SSL_CTX_new(TLS_server_method());
    must(s->tls && SSL_CTX_use_certificate(s->tls, c) == 1 && SSL_CTX_use_PrivateKey(s->tls, key) == 1, "TLS");
    if (tls == SERVER_TLS_1_1) {
        SSL_CTX_set_security_level(s->tls, 0);
        must(SSL_CTX_set_min_proto_version(s->tls, TLS1_VERSION) == 1 && SSL_CTX_set_max_proto_version(s->tls, TLS1_1_VERSION) == 1,
             "TLS 1.1");
    }
    X509_free(c);
    X509_free(trusted);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

/* Ready to read, or told to stop. */
static bool readable(const struct server *s, int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    while (!s->stop)
        if (poll(&p, 1, 20) > 0)
            return true;
    return false;
}

static int take(SSL *ssl, const struct server *s, int fd, char *p, size_t n)
{
    if (ssl && SSL_pending(ssl) > 0)
        return SSL_read(ssl, p, (int)n);
    if (!readable(s, fd))
        return -1;
    return ssl ? SSL_read(ssl, p, (int)n) : (int)recv(fd, p, n, 0);
}

/* Head and body of the request that begins at text; SIZE_MAX while the head is not complete. */
static size_t request_size(const char *text)
{
    const char *head = strstr(text, "\r\n\r\n");
    const char *length = head ? strcasestr(text, "\r\nContent-Length:") : NULL;
    unsigned long body = 0;
    char *end;

    if (*text == 0x16)
        return 1;           /* a TLS handshake that nobody expects here: answered as if it were a request */
    if (!head)
        return SIZE_MAX;
    if (length && length < head) {
        body = strtoul(length + 17, &end, 10);
        must(*end == '\r', "Content-Length");
    }
    return (size_t)(head - text) + 4 + body;
}

/* One request, head and body; NULL when the peer went away. */
static char *read_request(SSL *ssl, struct server *s, int fd)
{
    char *text = calloc(1, REQUEST_MAX);
    size_t n = 0;
    int got;

    must(text, "memory");
    for (;;) {
        if (n >= request_size(text))
            return text;
        got = n + 1 < REQUEST_MAX ? take(ssl, s, fd, text + n, REQUEST_MAX - 1 - n) : -1;
        if (got <= 0) {
            free(text);
            return NULL;
        }
        n += (size_t)got;
        s->bytes += (unsigned)got;
    }
}

static const char *next_answer(struct server *s, char *request)
{
    const char *answer = NULL;

    pthread_mutex_lock(&s->lock);
    must(s->count < REQUESTS_MAX, "too many requests");
    for (unsigned i = 0; i <= s->count && (i == 0 || answer); i++)
        answer = s->script[i];
    s->requests[s->count++] = request;
    pthread_mutex_unlock(&s->lock);
    return answer ? answer : "HTTP/1.1 599 beyond the script\r\nContent-Length: 0\r\n\r\n";
}

static void give_bytes(SSL *ssl, int fd, const char *p, size_t n)
{
    while (n > 0) {
        int put = ssl ? SSL_write(ssl, p, (int)n) : (int)send(fd, p, n, MSG_NOSIGNAL);

        if (put <= 0)
            return;
        p += put;
        n -= (size_t)put;
    }
}

/* "HEAD#HEX": the part behind the first '#' is bytes in hexadecimal. */
static void give(SSL *ssl, int fd, const char *answer)
{
    const char *hex = strchr(answer, '#');
    unsigned char *bytes;
    long n = 0;

    give_bytes(ssl, fd, answer, hex ? (size_t)(hex - answer) : strlen(answer));
    if (!hex || !hex[1])
        return;
    bytes = OPENSSL_hexstr2buf(hex + 1, &n);
    must(bytes, "hexadecimal");
    give_bytes(ssl, fd, (char *)bytes, (size_t)n);
    OPENSSL_free(bytes);
}

static void serve(struct server *s, SSL *ssl, int fd)
{
    for (;;) {
        char *request = read_request(ssl, s, fd);
        const char *answer;

        if (!request)
            return;
        answer = next_answer(s, request);
        if (*answer == '~')
            give(ssl, fd, answer + 1);
        if (*answer == '~' || strcmp(answer, "-") == 0) {
            while (!s->stop && readable(s, fd) && recv(fd, &(char){ 0 }, 1, 0) > 0)
                ;
            return;
        }
        give(ssl, fd, *answer == '+' ? answer + 1 : answer);
        if (*answer != '+')
            return;
    }
}

static void *connection_main(void *ctx)
{
    struct connection *c = ctx;
    SSL *ssl = NULL;

    if (c->server->tls) {
        ssl = SSL_new(c->server->tls);
        must(ssl && SSL_set_fd(ssl, c->fd) == 1, "TLS");
        if (readable(c->server, c->fd) && SSL_accept(ssl) == 1) {
            serve(c->server, ssl, c->fd);
            SSL_shutdown(ssl);
        }
        SSL_free(ssl);
    } else {
        serve(c->server, NULL, c->fd);
    }
    shutdown(c->fd, SHUT_WR);
    close(c->fd);
    return NULL;
}

static void *server_main(void *ctx)
{
    struct server *s = ctx;

    while (readable(s, s->fd)) {
        struct connection *c = &s->connection[s->connections];

        must(s->connections < REQUESTS_MAX, "too many connections");
        c->server = s;
        c->fd = accept(s->fd, NULL, NULL);
        must(c->fd >= 0 && pthread_create(&c->thread, NULL, connection_main, c) == 0, "connection");
        s->connections++;
    }
    for (unsigned i = 0; i < s->connections; i++)
        pthread_join(s->connection[i].thread, NULL);
    return NULL;
}

struct server *server_new(bool tls, const char *const *script)
{
    return server_new_tls(tls ? SERVER_GOOD : SERVER_PLAIN, script);
}

struct server *server_new_tls(enum server_tls tls, const char *const *script)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    struct server *s = calloc(1, sizeof *s);

    must(s, "memory");
    (void)signal(SIGPIPE, SIG_IGN);     /* a client that refuses us goes away in the middle of the handshake */
    s->script = script;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    must(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&a, n) == 0 && listen(s->fd, 16) == 0 &&
         getsockname(s->fd, (struct sockaddr *)&a, &n) == 0, "listening");
    s->port = ntohs(a.sin_port);
    (void)snprintf(s->url, sizeof s->url, "%s://localhost:%u", tls ? "https" : "http", s->port);
    if (tls)
        start_tls(s, tls);
    must(pthread_create(&s->thread, NULL, server_main, s) == 0, "thread");
    return s;
}

void server_free(struct server *s)
{
    s->stop = true;
    pthread_join(s->thread, NULL);
    close(s->fd);
    SSL_CTX_free(s->tls);
    if (*s->ca)
        (void)unlink(s->ca);
    for (unsigned i = 0; i < s->count; i++)
        free(s->requests[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const char *server_url(const struct server *s)
{
    return s->url;
}

unsigned server_port(const struct server *s)
{
    return s->port;
}

const char *server_ca(const struct server *s)
{
    return *s->ca ? s->ca : NULL;
}

char *server_ca_hash(const struct server *s)
{
    FILE *f = fopen(s->ca, "r");
    X509 *c = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    char *text = NULL;

    must(c && asprintf(&text, "%08lx", X509_NAME_hash_ex(X509_get_subject_name(c), NULL, NULL, NULL)) >= 0, "certificate");
    X509_free(c);
    (void)fclose(f);
    return text;
}

unsigned server_count(struct server *s)
{
    unsigned n;

    pthread_mutex_lock(&s->lock);
    n = s->count;
    pthread_mutex_unlock(&s->lock);
    return n;
}

unsigned server_connections(struct server *s)
{
    return s->connections;
}

unsigned server_bytes(struct server *s)
{
    return s->bytes;
}

const char *server_request(struct server *s, unsigned i)
{
    return i < server_count(s) ? s->requests[i] : "";
}

char *server_json(const char *status, const char *headers, const char *body)
{
    char *text = NULL;

    must(asprintf(&text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
                  strlen(body),
                  body) >= 0, "memory");
    return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "azure/challenge.h"
#include "azure/send.h"
#include "util/log.h"

#define HEADERS_MAX 32
#define MOVES_MAX 2             /* a vault's first challenge, and one more when its subscription moved to another tenant */

struct sending {                /* one message on its way */
    const struct chsm_channel *channel;
    const struct chsm_message *message;
    enum chsm_repeat repeat;
    chsm_deadline deadline;
    struct chsm_request rq;
    char *claims;               /* of a claims challenge; NULL = none yet */
    bool claimed;               /* a token with them was got */
    unsigned moves;             /* vault challenges that named another resource or tenant */
};

void chsm_vault_done(struct chsm_vault *v)
{
    free(v->resource);
    free(v->tenant);
    *v = (struct chsm_vault){ 0 };
}

/* The one place that decides where a token may go: the service's host and subdomains of it (regional front ends). */
static int target(const struct chsm_channel *c, const char *path, char **ret, struct chsm_err *err)
{
    AUTO_FREE char *url = *path == '/' ? chsm_strf("%s%s", c->base, path) : strdup(path);
    AUTO_FREE char *origin = NULL;

    if (!url)
        return chsm_oom(err);
    if (!chsm_url_within(url, c->base)) {
        origin = chsm_url_origin(url);
        (void)chsm_fail(err, CHSM_SERVICE, "the service named an address outside %s (%s); nothing was sent there", c->base,
                        origin ? origin : "no usable address");
        return chsm_err_hint(err, "something between here and Azure may be rewriting answers: check the proxy and the cloud");
    }
    *ret = TAKE(url);
    return 0;
}

/* A time-out of one exchange is the service's failure; only the caller's own deadline is CHSM_DEADLINE. */
static void blame(chsm_deadline deadline, struct chsm_err *err)
{
    if (err->code == CHSM_DEADLINE && chsm_deadline_left(deadline) > 0)
        err->code = CHSM_SERVICE;
}

/* Waits before the next try. -1: no further try; *err then says what ended it, on top of the failure that it holds. */
static int pause_before(const struct chsm_attempt *a, chsm_deadline deadline, struct chsm_err *err)
{
    struct chsm_err why = { 0 };

    if (chsm_retry_wait(a->tries, a->retry_after, deadline, &why) == 0)
        return 0;
    if (why.code != CHSM_DEADLINE) {
        *err = why;
        return -1;
    }
    err->code = CHSM_DEADLINE;
    return chsm_err_prefix(err, "%s", why.text);
}

/* What is no answer of the service is none at all. */
static int take(const struct sending *s, struct chsm_response *r, struct chsm_err *err)
{
    AUTO_FREE char *shown = NULL;
    long status = r->status;

    if (!s->message->take || s->message->take(s->message->ctx, r, err) == 0)
        return 0;
    shown = chsm_redact_url(s->rq.url);
    r->status = 0;
    return chsm_err_prefix(err, "%s %s: HTTP %ld", s->rq.method, shown ? shown : "", status);
}

/* A vault that has not said yet whose token it wants is asked with nothing that is worth stealing. */
static int exchange_bare(struct sending *s, struct chsm_response *r, struct chsm_err *err)
{
    struct chsm_request bare = s->rq;

    bare.body = NULL;
    bare.body_len = 0;
    return chsm_http_do(s->channel->http, &bare, r, err);
}

static int exchange_signed(struct sending *s, bool fresh, bool *ret_asked, struct chsm_response *r, struct chsm_err *err)
{
    const struct chsm_channel *c = s->channel;
    struct chsm_ask ask = { .resource = c->vault ? c->vault->resource : c->resource, .tenant = c->vault ? c->vault->tenant : NULL,
                            .claims = s->claimed ? NULL : s->claims, .fresh = fresh };
    int rc = chsm_credential_ask(c->credential, &ask, &s->rq.bearer, err);

    if (rc < 0)
        return -1;
    s->claimed = s->claims != NULL;
    *ret_asked = true;
    rc = chsm_http_do(c->http, &s->rq, r, err);
    s->rq.bearer = NULL;
    return rc;
}

/* One exchange. 0: 2xx. *ret_asked: the service was asked, not only the sign-in. */
static int exchange(struct sending *s, bool fresh, bool *ret_asked, struct chsm_response *r, struct chsm_err *err)
{
    const struct chsm_channel *c = s->channel;
    bool bare = c->vault && !c->vault->resource;
    int rc;

    *ret_asked = bare;
    rc = bare ? exchange_bare(s, r, err) : exchange_signed(s, fresh, ret_asked, r, err);
    if (rc < 0) {
        if (*ret_asked)
            blame(s->deadline, err);
        return -1;
    }
    if (bare && r->status >= 200 && r->status < 300)
        return chsm_fail(err, CHSM_SERVICE, "%s answers without a token: it is no vault", c->base);
    if (r->status >= 200 && r->status < 300)
        return take(s, r, err);
    return c->explain(r, s->rq.method, s->rq.url, err);
}

enum answer { ANSWER_NONE, ANSWER_GIVEN, ANSWER_IMPOSSIBLE };

/* A vault that wants the token of another resource or tenant than it got. */
static enum answer answer_vault(struct sending *s, const struct chsm_response *r, struct chsm_err *err)
{
    struct chsm_vault *v = s->channel->vault;
    AUTO(chsm_vault_done) struct chsm_vault now = { 0 };
    int rc = v ? chsm_challenge_vault(r->www_authenticate, s->rq.url, &now.resource, &now.tenant, err) : 1;

    if (rc < 0)
        return ANSWER_IMPOSSIBLE;
    if (rc > 0)
        return v && !v->resource ? ANSWER_IMPOSSIBLE : ANSWER_NONE;
    if (chsm_streq(v->resource, now.resource) && chsm_streq(v->tenant, now.tenant))
        return ANSWER_NONE;
    if (s->moves++ == MOVES_MAX)
        return ANSWER_IMPOSSIBLE;
    chsm_vault_done(v);
    *v = now;
    now = (struct chsm_vault){ 0 };
    return ANSWER_GIVEN;
}

/* What can be done about a 401 beside a fresh token: claims, once, and a vault's challenge (entra-auth.md §10). */
static enum answer answer_challenge(struct sending *s, const struct chsm_response *r, struct chsm_err *err)
{
    char *claims = NULL;
    int rc;

    if (r->status != 401)
        return ANSWER_NONE;
    rc = chsm_challenge_claims(r->www_authenticate, &claims);
    if (rc == 0 && !s->claims) {
        s->claims = claims;
        return ANSWER_GIVEN;
    }
    free(claims);
    return rc <= 0 ? ANSWER_IMPOSSIBLE : answer_vault(s, r, err);
}

static void count(struct chsm_attempt *a, const struct chsm_response *r, const struct chsm_err *err)
{
    a->tries++;
    a->status = r->status;
    a->retry_after = r->retry_after;
    a->sent = r->sent;
    a->hopeless = r->hopeless;
    a->code = err->code;
}

/* Repeats the exchange as far as its class allows. 0: 2xx. */
static int send_until(struct sending *s, struct chsm_response *r, struct chsm_err *err)
{
    struct chsm_attempt a = { .repeat = s->repeat };
    bool fresh = false, asked;
    enum answer answered;

    for (;;) {
        struct chsm_err before = *err;

        if (a.tries > 0 && s->message->again && s->message->again(s->message->again_ctx, err) < 0)
            return -1;
        chsm_response_done(r);
        if (exchange(s, fresh, &asked, r, err) == 0)
            return 0;
        if (!asked)             /* no token */
            return fresh || s->claims ? chsm_err_prefix(err, "HTTP 401 %s", before.service_code) : -1;
        count(&a, r, err);
        answered = answer_challenge(s, r, err);
        if (answered == ANSWER_IMPOSSIBLE)
            return -1;
        if (answered == ANSWER_GIVEN) {
            fresh = false;
            continue;
        }
        switch (chsm_retry_decide(&a)) {
        case CHSM_RETRY_STOP:
            return -1;
        case CHSM_RETRY_TOKEN:
            fresh = a.renewed = true;
            break;
        case CHSM_RETRY_AGAIN:
            fresh = false;
            if (pause_before(&a, s->deadline, err) < 0)
                return -1;
            break;
        }
    }
}

static int add_headers(const char **list, size_t *n, const char *const *more, struct chsm_err *err)
{
    for (; more && *more; more++) {
        if (*n == HEADERS_MAX)
            return chsm_fail(err, CHSM_SERVICE, "a request has more than %d headers", HEADERS_MAX);
        list[(*n)++] = *more;
    }
    return 0;
}

static int send_all(struct sending *s, const struct chsm_message *m, struct chsm_response *r, struct chsm_err *err)
{
    const struct chsm_channel *c = s->channel;
    const char *headers[HEADERS_MAX + 1] = { NULL };
    const char *id = c->correlation && *c->correlation ? c->correlation : NULL;
    AUTO_FREE char *correlation = id ? chsm_strf("x-ms-correlation-request-id: %s", id) : NULL;
    AUTO_FREE char *client = id ? chsm_strf("x-ms-client-request-id: %s", id) : NULL;
    const char *const ids[] = { correlation, client, NULL };
    chsm_deadline before;
    size_t n = 0;
    int rc;

    if (id && (!correlation || !client))
        return chsm_oom(err);
    if (add_headers(headers, &n, ids, err) < 0 || add_headers(headers, &n, c->headers, err) < 0 || add_headers(headers, &n, m->headers, err) < 0)
        return -1;
    s->rq.headers = headers;
    before = chsm_http_limit(c->http, 0);
    if (before && (!s->deadline || before < s->deadline))
        s->deadline = before;           /* the whole command's limit holds, whatever a part of it allows itself */
    (void)chsm_http_limit(c->http, s->deadline);
    rc = send_until(s, r, err);
    (void)chsm_http_limit(c->http, before);
    return rc;
}

/* What Azure's support asks for first: the ids of a request that reached the service. */
static void add_ids(const struct chsm_channel *c, const struct chsm_response *r, struct chsm_err *err)
{
    const char *correlation = r->correlation_id ? r->correlation_id : c->correlation, *request = r->request_id;
    bool has_correlation = !correlation || !*correlation || strstr(err->text, correlation);
    bool has_request = !request || strstr(err->text, request);

    if (!r->sent || (has_correlation && has_request))
        return;
    /* Both at once: a second one behind a text that is full would push the first one out. */
    (void)chsm_err_suffix(err, " (%s%.80s%s%s%.80s)", has_request ? "" : "request id ", has_request ? "" : request,
                          has_request || has_correlation ? "" : ", ", has_correlation ? "" : "correlation id ",
                          has_correlation ? "" : correlation);
}

/* What can be done when nobody further up knows better. */
static void add_remedy(const struct chsm_channel *c, struct chsm_err *err)
{
    if (err->code != CHSM_SERVICE || *err->hint)
        return;
    if (err->http == 0)
        (void)chsm_err_hint(err, "check the network and the proxy on the way to %s, then run the command again", c->base);
    else if (chsm_retry_transient(err->http))
        (void)chsm_err_hint(err, "this usually passes: run the command again later; when it stays, Azure's support needs the request id");
}

int chsm_send(const struct chsm_channel *channel, const struct chsm_message *m, chsm_deadline deadline,
              struct chsm_response *response, struct chsm_err *err)
{
    struct chsm_err held = { 0 };
    struct sending s = { .channel = channel, .message = m, .repeat = m->repeat, .deadline = deadline };
    AUTO_FREE char *url = NULL;
    int rc;

    *response = (struct chsm_response){ .retry_after = -1 };
    rc = target(channel, m->url, &url, &held);
    response->hopeless = rc < 0;
    if (rc == 0) {
        s.rq = (struct chsm_request){ .method = m->method, .url = url, .content_type = m->content_type, .body = m->body,
                                      .body_len = m->body_len, .twice_ok = m->repeat != CHSM_REPEAT_START,
                                      .body_secret = m->answer_secret,
                                      .to_the_end = m->repeat == CHSM_REPEAT_START };
        rc = send_all(&s, m, response, &held);
    }
    free(s.claims);
    if (rc < 0) {
        add_ids(channel, response, &held);
        add_remedy(channel, &held);
    }
    if (rc < 0 && err)
        *err = held;
    return rc;
}

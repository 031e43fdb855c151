/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "pkcs11/evp.h"
#include "pkcs11/hsm.h"
#include "pkcs11/leftovers.h"
#include "pkcs11/probe.h"
#include "pkcs11/provers.h"
#include "pkcs11/wire.h"

#define OUTBOX_FULL (32u << 10)
#define OUTBOX_MS 20

/* The child's whole state; one per process. */
struct worker {
    struct chsm_session s;
    struct chsm_crew crew;
    struct chsm_provers provers;
    bool open;
    bool listed;
    struct chsm_listing listing;
};

static int reply(enum chsm_wire_type type, json_t *body, struct chsm_err *err)
{
    int rc = body ? chsm_wire_send_json(CHSM_WIRE_FD, type, body, err) : chsm_oom(err);

    json_decref(body);
    return rc;
}

static int get_pin(struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf frame = CHSM_BUF_SECRET(CHSM_SECRET_MAX + 1);
    unsigned char type = 0;
    int rc = chsm_wire_recv(CHSM_WIRE_FD, &type, &frame, err);

    if (rc <= 0 || type != CHSM_WIRE_PIN)
        return chsm_fail(err, CHSM_PKCS11, "the program sent no PIN");
    return chsm_secret_set(ret, chsm_buf_str(&frame), frame.len, err);
}

static int choice_of(const json_t *request, struct chsm_token_choice *ret, struct chsm_err *err)
{
    ret->label = chsm_json_str(request, "label");
    ret->serial = chsm_json_str(request, "serial");
    ret->uri = chsm_json_str(request, "uri");
    ret->accept_shared_login = json_is_true(json_object_get(request, "shared-login"));
    ret->slot_given = json_object_get(request, "slot") != NULL;
    if (ret->slot_given && chsm_wire_ulong(request, "slot", &ret->slot, err) < 0)
        return -1;
    return json_object_get(request, "jobs") ? chsm_wire_ulong(request, "jobs", &ret->jobs, err) : 0;
}

static int do_open(struct worker *w, const json_t *request, struct chsm_err *err)
{
    const char *module = chsm_json_str(request, "module");
    bool login = json_is_true(json_object_get(request, "login"));
    struct chsm_token_choice choice = { 0 };
    AUTO_SECRET struct chsm_secret pin = { 0 };
    json_t *token = NULL;

    /* The PIN is on its way in any case; it must not be taken for the next request. */
    if (login && get_pin(&pin, err) < 0)
        return -1;
    if (w->open || !module || choice_of(request, &choice, err) < 0)
        return chsm_fail(err, CHSM_PKCS11, "the program sent a request that makes no sense");
    w->open = true;
    if (chsm_module_load(&w->s, module, chsm_json_str(request, "init"), err) < 0 || chsm_session_open(&w->s, &choice, &token, err) < 0)
        return -1;
    if (login && chsm_session_login(&w->s, &pin, err) < 0) {
        json_decref(token);
        return -1;
    }
    if (w->s.shared_login && json_object_set_new(token, "login", json_string("another program's, perhaps as another user")) < 0) {
        json_decref(token);
        return chsm_oom(err);
    }
    chsm_crew_init(&w->crew, &w->s, choice.jobs);
    return reply(CHSM_WIRE_OK, token, err);
}

/* The frames of a listing go together: one wake-up of the program for each of thousands of records would cost as much as reading them. */
struct outbox {
    struct chsm_buf frames;
    int64_t sent;           /* chsm_mono() of the last time */
    bool silent;            /* the program is not waiting for a list */
};

static void outbox_done(struct outbox *o)
{
    chsm_buf_done(&o->frames);
}

static int post(struct outbox *o, bool now, struct chsm_err *err)
{
    if (!now && o->frames.len < OUTBOX_FULL && chsm_mono() - o->sent < OUTBOX_MS)
        return 0;
    o->sent = chsm_mono();
    return chsm_wire_flush(CHSM_WIRE_FD, &o->frames, err);
}

static int send_record(void *ctx, const struct chsm_record *r, unsigned char digest[CHSM_SHA256_LEN], struct chsm_err *err)
{
    struct outbox *o = ctx;
    json_t *body = chsm_wire_record(r);
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (!text)
        return chsm_oom(err);
    chsm_sha256(text, strlen(text), digest);
    if (o->silent)
        return 0;
    return chsm_wire_append(&o->frames, CHSM_WIRE_RECORD, text, strlen(text), err) < 0 ? -1 : post(o, false, err);
}

static int send_tick(void *ctx, struct chsm_err *err)
{
    struct outbox *o = ctx;

    if (o->silent)
        return 0;
    return chsm_wire_append(&o->frames, CHSM_WIRE_TICK, "", 0, err) < 0 ? -1 : post(o, false, err);
}

/* The listing, from the beginning as often as the session is lost and comes back. */
static int list_on(struct worker *w, const struct chsm_list_sink *sink, struct chsm_listing *ret, struct chsm_err *err)
{
    struct outbox *o = sink->ctx;

    if (chsm_list(&w->crew, sink, ret, err) < 0)
        return -1;
    while (ret->lost && chsm_session_reopen(&w->s, sink->tick, sink->ctx, NULL) == 0) {
        chsm_listing_done(ret);
        chsm_crew_forget(&w->crew);
        if (!o->silent && chsm_wire_append(&o->frames, CHSM_WIRE_AGAIN, "", 0, err) < 0)
            return -1;
        if (chsm_list(&w->crew, sink, ret, err) < 0)
            return -1;
    }
    return 0;
}

/* After the session was lost between list and proofs: 0 when the keys have been found again. */
static int find_again(struct worker *w, struct chsm_err *err)
{
    AUTO(outbox_done) struct outbox out = { .frames = CHSM_BUF(1), .silent = true };
    struct chsm_list_sink sink = { send_record, send_tick, &out };
    struct chsm_listing now = { 0 };
    int rc;

    if (chsm_session_reopen(&w->s, send_tick, &out, err) < 0)
        return -1;
    chsm_crew_forget(&w->crew);
    rc = list_on(w, &sink, &now, err);
    if (rc == 0 && now.problems > 0)
        rc = chsm_fail(err, CHSM_PKCS11, "after the session was lost the keys cannot be found again: %s", now.why);
    if (rc == 0)
        rc = chsm_listing_renew(&w->listing, &now, err);
    chsm_listing_done(&now);
    return rc;
}

static int do_list(struct worker *w, struct chsm_err *err)
{
    AUTO(outbox_done) struct outbox out = { .frames = CHSM_BUF(CHSM_WIRE_MAX + OUTBOX_FULL + CHSM_WIRE_HEADER), .sent = chsm_mono() };
    struct chsm_list_sink sink = { send_record, send_tick, &out };
    struct chsm_listing *l = &w->listing;
    json_t *body;

    chsm_listing_done(l);
    w->listed = false;
    if (list_on(w, &sink, l, err) < 0 || post(&out, true, err) < 0)
        return -1;
    w->listed = true;
    body = json_pack("{s:b, s:I, s:I}", "complete", l->problems == 0, "session-objects", (json_int_t)l->session_objects, "sessions",
                     (json_int_t)chsm_crew_sessions(&w->crew));
    if (body && l->problems > 0) {
        AUTO_FREE char *first = chsm_bytes_text(&(struct chsm_bytes){ (unsigned char *)l->why, strlen(l->why) });
        AUTO_FREE char *why = first && l->problems > 1 ? chsm_strf("%s (and %u more)", first, l->problems - 1)
                                                       : first ? strdup(first) : NULL;

        if (!why || json_object_set_new(body, "why", json_string(why)) < 0) {
            json_decref(body);
            return chsm_oom(err);
        }
    }
    return reply(CHSM_WIRE_OK, body, err);
}

struct question {
    const char *kind;
    const struct chsm_bytes *input;
};

/* As chsm_probe(); a session that is lost is opened again, once for each question. */
static int prove(struct worker *w, size_t i, const struct question *q, struct chsm_bytes *answer, CK_RV *rv, struct chsm_err *err)
{
    const struct chsm_listed *key = &w->listing.v[i];
    int rc = chsm_probe(&w->s, key, q->kind, q->input, answer, rv, err);

    if (rc >= 0 || err->ck_rv == CKR_OK)
        return rc;
    if (find_again(w, err) < 0)
        return -1;
    if (key->handle == CK_INVALID_HANDLE) {
        *rv = CKR_KEY_HANDLE_INVALID;
        return 1;
    }
    return chsm_probe(&w->s, key, q->kind, q->input, answer, rv, err);
}

static int read_task(struct worker *w, const json_t *request, struct chsm_task *ret, struct chsm_err *err)
{
    json_t *index = json_object_get(request, "index"), *ticket = json_object_get(request, "ticket");
    json_int_t i = json_is_integer(index) ? json_integer_value(index) : -1, t = json_is_integer(ticket) ? json_integer_value(ticket) : -1;
    const char *kind = chsm_json_str(request, "kind");

    if (!w->listed || i < 0 || (size_t)i >= w->listing.n || !kind || t < 0 || t >= CHSM_WIRE_TICKETS)
        return chsm_fail(err, CHSM_PKCS11, "the program asks for a proof of a key that was not listed");
    ret->index = (size_t)i;
    ret->ticket = (unsigned)t;
    if (chsm_wire_bytes(request, "input", CHSM_WIRE_DATA_MAX, &ret->input, err) < 0)
        return -1;
    ret->kind = strdup(kind);
    return ret->kind ? 0 : chsm_oom(err);
}

/* With the helpers' sessions, or with the main one where there is no other, or the question has to be asked alone. */
static int do_prove(struct worker *w, const json_t *request, struct chsm_err *err)
{
    AUTO(chsm_task_done) struct chsm_task task = { 0 };
    struct chsm_bytes answer = { 0 };
    CK_RV rv = CKR_OK;
    int rc;

    if (read_task(w, request, &task, err) < 0)
        return -1;
    if (!json_is_true(json_object_get(request, "alone")) && chsm_crew_sessions(&w->crew) > 1)
        return chsm_provers_add(&w->provers, &w->crew, &w->listing, &task, err);
    chsm_provers_rest(&w->provers, &w->crew);
    rc = prove(w, task.index, &(struct question){ task.kind, &task.input }, &answer, &rv, err);
    if (rc >= 0)
        rc = chsm_provers_reply(&w->provers, task.ticket, rc == 0 ? &answer : NULL, rv, err);
    chsm_wipe(answer.p, answer.len);
    chsm_bytes_done(&answer);
    return rc;
}

static int do_count(struct worker *w, struct chsm_err *err)
{
    size_t n = 0;

    if (chsm_leftovers_count(&w->s, &n, err) < 0)
        return -1;
    return reply(CHSM_WIRE_OK, json_pack("{s:I}", "keys", (json_int_t)n), err);
}

static int do_evp(struct worker *w, const json_t *request, struct chsm_err *err)
{
    struct chsm_evp_request q = { .module = chsm_json_str(request, "module"), .init = chsm_json_str(request, "init"), .ck = &w->s.ck };
    AUTO_SECRET struct chsm_secret pin = { 0 };
    struct chsm_bytes id = { 0 }, input = { 0 }, signature = { 0 };
    int rc = -1;

    if (get_pin(&pin, err) < 0)
        return -1;
    q.pin = &pin;
    q.id = chsm_json_str(request, "id") ? &id : NULL;
    q.object = chsm_json_str(request, "object");
    q.pss = chsm_json_str(request, "pss") != NULL;
    q.certificate = chsm_json_str(request, "certificate") != NULL;
    q.input = &input;
    if (w->open || !q.module || choice_of(request, &q.choice, err) < 0)
        return chsm_fail(err, CHSM_PKCS11, "the program sent a request that makes no sense");
    w->open = true;
    if ((!q.id || chsm_wire_bytes(request, "id", CHSM_WIRE_DATA_MAX, &id, err) == 0) &&
        (q.certificate || chsm_wire_bytes(request, "input", CHSM_WIRE_DATA_MAX, &input, err) == 0) &&
        chsm_evp_work(&q, &signature, err) == 0) {
        AUTO_FREE char *hex = chsm_hex(signature.p, signature.len);

        rc = reply(CHSM_WIRE_ANSWER, hex ? json_pack("{s:s}", "answer", hex) : NULL, err);
    }
    chsm_bytes_done(&id);
    chsm_bytes_done(&input);
    chsm_bytes_done(&signature);
    return rc;
}

static int serve(struct worker *w, unsigned char type, const struct chsm_buf *frame, struct chsm_err *err)
{
    json_t *request = NULL;
    int rc;

    if (chsm_json_parse(chsm_buf_str(frame), frame->len, "the program's request", CHSM_PKCS11, &request, err) < 0)
        return -1;
    if (type != CHSM_WIRE_PROVE)
        chsm_provers_rest(&w->provers, &w->crew);
    if (type == CHSM_WIRE_OPEN)
        rc = do_open(w, request, err);
    else if (type == CHSM_WIRE_LIST && w->s.main != CK_INVALID_HANDLE)
        rc = do_list(w, err);
    else if (type == CHSM_WIRE_PROVE && w->s.main != CK_INVALID_HANDLE)
        rc = do_prove(w, request, err);
    else if (type == CHSM_WIRE_COUNT && w->s.main != CK_INVALID_HANDLE)
        rc = do_count(w, err);
    else if (type == CHSM_WIRE_EVP)
        rc = do_evp(w, request, err);
    else
        rc = chsm_fail(err, CHSM_PKCS11, "the program sent a request that makes no sense");
    json_decref(request);
    return rc;
}

/* No core file with a PIN in it, no life after the parent's, no death by a daemon that closes its socket. */
static void harden(void)
{
    struct rlimit none = { 0, 0 };

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)signal(SIGPIPE, SIG_IGN);
}

int chsm_hsm_worker(void)
{
    static struct worker w;
    AUTO_BUF struct chsm_buf frame = CHSM_BUF(CHSM_WIRE_MAX + 1);
    struct chsm_err err = { 0 };
    unsigned char type = 0;
    void *page;

    harden();
    chsm_provers_init(&w.provers);
    page = mmap(NULL, CHSM_WIRE_CALLS * sizeof(struct chsm_wire_call), PROT_READ | PROT_WRITE, MAP_SHARED, CHSM_WIRE_PAGE_FD, 0);
    w.s.ck.call = page != MAP_FAILED ? page : NULL;
    /* Should the parent have died before the first line of harden(), its end of the socket is closed. */
    while (chsm_wire_recv(CHSM_WIRE_FD, &type, &frame, &err) > 0 && type != CHSM_WIRE_CLOSE) {
        err = (struct chsm_err){ 0 };
        if (serve(&w, type, &frame, &err) < 0 && reply(CHSM_WIRE_ERROR, chsm_wire_error(&err), NULL) < 0)
            break;
    }
    chsm_provers_rest(&w.provers, &w.crew);
    if (w.s.ck.fl) {
        if (w.s.initialised) {
            chsm_crew_close(&w.crew);
            chsm_session_close(&w.s);
        }
        chsm_module_finalize(&w.s);
    }
    /* Not exit(): the handlers of a module that has been finalised are one more chance to crash or hang. */
    _exit(0);
}

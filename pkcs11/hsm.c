/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <limits.h>

#include "pkcs11/child.h"
#include "pkcs11/request.h"
#include "util/log.h"

#define CLOSE_GRACE 5000
#define AGAIN_MAX 3u        /* as CHSM_REOPEN_MAX of the worker */
#define LIST_FACTOR 30      /* a whole listing gets so many times the limit of one step */

struct chsm_hsm {
    struct chsm_child child;
    int64_t limit;
    json_t *token;
    size_t listed;          /* records of the last complete listing */
    unsigned window;        /* proofs that may be under way at once */
    struct question {
        bool asked, later;  /* under way; or to be asked again, alone */
        size_t index;
        char *kind;
        struct chsm_bytes input;
    } question[CHSM_WIRE_TICKETS];
    unsigned under_way;
};

static int open_session(struct chsm_hsm *h, const struct chsm_hsm_target *target, const struct chsm_secret *pin,
                        struct chsm_err *err)
{
    json_t *request = chsm_request_for(target, err);
    json_t *body = NULL;
    const char *key;
    json_t *value;
    int rc = -1;

    if (!request)
        return -1;
    if (json_object_set_new(request, "login", json_boolean(pin != NULL)) < 0)
        (void)chsm_oom(err);
    else if (chsm_child_start(&h->child, target, pin, err) == 0)
        rc = chsm_request_do(&h->child, CHSM_WIRE_OPEN, request, pin, h->limit, err);
    json_decref(request);
    if (rc == 0)
        rc = chsm_request_reply(&h->child, CHSM_WIRE_OK, h->limit, &body, err);
    if (rc < 0)
        return -1;
    json_object_foreach(body, key, value) {
        if (!json_is_string(value) || json_string_length(value) > 4096 || json_object_size(body) > 16)
            rc = chsm_child_condemn(&h->child, err, "the PKCS#11 process describes its token wrongly");
    }
    h->token = body;
    if (rc == 0 && json_object_get(body, "login"))
        chsm_log(CHSM_LOG_WARN, "another program on this host has logged in already: whose keys are seen cannot be known");
    return rc;
}

int chsm_hsm_open(const struct chsm_hsm_target *target, const struct chsm_secret *pin, struct chsm_hsm **ret,
                  struct chsm_err *err)
{
    struct chsm_hsm *h = calloc(1, sizeof *h);

    if (!h)
        return chsm_oom(err);
    chsm_hsm_settle();
    h->child = (struct chsm_child){ .sock = -1, .out = -1, .page = -1, .dead = true };
    h->limit = chsm_request_limit(target);
    if (open_session(h, target, pin, err) < 0) {
        chsm_hsm_close(h);
        return -1;
    }
    *ret = h;
    return 0;
}

static int add_record(struct chsm_section *s, const json_t *body, struct chsm_err *err)
{
    struct chsm_record r = { 0 };
    struct chsm_record *room;

    if (s->n >= CHSM_WIRE_OBJECTS_MAX)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process lists more than %u objects", CHSM_WIRE_OBJECTS_MAX);
    if (chsm_wire_record_read(body, &r, err) < 0)
        return -1;
    room = chsm_section_add(s);
    if (!room) {
        chsm_record_done(&r);
        return chsm_oom(err);
    }
    chsm_record_done(room);
    *room = r;
    room->index = s->n - 1;
    return 0;
}

static int finish_section(struct chsm_hsm *h, struct chsm_section *s, const json_t *body, struct chsm_err *err)
{
    const char *why = chsm_json_str(body, "why");
    json_t *left_out = json_object_get(body, "session-objects");
    json_t *complete = json_object_get(body, "complete"), *sessions = json_object_get(body, "sessions");
    json_int_t n = json_is_integer(sessions) ? json_integer_value(sessions) : 0;

    if (n < 1 || n > CHSM_HSM_JOBS_MAX || !json_is_boolean(complete) || !json_is_integer(left_out) || json_integer_value(left_out) < 0 ||
        json_is_true(complete) == (why != NULL))
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process ended its list in a wrong way");
    /* With one session it works on one question; with more, each helper has one and another is waiting. */
    h->window = n == 1 ? 1 : n < CHSM_WIRE_TICKETS / 2 ? (unsigned)n * 2 : CHSM_WIRE_TICKETS;
    s->complete = json_is_true(complete);
    s->session_objects = (size_t)json_integer_value(left_out);
    if (why && !(s->why = strdup(why)))
        return chsm_oom(err);
    return 0;
}

/* The session was lost and is there again: the list begins anew. */
static int forget_records(struct chsm_section *s, unsigned again, struct chsm_err *err)
{
    for (size_t i = 0; i < s->n; i++)
        chsm_record_done(&s->records[i]);
    s->n = 0;
    if (again > AGAIN_MAX)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process begins its list again and again");
    chsm_log(CHSM_LOG_WARN, "the session with the HSM was lost; it is there again, and the list begins anew");
    return 0;
}

/* Reads frames to the end of the list. The limit is for the wait for each of them; a whole list has its own. */
static int read_list(struct chsm_hsm *h, struct chsm_section *s, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf frame = CHSM_BUF(CHSM_WIRE_MAX + 1);
    chsm_deadline deadline = chsm_mono() + h->limit * LIST_FACTOR;
    unsigned char type = 0;
    unsigned again = 0;
    size_t total = 0;
    int rc = 0;

    do {
        json_t *body = NULL;
        int64_t left = chsm_deadline_left(deadline);

        if (chsm_child_recv(&h->child, &type, &frame, left < h->limit ? left : h->limit, err) < 0)
            return -1;
        total += frame.len;
        if (total > CHSM_WIRE_LIST_MAX)
            return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process lists more than %u bytes", CHSM_WIRE_LIST_MAX);
        if (type == CHSM_WIRE_TICK)
            continue;
        if (type == CHSM_WIRE_AGAIN) {
            rc = forget_records(s, ++again, err);
            continue;
        }
        if (chsm_request_parse(&frame, &body, err) < 0)
            return -1;
        if (type == CHSM_WIRE_RECORD)
            rc = add_record(s, body, err);
        else if (type == CHSM_WIRE_OK)
            rc = finish_section(h, s, body, err);
        else if (type == CHSM_WIRE_ERROR)
            rc = (chsm_request_error(&h->child, body, err), -1);
        else
            rc = chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process answers out of turn");
        json_decref(body);
    } while (rc == 0 && type != CHSM_WIRE_OK);
    return rc;
}

int chsm_hsm_list(struct chsm_hsm *hsm, const char *login, struct chsm_section *ret, struct chsm_err *err)
{
    struct chsm_section s = { 0 };
    int rc = chsm_child_send(&hsm->child, CHSM_WIRE_LIST, "{}", 2, hsm->limit, err);

    hsm->listed = 0;
    s.login = strdup(login);
    s.token = json_deep_copy(hsm->token);
    if (rc == 0 && (!s.login || !s.token))
        rc = chsm_oom(err);
    if (rc == 0)
        rc = read_list(hsm, &s, err);
    if (rc == 0)
        rc = chsm_section_link(&s, err);
    if (rc < 0) {
        /* After half a list there is no common ground left: what follows could be taken for another answer. */
        chsm_child_end(&hsm->child, 0);
        chsm_section_done(&s);
        return -1;
    }
    hsm->listed = s.n;
    *ret = s;
    return 0;
}

unsigned chsm_hsm_window(const struct chsm_hsm *hsm)
{
    return hsm->window > 0 ? hsm->window : 1;
}

static int send_question(struct chsm_hsm *h, unsigned ticket, bool alone, struct chsm_err *err)
{
    const struct question *q = &h->question[ticket];
    AUTO_FREE char *hex = chsm_hex(q->input.p, q->input.len);
    json_t *request = hex ? json_pack("{s:I, s:s, s:s, s:i, s:b}", "index", (json_int_t)q->index, "kind", q->kind, "input", hex, "ticket",
                                      (int)ticket, "alone", alone)
                          : NULL;
    int rc = request ? chsm_request_do(&h->child, CHSM_WIRE_PROVE, request, NULL, h->limit, err) : chsm_oom(err);

    json_decref(request);
    return rc;
}

static void forget_question(struct chsm_hsm *h, unsigned ticket)
{
    free(h->question[ticket].kind);
    chsm_bytes_done(&h->question[ticket].input);
    h->question[ticket] = (struct question){ 0 };
}

int chsm_hsm_submit(struct chsm_hsm *hsm, size_t index, const char *kind, const struct chsm_bytes *input, unsigned *ret_ticket,
                    struct chsm_err *err)
{
    unsigned t = 0;

    while (t < chsm_hsm_window(hsm) && hsm->question[t].asked)
        t++;
    if (index >= hsm->listed || input->len > CHSM_WIRE_DATA_MAX || t == chsm_hsm_window(hsm))
        return chsm_fail(err, CHSM_PKCS11, "a proof was asked of a key that was not listed, or too many at once");
    hsm->question[t] = (struct question){ .asked = true, .index = index, .kind = strdup(kind) };
    if (!hsm->question[t].kind || chsm_bytes_set(&hsm->question[t].input, input->p, input->len, err) < 0 ||
        send_question(hsm, t, hsm->window <= 1, err) < 0) {
        forget_question(hsm, t);
        return err && err->code == CHSM_OK ? chsm_oom(err) : -1;
    }
    hsm->under_way++;
    *ret_ticket = t;
    return 0;
}

/* The next reply; *ret_ticket is one that is waited for. */
static int next_reply(struct chsm_hsm *h, unsigned *ret_ticket, json_t **ret, struct chsm_err *err)
{
    json_t *body = NULL, *ticket;
    int rc = chsm_request_reply(&h->child, CHSM_WIRE_ANSWER, h->limit, &body, err);
    json_int_t t;

    if (rc < 0)
        return -1;
    ticket = json_object_get(body, "ticket");
    t = json_is_integer(ticket) ? json_integer_value(ticket) : -1;
    if (t < 0 || t >= CHSM_WIRE_TICKETS || !h->question[t].asked || (rc == 2 && h->question[t].later)) {
        json_decref(body);
        return chsm_child_condemn(&h->child, err, "the PKCS#11 process answers what it was not asked");
    }
    *ret_ticket = (unsigned)t;
    *ret = body;
    return rc;
}

/* Questions that are to be asked alone wait until nothing else is under way. -1, or how many there are. */
static int ask_alone(struct chsm_hsm *h, struct chsm_err *err)
{
    unsigned waiting = 0, first = 0;

    for (unsigned t = CHSM_WIRE_TICKETS; t-- > 0;) {
        if (h->question[t].later) {
            waiting++;
            first = t;
        }
    }
    if (waiting == 0 || waiting < h->under_way)
        return 0;
    return send_question(h, first, true, err);
}

int chsm_hsm_collect(struct chsm_hsm *hsm, unsigned *ret_ticket, struct chsm_bytes *answer, unsigned long *ret_rv, struct chsm_err *err)
{
    json_t *body = NULL;
    unsigned long rv = 0;
    unsigned t = 0;
    int rc;

    if (hsm->under_way == 0)
        return chsm_fail(err, CHSM_PKCS11, "no proof is under way");
    do {
        if (ask_alone(hsm, err) < 0)
            return -1;
        rc = next_reply(hsm, &t, &body, err);
        if (rc == 2) {
            hsm->question[t].later = true;
            json_decref(body);
        }
    } while (rc == 2);
    if (rc < 0)
        return -1;
    if (rc == 0)
        rc = chsm_wire_bytes(body, "answer", CHSM_WIRE_DATA_MAX + 1024, answer, err);
    else if (chsm_wire_ulong(body, "ck-rv", &rv, err) < 0)
        rc = -1;
    json_decref(body);
    forget_question(hsm, t);
    hsm->under_way--;
    *ret_ticket = t;
    if (rc > 0)
        *ret_rv = rv;
    return rc;
}

int chsm_hsm_prove(struct chsm_hsm *hsm, size_t index, const char *kind, const struct chsm_bytes *input,
                   struct chsm_bytes *answer, unsigned long *ret_rv, struct chsm_err *err)
{
    unsigned ticket;

    if (hsm->under_way > 0)
        return chsm_fail(err, CHSM_PKCS11, "other proofs are under way");
    if (chsm_hsm_submit(hsm, index, kind, input, &ticket, err) < 0)
        return -1;
    return chsm_hsm_collect(hsm, &ticket, answer, ret_rv, err);
}

int chsm_hsm_count(struct chsm_hsm *hsm, size_t *ret, struct chsm_err *err)
{
    json_t *request = json_object(), *body = NULL, *keys;
    int rc = request ? chsm_request_do(&hsm->child, CHSM_WIRE_COUNT, request, NULL, hsm->limit, err) : chsm_oom(err);

    json_decref(request);
    if (rc == 0)
        rc = chsm_request_reply(&hsm->child, CHSM_WIRE_OK, hsm->limit, &body, err);
    if (rc != 0)
        return -1;
    keys = json_object_get(body, "keys");
    if (json_is_integer(keys) && json_integer_value(keys) >= 0)
        *ret = (size_t)json_integer_value(keys);
    else
        rc = chsm_child_condemn(&hsm->child, err, "the PKCS#11 process counts in a wrong way");
    json_decref(body);
    return rc;
}

/* The last session that was closed; its module may still be finishing. */
static struct chsm_hsm *leaving;

void chsm_hsm_settle(void)
{
    struct chsm_hsm *h = TAKE(leaving);

    if (!h)
        return;
    chsm_child_end(&h->child, CLOSE_GRACE);
    for (unsigned t = 0; t < CHSM_WIRE_TICKETS; t++)
        forget_question(h, t);
    json_decref(h->token);
    free(h);
}

void chsm_hsm_close(struct chsm_hsm *hsm)
{
    if (!hsm)
        return;
    chsm_hsm_settle();
    chsm_child_leave(&hsm->child, CLOSE_GRACE);
    leaving = hsm;
    if (hsm->child.dead)
        chsm_hsm_settle();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/output.h"
#include "pkcs11/request.h"

#define DEFAULT_LIMIT 120000

int64_t chsm_request_limit(const struct chsm_hsm_target *target)
{
    return target->timeout > 0 ? target->timeout : DEFAULT_LIMIT;
}

json_t *chsm_request_for(const struct chsm_hsm_target *target, struct chsm_err *err)
{
    /* p11-kit looks for a path that is not absolute in a folder of its own (facts: pkcs11-stack.md §2). */
    AUTO_FREE char *path = realpath(target->module, NULL);
    json_t *request;

    if (!path) {
        (void)chsm_fail_errno(err, CHSM_CONFIG, "PKCS#11 module %s", target->module);
        return NULL;
    }
    request = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:b}", "module", path, "label", target->token_label, "serial", target->serial,
                        "uri", target->uri, "init", target->init, "shared-login", target->accept_shared_login);
    if (request && ((target->jobs && json_object_set_new(request, "jobs", chsm_wire_from_ulong(target->jobs)) < 0) ||
                    (target->slot_given && json_object_set_new(request, "slot", chsm_wire_from_ulong(target->slot)) < 0))) {
        json_decref(request);
        request = NULL;
    }
    if (!request)
        (void)chsm_fail(err, CHSM_CONFIG, "path, label or another option of the PKCS#11 module is not UTF-8");
    return request;
}

int chsm_request_do(struct chsm_child *c, enum chsm_wire_type type, const json_t *request, const struct chsm_secret *pin,
                    int64_t limit, struct chsm_err *err)
{
    AUTO_FREE char *text = json_dumps(request, JSON_COMPACT);

    if (!text)
        return chsm_oom(err);
    if (chsm_child_send(c, type, text, strlen(text), limit, err) < 0)
        return -1;
    return pin ? chsm_child_send(c, CHSM_WIRE_PIN, pin->p, pin->len, limit, err) : 0;
}

int chsm_request_parse(const struct chsm_buf *frame, json_t **ret, struct chsm_err *err)
{
    return chsm_json_parse(chsm_buf_str(frame), frame->len, "answer of the PKCS#11 process", CHSM_PKCS11, ret, err);
}

void chsm_request_error(const struct chsm_child *c, const json_t *body, struct chsm_err *ret)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *hint = NULL;
    struct chsm_err e = { 0 };

    chsm_wire_error_read(body, &e);
    /* A module's own words are in there, and a module knows the PIN. */
    text = chsm_output_redact(c, e.text);
    hint = chsm_output_redact(c, e.hint);
    (void)chsm_fail(ret, e.code, "%s", text ? text : "out of memory");
    if (ret)
        ret->ck_rv = e.ck_rv;
    if (hint && *hint)
        (void)chsm_err_hint(ret, "%s", hint);
}

int chsm_request_reply(struct chsm_child *c, enum chsm_wire_type want, int64_t limit, json_t **ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf frame = CHSM_BUF(CHSM_WIRE_MAX + 1);
    unsigned char type = 0;
    json_t *body = NULL;

    if (chsm_child_recv(c, &type, &frame, limit, err) < 0)
        return -1;
    if (chsm_request_parse(&frame, &body, err) < 0) {
        (void)chsm_child_condemn(c, NULL, "");
        return -1;
    }
    if (type == want || (want == CHSM_WIRE_ANSWER && (type == CHSM_WIRE_REFUSED || type == CHSM_WIRE_LATER))) {
        *ret = body;
        return type == want ? 0 : type == CHSM_WIRE_REFUSED ? 1 : 2;
    }
    if (type == CHSM_WIRE_ERROR)
        chsm_request_error(c, body, err);
    else
        (void)chsm_child_condemn(c, err, "the PKCS#11 process answers out of turn");
    json_decref(body);
    return -1;
}

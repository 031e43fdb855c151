/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include "pkcs11/attrs.h"
#include "pkcs11/wire.h"
#include "util/secret.h"

/* Most bytes of one field of a record; an attribute of a certificate itself never travels. */
#define FIELD_MAX (1u << 20)

void chsm_wire_header(unsigned char out[CHSM_WIRE_HEADER], enum chsm_wire_type type, size_t n)
{
    out[0] = (unsigned char)type;
    out[1] = (unsigned char)(n >> 24);
    out[2] = (unsigned char)(n >> 16);
    out[3] = (unsigned char)(n >> 8);
    out[4] = (unsigned char)n;
}

int chsm_wire_length(const unsigned char header[CHSM_WIRE_HEADER], size_t *ret, struct chsm_err *err)
{
    size_t n = (size_t)header[1] << 24 | (size_t)header[2] << 16 | (size_t)header[3] << 8 | header[4];

    if (n > CHSM_WIRE_MAX)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process sent a frame of %zu bytes, more than it may", n);
    *ret = n;
    return 0;
}

static int send_all(int fd, const void *p, size_t n, struct chsm_err *err)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return chsm_fail_errno(err, CHSM_PKCS11, "cannot answer the program");
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

int chsm_wire_send(int fd, enum chsm_wire_type type, const void *body, size_t n, struct chsm_err *err)
{
    unsigned char header[CHSM_WIRE_HEADER];

    if (n > CHSM_WIRE_MAX)
        return chsm_fail(err, CHSM_PKCS11, "an answer of %zu bytes is too large", n);
    chsm_wire_header(header, type, n);
    if (send_all(fd, header, sizeof header, err) < 0)
        return -1;
    return send_all(fd, body, n, err);
}

int chsm_wire_append(struct chsm_buf *out, enum chsm_wire_type type, const void *body, size_t n, struct chsm_err *err)
{
    unsigned char header[CHSM_WIRE_HEADER];

    if (n > CHSM_WIRE_MAX)
        return chsm_fail(err, CHSM_PKCS11, "an answer of %zu bytes is too large", n);
    chsm_wire_header(header, type, n);
    return chsm_buf_add(out, header, sizeof header, err) < 0 ? -1 : chsm_buf_add(out, body, n, err);
}

int chsm_wire_flush(int fd, struct chsm_buf *out, struct chsm_err *err)
{
    int rc = out->len > 0 ? send_all(fd, out->p, out->len, err) : 0;

    chsm_buf_clear(out);
    return rc;
}

int chsm_wire_send_json(int fd, enum chsm_wire_type type, const json_t *body, struct chsm_err *err)
{
    AUTO_FREE char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    if (!text)
        return chsm_oom(err);
    return chsm_wire_send(fd, type, text, strlen(text), err);
}

/* 1 when n bytes are there, 0 when the stream ended before the first of them. */
static int recv_all(int fd, void *p, size_t n, struct chsm_err *err)
{
    char *at = p;
    size_t have = 0;

    while (have < n) {
        ssize_t got = read(fd, at + have, n - have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return chsm_fail_errno(err, CHSM_PKCS11, "cannot read from the program");
        if (got == 0 && have == 0)
            return 0;
        if (got == 0)
            return chsm_fail(err, CHSM_PKCS11, "the program stopped in the middle of a request");
        have += (size_t)got;
    }
    return 1;
}

int chsm_wire_recv(int fd, unsigned char *ret_type, struct chsm_buf *body, struct chsm_err *err)
{
    unsigned char header[CHSM_WIRE_HEADER];
    char part[4096];
    size_t left = 0;
    int rc = recv_all(fd, header, sizeof header, err);

    chsm_buf_clear(body);
    if (rc <= 0)
        return rc;
    if (chsm_wire_length(header, &left, err) < 0)
        return -1;
    rc = 1;
    while (left > 0 && rc > 0) {
        size_t n = left < sizeof part ? left : sizeof part;

        rc = recv_all(fd, part, n, err);
        if (rc == 0)
            rc = chsm_fail(err, CHSM_PKCS11, "the program stopped in the middle of a request");
        if (rc > 0 && chsm_buf_add(body, part, n, err) < 0)
            rc = -1;
        left -= n;
    }
    if (body->secret)
        chsm_wipe(part, sizeof part);
    if (rc > 0)
        *ret_type = header[0];
    return rc > 0 ? 1 : -1;
}

json_t *chsm_wire_error(const struct chsm_err *e)
{
    AUTO_FREE char *text = chsm_bytes_text(&(struct chsm_bytes){ (unsigned char *)(uintptr_t)e->text, strlen(e->text) });

    return json_pack("{s:i, s:o, s:s, s:s}", "code", (int)e->code, "ck-rv", chsm_wire_from_ulong(e->ck_rv),
                     "text", text ? text : "out of memory", "hint", e->hint);
}

void chsm_wire_error_read(const json_t *body, struct chsm_err *ret)
{
    json_t *code = json_object_get(body, "code");
    const char *text = chsm_json_str(body, "text");
    const char *hint = chsm_json_str(body, "hint");
    json_int_t n = json_is_integer(code) ? json_integer_value(code) : -1;
    unsigned long rv = 0;

    if (!text || !hint || chsm_wire_ulong(body, "ck-rv", &rv, NULL) < 0) {
        chsm_fail(ret, CHSM_PKCS11, "the PKCS#11 process failed and did not say how");
        return;
    }
    /* Only what a module's process can know about; it does not decide that a key verified or that a user interrupted. */
    chsm_fail(ret, n == CHSM_CONFIG || n == CHSM_REFUSED ? (enum chsm_code)n : CHSM_PKCS11, "%s", text);
    ret->ck_rv = rv;
    if (*hint)
        chsm_err_hint(ret, "%s", hint);
}

json_t *chsm_wire_from_ulong(unsigned long v)
{
    char text[24];

    (void)snprintf(text, sizeof text, "0x%lx", v);
    return json_string(text);
}

int chsm_wire_ulong(const json_t *body, const char *member, unsigned long *ret, struct chsm_err *err)
{
    const char *text = chsm_json_str(body, member);
    char *end = NULL;
    unsigned long v = 0;

    errno = 0;
    if (text && text[0] == '0' && text[1] == 'x' && text[2] && strspn(text + 2, "0123456789abcdef") == strlen(text + 2))
        v = strtoul(text + 2, &end, 16);
    if (!end || *end || errno)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process sent no number as \"%s\"", member);
    *ret = v;
    return 0;
}

int chsm_wire_bytes(const json_t *body, const char *member, size_t max, struct chsm_bytes *ret, struct chsm_err *err)
{
    const char *hex = chsm_json_str(body, member);
    struct chsm_bytes got = { 0 };

    if (!hex || strlen(hex) > 2 * max || chsm_unhex(hex, &got, NULL) < 0)
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process sent no proper bytes as \"%s\"", member);
    chsm_bytes_done(ret);
    *ret = got;
    return 0;
}

static json_t *from_bytes(const struct chsm_bytes *b)
{
    AUTO_FREE char *hex = chsm_hex(b->p, b->len);

    return hex ? json_string(hex) : NULL;
}

json_t *chsm_wire_record(const struct chsm_record *r)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "class", chsm_wire_from_ulong(r->cls), "type",
                          chsm_wire_from_ulong(r->type), "id", from_bytes(&r->id), "label", from_bytes(&r->label),
                          "bits", (json_int_t)r->bits, "spki", from_bytes(&r->spki), "check-value",
                          from_bytes(&r->check_value), "attributes", chsm_record_attributes(r));

    if (o && r->curve && json_object_set_new(o, "curve", json_string(r->curve)) < 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static bool is_digest(const json_t *value)
{
    const char *hex = json_string_value(value);

    return hex && strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

/* A set: texts in ascending order. */
static bool is_set(const json_t *value)
{
    size_t n = json_array_size(value);

    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        const char *before = i > 0 ? json_string_value(json_array_get(value, i - 1)) : "";

        if (!text || strcmp(before, text) > 0)
            return false;
    }
    return n > 0;
}

static bool is_date(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) <= 64;
}

/* Attributes: known names, each with a value of its kind. */
static int attributes_ok(json_t *attributes)
{
    static const struct { const char *name; bool (*ok)(const json_t *value); } others[] = {
        { CHSM_MORE_VALUE_SHA256, is_digest }, { "start-date", is_date }, { "end-date", is_date },
        { "allowed-mechanisms", is_set }, { "wrap-template", is_set }, { "unwrap-template", is_set },
    };
    const char *name;
    json_t *value;

    if (!json_is_object(attributes))
        return 0;
    json_object_foreach(attributes, name, value) {
        bool ok = chsm_attr_is_flag(name) && json_is_boolean(value);

        for (size_t i = 0; i < ARRAY_LEN(others); i++)
            ok |= chsm_streq(others[i].name, name) && others[i].ok(value);
        if (!ok)
            return 0;
    }
    return 1;
}

static int scalars_read(const json_t *body, struct chsm_record *r, struct chsm_err *err)
{
    json_t *bits = json_object_get(body, "bits");
    json_t *curve = json_object_get(body, "curve");
    json_int_t n = json_is_integer(bits) ? json_integer_value(bits) : -1;
    const char *name = json_string_value(curve);
    bool key;

    if (chsm_wire_ulong(body, "class", &r->cls, err) < 0 || chsm_wire_ulong(body, "type", &r->type, err) < 0)
        return -1;
    key = r->cls == CHSM_CLASS_PUBLIC || r->cls == CHSM_CLASS_PRIVATE || r->cls == CHSM_CLASS_SECRET;
    if ((!key && r->type != CHSM_TYPE_NONE) || (key && r->type == CHSM_TYPE_NONE))
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process sent an object whose class and key type do not go together");
    if (n < 0 || n > INT_MAX || (curve && (!name || strlen(name) > 128)))
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process sent a malformed object");
    r->bits = (unsigned)n;
    if (name && !(r->curve = strdup(name)))
        return chsm_oom(err);
    return 0;
}

int chsm_wire_record_read(const json_t *body, struct chsm_record *ret, struct chsm_err *err)
{
    struct chsm_record r = { 0 };
    json_t *attributes = json_object_get(body, "attributes");

    if (scalars_read(body, &r, err) < 0 || chsm_wire_bytes(body, "id", FIELD_MAX, &r.id, err) < 0 ||
        chsm_wire_bytes(body, "label", FIELD_MAX, &r.label, err) < 0 ||
        chsm_wire_bytes(body, "spki", FIELD_MAX, &r.spki, err) < 0 ||
        chsm_wire_bytes(body, "check-value", 64, &r.check_value, err) < 0) {
        chsm_record_done(&r);
        return -1;
    }
    if (!attributes_ok(attributes)) {
        chsm_record_done(&r);
        return chsm_fail(err, CHSM_PKCS11, "the PKCS#11 process sent malformed attributes");
    }
    if (chsm_record_set_attributes(&r, attributes, err) < 0) {
        chsm_record_done(&r);
        return -1;
    }
    r.spki_from = r.spki.len > 0 ? CHSM_SPKI_OWN : CHSM_SPKI_NONE;
    *ret = r;
    return 0;
}

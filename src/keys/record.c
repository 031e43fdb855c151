/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/order.h"
#include "util/buf.h"
#include "util/json.h"

void chsm_record_done(struct chsm_record *r)
{
    chsm_bytes_done(&r->id);
    chsm_bytes_done(&r->label);
    chsm_bytes_done(&r->spki);
    chsm_bytes_done(&r->check_value);
    chsm_bytes_done(&r->recorded.input);
    free(r->recorded.kind);
    free(r->recorded.why);
    free(r->curve);
    json_decref(r->more);
    json_decref(r->unknown);
    *r = (struct chsm_record){ 0 };
}

void chsm_section_done(struct chsm_section *s)
{
    for (size_t i = 0; i < s->n; i++)
        chsm_record_done(&s->records[i]);
    free(s->records);
    free(s->login);
    free(s->why);
    json_decref(s->token);
    json_decref(s->unknown);
    *s = (struct chsm_section){ 0 };
}

struct chsm_record *chsm_section_add(struct chsm_section *s)
{
    struct chsm_record *r;

    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct chsm_record *grown = reallocarray(s->records, cap, sizeof *grown);

        if (!grown)
            return NULL;
        s->records = grown;
        s->cap = cap;
    }
    r = &s->records[s->n];
    *r = (struct chsm_record){ .type = CHSM_TYPE_NONE, .index = s->n };
    s->n++;
    return r;
}

static int in_order(const void *a, const void *b)
{
    return chsm_record_order(a, b);
}

void chsm_section_sort(struct chsm_section *s)
{
    if (s->n)
        qsort(s->records, s->n, sizeof *s->records, in_order);
}

bool chsm_record_halves(const struct chsm_record *priv, const struct chsm_record *pub)
{
    if (priv->cls != CHSM_CLASS_PRIVATE || pub->cls != CHSM_CLASS_PUBLIC || priv->type != pub->type || pub->spki.len == 0)
        return false;
    if (!chsm_bytes_eq(&priv->id, &pub->id))
        return false;
    return priv->curve ? chsm_streq(priv->curve, pub->curve) : priv->bits == pub->bits;
}

bool chsm_record_fingerprint(const struct chsm_record *r, char out[65])
{
    if (r->spki.len == 0)
        return false;
    chsm_sha256_hex(r->spki.p, r->spki.len, out);
    return true;
}

/* Length of the UTF-8 sequence at p when it is well formed and no control character, else 0. */
static size_t utf8_at(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    bool c1 = p[0] == 0xc2 && left > 1 && p[1] < 0xa0;      /* C1 controls drive terminals too */
    json_t *valid;

    if (n > left || p[0] < 0x20 || p[0] == 0x7f || c1)
        return 0;
    if (n == 1)
        return 1;
    /* jansson takes nothing but well-formed UTF-8. */
    valid = json_stringn((const char *)p, n);
    json_decref(valid);
    return valid ? n : 0;
}

char *chsm_bytes_text(const struct chsm_bytes *b)
{
    AUTO_BUF struct chsm_buf out = CHSM_BUF(8u << 20);

    for (size_t i = 0; i < b->len;) {
        size_t n = b->p[i] == '\\' ? 0 : utf8_at(b->p + i, b->len - i);
        int rc = n ? chsm_buf_add(&out, b->p + i, n, NULL) : chsm_buf_addf(&out, NULL, "\\x%02x", b->p[i]);

        if (rc < 0)
            return NULL;
        i += n ? n : 1;
    }
    return chsm_buf_take(&out);
}

char *chsm_record_describe(const struct chsm_record *r)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len);
    AUTO_FREE char *label = chsm_bytes_text(&r->label);
    char cls[24], type[24];

    if (!id || !label)
        return NULL;
    (void)chsm_class_name(r->cls, cls, sizeof cls);
    (void)chsm_type_name(r->type, type, sizeof type);
    if (r->type == CHSM_TYPE_NONE)
        return chsm_strf("%s id %s (label \"%s\")", cls, *id ? id : "(empty)", label);
    if (r->curve)
        return chsm_strf("%s %s %s id %s (label \"%s\")", cls, type, r->curve, *id ? id : "(empty)", label);
    return chsm_strf("%s %s-%u id %s (label \"%s\")", cls, type, r->bits, *id ? id : "(empty)", label);
}

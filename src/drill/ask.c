/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "drill/ask.h"
#include "util/buf.h"

#define WHY_MAX 4096u
#define ALLOWED_SHOWN 4u
#define CKR_USER_NOT_LOGGED_IN_ 0x101UL

void chsm_asked_done(struct chsm_asked *a)
{
    chsm_challenge_done(&a->c);
    chsm_bytes_done(&a->answer);
    free(a->why);
    *a = (struct chsm_asked){ 0 };
}

/* "the HSM answers CKR_A (0x..) to kind-1, kind-2; CKR_B (0x..) to kind-3" */
static int add_refusal(struct chsm_buf *why, unsigned long rv, unsigned long *last, const char *kind, struct chsm_err *err)
{
    char text[256];

    if (why->len && rv == *last)
        return chsm_buf_addf(why, err, ", %s", kind);
    *last = rv;
    /* The login of the session is checked after each refusal: this one is about the key. */
    if (rv == CKR_USER_NOT_LOGGED_IN_)
        return chsm_buf_addf(why, err, "%sthe key wants a login for each use, and had none that counted, for %s", why->len ? "; " : "", kind);
    return chsm_buf_addf(why, err, "%s%s to %s", why->len ? "; " : "the HSM answers ", chsm_ckr_text(rv, text, sizeof text), kind);
}

/* " (the key allows 0x00000003 only)", where the key itself limits what can be asked. */
static int add_allowed(struct chsm_buf *why, const struct chsm_record *key, struct chsm_err *err)
{
    const json_t *allowed = json_object_get(key->more, "allowed-mechanisms");
    size_t n = json_array_size(allowed);

    for (size_t i = 0; i < n && i < ALLOWED_SHOWN; i++) {
        const char *name = json_string_value(json_array_get(allowed, i));

        if (name && chsm_buf_addf(why, err, "%s%s", i ? ", " : " (the key allows ", name) < 0)
            return -1;
    }
    return n ? chsm_buf_adds(why, n > ALLOWED_SHOWN ? " ... only)" : " only)", err) : 0;
}

/* There is no (further) question. */
static int give_up(struct chsm_asked *a, const struct chsm_record *key, struct chsm_buf *why, struct chsm_err *err)
{
    a->refused = why->len > 0;
    a->possible = a->refused || a->c.possible;
    if (!a->refused && (chsm_buf_adds(why, a->c.reason, err) < 0 ||
                        (key->recorded.why && chsm_buf_addf(why, err, ": %s", key->recorded.why) < 0)))
        return -1;
    if (a->refused && add_allowed(why, key, err) < 0)
        return -1;
    a->why = chsm_buf_take(why);
    return a->why ? 1 : chsm_oom(err);
}

int chsm_ask(struct chsm_hsm *hsm, size_t index, const struct chsm_record *key, chsm_question_fn *question, struct chsm_asked *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf why = CHSM_BUF(WHY_MAX);
    unsigned long rv = 0, last = 0;

    for (unsigned attempt = 0;; attempt++) {
        const char *kind;
        int rc;

        chsm_asked_done(ret);
        if (question(key, attempt, chsm_random, &ret->c, err) < 0)
            return -1;
        kind = ret->c.kind;
        if (!kind)
            return give_up(ret, key, &why, err);
        rc = chsm_hsm_prove(hsm, index, kind, &ret->c.input, &ret->answer, &rv, err);
        if (rc <= 0)
            return rc;
        if (add_refusal(&why, rv, &last, kind, err) < 0)
            return -1;
        if (!chsm_challenge_try_next(rv))
            return give_up(ret, key, &why, err);
    }
}

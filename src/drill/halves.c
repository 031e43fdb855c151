/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "drill/ask.h"
#include "drill/reader.h"

/* 1 when the signature verifies under the candidate's public key. */
static int fits(const struct chsm_record *priv, const struct chsm_record *pub, const struct chsm_challenge *c, const struct chsm_bytes *answer)
{
    struct chsm_record candidate = { .cls = priv->cls, .type = priv->type, .spki = pub->spki };

    return chsm_record_halves(priv, pub) && chsm_challenge_check(&candidate, c, answer, NULL) == 1;
}

static int tie(struct chsm_section *s, struct chsm_record *priv, const struct chsm_challenge *c, const struct chsm_bytes *answer, struct chsm_err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!fits(priv, &s->records[i], c, answer))
            continue;
        if (chsm_bytes_set(&priv->spki, s->records[i].spki.p, s->records[i].spki.len, err) < 0)
            return -1;
        priv->spki_from = CHSM_SPKI_PROVEN;
        return 0;
    }
    return 0;
}

/* A challenge for a key whose public key is not known yet: made for the first candidate, good for all of them. */
static int ask(struct chsm_hsm *hsm, struct chsm_section *s, struct chsm_record *priv, const struct chsm_record *pub, struct chsm_err *err)
{
    struct chsm_record stand_in = { .cls = priv->cls, .type = priv->type, .spki = pub->spki, .flags_told = priv->flags_told, .flags = priv->flags };
    AUTO_ASKED struct chsm_asked a = { 0 };
    int rc = chsm_ask(hsm, priv->index, &stand_in, chsm_challenge_make, &a, err);

    if (rc != 0)
        return rc < 0 ? -1 : 0;
    return tie(s, priv, &a.c, &a.answer, err);
}

int chsm_reader_halves(struct chsm_hsm *hsm, struct chsm_section *s, struct chsm_err *err)
{
    for (size_t i = 0; i < s->n; i++) {
        struct chsm_record *priv = &s->records[i];
        const struct chsm_record *pub = NULL;

        if (priv->cls != CHSM_CLASS_PRIVATE || priv->type != CHSM_TYPE_EC || priv->spki.len || !chsm_record_flag(priv, "sign", false))
            continue;
        for (size_t k = 0; k < s->n && !pub; k++)
            if (chsm_record_halves(priv, &s->records[k]))
                pub = &s->records[k];
        if (pub && ask(hsm, s, priv, pub, err) < 0)
            return -1;
    }
    return 0;
}

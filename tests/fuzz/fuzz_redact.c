/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret and a text: no CHSM_KNOWN_RUN bytes in a row of the secret are in what redaction lets through, read as it is,
 * percent-decoded or as a form. The first byte says how long the secret is.
 */
#include "config.h"

#include "fuzz.h"
#include "util/known.h"
#include "util/redact.h"
#include "util/secret.h"

static void lacks(const struct chsm_secret *s, const char *shown, size_t n)
{
    for (size_t i = 0; i + CHSM_KNOWN_RUN <= s->len; i++)
        MUST(!memmem(shown, n, s->p + i, CHSM_KNOWN_RUN));
}

static int nibble(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static void lacks_decoded(const struct chsm_secret *s, const char *shown, bool form)
{
    size_t n = strlen(shown), k = 0;
    AUTO_FREE char *plain = malloc(n + 1);

    MUST(plain);
    for (size_t i = 0; i < n; i++) {
        if (shown[i] == '%' && nibble(shown[i + 1]) >= 0 && nibble(shown[i + 2]) >= 0) {
            plain[k++] = (char)(nibble(shown[i + 1]) * 16 + nibble(shown[i + 2]));
            i += 2;
        } else {
            plain[k++] = form && shown[i] == '+' ? ' ' : shown[i];
        }
    }
    lacks(s, plain, k);
}

static void check(const struct chsm_secret *s, char *shown)
{
    MUST(shown);
    lacks(s, shown, strlen(shown));
    lacks_decoded(s, shown, false);
    lacks_decoded(s, shown, true);
    free(shown);
}

static void check_json(const char *text, size_t n)
{
    json_auto_t *value = NULL;

    if (chsm_json_parse(text, n, "text", CHSM_CONFIG, &value, NULL) < 0)
        return;
    for (int strict = 0; strict < 2; strict++) {
        json_auto_t *shown = chsm_redact_json(value, strict);

        MUST(shown && json_typeof(shown) == json_typeof(value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_SECRET struct chsm_secret s = { 0 };
    struct fuzz_input in = { data, size };
    const uint8_t *secret;
    AUTO_FREE char *text = NULL;
    struct chsm_err err;
    size_t n;

    secret = fuzz_take(&in, 8 + fuzz_byte(&in) % 56, &n);
    /* "REDACTED" itself, beside an end of a secret that is left, must not look like more of it. */
    if (n < CHSM_KNOWN_RUN || memchr(secret, '\0', n) || memchr(secret, 'R', n) || memchr(secret, 'D', n))
        return 0;
    MUST(chsm_secret_set(&s, secret, n, &err) == 0);
    text = fuzz_text(in.p, in.n);
    MUST(text);
    check(&s, chsm_redact_text(text, NULL));
    check(&s, chsm_redact_url(text));
    check(&s, chsm_redact_form(text));
    check_json(text, strlen(text));
    return 0;
}

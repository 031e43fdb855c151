/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>

#include "pkcs11/output.h"
#include "util/log.h"

/* The PIN, and the password in it: a Cloud HSM's PIN is user:password, split at the first colon. */
char *chsm_output_redact(const struct chsm_child *c, const char *text)
{
    const char *secrets[3] = { NULL };
    const char *colon = c->pin.p ? strchr(c->pin.p, ':') : NULL;
    size_t n = 0;

    if (c->pin.len > 0)
        secrets[n++] = c->pin.p;
    if (colon && colon[1])
        secrets[n++] = colon + 1;
    return chsm_redact_text(text, secrets);
}

static void end_line(struct chsm_child *c)
{
    AUTO_FREE char *clean = NULL;

    /* A cut line could show the first half of something secret. */
    if (c->line_long) {
        chsm_log(CHSM_LOG_DEBUG, "module: (a line of more than %u bytes, not shown)", CHSM_CHILD_LINE_MAX);
    } else if (c->line_len > 0 && c->printed <= CHSM_CHILD_OUTPUT_MAX) {
        c->line[c->line_len] = '\0';
        clean = chsm_output_redact(c, c->line);
        if (clean) {
            (void)snprintf(c->last, sizeof c->last, "%s", clean);
            chsm_log(CHSM_LOG_DEBUG, "module: %s", clean);
        }
    }
    c->line_len = 0;
    c->line_long = false;
}

static void take(struct chsm_child *c, const char *p, size_t n)
{
    bool before = c->printed <= CHSM_CHILD_OUTPUT_MAX;

    c->printed += n;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n')
            end_line(c);
        else if (c->line_len == CHSM_CHILD_LINE_MAX)
            c->line_long = true;
        else
            c->line[c->line_len++] = (unsigned char)p[i] < 0x20 || p[i] == 0x7f ? ' ' : p[i];
    }
    if (before && c->printed > CHSM_CHILD_OUTPUT_MAX)
        chsm_log(CHSM_LOG_DEBUG, "module: (more than %u bytes of output; the rest is not shown)", CHSM_CHILD_OUTPUT_MAX);
}

void chsm_output_drain(struct chsm_child *c)
{
    char part[4096];

    /* At most 1 MiB at a time: a module that prints without end must not keep the deadline from being seen. */
    for (int i = 0; i < 256 && c->out >= 0; i++) {
        ssize_t n = read(c->out, part, sizeof part);

        if (n > 0)
            take(c, part, (size_t)n);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            return;
        else
            chsm_auto_close_(&c->out);
    }
}

void chsm_output_end(struct chsm_child *c)
{
    chsm_output_drain(c);
    end_line(c);
    chsm_auto_close_(&c->out);
}

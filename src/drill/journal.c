/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "drill/journal.h"
#include "util/clock.h"
#include "util/enc.h"
#include "util/path.h"
#include "util/safety.h"

struct chsm_journal {
    int fd;
    json_int_t n;           /* lines written */
    char previous[65];      /* SHA-256 of the last line without its newline; zeros before the first */
};

static const char no_line[65] = "0000000000000000000000000000000000000000000000000000000000000000";

int chsm_journal_create(const char *path, struct chsm_journal **ret, struct chsm_err *err)
{
    struct chsm_journal *j = calloc(1, sizeof *j);

    if (!j)
        return chsm_oom(err);
    memcpy(j->previous, no_line, sizeof j->previous);
    j->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j->fd < 0) {
        if (errno == EEXIST)
            (void)chsm_refuse(err, CHSM_RULE_EVIDENCE_EXISTS, "%s is there already", path);
        else
            (void)chsm_fail_errno(err, CHSM_CONFIG, "cannot create the journal %s", path);
        free(j);
        return -1;
    }
    *ret = j;
    return 0;
}

void chsm_journal_close(struct chsm_journal *j)
{
    if (!j)
        return;
    (void)close(j->fd);
    free(j);
}

int chsm_journal_add(struct chsm_journal *j, const char *event, const char *step, json_t *data, struct chsm_err *err)
{
    char when[CHSM_TIME_LEN];
    json_auto_t *line = NULL;
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *with_newline = NULL;

    chsm_time_format(chsm_now(), true, when);
    line = json_pack("{s:I, s:s, s:s, s:s*, s:o*, s:s}", "n", j->n + 1, "time", when, "event", event, "step", step, "data", data, "previous", j->previous);
    text = line ? chsm_json_canonical(line) : NULL;
    with_newline = text ? chsm_strf("%s\n", text) : NULL;
    if (!with_newline)
        return chsm_oom(err);
    if (chsm_fd_write(j->fd, with_newline, strlen(with_newline), err) < 0)
        return chsm_err_prefix(err, "journal");
    if (fsync(j->fd) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "cannot sync the journal");
    chsm_sha256_hex(text, strlen(text), j->previous);
    j->n++;
    return 0;
}

static bool line_fits(const char *line, size_t n, size_t number, const char *previous)
{
    json_auto_t *o = NULL;

    if (chsm_json_parse(line, n, "journal", CHSM_EVIDENCE, &o, NULL) < 0)
        return false;
    return json_integer_value(json_object_get(o, "n")) == (json_int_t)number && chsm_streq(chsm_json_str(o, "previous"), previous);
}

int chsm_journal_verify(const char *text, size_t n, size_t *ret_lines, struct chsm_err *err)
{
    const char *p = text, *end = text + n, *newline;
    char previous[65];
    size_t lines = 0;

    memcpy(previous, no_line, sizeof previous);
    while ((newline = memchr(p, '\n', (size_t)(end - p)))) {
        if (!line_fits(p, (size_t)(newline - p), lines + 1, previous))
            return chsm_fail(err, CHSM_EVIDENCE, "journal: line %zu does not follow from the one before", lines + 1);
        chsm_sha256_hex(p, (size_t)(newline - p), previous);
        lines++;
        p = newline + 1;
    }
    *ret_lines = lines;
    return 0;
}

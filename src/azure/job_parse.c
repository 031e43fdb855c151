/* SPDX-License-Identifier: Apache-2.0 */
/* BackupResult and RestoreResult (arm.md §3.6, §3.7). No I/O, no clock. */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/job.h"
#include "azure/job_id.h"
#include "azure/resource.h"

#define ERROR_TEXT_MAX 4096

void chsm_job_done(struct chsm_job *j)
{
    free(j->status);
    free(j->details);
    free(j->backup_id);
    free(j->error_code);
    free(j->error_message);
    free(j->started);
    free(j->ended);
    json_decref(j->raw);
    *j = (struct chsm_job){ .kind = j->kind };
}

bool chsm_job_id_copy(const char *p, size_t n, char out[33])
{
    if (n != 32)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isxdigit((unsigned char)p[i]))
            return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)p[i]);
    out[n] = '\0';
    return true;
}

bool chsm_job_id_from_url(const char *url, enum chsm_job_kind kind, char out[33])
{
    const char *word = kind == CHSM_JOB_BACKUP ? "/backupOperationStatus/" : "/restoreOperationStatus/";
    size_t path = strcspn(url, "?#"), n = strlen(word);

    for (size_t i = 0; i + n <= path; i++)
        if (strncasecmp(url + i, word, n) == 0)
            return chsm_job_id_copy(url + i + n, path - i - n, out);
    return false;
}

static int copy(const json_t *object, const char *key, char **ret, struct chsm_err *err)
{
    const char *s = chsm_json_str(object, key);

    if (!s)
        return 0;
    *ret = strdup(s);
    return *ret ? 0 : chsm_oom(err);
}

/* ErrorDetail, not wrapped in another "error" (but taken when it is); its details are put behind its message. */
static int copy_error(const json_t *e, struct chsm_job *j, struct chsm_err *err)
{
    const json_t *inner = json_object_get(e, "error"), *each;
    struct chsm_buf text = CHSM_BUF(ERROR_TEXT_MAX);
    const char *message;
    size_t i;

    if (json_is_object(inner))
        e = inner;
    if (!json_is_object(e))
        return 0;
    message = chsm_json_str(e, "message");
    if (copy(e, "code", &j->error_code, err) < 0)
        return -1;
    /* What does not fit the bound is left out; the answer itself is kept in j->raw. */
    if (chsm_buf_adds(&text, message ? message : "the service says no more", NULL) == 0) {
        json_array_foreach(json_object_get(e, "details"), i, each) {
            const char *code = chsm_json_str(each, "code");
            const char *m = chsm_json_str(each, "message");

            if (chsm_buf_addf(&text, NULL, "; %s: %s", code ? code : "without a code", m ? m : "no message") < 0)
                break;
        }
    }
    j->error_message = chsm_buf_take(&text);
    return j->error_message ? 0 : chsm_oom(err);
}

static int read_id(const json_t *properties, const char *known, struct chsm_job *j, struct chsm_err *err)
{
    const char *id = chsm_json_str(properties, "jobId");

    memcpy(j->id, known, sizeof j->id);
    if (!id || !*id)
        return 0;
    if (!chsm_job_id_copy(id, strlen(id), j->id))
        return chsm_fail(err, CHSM_SERVICE, "the answer about a job has a jobId of an unknown form");
    if (*known && strcmp(j->id, known) != 0)
        return chsm_fail(err, CHSM_SERVICE, "asked about job %s, the service answered about job %s", known, j->id);
    return 0;
}

static int read_all(const json_t *body, const struct chsm_job *known, struct chsm_job *n, struct chsm_err *err)
{
    const json_t *p = json_object_get(body, "properties");

    if (!json_is_object(p))
        p = body;
    if (!chsm_json_str(p, "status"))
        return chsm_fail(err, CHSM_SERVICE, "the answer about a job names no status");
    if (copy(p, "status", &n->status, err) < 0 || copy(p, "statusDetails", &n->details, err) < 0 ||
        copy(p, "backupId", &n->backup_id, err) < 0 || copy(p, "startTime", &n->started, err) < 0 ||
        copy(p, "endTime", &n->ended, err) < 0 || copy_error(json_object_get(p, "error"), n, err) < 0)
        return -1;
    if (n->backup_id && !*n->backup_id) {
        free(n->backup_id);
        n->backup_id = NULL;
    }
    n->snapshot = n->details ? chsm_job_snapshot(n->details) : 0;
    n->raw = json_deep_copy(body);
    if (!n->raw)
        return chsm_oom(err);
    return read_id(p, known->id, n, err);
}

int chsm_job_parse(const json_t *body, struct chsm_job *job, struct chsm_err *err)
{
    struct chsm_job n = { .kind = job->kind };

    if (read_all(body, job, &n, err) < 0) {
        chsm_job_done(&n);
        return -1;
    }
    chsm_job_done(job);
    *job = n;
    return 0;
}

bool chsm_backup_id_ok(const char *id)
{
    static const char prefix[] = "cloudhsm-";
    const char *p;

    if (!id || strncmp(id, prefix, strlen(prefix)) != 0)
        return false;
    p = id + strlen(prefix);
    return chsm_is_guid(p) && p[36] == '-' && strlen(p + 37) == 16 && strspn(p + 37, "0123456789") == 16;
}

int64_t chsm_backup_id_time(const char *id)
{
    const char *digits;
    int part[7] = { 0 };    /* year, month, day, hour, minute, second, hundredths */
    int64_t when;

    if (!chsm_backup_id_ok(id))
        return -1;
    digits = strrchr(id, '-') + 1;
    for (size_t i = 0; i < 16; i++) {
        size_t at = i < 4 ? 0 : (i - 2) / 2;

        part[at] = part[at] * 10 + (digits[i] - '0');
    }
    when = chsm_time_utc(part[0], part[1], part[2], part[3], part[4], part[5]);
    return when < 0 ? -1 : when + (int64_t)part[6] * 10;
}

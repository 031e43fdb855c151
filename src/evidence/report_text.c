/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <inttypes.h>

#include "evidence/report.h"
#include "evidence/report_nodes.h"
#include "util/clock.h"
#include "util/table.h"

static int add_field(struct chsm_buf *out, const char *name, const char *value, struct chsm_err *err)
{
    return value && *value ? chsm_buf_addf(out, err, "  %-13s%s\n", name, value) : 0;
}

static json_int_t total(const json_t *report, const char *verdict)
{
    const json_t *totals = chsm_json_get(report, "verification.totals");

    return json_integer_value(json_object_get(totals, verdict));
}

/* "20 proven, 8 intact, 1 impostor": every verdict that occurs, in the report's fixed order. */
static int add_counts(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    static const char *const order[] = { "proven", "intact", "present", "unproven", "ambiguous", "missing", "changed", "impostor", "unexpected" };
    const char *comma = "";

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        json_int_t n = total(report, order[i]);

        if (n && chsm_buf_addf(out, err, "%s%" JSON_INTEGER_FORMAT " %s", comma, n, order[i]) < 0)
            return -1;
        if (n)
            comma = ", ";
    }
    return 0;
}

static int add_headline(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    const char *verdict = chsm_json_str(report, "verdict");
    json_int_t expected = total(report, "expected");
    size_t at = out->len;

    if (chsm_buf_addf(out, err, "%s", verdict ? verdict : "inconclusive") < 0)
        return -1;
    for (; at < out->len; at++)
        out->p[at] = (char)toupper((unsigned char)out->p[at]);
    if (!chsm_json_get(report, "verification"))
        return chsm_buf_adds(out, ": nothing was compared\n\n", err);
    if (chsm_buf_addf(out, err, ": %" JSON_INTEGER_FORMAT " objects of the source compared: ", expected) < 0 || add_counts(report, out, err) < 0)
        return -1;
    return chsm_buf_adds(out, "\n\n", err);
}

static int add_cluster(const json_t *report, const char *side, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *o = json_object_get(report, side);
    const char *id = chsm_json_str(o, "cluster"), *endpoint = chsm_json_str(o, "endpoint");

    if (add_field(out, side, id ? id : endpoint, err) < 0)
        return -1;
    return id ? add_field(out, "", endpoint, err) : 0;
}

static int add_job(const json_t *report, const char *which, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *job = json_object_get(report, which);
    AUTO_FREE char *text = NULL;

    if (!job)
        return 0;
    text = chsm_strf("%s, job %s, %s to %s", chsm_json_str(job, "status"), chsm_json_str(job, "job_id"), chsm_json_str(job, "started"),
                     chsm_json_str(job, "ended"));
    if (!text)
        return chsm_oom(err);
    if (add_field(out, which, text, err) < 0 || add_field(out, "", chsm_json_str(job, "backup_id"), err) < 0)
        return -1;
    return add_field(out, "snapshot", chsm_json_str(job, "snapshot"), err);
}

static int add_objectives(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *o;
    size_t i;

    json_array_foreach(json_object_get(report, "objectives"), i, o) {
        const char *name = chsm_json_str(o, "name");
        char achieved[32], target[32];
        AUTO_FREE char *text = NULL;

        chsm_duration_format(json_integer_value(json_object_get(o, "achieved_ms")), achieved, sizeof achieved);
        chsm_duration_format(json_integer_value(json_object_get(o, "target_ms")), target, sizeof target);
        if (!json_object_get(o, "target_ms"))
            text = strdup(achieved);
        else
            text = chsm_strf("%s (objective %s: %s)", achieved, target, json_is_true(json_object_get(o, "met")) ? "met" : "MISSED");
        if (!text)
            return chsm_oom(err);
        if (name && add_field(out, name, text, err) < 0)
            return -1;
    }
    return 0;
}

/* "extractable: false -> true (loosened)" */
static int add_change(const json_t *change, struct chsm_buf *b)
{
    AUTO_FREE char *from = chsm_json_canonical(json_object_get(change, "source"));
    AUTO_FREE char *to = chsm_json_canonical(json_object_get(change, "destination"));

    if (!from || !to)
        return -1;
    return chsm_buf_addf(b, NULL, "%s%s: %s -> %s%s%s", b->len ? "; " : "", chsm_json_str(change, "attribute"), from, to,
                         json_is_true(json_object_get(change, "loosened")) ? " (loosened)" : "",
                         json_is_true(json_object_get(change, "ignored")) ? " (ignored)" : "");
}

/* "waived until 2027-02-01T00:00:00Z: ticket 4711" */
static int add_waiver(const json_t *key, const char *member, const char *what, struct chsm_buf *b)
{
    const json_t *w = json_object_get(key, member);

    if (!w)
        return 0;
    return chsm_buf_addf(b, NULL, "%s%s %s: %s", b->len ? "; " : "", what, chsm_json_str(w, "expires"), chsm_json_str(w, "reason"));
}

/* The reason, what changed, and what was waived; else how the key has proven itself. */
static char *changes_text(const json_t *key)
{
    AUTO_BUF struct chsm_buf b = CHSM_BUF(1u << 20);
    const char *reason = chsm_json_str(key, "reason"), *proof = chsm_json_str(json_object_get(key, "proof"), "kind");
    const json_t *change;
    size_t i;

    if (reason && chsm_buf_addf(&b, NULL, "%s", reason) < 0)
        return NULL;
    json_array_foreach(json_object_get(key, "changes"), i, change)
        if (add_change(change, &b) < 0)
            return NULL;
    if (add_waiver(key, "waived", "waived until", &b) < 0 || add_waiver(key, "waiver_expired", "its waiver expired on", &b) < 0)
        return NULL;
    if (!b.len && proof && chsm_buf_adds(&b, proof, NULL) < 0)
        return NULL;
    return chsm_buf_take(&b);
}

/* An ID for a column: a long one by its ends and its length. malloc()ed, NULL when out of memory. */
static char *id_cell(const char *id)
{
    size_t n = id ? strlen(id) : 0;

    if (n == 0)
        return strdup("(empty)");
    return n <= 40 ? strdup(id) : chsm_strf("%.16s..%s (%zu bytes)", id, id + n - 8, n / 2);
}

static int add_key(struct chsm_table *t, const json_t *key, struct chsm_err *err)
{
    const char *id = chsm_json_str(key, "id"), *curve = chsm_json_str(key, "curve"), *type = chsm_json_str(key, "type");
    json_int_t bits = json_integer_value(json_object_get(key, "bits"));
    AUTO_FREE char *detail = changes_text(key), *shown = id_cell(id);
    AUTO_FREE char *kind = curve  ? chsm_strf("%s %s", type, curve)
                           : bits ? chsm_strf("%s-%" JSON_INTEGER_FORMAT, type, bits)
                                  : strdup(type ? type : "");
    const char *cells[] = {
        chsm_json_str(key, "verdict"), chsm_json_str(key, "login"), chsm_json_str(key, "class"), kind, shown,
        chsm_json_str(key, "label"), chsm_json_str(key, "matched_by"), detail,
    };

    if (!detail || !kind || !shown)
        return chsm_oom(err);
    return chsm_table_row(t, cells, err);
}

/* The keys whose outcome is "pass", or all others. */
static int add_keys(const json_t *report, bool passed, const char *heading, struct chsm_buf *out, struct chsm_err *err)
{
    static const char *const headers[] = { "VERDICT", "LOGIN", "CLASS", "TYPE", "ID", "LABEL", "MATCHED BY", "DETAIL", NULL };
    AUTO_TABLE struct chsm_table *t = chsm_table_new(headers);
    const json_t *key;
    size_t i, n = 0;

    if (!t)
        return chsm_oom(err);
    json_array_foreach(chsm_json_get(report, "verification.keys"), i, key) {
        if (chsm_streq(chsm_json_str(key, "outcome"), "pass") != passed)
            continue;
        n++;
        if (add_key(t, key, err) < 0)
            return -1;
    }
    if (n == 0)
        return passed ? 0 : chsm_buf_addf(out, err, "\n%s\n  none\n", heading);
    if (chsm_buf_addf(out, err, "\n%s\n", heading) < 0)
        return -1;
    return chsm_table_render(t, 2, out, err);
}

static int add_list(const json_t *list, const char *heading, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *item;
    size_t i;

    if (json_array_size(list) && chsm_buf_addf(out, err, "\n%s\n", heading) < 0)
        return -1;
    json_array_foreach(list, i, item)
        if (chsm_buf_addf(out, err, "  - %s\n", json_string_value(item) ? json_string_value(item) : "") < 0)
            return -1;
    return 0;
}

/* What was accepted, in one line before the keys that passed: a waiver is never silent. */
static int add_waived(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *key;
    size_t i, n = 0;

    json_array_foreach(chsm_json_get(report, "verification.keys"), i, key)
        n += json_object_get(key, "waived") != NULL;
    return n ? chsm_buf_addf(out, err, "\n%zu of them passed by a waiver only.\n", n) : 0;
}

static int add_steps(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    static const char *const headers[] = { "STEP", "RESULT", "TIME", "DETAIL", NULL };
    AUTO_TABLE struct chsm_table *t = chsm_table_new(headers);
    const json_t *steps = json_object_get(report, "steps"), *step;
    size_t i;

    if (!t)
        return chsm_oom(err);
    json_array_foreach(steps, i, step) {
        char took[32];
        const char *cells[] = { chsm_json_str(step, "name"), chsm_json_str(step, "result"), took, chsm_json_str(step, "detail") };

        chsm_duration_format(json_integer_value(json_object_get(step, "took_ms")), took, sizeof took);
        if (chsm_table_row(t, cells, err) < 0)
            return -1;
    }
    if (json_array_size(steps) == 0)
        return 0;
    return chsm_buf_adds(out, "\nSteps\n", err) < 0 ? -1 : chsm_table_render(t, 2, out, err);
}

static int add_run(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    const json_t *run = json_object_get(report, "run");
    AUTO_FREE char *text = chsm_strf("%s, %s to %s", chsm_json_str(run, "id"), chsm_json_str(run, "started"), chsm_json_str(run, "ended"));

    if (!text)
        return chsm_oom(err);
    return add_field(out, "run", text, err);
}

int chsm_report_text(const json_t *report, struct chsm_buf *out, struct chsm_err *err)
{
    if (add_headline(report, out, err) < 0 || add_run(report, out, err) < 0 || add_cluster(report, "source", out, err) < 0 ||
        add_cluster(report, "destination", out, err) < 0 || add_job(report, "backup", out, err) < 0 || add_job(report, "restore", out, err) < 0 ||
        add_objectives(report, out, err) < 0)
        return -1;
    if (chsm_report_nodes_line(report, out, err) < 0)
        return -1;
    if (add_field(out, "error", chsm_json_str(json_object_get(report, "error"), "text"), err) < 0)
        return -1;
    if (chsm_json_get(report, "verification") &&
        (add_keys(report, false, "Differences", out, err) < 0 || add_list(chsm_json_get(report, "verification.open"), "Not established", out, err) < 0 ||
         add_waived(report, out, err) < 0 || add_keys(report, true, "Keys that survived", out, err) < 0 ||
         add_list(chsm_json_get(report, "verification.notes"), "Notes", out, err) < 0))
        return -1;
    if (chsm_report_nodes(report, out, err) < 0)
        return -1;
    if (add_list(json_object_get(report, "not_covered"), "Not covered by this run", out, err) < 0)
        return -1;
    return add_steps(report, out, err);
}

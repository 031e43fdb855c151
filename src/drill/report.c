/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <unistd.h>

#include "drill/report.h"
#include "evidence/report.h"

/* Steals value (NULL is left out); false when it could not be set. */
static bool put(json_t *o, const char *key, json_t *value)
{
    return !value || json_object_set_new(o, key, value) == 0;
}

static json_t *time_json(int64_t when)
{
    char text[CHSM_TIME_LEN];

    if (when == 0)
        return NULL;
    chsm_time_format(when, true, text);
    return json_string(text);
}

static json_t *run_json(const struct chsm_report_parts *p)
{
    char host[256] = "";

    (void)gethostname(host, sizeof host - 1);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s*, s:s*}", "id", p->run_id, "command", p->command, "started", time_json(p->started), "ended",
                     time_json(p->ended), "host", host, "operator", getenv("USER"), "plan", p->plan);
}

static json_t *side_json(const struct chsm_report_side *s)
{
    const struct chsm_inventory *inv = s->inventory;
    json_t *o = json_pack("{s:s*}", "cluster", s->cluster ? s->cluster : inv ? inv->cluster : NULL);
    json_t *logins = json_array();
    bool ok = o && logins;

    for (size_t i = 0; ok && inv && i < inv->n; i++) {
        const struct chsm_section *sec = &inv->sections[i];

        ok = json_array_append_new(logins, json_pack("{s:s, s:b, s:I, s:I, s:s*, s:O*}", "login", sec->login, "complete", sec->complete, "objects",
                                                     (json_int_t)sec->n, "session_objects", (json_int_t)sec->session_objects, "why", sec->why,
                                                     "token", sec->token)) == 0;
    }
    if (ok && inv) {
        json_t *read = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:O}", "endpoint", inv->endpoint, "module", inv->module, "module_sha256",
                                 inv->module_sha256, "inventory_created", inv->created, "inventory_file", s->inventory_file, "logins", logins);

        ok = read && json_object_update(o, read) == 0;
        json_decref(read);
    }
    json_decref(logins);
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *job_json(const struct chsm_job *j)
{
    json_t *o = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "job_id", j->id, "status", j->status, "details", j->details, "backup_id",
                          j->backup_id, "started", j->started, "ended", j->ended, "error_code", j->error_code, "error_message", j->error_message);

    if (o && !put(o, "snapshot", time_json(j->snapshot))) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Adds one objective; *met is untouched when there is none or it cannot be told. */
static bool add_objective(json_t *list, const char *name, int64_t target, int64_t from, int64_t to, bool *met)
{
    json_t *o;

    if (from == 0 || to == 0)
        return true;
    o = json_pack("{s:s, s:I}", "name", name, "achieved_ms", (json_int_t)(to - from));
    if (o && target)
        (void)json_object_update_new(o, json_pack("{s:I, s:b}", "target_ms", (json_int_t)target, "met", to - from <= target));
    if (target && to - from > target)
        *met = false;
    return json_array_append_new(list, o) == 0;
}

/*
 * RPO: how much older than the request the content of the backup is. RTO: from the restore request to the last proof. An
 * objective whose moments did not both happen is not met.
 */
static json_t *objectives_json(const struct chsm_report_parts *p, bool *met)
{
    json_t *list = json_array();
    int64_t snapshot = p->backup ? p->backup->snapshot : 0;

    *met = (!p->rpo || (snapshot && p->backup_requested)) && (!p->rto || (p->restore_requested && p->verified));
    if (list && add_objective(list, "rpo", p->rpo, snapshot, p->backup_requested, met) &&
        add_objective(list, "rto", p->rto, p->restore_requested, p->verified, met))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *not_covered_json(const struct chsm_report_parts *p)
{
    static const char *const always[] = {
        "keys that only other crypto users can see, and the users and passwords themselves",
        "session objects: they are in no backup",
    };
    json_t *list = json_array();

    if (p->nodes && p->coverage != CHSM_COVERAGE_OPEN)
        (void)json_array_append_new(list, json_string("use on every node: each key was read and proven on the one node that answered; the "
                                                      "others were only asked for their lists of handles, which identify no key"));
    else
        (void)json_array_append_new(list, json_string("presence on every node: PKCS#11 answers from one node of the cluster; per-node "
                                                      "coverage was not established"));
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        (void)json_array_append_new(list, json_string(always[i]));
    if (!p->backup)
        (void)json_array_append_new(list, json_string("the age of the snapshot that was restored: this run did not make the backup"));
    return list;
}

static enum chsm_code code_of(enum chsm_outcome outcome)
{
    return outcome == CHSM_PASS ? CHSM_OK : outcome == CHSM_FAIL ? CHSM_FAILED : CHSM_INCONCLUSIVE;
}

/* The verdict: nothing but a comparison that passed, without an error and with the objectives that are required, verifies. */
static enum chsm_outcome decide(const struct chsm_report_parts *p, bool objectives_met, enum chsm_code *ret_code)
{
    enum chsm_outcome outcome = p->comparison ? chsm_comparison_outcome(p->comparison, p->policy) : CHSM_OPEN;

    if (outcome == CHSM_PASS && p->objectives_required && !objectives_met)
        outcome = CHSM_FAIL;
    /* A key or user that a node lacks is a failure of its own; what is not established there is in comparison->open. */
    if (p->nodes && p->coverage == CHSM_COVERAGE_PARTIAL)
        outcome = CHSM_FAIL;
    if (outcome == CHSM_PASS && (p->error || (p->nodes && p->coverage != CHSM_COVERAGE_FULL)))
        outcome = CHSM_OPEN;
    *ret_code = p->error ? p->error->code : code_of(outcome);
    return outcome;
}

static json_t *error_json(const struct chsm_err *e)
{
    return json_pack("{s:s, s:s, s:s}", "code", chsm_code_name(e->code), "text", e->text, "hint", e->hint);
}

int chsm_report_build(const struct chsm_report_parts *p, json_t **ret, enum chsm_code *ret_code, struct chsm_err *err)
{
    bool met = true;
    json_t *objectives = objectives_json(p, &met);
    enum chsm_outcome outcome = decide(p, met, ret_code);
    json_auto_t *o = json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:O*, s:O*, s:s*}", "format", CHSM_REPORT_FORMAT, "tool",
                               "chsmctl " PACKAGE_VERSION, "verdict", chsm_outcome_name(outcome), "exit_code", (int)*ret_code, "run", run_json(p),
                               "source", side_json(&p->source), "destination", side_json(&p->destination), "objectives", objectives, "not_covered",
                               not_covered_json(p), "steps", p->steps, "nodes", p->nodes, "container_uri", p->container_uri);
    json_t *verification;

    if (!o)
        return chsm_oom(err);
    if ((p->backup && !put(o, "backup", job_json(p->backup))) || (p->restore && !put(o, "restore", job_json(p->restore))) ||
        (p->error && !put(o, "error", error_json(p->error))) || !put(o, "objectives_met", json_boolean(met)))
        return chsm_oom(err);
    if (p->comparison) {
        if (chsm_comparison_to_json(p->comparison, p->policy, &verification, err) < 0)
            return -1;
        if (!put(o, "verification", verification) || (p->proofs && !put(verification, "proofs", json_string(p->proofs))))
            return chsm_oom(err);
    }
    *ret = json_incref(o);
    return 0;
}

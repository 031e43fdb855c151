/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that talk to the HSMs. */
#include "config.h"

#include "drill/run_state.h"

static void on_progress(void *ctx, const char *what, const char *login, size_t done, size_t total)
{
    if (total)
        chsm_run_progress(ctx, "%s %s %zu/%zu", login, what, done, total);
    else
        chsm_run_progress(ctx, "%s %s", login, what);
}

static struct chsm_reader reader_of(struct chsm_run *run, const struct chsm_plan_side *side, const char *cluster)
{
    const struct chsm_plan *p = run->plan;

    return (struct chsm_reader){
        .target = { .module = p->module, .directory = side->directory, .env = (const char *const *)side->env, .token_label = p->token_label,
                    .timeout = p->pkcs11_timeout },
        .logins = run->logins,
        .n = p->n_logins,
        .cluster = cluster,
        .proofs = { .mode = p->no_proofs ? CHSM_PROOF_NONE : CHSM_PROOF_ALL },
        .progress = on_progress,
        .ctx = run,
    };
}

static int keep_inventory(struct chsm_run *run, const char *file, const struct chsm_inventory *inv, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;

    if (chsm_inventory_write(inv, &text, &sums, err) < 0 || chsm_evidence_put(run->evidence, file, chsm_buf_str(&text), text.len, err) < 0)
        return -1;
    return chsm_run_note(run, "inventory",
                         json_pack("{s:s, s:s, s:I, s:b}", "file", file, "content_sha256", sums.content, "count",
                                   (json_int_t)chsm_inventory_count(inv), "complete", chsm_inventory_complete(inv)),
                         err);
}

int chsm_step_inventory(struct chsm_run *run, struct chsm_err *err)
{
    struct chsm_reader reader = reader_of(run, &run->plan->source, run->source_id);

    if (chsm_reader_inventory(&reader, &run->source, err) < 0 || keep_inventory(run, "inventory-source.json", &run->source, err) < 0)
        return -1;
    /* Everything after this is measured against it: a list with holes is no baseline. */
    if (!chsm_inventory_complete(&run->source))
        return chsm_fail(err, CHSM_INCONCLUSIVE, "the source's inventory is not complete: it cannot be a baseline");
    if (chsm_inventory_count(&run->source) == 0)
        return chsm_fail(err, CHSM_INCONCLUSIVE, "the source shows no key to these logins: there is nothing to verify");
    (void)snprintf(run->detail, sizeof run->detail, "%zu objects seen by %zu login%s", chsm_inventory_count(&run->source), run->source.n,
                   run->source.n == 1 ? "" : "s");
    return 0;
}

int chsm_step_verify(struct chsm_run *run, struct chsm_err *err)
{
    struct chsm_reader reader = reader_of(run, &run->plan->destination, run->destination_id);
    struct chsm_policy policy = { .require = run->plan->require, .allow_unexpected = run->plan->allow_unexpected };
    size_t proven = 0;

    if (chsm_reader_verify(&reader, &run->source, &run->destination, &run->comparison, err) < 0)
        return -1;
    run->verified = chsm_now();
    run->compared = true;
    for (size_t i = 0; i < run->comparison.n; i++)
        proven += run->comparison.findings[i].verdict == CHSM_V_PROVEN;
    (void)snprintf(run->detail, sizeof run->detail, "%s: %zu objects compared, %zu keys proven",
                   chsm_outcome_name(chsm_comparison_outcome(&run->comparison, &policy)), run->comparison.n, proven);
    return keep_inventory(run, "inventory-destination.json", &run->destination, err);
}

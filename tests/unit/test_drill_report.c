/* SPDX-License-Identifier: Apache-2.0 */
/* From findings to the exit status: every cell of the tables in doc/EVIDENCE.md. */
#include "config.h"

#include "drill/report.h"
#include "tests/unit/keys_build.h"
#include "util/json.h"

#define CODE_OF_ERROR CHSM_SERVICE    /* any code of an error, other than those of verdicts */

struct run {
    const char *findings;       /* a letter for each: P pass, F fail, O open; NULL = nothing was compared */
    bool open;                  /* verification.open has an entry */
    bool error;                 /* the run ended early */
    int objective;              /* 0 none, 1 met, 2 missed, 3 missed and required, 4 not measured and required */
    int nodes;                  /* 0 not asked, 1 full, 2 partial, 3 not established */
};

static enum chsm_verdict verdict_of(char letter)
{
    return letter == 'P' ? CHSM_V_PROVEN : letter == 'F' ? CHSM_V_MISSING : CHSM_V_UNPROVEN;
}

/* The verdict of the run, and its exit status in *code. */
static char decide(const struct run *run, enum chsm_code *code)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    const struct chsm_record *r = add_rsa(section(&inv, "cu1"), CHSM_CLASS_PRIVATE, "01", "k", "KEY-A");
    struct chsm_finding f[8] = { 0 };
    char reason[] = "a list is not complete", *open[] = { reason };
    struct chsm_comparison c = { .findings = f, .n = run->findings ? strlen(run->findings) : 0, .open = open, .n_open = run->open };
    struct chsm_policy policy = { .require = CHSM_REQUIRE_BEST };
    struct chsm_err early = { .code = CODE_OF_ERROR }, err = { 0 };
    struct chsm_report_parts parts = {
        .command = "test", .run_id = "x", .started = 1000, .ended = 2000, .comparison = run->findings ? &c : NULL, .policy = &policy,
        .rto = run->objective ? run->objective == 1 ? 60000 : 1 : 0, .objectives_required = run->objective >= 3,
        .restore_requested = run->objective == 4 ? 0 : 1000, .verified = 2000, .error = run->error ? &early : NULL,
    };
    static const enum chsm_coverage_outcome coverage[] = { CHSM_COVERAGE_OPEN, CHSM_COVERAGE_FULL, CHSM_COVERAGE_PARTIAL, CHSM_COVERAGE_OPEN };
    json_auto_t *report = NULL, *nodes = json_object();

    parts.nodes = run->nodes ? nodes : NULL;
    parts.coverage = coverage[run->nodes];
    for (size_t i = 0; i < c.n; i++)
        f[i] = (struct chsm_finding){ .login = "cu1", .source = r, .destination = r, .verdict = verdict_of(run->findings[i]), .provable = true };
    assert_ok(chsm_report_build(&parts, &report, code, &err), err);
    assert_int_equal(json_integer_value(json_object_get(report, "exit_code")), *code);
    return chsm_json_str(report, "verdict")[0];
}

static void every_cell_of_the_table(void **state)
{
    static const struct { struct run run; char verdict; enum chsm_code code; } table[] = {
        { { "P", false, false, 0, 0 }, 'v', CHSM_OK },
        { { "PPP", false, false, 1, 0 }, 'v', CHSM_OK },
        { { "PP", false, false, 2, 0 }, 'v', CHSM_OK },
        { { "PP", false, false, 3, 0 }, 'f', CHSM_FAILED },
        { { "PP", false, false, 4, 0 }, 'f', CHSM_FAILED },
        { { "PP", true, false, 0, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { "PP", true, false, 3, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { "PP", false, true, 0, 0 }, 'i', CODE_OF_ERROR },
        { { "PP", true, true, 0, 0 }, 'i', CODE_OF_ERROR },
        { { "PO", false, false, 0, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { "OP", false, false, 3, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { "PO", false, true, 0, 0 }, 'i', CODE_OF_ERROR },
        { { "PF", false, false, 0, 0 }, 'f', CHSM_FAILED },
        { { "FP", true, false, 0, 0 }, 'f', CHSM_FAILED },
        { { "OFP", true, false, 1, 0 }, 'f', CHSM_FAILED },
        { { "OF", false, true, 0, 0 }, 'f', CODE_OF_ERROR },
        { { "", false, false, 0, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { "", true, false, 0, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { "", false, true, 0, 0 }, 'i', CODE_OF_ERROR },
        { { NULL, false, false, 0, 0 }, 'i', CHSM_INCONCLUSIVE },
        { { NULL, false, true, 0, 0 }, 'i', CODE_OF_ERROR },
        { { NULL, false, true, 3, 0 }, 'i', CODE_OF_ERROR },
        { { "PP", false, false, 0, 1 }, 'v', CHSM_OK },
        { { "PP", false, false, 0, 2 }, 'f', CHSM_FAILED },
        { { "PP", false, false, 0, 3 }, 'i', CHSM_INCONCLUSIVE },
        { { "PO", false, false, 0, 1 }, 'i', CHSM_INCONCLUSIVE },
        { { "PF", false, false, 0, 1 }, 'f', CHSM_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        enum chsm_code code = CHSM_OK;
        char verdict = decide(&table[i].run, &code);

        if (verdict != table[i].verdict || code != table[i].code)
            fail_msg("row %zu: verdict %c, exit status %d", i, verdict, (int)code);
    }
}

/* Whatever is combined: exit status 0 and "verified" come together, and only when nothing at all speaks against it. */
static void nothing_but_a_clean_run_is_verified(void **state)
{
    static const char *const findings[] = { NULL, "", "P", "PP", "PO", "OP", "PF", "FO", "O", "F" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(findings); i++)
        for (unsigned bits = 0; bits < 4; bits++)
            for (int k = 0; k < 5 * 4; k++) {
                struct run run = { findings[i], bits & 1, bits & 2, k % 5, k / 5 };
                bool clean = findings[i] && *findings[i] && strspn(findings[i], "P") == strlen(findings[i]) && bits == 0 && run.objective < 3 && run.nodes < 2;
                enum chsm_code code = CHSM_OK;

                assert_int_equal(decide(&run, &code) == 'v', clean);
                assert_int_equal(code == CHSM_OK, clean);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table),
        cmocka_unit_test(nothing_but_a_clean_run_is_verified),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whole drills, from the plan to the evidence, on the simulator.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
}

teardown_file() {
    sim_stop
}

@test "a whole drill ends verified, keeps tags and leaves evidence" {
    plan chsm-destination "$BATS_TEST_TMPDIR/plan.yaml"
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 0
    assert_output 'VERIFIED: '
    assert_output "$BATS_TEST_TMPDIR/evidence/report.txt"
    evidence="$BATS_TEST_TMPDIR/evidence"
    jq -e '.verdict == "verified" and .exit_code == 0 and .verification.totals.missing == 0' "$evidence/report.json"
    # Every key that can is proven; the rest is public or has a check value.
    jq -e '[.verification.keys[] | select(.class == "private-key" and .verdict != "proven")] == []' "$evidence/report.json"
    jq -e '[.verification.keys[] | select(.outcome != "pass")] == []' "$evidence/report.json"
    (cd "$evidence" && sha256sum --quiet -c SHA256SUMS)
    [[ $(stat -c %a "$evidence") == 700 ]]
    [[ -z $(find "$evidence" -type f ! -perm 600) ]]
    # The identity is there, and nothing else of the clusters was lost.
    run_chsmctl cluster show "${SOURCE[@]}" -o json
    assert_json '.tags == {environment: "drill", owner: "security"} and (.identity.userAssignedIdentities | length) == 1'
    run_chsmctl cluster show -g rg-destination -n chsm-destination -o json
    assert_json '.tags == {keep: "me"} and .properties.activationState == "Active"'
    [[ $(posts backup) == 1 && $(posts restore) == 1 ]]
    assert_no_secret "$evidence" "$SIM_DIR/requests.jsonl" "$BATS_FILE_TMPDIR/sim.log"
}

@test "the journal is chained line by line" {
    plan chsm-second "$BATS_TEST_TMPDIR/plan.yaml"
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 0
    previous=$(printf '0%.0s' {1..64})
    n=0
    while IFS= read -r line; do
        n=$((n + 1))
        [[ $(jq -r .previous <<<"$line") == "$previous" && $(jq .n <<<"$line") == "$n" ]]
        previous=$(printf '%s' "$line" | sha256sum | cut -d ' ' -f 1)
    done <"$BATS_TEST_TMPDIR/evidence/journal.jsonl"
    ((n > 20))
    # What has an outside effect is announced before it happens.
    jq -se '(map(.event) | index("intent")) < (map(.event) | index("job-started"))' "$BATS_TEST_TMPDIR/evidence/journal.jsonl"
}

@test "evidence is never overwritten" {
    plan chsm-third "$BATS_TEST_TMPDIR/plan.yaml"
    mkdir "$BATS_TEST_TMPDIR/evidence"
    echo precious >"$BATS_TEST_TMPDIR/evidence/report.txt"
    before=$(writes)
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 7
    assert_stderr 'not empty'
    [[ $(<"$BATS_TEST_TMPDIR/evidence/report.txt") == precious ]]
    [[ $(writes) == "$before" ]]
}

@test "a destination that is active is refused before anything is sent" {
    plan chsm-live "$BATS_TEST_TMPDIR/plan.yaml"
    before=$(writes)
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 7
    assert_stderr 'NotActivated'
    [[ $(writes) == "$before" ]]
    run_chsmctl cluster show -g rg-destination -n chsm-live -o json
    assert_json '.properties.provisioningState == "Succeeded" and .properties.activationState == "Active"'
    jq -e '.verdict == "inconclusive" and .error.code == "refused"' "$BATS_TEST_TMPDIR/evidence/report.json"
}

@test "a client directory that points to the source is refused" {
    plan chsm-fourth "$BATS_TEST_TMPDIR/plan.yaml"
    mkdir "$BATS_TEST_TMPDIR/client"
    cp "$(client chsm-source)/azcloudhsm_resource.cfg" "$BATS_TEST_TMPDIR/client"
    sed -i "s|directory: $(client chsm-fourth)|directory: client|" "$BATS_TEST_TMPDIR/plan.yaml"
    before=$(writes)
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 7
    assert_stderr 'both point to'
    [[ $(writes) == "$before" ]]
}

@test "a cluster with another identity is refused" {
    plan chsm-third "$BATS_TEST_TMPDIR/plan.yaml"
    before=$(posts restore)
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 7
    assert_stderr 'identity'
    [[ $(posts restore) == "$before" ]]
}

@test "every mistake of a plan is named at once, with its place" {
    plan chsm-fourth "$BATS_TEST_TMPDIR/plan.yaml" -e 's/kind: Drill/kind: Dril/' -e 's/deadline: 2m/deadlin: 2m/' -e 's/rto: 15m/rto: soon/' \
        -e 's|pin: "file:.*cu2.pin"|pin: other5678|'
    before=$(wc -l <"$SIM_DIR/requests.jsonl")
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 3
    assert_stderr 'plan.yaml:2:7: kind: "Drill" is expected'
    assert_stderr 'did you mean "deadline"?'
    assert_stderr 'a duration such as 90s, 5m or 2h is expected'
    assert_stderr 'never the secret itself'
    assert_stderr '4 mistakes'
    [[ $(wc -l <"$SIM_DIR/requests.jsonl") == "$before" ]]
    assert_no_secret "$BATS_TEST_TMPDIR/chsmctl.log"
}

@test "a wrong PIN stops the drill before any backup" {
    plan chsm-fourth "$BATS_TEST_TMPDIR/plan.yaml" -e "s|file:$PINS/cu2.pin|env:WRONG_PIN|"
    before=$(writes)
    WRONG_PIN=cu2:nonsense99 run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_status 6
    assert_stderr '0xa3'
    [[ $(writes) == "$before" ]]
    KNOWN_SECRETS+=(nonsense99)
    assert_no_secret "$BATS_TEST_TMPDIR/evidence"
}

@test "why a start failed is in the journal and the report, however long and in whatever script it is said" {
    local long

    long=$(printf 'é%.0s' {1..600})
    for pad in '' x; do
        sim fault clear
        sim fault add --method POST --path '/backup$' --status 400 --body "{\"error\":{\"code\":\"Bad\",\"message\":\"$pad$long\"}}"
        mkdir "$BATS_TEST_TMPDIR/e$pad"
        plan chsm-fourth "$BATS_TEST_TMPDIR/e$pad/plan.yaml"
        run_chsmctl drill run "$BATS_TEST_TMPDIR/e$pad/plan.yaml"
        assert_status 5
        jq -se 'map(select(.event == "start-failed"))[0].data.text | test("Bad: x?é")' "$BATS_TEST_TMPDIR/e$pad/evidence/journal.jsonl"
        jq -e '.steps[-1] | .name == "backup" and .result == "failed"' "$BATS_TEST_TMPDIR/e$pad/evidence/report.json"
    done
    sim fault clear
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

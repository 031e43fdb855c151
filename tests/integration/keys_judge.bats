#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# keys list, diff and prove; what may be waived, ignored or sampled, and what that never lets pass.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
    # shellcheck disable=SC2046  # words
    "$CHSMCTL" keys inventory $(hsm chsm-source) -f "$BATS_FILE_TMPDIR/source.json"
}

teardown_file() {
    sim_stop
}

# A destination that holds what the source holds.
setup() {
    rm -rf "$(client chsm-fourth)/keys"
    cp -a "$(client chsm-source)/keys" "$(client chsm-fourth)/keys"
}

# verify [OPTION...]: the copy against the source's inventory
verify() {
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-fourth) -i "$BATS_FILE_TMPDIR/source.json" -o json "$@"
}

# waivers ITEM...: a file of them
waivers() {
    printf '%s\n' 'apiVersion: chsmctl/v1' 'kind: Waivers' 'waivers:' >"$BATS_TEST_TMPDIR/waivers.yaml"
    printf '  - %s\n' "$@" >>"$BATS_TEST_TMPDIR/waivers.yaml"
}

# inventory FILE: of the copy
inventory() {
    # shellcheck disable=SC2046  # words
    "$CHSMCTL" keys inventory $(hsm chsm-fourth) -f "$1"
}

@test "an inventory is canonical JSON, the same to the byte for the same keys, and small" {
    # shellcheck disable=SC2046  # words
    run_chsmctl keys inventory $(hsm chsm-fourth) --proof none
    assert_status 0
    jq -cS . <<<"$output" | cmp - <(echo "$output")
    first=$(jq -cS '.sections' <<<"$output")
    # shellcheck disable=SC2046  # words
    run_chsmctl keys inventory $(hsm chsm-fourth) --proof none
    [[ $(jq -cS '.sections' <<<"$output") == "$first" ]]
    assert_json '[.sections[].records[] | tojson | length] | max <= 1024'
    (($(wc -c <"$BATS_FILE_TMPDIR/source.json") <= 1024 * $(jq .count "$BATS_FILE_TMPDIR/source.json") + 1024))
}

@test "list shows an HSM and a file alike, as table, JSON and CSV" {
    # shellcheck disable=SC2046  # words
    run_chsmctl keys list $(hsm chsm-fourth) -o csv
    assert_status 0
    from_hsm=$output
    [[ ${output%%$'\n'*} == 'LOGIN,CLASS,TYPE,BITS,CURVE,ID,ID AS TEXT,LABEL,CHECK VALUE,USAGE,FINGERPRINT' ]]
    run_chsmctl keys list -i "$BATS_FILE_TMPDIR/source.json" -o csv
    assert_status 0
    # Only what the inventory found out by asking (whose public half is whose) may be more.
    diff <(cut -d, -f1-10 <<<"$output" | sort) <(cut -d, -f1-10 <<<"$from_hsm" | sort)
    run_chsmctl keys list -i "$BATS_FILE_TMPDIR/source.json" -o json
    assert_json "length == $(jq .count "$BATS_FILE_TMPDIR/source.json")"
    assert_json 'any(.id == "0101" and .class == "private-key" and (.usage | contains("sign")))'
    run_chsmctl keys list -i "$BATS_FILE_TMPDIR/source.json"
    assert_output 'payroll-signing'
}

@test "diff: equal inventories, and each kind of difference" {
    inventory "$BATS_TEST_TMPDIR/same.json"
    run_chsmctl keys diff "$BATS_FILE_TMPDIR/source.json" "$BATS_TEST_TMPDIR/same.json" --require present -o json
    assert_status 0
    assert_json '.verification.totals | .missing + .changed + .impostor + .unexpected == 0'
    sim corrupt chsm-fourth lose-key --user cu1 0101
    sim corrupt chsm-fourth swap-material --user cu1 0201
    sim corrupt chsm-fourth change-attribute --user cu1 0301
    inventory "$BATS_TEST_TMPDIR/other.json"
    run_chsmctl keys diff "$BATS_FILE_TMPDIR/source.json" "$BATS_TEST_TMPDIR/other.json" -o json
    assert_status 1
    assert_json '[.verification.keys[] | select(.id == "0101" and .outcome == "fail").verdict] | unique == ["missing"]'
    assert_json '[.verification.keys[] | select(.id == "0201" and .class == "public-key").verdict] | unique == ["impostor"]'
    assert_json '[.verification.keys[] | select(.id == "0301").verdict] == ["changed"]'
    assert_json '.verification.proofs == "none"'
}

@test "diff needs two files, and says which it cannot read" {
    run_chsmctl keys diff "$BATS_FILE_TMPDIR/source.json"
    assert_status 2
    run_chsmctl keys diff "$BATS_FILE_TMPDIR/source.json" "$BATS_TEST_TMPDIR/none.json"
    assert_status 3
    assert_stderr none.json
    run_chsmctl keys diff a b c
    assert_status 2
    assert_stderr '"c"'
}

@test "a waived change passes once the key has proven itself, and the report says so" {
    sim corrupt chsm-fourth change-attribute --user cu1 0201
    waivers '{ login: cu1, id: "0201", verdict: changed, attributes: [derive], reason: "ticket 4711", expires: 2099-01-31 }'
    verify
    assert_status 1
    verify --waivers "$BATS_TEST_TMPDIR/waivers.yaml" --evidence "$BATS_TEST_TMPDIR/evidence"
    assert_status 0
    cmp "$BATS_TEST_TMPDIR/waivers.yaml" "$BATS_TEST_TMPDIR/evidence/waivers.yaml"
    (cd "$BATS_TEST_TMPDIR/evidence" && sha256sum -c --quiet SHA256SUMS)
    assert_json '[.verification.keys[] | select(.waived)] | length == 1 and all(.verdict == "changed" and .waived.reason == "ticket 4711" and .proof.answer != "")'
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify --no-proofs --waivers "$BATS_TEST_TMPDIR/waivers.yaml" -i "$BATS_FILE_TMPDIR/source.json" $(hsm chsm-fourth)
    assert_status 10
    assert_output 'waived until 2099-02-01T00:00:00Z: ticket 4711'
}

@test "an expired waiver does not count, and an impostor cannot be waived" {
    sim corrupt chsm-fourth lose-key --user cu1 0301
    waivers '{ id: "0301", verdict: missing, reason: retired, expires: 2020-01-31 }'
    verify --waivers "$BATS_TEST_TMPDIR/waivers.yaml"
    assert_status 1
    assert_json '[.verification.keys[] | select(.waiver_expired)] | length == 1'
    waivers '{ id: "0301", verdict: missing, reason: retired, expires: 2099-01-31 }'
    verify --waivers "$BATS_TEST_TMPDIR/waivers.yaml"
    assert_status 0
    waivers '{ id: "0301", verdict: impostor, reason: whatever, expires: 2099-01-31 }'
    verify --waivers "$BATS_TEST_TMPDIR/waivers.yaml"
    assert_status 3
    assert_stderr 'waivers[0].verdict'
}

@test "an ignored attribute is noted; what tells keys apart cannot be ignored" {
    sim corrupt chsm-fourth change-attribute --user cu1 0201
    verify --ignore-attribute derive
    assert_status 0
    assert_json '.verification.ignored_attributes == ["derive"]'
    assert_json '[.verification.keys[] | select(.changes) | .changes[] | select(.ignored)] | length >= 1'
    verify --ignore-attribute check-value
    assert_status 2
    assert_stderr 'always counts'
}

@test "a sample proves as many keys as it says, names its seed, and is not the default bar" {
    verify --proof sample:3
    assert_status 10
    assert_json '.verification.totals.proven == 3 and (.verification.proofs | test("^sample:3:[0-9a-f]{32}$"))'
    proven=$(jq -c '[.verification.keys[] | select(.verdict == "proven") | [.login, .class, .id, .label]]' <<<"$output")
    verify --proof "$(jq -r .verification.proofs <<<"$output")"
    [[ $(jq -c '[.verification.keys[] | select(.verdict == "proven") | [.login, .class, .id, .label]]' <<<"$output") == "$proven" ]]
    verify --proof sample:0
    assert_status 2
}

@test "prove: all keys of an HSM against itself, one key, none, an impostor" {
    # shellcheck disable=SC2046  # words
    run_chsmctl keys prove $(hsm chsm-fourth) --id 0101 --id 0301 -o json
    assert_status 0
    assert_json '.verdict == "verified" and ([.verification.keys[].id] | sort == ["0101", "0301"]) and all(.verification.keys[]; .verdict == "proven")'
    # shellcheck disable=SC2046  # words
    run_chsmctl keys prove $(hsm chsm-fourth) --id 0101 --id 7777 -o json
    assert_status 10
    assert_json '.verification.open | any(contains("7777"))'
    sim corrupt chsm-fourth swap-material --user cu1 0301
    # shellcheck disable=SC2046  # words
    run_chsmctl keys prove $(hsm chsm-fourth) --id 0301 -i "$BATS_FILE_TMPDIR/source.json" -o json
    assert_status 1
    assert_json '[.verification.keys[].verdict] == ["impostor"]'
    # shellcheck disable=SC2046  # words
    run_chsmctl keys prove $(hsm chsm-fourth) --id 03g
    assert_status 2
}

@test "prove asks no key but those that were named" {
    export CHSM_SIM_CALLS=$BATS_TEST_TMPDIR/calls.json
    # shellcheck disable=SC2046  # words
    run_chsmctl keys prove $(hsm chsm-fourth) --id 0101 -i "$BATS_FILE_TMPDIR/source.json"
    assert_status 0
    [[ $(jq -s 'map((.C_Encrypt // 0) + (.C_Decrypt // 0) + (.C_DeriveKey // 0)) | add' "$CHSM_SIM_CALLS") == 0 ]]
    # Not even to find out whose halves are whose.
    [[ $(jq -s 'map(.C_Sign // 0) | add' "$CHSM_SIM_CALLS") == 1 ]]
}

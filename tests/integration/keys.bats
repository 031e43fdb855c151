#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# keys inventory and keys verify on restored keys, sound and damaged in every way that the simulator knows.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
    # shellcheck disable=SC2046  # words
    CHSM_SIM_HANDLES=$BATS_FILE_TMPDIR/source.handles "$CHSMCTL" keys inventory $(hsm chsm-source) -f "$BATS_FILE_TMPDIR/source.json"
    "$CHSMCTL" identity apply "${SOURCE[@]}" --identity "$IDENTITY" "${POLL[@]}"
    "$CHSMCTL" backup start "${SOURCE[@]}" -u "$(container)" "${POLL[@]}" -o json >"$BATS_FILE_TMPDIR/backup.json"
    "$CHSMCTL" restore start -g rg-destination -n chsm-fourth -u "$(container)" "${POLL[@]}" \
        --backup-id "$(jq -er .backupId "$BATS_FILE_TMPDIR/backup.json")" --source-cluster chsm-source --source-group rg-source
    "$CHSMCTL" cluster wait -g rg-destination -n chsm-fourth --activation Active "${POLL[@]}"
    cp -a "$(client chsm-fourth)/keys" "$BATS_FILE_TMPDIR/keys"
}

teardown_file() {
    sim_stop
}

setup() {
    rm -rf "$(client chsm-fourth)/keys"
    cp -a "$BATS_FILE_TMPDIR/keys" "$(client chsm-fourth)/keys"
}

# verify [OPTION...]: the restored cluster against the source's inventory
verify() {
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-fourth) -i "$BATS_FILE_TMPDIR/source.json" -o json "$@"
}

# damaged KIND VERDICT [ID]: the damage is found, with the verdict, on that very key and on no other
damaged() {
    local kind=$1 verdict=$2 id=$3

    sim corrupt chsm-fourth "$kind" --user cu1 "$id"
    verify
    assert_status 1
    assert_json '.verdict == "failed"'
    assert_json "[.verification.keys[] | select(.outcome == \"fail\")] | length > 0 and all(.id == \"$id\")"
    assert_json "[.verification.keys[] | select(.verdict == \"$verdict\" and .id == \"$id\")] | length > 0"
    assert_no_secret
}

@test "restored keys verify, and handles differ between source and destination" {
    export CHSM_SIM_HANDLES=$BATS_TEST_TMPDIR/destination.handles
    verify
    assert_status 0
    assert_json '.verdict == "verified" and .verification.totals.expected == 30'
    (($(wc -l <"$CHSM_SIM_HANDLES") > 20 && $(wc -l <"$BATS_FILE_TMPDIR/source.handles") > 20))
    # No test may pass because two processes happened to see the same numbers.
    [[ -z $(sort -u "$CHSM_SIM_HANDLES" "$BATS_FILE_TMPDIR/source.handles" | wc -l | grep -vx "$(cat "$CHSM_SIM_HANDLES" "$BATS_FILE_TMPDIR/source.handles" | wc -l)") ]]
    # And no handle is in what travels.
    while read -r handle; do
        if grep -qwF -- "$handle" "$BATS_FILE_TMPDIR/source.json"; then fail "a handle is in the inventory: $handle"; fi
    done <"$BATS_FILE_TMPDIR/source.handles"
}

@test "corrupt lose-key: missing" { damaged lose-key missing 0101; }
@test "corrupt lose-key of a secret key: missing" { damaged lose-key missing 0301; }
@test "corrupt lose-private: missing" { damaged lose-private missing 0201; }
@test "corrupt lose-public: missing" { damaged lose-public missing 0201; }
@test "corrupt swap-material of an RSA pair: impostor" { damaged swap-material impostor 0101; }
@test "corrupt swap-material of a decryption pair: impostor" { damaged swap-material impostor 0104; }
@test "corrupt swap-material of an EC pair: impostor" { damaged swap-material impostor 0201; }
@test "corrupt swap-material of a key agreement pair: impostor" { damaged swap-material impostor 0204; }
@test "corrupt swap-material of an AES key: impostor" { damaged swap-material impostor 0301; }
@test "corrupt swap-material of a wrapping key: impostor" { damaged swap-material impostor 0303; }
@test "corrupt swap-material of an HMAC key: impostor" { damaged swap-material impostor 0401; }
@test "corrupt change-attribute: changed" { damaged change-attribute changed 0201; }
@test "corrupt duplicate: unexpected" { damaged duplicate unexpected 0201; }

@test "corrupt foreign-key: unexpected, and allowed on request" {
    sim corrupt chsm-fourth foreign-key --user cu1
    verify
    assert_status 1
    assert_json '[.verification.keys[] | select(.outcome == "fail")] | length > 0 and all(.verdict == "unexpected")'
    verify --allow-unexpected
    assert_status 0
}

@test "a second stack comes to the same result" {
    verify --cross-check
    assert_status 0
    assert_json '[.verification.keys[] | select(.proof.cross_check)] | length >= 3 and all(.verdict == "proven")'
    # The twins share their ID, by which the second stack would have to choose: said, not guessed.
    assert_json '[.verification.keys[] | select(.id == "0210" and .class == "private-key")] | length == 2 and all(.reason | startswith("no cross-check"))'
    assert_no_secret
}

@test "a login that is missing at the destination is inconclusive, not green" {
    run_chsmctl keys verify --module "$SIM_MODULE" --directory "$(client chsm-fourth)" --login "cu1=file:$PINS/cu1.pin" -i "$BATS_FILE_TMPDIR/source.json" -o json
    assert_status 10
    assert_json '.verdict == "inconclusive" and (.verification.open | any(contains("cu2")))'
}

@test "without proofs the default bar is not reached" {
    verify --no-proofs
    assert_status 10
    verify --no-proofs --require present
    assert_status 0
}

@test "a wrong PIN is tried once, named with both readings, and never shown" {
    export CHSM_SIM_CALLS=$BATS_TEST_TMPDIR/calls.json PIN=cu1:wrong-one-77
    run_chsmctl keys inventory --module "$SIM_MODULE" --directory "$(client chsm-fourth)" --login cu1=env:PIN
    assert_status 6
    assert_stderr '0xa3'
    [[ $(jq .C_Login "$CHSM_SIM_CALLS") == 1 ]]
    KNOWN_SECRETS+=(wrong-one-77)
    assert_no_secret
}

@test "a PIN from the environment is not inherited by the library" {
    export PIN=cu1:user1234
    CHSM_SIM_QUIRKS=hang=C_FindObjects "$CHSMCTL" keys inventory --module "$SIM_MODULE" --directory "$(client chsm-fourth)" --login cu1=env:PIN \
        --module-timeout 3s >/dev/null 2>&1 3>&- &
    sleep 1.5
    worker=$(pgrep -P $!)
    [[ -n $worker ]]
    if grep -q user1234 "/proc/$worker/environ"; then fail "the library inherits the PIN"; fi
    wait || true
}

@test "a PIN on the command line is refused and not repeated" {
    run_chsmctl keys inventory --module "$SIM_MODULE" --login cu1=user1234
    assert_status 2
    assert_stderr 'NAME=SOURCE'
    [[ $output$stderr != *user1234* ]]
}

@test "an inventory that was edited is refused" {
    sed 's/"label":"payroll-signing"/"label":"payroll-forged"/' "$BATS_FILE_TMPDIR/source.json" >"$BATS_TEST_TMPDIR/edited.json"
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-fourth) -i "$BATS_TEST_TMPDIR/edited.json"
    assert_status 3
    assert_stderr 'was changed'
}

@test "the cluster that the inventory came from is no destination" {
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json"
    assert_status 7
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json" --allow-same-cluster
    assert_status 0
}

@test "a library that hangs costs one clear error within its deadline" {
    CHSM_SIM_QUIRKS=hang=C_FindObjects verify --module-timeout 2s
    assert_status 8
    assert_stderr C_FindObjects
}

@test "a library that crashes costs one clear error" {
    CHSM_SIM_QUIRKS=crash=C_GetAttributeValue verify
    assert_status 6
    assert_stderr C_GetAttributeValue
}

@test "a crash in C_Finalize is a warning, the result stands" {
    CHSM_SIM_QUIRKS=crash=C_Finalize verify
    assert_status 0
    assert_stderr C_Finalize
}

@test "noise on stdout does not reach the result" {
    CHSM_SIM_QUIRKS=noise verify
    assert_status 0
    assert_json '.verdict == "verified"'
}

@test "a daemon that is down is named" {
    CHSM_SIM_QUIRKS=daemon-down verify
    assert_status 6
    assert_stderr CKR_GENERAL_ERROR
}

@test "strict templates, short batches and private EC keys without a point change no verdict" {
    CHSM_SIM_QUIRKS=template-strict,find-short-batches,ec-private-no-point verify
    assert_status 0
}

@test "a search that does not end, or an object that vanishes, is inconclusive and never missing" {
    CHSM_SIM_QUIRKS=find-vanishing verify
    assert_status 10
    assert_json '.verification.totals.missing == 0'
    CHSM_SIM_QUIRKS=find-endless verify
    [[ $status == 10 || $status == 6 ]]
    [[ $output != *'"verified"'* ]]
}

@test "a key that the HSM refuses to use is unproven, not verified" {
    CHSM_SIM_QUIRKS=error=C_Sign:0x30 verify
    [[ $status == 10 || $status == 6 ]]
    [[ $output != *'"verdict": "verified"'* ]]
}

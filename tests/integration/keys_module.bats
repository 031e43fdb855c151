#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How a library is chosen, started, read and ended: URIs, several sessions, logins of others, ends that go wrong.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib

setup_file() {
    private_world
    export SIM_DIR="$BATS_FILE_TMPDIR/sim" CHSM_SIM_DIR="$BATS_FILE_TMPDIR/sim" PIN_FILE="$BATS_FILE_TMPDIR/cu1.pin"
    export CHSM_SIM_RESOURCE_CFG="$SIM_DIR/clusters/chsm-source/azcloudhsm_resource.cfg"
    "$CHSM_SIM" seed --dir "$SIM_DIR" "$abs_top_srcdir/tests/integration/sim_module.yaml"
    printf cu1:user1234 >"$PIN_FILE"
}

# inventory OPTION...: of cu1 into inventory.json
inventory() {
    run_chsmctl keys inventory --login "cu1=file:$PIN_FILE" --no-proofs -f "$BATS_TEST_TMPDIR/inventory.json" "$@"
}

listed() {
    assert_status 0
    [[ $(jq '[.sections[].records[]] | length' "$BATS_TEST_TMPDIR/inventory.json") == 9 ]]
}

@test "several sessions list what one lists, in the same order" {
    inventory --module "$SIM_MODULE" --jobs 1
    listed
    jq -S 'del(.created, .content_sha256)' "$BATS_TEST_TMPDIR/inventory.json" >"$BATS_TEST_TMPDIR/one.json"
    for jobs in 2 8 64; do
        inventory --module "$SIM_MODULE" --jobs "$jobs"
        listed
        cmp "$BATS_TEST_TMPDIR/one.json" <(jq -S 'del(.created, .content_sha256)' "$BATS_TEST_TMPDIR/inventory.json")
    done
    inventory --module "$SIM_MODULE" --jobs 65
    assert_status 2
}

@test "a token without a second session is read with one" {
    CHSM_SIM_QUIRKS=error=C_OpenSession:0xb1:2 inventory --module "$SIM_MODULE" --jobs 2
    listed
}

@test "what a helper's session cannot read, the main session reads" {
    export CHSM_SIM_QUIRKS=error=C_GetAttributeValue:0x30:60
    inventory --module "$SIM_MODULE" --jobs 4
    listed
}

@test "several keys are asked at once, with the same result, and a call that hangs is named" {
    local jobs hsm=(--module "$SIM_MODULE" --login "cu1=file:$PIN_FILE")

    run_chsmctl keys inventory "${hsm[@]}" --jobs 8 -f "$BATS_TEST_TMPDIR/asked.json"
    assert_status 0
    for jobs in 1 2 8; do
        run_chsmctl keys verify "${hsm[@]}" --jobs "$jobs" -i "$BATS_TEST_TMPDIR/asked.json" -o json
        assert_json '[.verification.keys[] | select(.verdict == "proven")] | length >= 4'
        jq -S '[.verification.keys[] | [.class, .id, .label, .verdict]] | sort' <<<"$output" >"$BATS_TEST_TMPDIR/verdicts.$jobs"
        cmp "$BATS_TEST_TMPDIR/verdicts.1" "$BATS_TEST_TMPDIR/verdicts.$jobs"
    done
    # Refusals that may be the helper's session's fault are asked again on the main one, which is refused, too.
    CHSM_SIM_QUIRKS=error=C_Sign:0x101 run_chsmctl keys verify "${hsm[@]}" --jobs 8 -i "$BATS_TEST_TMPDIR/asked.json" -o json
    assert_json '[.verification.keys[] | select(.class == "private-key" and .verdict == "proven")] | length == 0'
    CHSM_SIM_QUIRKS=hang=C_Sign run_chsmctl keys verify "${hsm[@]}" --module-timeout 2s --jobs 8 -i "$BATS_TEST_TMPDIR/asked.json" -o json
    assert_status 8
    assert_stderr C_Sign
}

@test "a session that is lost and comes back costs a second listing, not the result" {
    for jobs in 1 4; do
        CHSM_SIM_QUIRKS=error=C_GetAttributeValue:0xb3:30,error=C_GetSessionInfo:0xb3:2 inventory --module "$SIM_MODULE" --jobs "$jobs"
        listed
    done
    [[ $(jq '.sections[0].complete' "$BATS_TEST_TMPDIR/inventory.json") == true ]]
    CHSM_SIM_QUIRKS=error=C_GetAttributeValue:0xb3,error=C_GetSessionInfo:0xb3 inventory --module "$SIM_MODULE" --module-timeout 20s
    assert_status 10
    [[ $(jq '.sections[0].complete' "$BATS_TEST_TMPDIR/inventory.json") == false ]]
}

@test "a URI chooses library, token and PIN" {
    local uri="pkcs11:token=cavium;slot-id=1?module-path=$SIM_MODULE&pin-source=file:$PIN_FILE"

    run_chsmctl keys inventory --uri "$uri" --login cu1=uri --no-proofs -f "$BATS_TEST_TMPDIR/inventory.json"
    listed
    inventory --module "$SIM_MODULE" --uri 'pkcs11:token=another'
    assert_status 6
    assert_stderr 'no initialised token fits the URI'
    inventory --module "$SIM_MODULE" --serial 0000
    assert_status 6
    assert_stderr 'serial number "0000"'
}

@test "a URI that says more than is understood is refused, and its PIN is not repeated" {
    local uri

    for uri in 'pkcs11:tokn=cavium' 'pkcs11:token=cavium;object=key' 'pkcs11:token=cavium;id=%01' 'pkcs11:x?module-name=softhsm2' 'file:/x' \
        'pkcs11:token=cavium?pin-value=geheim77' 'pkcs11:token=cavium?pin-source=relative'; do
        inventory --module "$SIM_MODULE" --uri "$uri"
        assert_status 2
        [[ $output$stderr != *geheim77* ]]
    done
    inventory --module "$SIM_MODULE" --uri 'pkcs11:token=cavium' --slot 1
    assert_status 2
}

@test "another program's login is an error, unless it is accepted, and then it is said" {
    CHSM_SIM_QUIRKS=already-logged-in=cu2 inventory --module "$SIM_MODULE"
    assert_status 6
    assert_stderr CKR_USER_ALREADY_LOGGED_IN
    CHSM_SIM_QUIRKS=already-logged-in=cu2 inventory --module "$SIM_MODULE" --accept-shared-login
    assert_status 0
    assert_stderr 'cannot be known'
    [[ $(jq -r '.sections[0].token.login' "$BATS_TEST_TMPDIR/inventory.json") == "another program's"* ]]
    # cu2's keys, not cu1's.
    [[ $(jq '[.sections[].records[] | select(.label == "wrapping")] | length' "$BATS_TEST_TMPDIR/inventory.json") == 0 ]]
}

@test "parameters for C_Initialize reach the library" {
    inventory --module "$SIM_MODULE" --module-init nonsense
    assert_status 6
    assert_stderr 'C_Initialize: CKR_ARGUMENTS_BAD'
}

@test "a library that hangs or dies in C_Finalize has given its result before" {
    CHSM_SIM_QUIRKS=crash=C_Finalize inventory --module "$SIM_MODULE"
    listed
    assert_stderr C_Finalize
    CHSM_SIM_QUIRKS=hang=C_Finalize inventory --module "$SIM_MODULE"
    listed
    assert_stderr C_Finalize
}

@test "Ctrl-C at the prompt for a PIN is an interrupt" {
    command -v script >/dev/null || skip "script is not installed"
    interrupted 'PIN of cu1' keys list --module "$SIM_MODULE" --login cu1=prompt
    grep -q 'PIN of cu1 (prompt): interrupted' "$BATS_TEST_TMPDIR/interrupted"
}

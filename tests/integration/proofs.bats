#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each kind of key proves itself in its way, and what doc/EVIDENCE.md says about checking it by hand is true: its commands are run.
# shellcheck disable=SC2154,SC2046  # status, output and stderr come from run; hsm gives words

load lib
load drill
load tokens

setup_file() {
    export CHSM_SIM_QUIRKS=mechanisms=all
    sim_start proofs.yaml
    pins
    export EVIDENCE="$BATS_FILE_TMPDIR/evidence"
    "$CHSMCTL" keys inventory $(hsm chsm-source) -f "$BATS_FILE_TMPDIR/source.json"
    "$CHSMCTL" backup start "${SOURCE[@]}" -u "$(container)" "${POLL[@]}" -o json >"$BATS_FILE_TMPDIR/backup.json"
    "$CHSMCTL" restore start -g rg-destination -n chsm-destination -u "$(container)" "${POLL[@]}" \
        --backup-id "$(jq -er .backupId "$BATS_FILE_TMPDIR/backup.json")" --source-cluster chsm-source --source-group rg-source
    "$CHSMCTL" cluster wait -g rg-destination -n chsm-destination --activation Active "${POLL[@]}"
    "$CHSMCTL" keys verify $(hsm chsm-destination) -i "$BATS_FILE_TMPDIR/source.json" --evidence "$EVIDENCE" || [[ $? == 10 ]]
}

# One login only.
hsm() {
    echo --module "$SIM_MODULE" --directory "$(client "$1")" --login "cu1=file:$PINS/cu1.pin"
}

teardown_file() {
    sim_stop
}

setup() {
    cp "$EVIDENCE"/* "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || return
}

# holds JQ: of the report
holds() {
    jq -e "$1" report.json >/dev/null || fail "not so: $1" "$(jq -c '.verification.keys[] | [.id, .label, .verdict, .reason, .proof.kind]' report.json)"
}

# by_hand ID MARK...: runs the marked commands of the manual for the private key with this ID
by_hand() {
    local id=$1 mark script="$BATS_TEST_TMPDIR/by-hand.sh"

    shift
    for mark; do
        sed -n "/^<!-- check:$mark -->\$/,/^<!-- check:end -->\$/p" "$abs_top_srcdir/doc/EVIDENCE.md" | sed '/^<!--/d; /^```/d'
    done | sed "s,/tmp/,$BATS_TEST_TMPDIR/by-hand.,g; s/\"0101\"/\"$id\"/" >"$script"
    [[ $(wc -l <"$script") -ge $# ]] || fail "the manual has no commands for: $*"
    run bash -e "$script"
}

@test "every key gives the proof that it was made for" {
    holds '.verification.keys | map(select(.class != "public-key" and .label != "none")) | length == 29 and all(.verdict == "proven" and .proof.kind == .label)'
}

@test "a key that can prove nothing says why, and the run is open" {
    holds '.verification.verdict == "inconclusive"'
    # The source could not record a question: each refusal is named.
    holds '.verification.keys[] | select(.id == "0501") | .verdict == "intact" and (.reason | test("no challenge was recorded at the source.*CKR_MECHANISM.* to aes-cbc-unwrap-hmac, aes-ecb-unwrap-hmac"))'
    holds '.verification.keys[] | select(.id == "0502" and .class == "private-key") | .verdict == "unproven" and (.reason | test("CKR_MECHANISM_INVALID.* to rsa-pkcs1-sha256-sign, rsa-pss-sha256-sign .the key allows .* only"))'
}

@test "nothing was left in the token" {
    holds '.verification.open == []'
}

@test "RSA signatures by hand" {
    by_hand 0101 begin rsa-pkcs1-sha256-sign
    [[ $status == 0 && $output == *"chsmctl/proof/v1"*"Verified OK"* ]] || fail "$output"
    by_hand 0102 begin rsa-pss-sha256-sign
    [[ $status == 0 && $output == *"Verified OK"* ]] || fail "$output"
    by_hand 0103 begin rsa-pss-sha256-sign
    [[ $status == 0 && $output == *"Verified OK"* ]] || fail "$output"
    # The commands can fail: another key's signature.
    by_hand 0103 begin rsa-pkcs1-sha256-sign
    [[ $status != 0 ]] || fail "$output"
}

@test "ECDSA signatures by hand" {
    local id

    for id in 0201 0202 0203 0204; do
        by_hand $id begin ecdsa-sha256-sign
        [[ $status == 0 && $output == *"Verified OK"* ]] || fail "$id: $output"
    done
    jq '(.verification.keys[] | select(.id == "0202" and .class == "private-key") | .proof.input) |= sub("..$"; "00")' report.json >changed.json
    mv changed.json report.json
    by_hand 0202 begin ecdsa-sha256-sign
    [[ $status != 0 ]] || fail "$output"
}

@test "EdDSA signatures by hand" {
    local id

    for id in 0301 0302; do
        by_hand $id begin eddsa-sign
        [[ $status == 0 && $output == *"Signature Verified Successfully"* ]] || fail "$id: $output"
    done
}

@test "two Edwards keys with one ID are told apart by their signatures" {
    holds '.verification.keys | map(select(.id == "0303" and .class == "private-key")) | length == 2 and (map(.proof.fingerprint) | unique | length == 2)'
    jq -e '[.sections[].records[] | select(.id == "0303" and .class == "private-key") | .spki_from] == ["proven-half", "proven-half"]' inventory-source.json
    jq -e '[.sections[].records[] | select(.id == "" and .class == "private-key") | .spki_from] == ["proven-half", "proven-half", "proven-half", "proven-half"]' inventory-source.json
}

@test "secret keys by hand" {
    by_hand - secret
    [[ $status == 0 && $(grep -c ' OK$' <<<"$output") == 9 && $output != *WRONG* ]] || fail "$output"
}

@test "decryption by hand" {
    local id

    for id in 0104 0105 0106; do
        by_hand $id begin rsa-decrypt
        [[ $status == 0 && $output == *"same question"*true* ]] || fail "$id: $output"
    done
}

@test "key agreement by hand" {
    by_hand 0205 begin ecdh-hmac-sha256
    [[ $status == 0 ]] || fail "$output"
    # The last two lines are the answer as anybody computes it, and the HSM's.
    [[ $(tail -n 2 <<<"$output" | sort -u | wc -l) == 1 && $(tail -n 1 <<<"$output") =~ ^[0-9a-f]{64}$ ]] || fail "$output"
}

# On a token of its own: a library that says that it has destroyed a session object, and has not.
@test "what a proof leaves in the token makes the run inconclusive" {
    local softhsm odd="$abs_top_builddir/tests/unit/.libs/p11_odd.so" options

    library softhsm libsofthsm2.so
    [[ -e $odd ]] || fail "it is built by make check"
    mkdir tokens
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$PWD/tokens" >softhsm2.conf
    export SOFTHSM2_CONF="$PWD/softhsm2.conf"
    softhsm2-util --init-token --free --label own --so-pin 12345678 --pin Proof.1234
    printf Proof.1234 >pin
    ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" "$abs_top_builddir/tests/integration/token_keys" "$softhsm" "" own pin make ecdh 0101 agreement
    options=(--module "$odd" --token-label own --login "own=file:pin" -o json)
    run_chsmctl keys inventory "${options[@]}" -f source.json
    assert_status 0
    run_chsmctl keys verify "${options[@]}" -i source.json
    assert_status 0
    assert_json '.verification.open == []'
    P11_ODD=keep run_chsmctl keys verify "${options[@]}" -i source.json
    assert_status 10
    assert_json '.verification.open | length == 1 and (.[0] | test("2 keys before the proofs and 3 after them"))'
    assert_json '[.verification.keys[] | select(.class == "private-key")] | all(.verdict == "proven")'
}

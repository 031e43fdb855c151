# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The same keys in tokens of other makers. Load it after lib. A "restore" is a copy of the token's files.
#
#   token KIND     chooses it for this test: skips when it is not installed, makes the source once, restores a destination

RSA_SIGN=0101 RSA_DECRYPT=0102 EC_SIGN=0201 ECDH=0202 AES=0301 HMAC=0401
LONG_ID=$(printf 'ab%.0s' {1..300})

# library VARIABLE NAME: sets it to where Debian or another distribution has that library
library() {
    local at

    for at in /usr/lib/*-linux-gnu*/pkcs11/"$2" /usr/lib/*-linux-gnu*/"$2" /usr/lib/softhsm/"$2" /usr/lib64/pkcs11/"$2" /usr/lib64/"$2" /usr/lib/"$2"; do
        [[ ! -e $at ]] || { printf -v "$1" %s "$at"; return 0; }
    done
    skip "$2 is not installed"
}

# in_token STORE COMMAND...: where that token can be used. Sanitizers find nothing of ours in a foreign library's leaks.
in_token() {
    env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" "$BASH" "$abs_top_srcdir/tests/integration/token_world.sh" "$KIND" "$@" 3>&- </dev/null
}

# init_string: what C_Initialize is told
init_string() {
    [[ $KIND != nss ]] || echo "configdir='sql:$DESTINATION/tokens' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
}

# keys ACTION...: by token_keys, in the destination
keys() {
    in_token "$DESTINATION" "$abs_top_builddir/tests/integration/token_keys" "$MODULE" "$(init_string)" "$TOKEN_LABEL" "$PIN" "$@"
}

# on_token WORD... -- OPTION...: chsmctl on the destination
on_token() {
    local words=() wrapper=$BATS_TEST_TMPDIR/chsmctl program=$CHSMCTL
    local CHSMCTL=$wrapper

    while [[ $1 != -- ]]; do
        words+=("$1")
        shift
    done
    shift
    words+=(--module "$MODULE" --token-label "$TOKEN_LABEL" --login "operator=file:$PIN")
    [[ $KIND != nss ]] || words+=(--module-init "$(init_string)")
    {
        echo '#!/bin/sh'
        printf '%q ' exec "$BASH" "$abs_top_srcdir/tests/integration/token_world.sh" "$KIND" "$DESTINATION" "$program"
        echo '"$@"'
    } >"$wrapper"
    chmod +x "$wrapper"
    run_chsmctl "${words[@]}" "$@"
}

token_proxy() {
    library MODULE p11-kit-proxy.so
    softhsm_token
    in_token "$DESTINATION" p11-kit list-modules 2>/dev/null | grep -q "token: $TOKEN_LABEL\$" || skip "p11-kit is not configured for SoftHSM here"
}

token_remote() {
    library MODULE p11-kit-client.so
    p11-kit server --help >/dev/null 2>&1 || skip "p11-kit server is not installed"
    softhsm_token
}

softhsm_token() {
    TOKEN_LABEL=drill
    printf Drill.1234 >"$PIN"
    # Through the proxy's world, so that no server is needed for it.
    KIND=proxy in_token "$DESTINATION" softhsm2-util --init-token --free --label "$TOKEN_LABEL" --so-pin 12345678 --pin Drill.1234
}

token_nss() {
    library MODULE libsoftokn3.so
    TOKEN_LABEL='NSS Certificate DB'
    command -v certutil >/dev/null || skip "certutil (libnss3-tools) is not installed"
    printf 'Drill.1234' >"$PIN"
    certutil -N -d "sql:$DESTINATION/tokens" -f "$PIN"
}

# The default PINs have to be changed before the token works at all.
token_opencryptoki() {
    local rc=0

    library MODULE libopencryptoki.so
    TOKEN_LABEL=drill
    printf 24681357 >"$PIN"
    # shellcheck disable=SC2016  # expanded inside
    in_token "$DESTINATION" "$BASH" -ec 'echo drill | pkcsconf -I -c 3 -S 87654321
        pkcsconf -P -c 3 -S 87654321 -n 76543210
        pkcsconf -u -c 3 -S 76543210 -n "$(<"$0")"' "$PIN" >"$TOKEN/log" 2>&1 || rc=$?
    [[ $rc != 77 ]] || skip "$(tail -n 1 "$TOKEN/log")"
    [[ $rc == 0 ]] || fail "opencryptoki's token cannot be made:" "$(<"$TOKEN/log")"
}

# The source: empty and long IDs, which not every library takes the same way, are among its keys.
make_source() {
    local words=(make rsa-sign "$RSA_SIGN" rsa-sign make rsa-decrypt "$RSA_DECRYPT" rsa-decrypt make aes "$AES" aes make hmac "$HMAC" hmac
        make aes '' without-id make aes "$LONG_ID" long-id)

    mkdir -p "$DESTINATION/tokens"
    "token_$KIND"
    # opencryptoki's token has no elliptic curves; what p11-kit's protocol cannot carry has a test of its own.
    [[ $KIND != opencryptoki ]] || EC_SIGN=''
    [[ -z $EC_SIGN ]] || words+=(make ec-sign "$EC_SIGN" ec-sign)
    [[ $KIND == opencryptoki || $KIND == remote ]] || words+=(make ecdh "$ECDH" ecdh)
    keys "${words[@]}"
    on_token keys inventory -- --file "$TOKEN/source.json"
    assert_status 0
    mv "$DESTINATION" "$TOKEN/source"
    printf '%s=%q\n' MODULE "$MODULE" TOKEN_LABEL "$TOKEN_LABEL" EC_SIGN "$EC_SIGN" >"$TOKEN/made"
}

token() {
    KIND=$1 TOKEN=$BATS_FILE_TMPDIR/$1
    DESTINATION=$BATS_TEST_TMPDIR/destination PIN=$TOKEN/pin
    private_world
    mkdir -p "$TOKEN"
    library SOFTHSM_MODULE libsofthsm2.so
    export SOFTHSM_MODULE
    [[ -e $TOKEN/made ]] || make_source
    # shellcheck source=/dev/null
    source "$TOKEN/made"
    cp -a "$TOKEN/source" "$DESTINATION"
}

# verify [OPTION...]: the restored token against the source's inventory
verify() {
    on_token keys verify -- --inventory "$TOKEN/source.json" -o json "$@"
}

# proved ID [LABEL]: the private or secret key has shown that it is the source's
proved() {
    assert_json "[.verification.keys[] | select(.id == \"$1\" and .class != \"public-key\")] | length == 1 and .[0].verdict == \"proven\" and .[0].proof.answer != null"
}

# survived: all keys are proven, public halves intact, and nothing was changed by asking them
survived() {
    local id before after

    token "$1"
    before=$(jq -r .fingerprint "$TOKEN/source.json")
    verify
    assert_status 0
    assert_json '.verdict == "verified"'
    assert_json '.verification.keys | all(.verdict == if .class == "public-key" then "intact" else "proven" end)'
    for id in "$RSA_SIGN" "$RSA_DECRYPT" "$AES" "$HMAC" '' "$LONG_ID"; do proved "$id"; done
    [[ -z $EC_SIGN ]] || proved "$EC_SIGN"
    [[ $KIND == opencryptoki || $KIND == remote ]] || proved "$ECDH"
    assert_json "[.verification.keys[] | select(.id == \"$RSA_DECRYPT\") | .proof.kind // empty] | length == 1 and (.[0] | endswith(\"decrypt\"))"
    on_token keys inventory -- --file "$BATS_TEST_TMPDIR/after.json"
    after=$(jq -r .fingerprint "$BATS_TEST_TMPDIR/after.json")
    [[ $before == "$after" && -n $after ]] || fail "the token has changed: $before, $after"
    KNOWN_SECRETS+=("$(<"$PIN")")
    assert_no_secret "$TOKEN/source.json" "$BATS_TEST_TMPDIR/after.json"
}

# agreed KIND: libp11 and OpenSSL sign with the same keys, on the same token
agreed() {
    token "$1"
    verify --cross-check
    assert_status 0
    assert_json '.verdict == "verified"'
    assert_json "[.verification.keys[] | select(.proof.cross_check) | .id] | sort == ([\"$RSA_SIGN\", \"$EC_SIGN\"] | map(select(. != \"\")))"
}

# wrong_pin KIND
wrong_pin() {
    token "$1"
    PIN=$BATS_TEST_TMPDIR/wrong
    printf 'wrong77' >"$PIN"
    verify
    assert_status 6
    assert_stderr 'C_Login: CKR_PIN_INCORRECT'
    [[ -z $output ]] || fail "a report after a failed login:" "$output"
    KNOWN_SECRETS+=(wrong77)
    assert_no_secret
}

# only CLASS ID VERDICT: the run failed, for this one object and no other
only() {
    assert_status 1
    assert_json '.verdict == "failed"'
    assert_json "[.verification.keys[] | select(.outcome == \"fail\")] | length == 1 and .[0].class == \"$1\" and .[0].id == \"$2\" and .[0].verdict == \"$3\""
}

# replaced KIND-OF-KEY ID: another key of the same name, type, use and label is found to be another one, in both halves
replaced() {
    keys destroy all "$2" make "$1" "$2" "$1"
    verify
    assert_status 1
    assert_json '.verdict == "failed"'
    assert_json "[.verification.keys[] | select(.outcome != \"pass\")] | length > 0 and all(.id == \"$2\" and .verdict == \"impostor\" and .outcome == \"fail\")"
    assert_json "[.verification.keys[] | select(.id == \"$2\")] | all(.verdict == \"impostor\")"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Sign-in with a certificate whose key does not leave its PKCS#11 token (SoftHSM), through libp11.

load lib
load sim
load login

setup_file() {
    sim_start login.yaml
    softhsm_module
}

teardown_file() {
    sim_stop
}

softhsm_module() {
    local m

    for m in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/softhsm/libsofthsm2.so; do
        [[ ! -e $m ]] || export SOFTHSM=$m
    done
    [[ -n ${SOFTHSM:-} ]] || fail "there is no libsofthsm2.so"
}

setup() {
    no_login
    make_token
}

# A token "signer" with the key and certificate of login.crt; PIN 24681357 in the file pin.
make_token() {
    export SOFTHSM2_CONF="$BATS_TEST_TMPDIR/softhsm2.conf"
    mkdir -p "$BATS_TEST_TMPDIR/tokens"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$BATS_TEST_TMPDIR/tokens" >"$SOFTHSM2_CONF"
    softhsm2-util --init-token --free --label signer --pin 24681357 --so-pin 87654321 >/dev/null
    make_certificate login
    softhsm2-util --import "$BATS_TEST_TMPDIR/login.key" --token signer --label sign-in --id 0a01 --pin 24681357 --no-public-key >/dev/null 2>&1 ||
        softhsm2-util --import "$BATS_TEST_TMPDIR/login.key" --token signer --label sign-in --id 0a01 --pin 24681357 >/dev/null
    openssl x509 -in "$BATS_TEST_TMPDIR/login.crt" -outform DER -out "$BATS_TEST_TMPDIR/login.der"
    pkcs11-tool --module "$SOFTHSM" --token-label signer --login --pin 24681357 --write-object "$BATS_TEST_TMPDIR/login.der" --type cert \
        --id 0a01 --label sign-in >/dev/null 2>&1
    printf 24681357 >"$BATS_TEST_TMPDIR/pin"
    KNOWN_SECRETS+=(24681357)
}

# key_uri [QUERY]: the URI of the key, with module-path and pin-source if not told otherwise
key_uri() {
    echo "pkcs11:token=signer;object=sign-in;type=private?module-path=$SOFTHSM${1-&pin-source=file:$BATS_TEST_TMPDIR/pin}"
}

@test "PS256 with key and certificate in the token" {
    register login
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(key_uri)"
    run_chsmctl login show --debug --record "$BATS_TEST_TMPDIR/record" -o json
    assert_status 0
    assert_no_secret "$BATS_TEST_TMPDIR/record"
    shows environment "client certificate, key in a PKCS#11 token"
    assert_json ".object == \"$OBJECT\" and .application == \"$CLIENT\" and .audience == \"https://management.core.windows.net\""
}

@test "RS256 on request" {
    register login
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(key_uri)" CHSMCTL_CLIENT_ASSERTION_ALG=RS256
    shows environment "client certificate, key in a PKCS#11 token"
}

@test "the certificate from a PEM file, its chain sent along, the PIN from the environment, the library from CHSMCTL_MODULE" {
    register login
    as_application AZURE_CLIENT_CERTIFICATE_PATH="pkcs11:token=signer;id=%0a%01" CHSMCTL_CLIENT_CERTIFICATE="$BATS_TEST_TMPDIR/login.crt" \
        AZURE_CLIENT_CERTIFICATE_PASSWORD=24681357 AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true CHSMCTL_MODULE="$SOFTHSM"
    shows environment "client certificate, key in a PKCS#11 token"
}

@test "a token that forbids raw RSA: PS256 says why, RS256 works, and nothing is switched in silence" {
    register login
    openssl rsa -in "$BATS_TEST_TMPDIR/login.key" -outform DER -out "$BATS_TEST_TMPDIR/login.key.der" 2>/dev/null
    pkcs11-tool --module "$SOFTHSM" --token-label signer --login --pin 24681357 --write-object "$BATS_TEST_TMPDIR/login.key.der" --type privkey \
        --id 0b --label narrow --usage-sign --allowed-mechanisms RSA-PKCS >/dev/null 2>&1
    as_application AZURE_CLIENT_CERTIFICATE_PATH="pkcs11:token=signer;object=narrow?module-path=$SOFTHSM&pin-source=file:$BATS_TEST_TMPDIR/pin" \
        CHSMCTL_CLIENT_CERTIFICATE="$BATS_TEST_TMPDIR/login.crt"
    mark
    refused_with 6 "could not sign with the key (RSA-PSS)" "CHSMCTL_CLIENT_ASSERTION_ALG=RS256 needs CKM_RSA_PKCS only"
    [[ $(asked '.service == "login"') == 0 ]]
    CHSMCTL_CLIENT_ASSERTION_ALG=RS256 shows environment "client certificate, key in a PKCS#11 token"
}

@test "a real command goes on with it" {
    register login
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(key_uri)" AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    run_chsmctl cluster show -g rg-source -n chsm-source -o json
    assert_status 0
    assert_json '.name == "chsm-source"'
    assert_no_secret
}

@test "a certificate of another key is noticed here, and nothing is sent" {
    make_certificate other
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(key_uri)" CHSMCTL_CLIENT_CERTIFICATE="$BATS_TEST_TMPDIR/other.crt"
    mark
    refused_with 3 "do not belong together"
    [[ $(asked '.service == "login"') == 0 ]]
}

@test "a certificate that is not registered is refused by the service, with a remedy" {
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(key_uri)"
    refused_with 4 AADSTS700027 "trace id" "upload its public part"
}

@test "a wrong PIN is tried once" {
    register login
    printf 11111111 >"$BATS_TEST_TMPDIR/pin"
    KNOWN_SECRETS+=(11111111)
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(key_uri)"
    mark
    refused_with 6 "could not log in: PIN incorrect"
    [[ $(asked '.service == "login"') == 0 ]]
    pkcs11-tool --module "$SOFTHSM" --list-token-slots | grep -q "user PIN count low"
    ! pkcs11-tool --module "$SOFTHSM" --list-token-slots | grep -q "user PIN locked\|final user PIN try"
}

@test "a token that hangs does not hold the command beyond --timeout" {
    local quirk="$abs_top_builddir/tests/unit/.libs/p11_quirk.so" call began took

    [[ -e $quirk ]] || skip "$quirk is not built"
    register login
    as_application AZURE_CLIENT_CERTIFICATE_PATH="$(SOFTHSM=$quirk key_uri)"
    for call in C_Login C_Sign; do
        began=${EPOCHREALTIME/./}
        P11_FAULT=hang:$call run_chsmctl login show --timeout 2s
        took=$(((${EPOCHREALTIME/./} - began) / 1000))
        assert_status 8
        assert_stderr "$call"
        [[ $took -le 6000 ]] || fail "$call: $took ms" "$stderr"
    done
    assert_no_secret
}

@test "no such token, no such key, no PIN, a PIN in the URI" {
    register login
    as_application AZURE_CLIENT_CERTIFICATE_PATH="pkcs11:token=nobody;object=sign-in?module-path=$SOFTHSM&pin-source=file:$BATS_TEST_TMPDIR/pin"
    refused_with 6 "0 tokens fit"
    export AZURE_CLIENT_CERTIFICATE_PATH="pkcs11:token=signer;object=nobody?module-path=$SOFTHSM&pin-source=file:$BATS_TEST_TMPDIR/pin"
    refused_with 6 "0 private keys"
    AZURE_CLIENT_CERTIFICATE_PATH=$(key_uri "")
    refused_with 3 "pin-source"
    AZURE_CLIENT_CERTIFICATE_PATH=$(key_uri "&pin-value=24681357")
    refused_with 3 "a PIN does not belong into a URI"
    export AZURE_CLIENT_CERTIFICATE_PATH="pkcs11:token=signer;type=cert?module-path=$SOFTHSM"
    refused_with 3 "names no private key"
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# keys inventory and keys verify, unmodified, on tokens of other makers and through p11-kit's proxy and remote protocol.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load tokens

@test "opencryptoki: every key of a restored token is proven" { survived opencryptoki; }
@test "opencryptoki: a second stack comes to the same result" { agreed opencryptoki; }
@test "opencryptoki: a wrong PIN is an error and no empty list" { wrong_pin opencryptoki; }
@test "opencryptoki: a replaced signing key" { token opencryptoki; replaced rsa-sign $RSA_SIGN; }
@test "opencryptoki: a replaced decryption key" { token opencryptoki; replaced rsa-decrypt $RSA_DECRYPT; }
@test "opencryptoki: a replaced AES key" { token opencryptoki; replaced aes $AES; }
@test "opencryptoki: a replaced HMAC key" { token opencryptoki; replaced hmac $HMAC; }
@test "opencryptoki: a lost key" { token opencryptoki; keys destroy secret $AES; verify; only secret-key $AES missing; }
@test "opencryptoki: a lost half" { token opencryptoki; keys destroy private $RSA_SIGN; verify; only private-key $RSA_SIGN missing; }
@test "opencryptoki: a changed label" { token opencryptoki; keys relabel public $RSA_SIGN other; verify; only public-key $RSA_SIGN changed; }
@test "opencryptoki: an added key" { token opencryptoki; keys make aes 0999 other; verify; only secret-key 0999 unexpected; }


@test "NSS softokn: every key of a restored token is proven" { survived nss; }
@test "NSS softokn: a second stack comes to the same result" { agreed nss; }
@test "NSS softokn: a wrong PIN is an error and no empty list" { wrong_pin nss; }
@test "NSS softokn: a replaced signing key" { token nss; replaced rsa-sign $RSA_SIGN; }
@test "NSS softokn: a replaced decryption key" { token nss; replaced rsa-decrypt $RSA_DECRYPT; }
@test "NSS softokn: a replaced EC key" { token nss; replaced ec-sign $EC_SIGN; }
@test "NSS softokn: a replaced key agreement key" { token nss; replaced ecdh $ECDH; }
@test "NSS softokn: a replaced AES key" { token nss; replaced aes $AES; }
@test "NSS softokn: a replaced HMAC key" { token nss; replaced hmac $HMAC; }
@test "NSS softokn: a lost key" { token nss; keys destroy secret $AES; verify; only secret-key $AES missing; }
@test "NSS softokn: a lost half" { token nss; keys destroy private $RSA_SIGN; verify; only private-key $RSA_SIGN missing; }
@test "NSS softokn: a changed label" { token nss; keys relabel public $RSA_SIGN other; verify; only public-key $RSA_SIGN changed; }
@test "NSS softokn: an added key" { token nss; keys make aes 0999 other; verify; only secret-key 0999 unexpected; }

@test "NSS softokn: two tokens are no choice, and what it is told is not optional" {
    token nss
    TOKEN_LABEL=''
    run_chsmctl keys inventory --module "$MODULE" --module-init "$(init_string)" --login "operator=file:$PIN"
    assert_status 6
    assert_stderr '2 tokens fit'
    assert_stderr '"NSS Certificate DB"'
    run_chsmctl keys inventory --module "$MODULE" --login "operator=file:$PIN"
    assert_status 6
    assert_stderr 'C_Initialize: CKR_ARGUMENTS_BAD'
}

@test "p11-kit's proxy: every key of a restored token is proven" { survived proxy; }
@test "p11-kit's proxy: a second stack comes to the same result" { agreed proxy; }
@test "p11-kit's proxy: a wrong PIN is an error and no empty list" { wrong_pin proxy; }
@test "p11-kit's proxy: a replaced signing key" { token proxy; replaced rsa-sign $RSA_SIGN; }
@test "p11-kit's proxy: a replaced decryption key" { token proxy; replaced rsa-decrypt $RSA_DECRYPT; }
@test "p11-kit's proxy: a replaced EC key" { token proxy; replaced ec-sign $EC_SIGN; }
@test "p11-kit's proxy: a replaced key agreement key" { token proxy; replaced ecdh $ECDH; }
@test "p11-kit's proxy: a replaced AES key" { token proxy; replaced aes $AES; }
@test "p11-kit's proxy: a replaced HMAC key" { token proxy; replaced hmac $HMAC; }
@test "p11-kit's proxy: a lost key" { token proxy; keys destroy secret $AES; verify; only secret-key $AES missing; }
@test "p11-kit's proxy: a lost half" { token proxy; keys destroy private $RSA_SIGN; verify; only private-key $RSA_SIGN missing; }
@test "p11-kit's proxy: a changed label" { token proxy; keys relabel public $RSA_SIGN other; verify; only public-key $RSA_SIGN changed; }
@test "p11-kit's proxy: an added key" { token proxy; keys make aes 0999 other; verify; only secret-key 0999 unexpected; }

@test "p11-kit's remote protocol: every key of a restored token is proven" { survived remote; }
@test "p11-kit's remote protocol: a second stack comes to the same result" { agreed remote; }
@test "p11-kit's remote protocol: a wrong PIN is an error and no empty list" { wrong_pin remote; }
@test "p11-kit's remote protocol: a replaced signing key" { token remote; replaced rsa-sign $RSA_SIGN; }
@test "p11-kit's remote protocol: a replaced decryption key" { token remote; replaced rsa-decrypt $RSA_DECRYPT; }
@test "p11-kit's remote protocol: a replaced EC key" { token remote; replaced ec-sign $EC_SIGN; }
@test "p11-kit's remote protocol: a replaced AES key" { token remote; replaced aes $AES; }
@test "p11-kit's remote protocol: a replaced HMAC key" { token remote; replaced hmac $HMAC; }
@test "p11-kit's remote protocol: a lost key" { token remote; keys destroy secret $AES; verify; only secret-key $AES missing; }
@test "p11-kit's remote protocol: a lost half" { token remote; keys destroy private $RSA_SIGN; verify; only private-key $RSA_SIGN missing; }
@test "p11-kit's remote protocol: a changed label" { token remote; keys relabel public $RSA_SIGN other; verify; only public-key $RSA_SIGN changed; }
@test "p11-kit's remote protocol: an added key" { token remote; keys make aes 0999 other; verify; only secret-key 0999 unexpected; }

@test "p11-kit's remote protocol: a key whose proof it cannot carry leaves the run open" {
    token remote
    keys make ecdh $ECDH ecdh
    on_token keys inventory -- --file "$TOKEN/source.json"
    assert_status 0
    verify
    assert_status 10
    assert_json "[.verification.keys[] | select(.outcome != \"pass\")] | length == 1 and .[0].id == \"$ECDH\" and .[0].verdict == \"unproven\" and .[0].class == \"private-key\""
}

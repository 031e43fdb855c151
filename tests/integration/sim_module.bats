#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The simulated client library under programs that know nothing of it: pkcs11-tool and p11tool.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib

setup_file() {
    private_world
    export SIM_DIR="$BATS_FILE_TMPDIR/sim" CHSM_SIM_DIR="$BATS_FILE_TMPDIR/sim"
    export CHSM_SIM_RESOURCE_CFG="$SIM_DIR/clusters/chsm-source/azcloudhsm_resource.cfg"
    "$CHSM_SIM" seed --dir "$SIM_DIR" "$abs_top_srcdir/tests/integration/sim_module.yaml"
}

# tool ARGUMENT...: pkcs11-tool on the module, at most 20 s
tool() {
    run --separate-stderr foreign timeout -k 5 "${TOOL_TIMEOUT:-20}" pkcs11-tool --module "$SIM_MODULE" "$@" </dev/null
}

# objects: the sorted "class label" lines of what the last listing showed
objects() {
    awk '/ Object[;,]/ { class = $1 } /^  label:/ { sub(/^  label: */, ""); print class, $0 }' <<<"$output" | sort
}

expect_objects() {
    local want

    want=$(printf '%s\n' "$@" | sort)
    [[ $(objects) == "$want" ]] || fail "wanted:" "$want" "listed:" "$(objects)" "$stderr"
}

PUBLIC=("Public private-to-cu2" "Public signing" "Public tls")
CU1=("${PUBLIC[@]}" "Private signing" "Private tls" "Secret wrapping" "Secret derivation" "Certificate tls-certificate"
    "Secret shared-with-cu1")

@test "pkcs11-tool: one slot, one token" {
    tool -L
    assert_status 0
    [[ $(grep -c '^Slot ' <<<"$output") == 1 ]]
    assert_output "Slot 0 (0x1)"
    assert_output "token label        : cavium"
}

@test "before login there are public keys only" {
    tool -O
    assert_status 0
    expect_objects "${PUBLIC[@]}"
}

@test "a user sees its own and shared objects, and everybody's public keys" {
    tool --login --pin cu1:user1234 -O
    assert_status 0
    expect_objects "${CU1[@]}"
    tool --login --pin cu2:other5678 -O
    assert_status 0
    expect_objects "${PUBLIC[@]}" "Private private-to-cu2" "Secret shared-with-cu1"
}

# libp11-kit's own exit handler waits for ever in freelocale() when a sanitizer's runtime is preloaded, whatever module was
# used; the listing is complete by then, so that there the program is ended instead of waited for.
@test "p11tool lists the same" {
    local expected=0 i pid list="$BATS_TEST_TMPDIR/list"

    if [[ ${CHSM_SANITIZERS:-no} == yes ]]; then expected=143; fi
    # shellcheck disable=SC2016,SC2094  # the inner shell expands; two files
    foreign sh -c 'echo $$ >"$0.pid" && exec p11tool --provider="$1" --login --set-pin=cu1:user1234 --list-all --only-urls' \
        "$list" "$SIM_MODULE" 3>&- </dev/null >"$list" 2>&1 &
    pid=$!
    for ((i = 0; i < 200; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        [[ $expected == 0 || $(wc -l <"$list") -lt ${#CU1[@]} ]] || break
        sleep 0.1
    done
    kill "$(<"$list.pid")" 2>/dev/null || true
    wait "$pid" || [[ $? == "$expected" ]] || fail "p11tool failed:" "$(<"$list")"
    [[ $(grep -c '^pkcs11:.*token=cavium' "$list") == "${#CU1[@]}" ]] || fail "listed:" "$(<"$list")"
    grep -q 'id=%01%01;object=signing;type=private' "$list"
}

# verify KEY: what pkcs11-tool has just signed, with a public key in PEM
verify() {
    openssl dgst -sha256 -verify "$1" -signature "$BATS_TEST_TMPDIR/signature" "$BATS_TEST_TMPDIR/message"
}

@test "an RSA signature verifies outside with the public key that was read" {
    local dir=$BATS_TEST_TMPDIR

    printf 'a message' >"$dir/message"
    tool --read-object --type pubkey --id 0101 -o "$dir/key.der"
    assert_status 0
    tool --login --pin cu1:user1234 --sign -m SHA256-RSA-PKCS --id 0101 -i "$dir/message" -o "$dir/signature"
    assert_status 0
    openssl pkey -pubin -inform DER -in "$dir/key.der" -out "$dir/key.pem"
    verify "$dir/key.pem"
}

# The key comes from the certificate: pkcs11-tool 0.23 uses freed memory when it reads a public EC key.
@test "an EC signature verifies outside with the certificate of the same ID" {
    local dir=$BATS_TEST_TMPDIR

    printf 'a message' >"$dir/message"
    openssl dgst -sha256 -binary "$dir/message" >"$dir/digest"
    tool --login --pin cu1:user1234 --read-object --type cert --id 0201 -o "$dir/certificate.der"
    assert_status 0
    tool --login --pin cu1:user1234 --sign -m ECDSA --signature-format openssl --id 0201 -i "$dir/digest" -o "$dir/signature"
    assert_status 0
    openssl x509 -inform DER -in "$dir/certificate.der" -pubkey -noout >"$dir/key.pem"
    verify "$dir/key.pem"
}

@test "the check value of a pair is SHA-1 of its public key, that of a secret key is the token's" {
    local key="$BATS_TEST_TMPDIR/key" want

    printf 'cu1:user1234' >"$BATS_TEST_TMPDIR/pin"
    run_chsmctl keys inventory --module "$SIM_MODULE" --login "cu1=file:$BATS_TEST_TMPDIR/pin" -f "$BATS_TEST_TMPDIR/inventory.json"
    assert_status 0
    tool --read-object --type pubkey --id 0101 -o "$key"
    want=$(openssl dgst -sha1 "$key" | sed 's/.*= *//' | cut -c1-6)
    jq -e --arg want "$want" '[.. | objects | select(.id? == "0101" and .type? == "rsa") | .check_value] == [$want, $want]' \
        "$BATS_TEST_TMPDIR/inventory.json"
    jq -e '[.. | objects | select(.id? == "0303" or .id? == "0401") | .check_value | length] == [6, 6]' "$BATS_TEST_TMPDIR/inventory.json"
}

@test "a wrong password, user or form is the firmware's number, or another one on request" {
    local pin

    for pin in cu1:wrong1234 nobody:user1234 user1234 :user1234 cu1:; do
        tool --login --pin "$pin" -O
        assert_status 1
        assert_stderr "(0xa3)"
    done
    CHSM_SIM_QUIRKS=bad-login=0xa0 tool --login --pin cu1:wrong1234 -O
    assert_status 1
    assert_stderr "(0xa0)"
}

@test "only the mechanisms that the client library has" {
    tool -M
    assert_status 0
    assert_output "SHA256-RSA-PKCS,"
    assert_output "AES-ECB"
    refute_output CMAC
    refute_output "RSA-X-509"
    refute_output MD5
}

@test "what the library does not have is not supported" {
    tool --login --pin cu1:user1234 --change-pin --new-pin cu1:new12345
    assert_status 1
    assert_stderr CKR_FUNCTION_NOT_SUPPORTED
}

@test "a cluster that nobody answers for, or none at all, is CKR_GENERAL_ERROR" {
    printf '{"servers": [{"hostname": "hsm1.elsewhere.example"}]}' >"$BATS_TEST_TMPDIR/azcloudhsm_resource.cfg"
    CHSM_SIM_RESOURCE_CFG="$BATS_TEST_TMPDIR/azcloudhsm_resource.cfg" tool -L
    assert_status 1
    assert_stderr CKR_GENERAL_ERROR
    CHSM_SIM_QUIRKS=daemon-down tool -L
    assert_status 1
    assert_stderr CKR_GENERAL_ERROR
}

@test "the resource file of the working directory is read without the environment's" {
    cd "$SIM_DIR/clusters/chsm-source"
    unset CHSM_SIM_RESOURCE_CFG
    tool -L
    assert_status 0
}

@test "an unknown quirk starts nothing and is quoted" {
    local quirk

    for quirk in nois latency=fast hang=C_Nothing error=C_Login:0x0 error=C_Login noise,,noise session-lost sessions-max=0 \
        batch-lies=loudly batch-lies=bytes:data wrong-answer= slow=C_Sign search-busy; do
        CHSM_SIM_QUIRKS=$quirk tool -L
        assert_status 1
        assert_stderr "CHSM_SIM_QUIRKS: '"
    done
}

@test "quirks of searches: doubled, endless, with an object that vanished" {
    CHSM_SIM_QUIRKS=find-duplicates tool -O
    expect_objects "${PUBLIC[@]}" "${PUBLIC[@]}"
    CHSM_SIM_QUIRKS=find-vanishing tool -O
    assert_stderr CKR_OBJECT_HANDLE_INVALID
    [[ $(objects | grep -c ^Public) == 2 ]]
    TOOL_TIMEOUT=2 CHSM_SIM_QUIRKS=find-endless tool -O
    assert_status 124
    (($(objects | wc -l) > 3))
}

@test "quirks of calls: error, hang, crash, a count of them" {
    local calls="$BATS_TEST_TMPDIR/calls"

    CHSM_SIM_QUIRKS=error=C_Login:0x30 tool --login --pin cu1:user1234 -O
    assert_status 1
    assert_stderr "(0x30)"
    CHSM_SIM_QUIRKS=error=C_GetTokenInfo:0x30:100 tool -L
    assert_status 0
    TOOL_TIMEOUT=1 CHSM_SIM_QUIRKS=hang=C_OpenSession tool -O
    assert_status 124
    CHSM_SIM_QUIRKS=crash=C_Finalize CHSM_SIM_CALLS=$calls tool -O
    assert_status 134
    [[ ! -e $calls ]]
    CHSM_SIM_CALLS=$calls tool --login --pin cu1:user1234 -O
    jq -e '.C_Initialize == 1 and .C_Login == 1 and .C_Finalize == 1 and .C_FindObjects > 0 and (has("C_Sign") | not)' "$calls"
}

@test "quirks of sessions: read-only refused, somebody is logged in already, noise, latency" {
    CHSM_SIM_QUIRKS=ro-refused tool -O
    assert_status 1
    assert_stderr CKR_FUNCTION_FAILED
    CHSM_SIM_QUIRKS=already-logged-in=cu2 tool -O
    expect_objects "${PUBLIC[@]}" "Private private-to-cu2" "Secret shared-with-cu1"
    CHSM_SIM_QUIRKS=already-logged-in tool --login --pin cu2:other5678 -O
    assert_stderr CKR_USER_ALREADY_LOGGED_IN
    CHSM_SIM_QUIRKS=noise,latency=1 tool -L
    assert_status 0
    assert_output "SDK Version"
    assert_stderr "azcloudhsm_application.cfg is not present"
}

@test "handles differ from process to process, and are never those of small tokens" {
    local process

    for process in 1 2; do
        CHSM_SIM_HANDLES=$BATS_TEST_TMPDIR/handles.$process tool --login --pin cu1:user1234 -O
    done
    [[ $(sort -u "$BATS_TEST_TMPDIR"/handles.? | wc -l) == $((2 * ${#CU1[@]})) ]]
}

@test "thousands of objects are seeded as copies with IDs and labels of their own" {
    local dir="$BATS_TEST_TMPDIR/many" seed="$BATS_TEST_TMPDIR/many.yaml"

    sed '/users:/q' "$abs_top_srcdir/tests/integration/sim_module.yaml" >"$seed"
    cat >>"$seed" <<'EOF'
      - name: cu1
        password: user1234
        keys:
          - { kind: ec, curve: P-256, id: "00fffe", label: pair, count: 5200, clone: true }
          - { kind: aes, bits: 256, id: "020000", label: secret, count: 3, clone: true }
EOF
    "$CHSM_SIM" seed --dir "$dir" "$seed"
    export CHSM_SIM_DIR=$dir CHSM_SIM_RESOURCE_CFG="$dir/clusters/chsm-source/azcloudhsm_resource.cfg"
    printf 'cu1:user1234' >"$BATS_TEST_TMPDIR/pin"
    run_chsmctl keys inventory --module "$SIM_MODULE" --login "cu1=file:$BATS_TEST_TMPDIR/pin" -f "$BATS_TEST_TMPDIR/inventory.json"
    assert_status 0
    jq -e '[.. | objects | select(.id? and .label?)] | length == 10403 and ([.[] | .class + .id] | unique | length == 10403)
        and any(.[]; .id == "010001" and .label == "pair-0003" and .class == "private-key" and .attributes.private)' \
        "$BATS_TEST_TMPDIR/inventory.json"
    tool -O --type privkey
    expect_objects
}

# damaged KIND [ARGUMENT...]: damages a fresh copy of the cluster
damaged() {
    rm -rf "$BATS_TEST_TMPDIR/sim"
    cp -a "$SIM_DIR" "$BATS_TEST_TMPDIR/sim"
    export CHSM_SIM_DIR="$BATS_TEST_TMPDIR/sim" CHSM_SIM_RESOURCE_CFG="$BATS_TEST_TMPDIR/sim/clusters/chsm-source/azcloudhsm_resource.cfg"
    run "$CHSM_SIM" corrupt --dir "$BATS_TEST_TMPDIR/sim" chsm-source "$@"
}

# expect_id HEX OBJECT...: what the last listing showed with that ID
expect_id() {
    output=$(awk -v want="$1" '/ Object[;,]/ { class = $0 } /^  label:/ { label = $0 } /^  ID:/ && $2 == want { print class; print label }' <<<"$output")
    expect_objects "${@:2}"
}

@test "corrupt: attributes that lie are found by searches, too" {
    damaged change-attribute 0101 --class public --attribute id --value 0abc
    assert_status 0
    tool --read-object --type pubkey --id 0abc -o "$BATS_TEST_TMPDIR/key"
    assert_status 0
    tool --read-object --type pubkey --id 0101 -o "$BATS_TEST_TMPDIR/key"
    assert_status 1
    damaged change-attribute 0303 --attribute key-type --value 1500000000000000
    tool --login --pin cu1:user1234 -O
    grep -q 'Secret Key Object; DES3' <<<"$output"
}

@test "corrupt: what it cannot hit is an error" {
    damaged lose-key 7777
    assert_status 3
    damaged lose-private 0303
    assert_status 3
    damaged swap-public 0303
    assert_status 3
    damaged exchange 0101
    assert_status 2
    damaged change-attribute 0101 --attribute colour
    assert_status 2
    damaged lose-key 0101 --class green
    assert_status 2
    damaged lose-everything
    assert_status 2
}

@test "corrupt: a swapped half leaves the other one and adds none" {
    damaged swap-private 0201
    assert_status 0
    tool --login --pin cu1:user1234 -O
    expect_id 0201 "Public tls" "Private tls" "Certificate tls-certificate"
    damaged lose-public 0201
    run "$CHSM_SIM" corrupt --dir "$BATS_TEST_TMPDIR/sim" chsm-source swap-material 0201
    assert_status 0
    tool --login --pin cu1:user1234 -O
    expect_id 0201 "Private tls" "Certificate tls-certificate"
}

@test "quirks of sessions: lost, logged out, too many, a device that goes away" {
    CHSM_SIM_QUIRKS=sessions-max=1 tool --login --pin cu1:user1234 -O
    assert_status 0
    CHSM_SIM_QUIRKS=session-lost=12 tool --login --pin cu1:user1234 -O
    assert_stderr CKR_SESSION_HANDLE_INVALID
    CHSM_SIM_QUIRKS=device-removed=12 tool --login --pin cu1:user1234 -O
    assert_stderr CKR_DEVICE_REMOVED
    CHSM_SIM_QUIRKS=slots=3,no-label tool -L
    [[ $(grep -c '^Slot ' <<<"$output") == 3 ]]
    refute_output cavium
}

@test "quirks of answers: one attribute a call, lies, a key that wants the PIN again" {
    CHSM_SIM_QUIRKS=find-truncated tool -O
    (($(objects | wc -l) < ${#PUBLIC[@]}))
    CHSM_SIM_QUIRKS=always-authenticate tool --login --pin cu1:user1234 -O --type privkey
    assert_output "Access:     always authenticate"
    CHSM_SIM_QUIRKS=find-session-objects tool --login --pin cu1:user1234 -O
    (($(grep -c '^Secret Key Object' <<<"$output") == 4))
}

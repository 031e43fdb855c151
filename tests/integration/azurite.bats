#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What touches blobs, against Azurite, the emulator of Azure's storage. The accounts come from our own simulator, the blobs from there.
# Azurite checks of a token: its form, times, issuer and audience; not its signature, and no roles.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib

A=0e35c989-c582-4b3c-958d-596e4c4fe133
B=11111111-2222-4333-8444-555555555555
TENANT=11111111-1111-4111-8111-111111111111

# start_azurite PROGRAM: on a free port, with a certificate of its own; sets and exports BLOB
start_azurite() {
    local i cert="$BATS_FILE_TMPDIR/azurite.pem" key="$BATS_FILE_TMPDIR/azurite.key" log="$BATS_FILE_TMPDIR/azurite.log"

    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$key" -out "$cert" -days 2 -subj /CN=azurite -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    : >"$log"
    (cd "$BATS_FILE_TMPDIR" && exec node "$1" --oauth basic --cert "$cert" --key "$key" --inMemoryPersistence --blobHost 127.0.0.1 --blobPort 0 \
        --disableTelemetry) >"$log" 2>&1 3>&- </dev/null &
    export AZURITE_PID=$!
    for ((i = 0; i < 300; i++)); do
        BLOB=$(sed -n 's/.*successfully listens on \(https:[^ ]*\).*/\1/p' "$log")
        [[ -z $BLOB ]] || break
        sleep 0.1
    done
    export BLOB
    [[ -n $BLOB ]] || fail "azurite did not start:" "$(tail -n 20 "$log")"
}

# token [AUDIENCE [LIFETIME]]: an unsigned one
token() {
    local now claims

    now=$(date +%s)
    claims=$(jq -cn --argjson now "$now" --argjson life "${2:-3600}" --arg aud "${1:-https://storage.azure.com}" --arg tid "$TENANT" \
        '{aud: $aud, iss: "https://sts.windows.net/\($tid)/", iat: ($now - 7200), nbf: ($now - 7200), exp: ($now + $life), tid: $tid, oid: "66666666-6666-4666-8666-666666666666"}')
    echo "$(base64url '{"alg":"none","typ":"JWT"}').$(base64url "$claims").AAAA"
}

base64url() {
    printf '%s' "$1" | base64 -w 0 | tr '+/' '-_' | tr -d '='
}

# put PATH[?QUERY]...: makes containers and blobs, all of them over one connection
put() {
    local path args=()

    for path in "$@"; do
        args+=(--next --silent --show-error --fail --cacert "$BATS_FILE_TMPDIR/azurite.pem" --request PUT --output /dev/null --data ''
            --header "Authorization: Bearer $(token)" --header 'x-ms-version: 2022-11-02' --header 'Content-Type:' --header 'x-ms-blob-type: BlockBlob' "$BLOB/devstoreaccount1/$path")
    done
    curl "${args[@]:1}"
}

setup_file() {
    local program rc=0

    program=$(sh "$abs_top_srcdir/tests/azurite/fetch.sh" "$abs_top_builddir/_azurite" 2>"$BATS_FILE_TMPDIR/why") || rc=$?
    export NO_AZURITE=
    if [[ $rc == 1 ]]; then
        NO_AZURITE=$(<"$BATS_FILE_TMPDIR/why")
        return 0
    fi
    [[ $rc == 0 ]] || fail "$(<"$BATS_FILE_TMPDIR/why")"
    private_world
    start_azurite "$program"
    sed "s|@BLOB@|$BLOB|" "$abs_top_srcdir/tests/integration/azurite.yaml" >"$BATS_FILE_TMPDIR/azurite.yaml"
    sim_start "$BATS_FILE_TMPDIR/azurite.yaml"
    cat "$SSL_CERT_FILE" "$BATS_FILE_TMPDIR/azurite.pem" >"$BATS_FILE_TMPDIR/both.pem"
    export SSL_CERT_FILE="$BATS_FILE_TMPDIR/both.pem" AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    put 'backups?restype=container' 'empty?restype=container'
    put "backups/cloudhsm-$A-2025061314364592/part%20one" "backups/cloudhsm-$A-2025061314364592/part%20two" "backups/cloudhsm-$B-2026010203040506/x" \
        "backups/cloudhsm-$A-2025061314364593/x" "backups/cloudhsm-%26%3Cb%3E/x" backups/readme.txt "backups/site/cloudhsm-$A-2024010203040506/x"
}

teardown_file() {
    sim_stop
    [[ -z ${AZURITE_PID:-} ]] || kill "$AZURITE_PID"
}

setup() {
    [[ -z ${NO_AZURITE:-} ]] || skip "$NO_AZURITE"
}

# folders OPTION...: by the container's address, with a token given by hand
folders() {
    ARM_CLOUD_METADATA_URL='' AZURE_ACCESS_TOKEN=${TOKEN:-$(token)} run_chsmctl storage folders --cloud AzureCloud --credential token -o json "$@"
}

@test "the emulator's backups, newest first, through the account's own address and a signed-in token" {
    run_chsmctl storage folders -g rg-emulated -n devstoreaccount1 -c backups -o json
    assert_status 0
    assert_json "map(.name) == [\"cloudhsm-$B-2026010203040506\", \"cloudhsm-$A-2025061314364593\", \"cloudhsm-$A-2025061314364592\"]"
    assert_json '.[2] | .time == "2025-06-13T14:36:45.920Z" and .source == "'$A'"'
}

@test "the same with a token given by hand, and only what was asked for" {
    folders -u "$BLOB/devstoreaccount1/backups"
    assert_status 0
    assert_json 'length == 3'
    folders -u "$BLOB/devstoreaccount1/backups" --source-uuid "$A"
    assert_json 'length == 2 and all(.[]; .source == "'$A'")'
    folders -u "$BLOB/devstoreaccount1/backups/site"
    assert_json 'map(.name) == ["cloudhsm-'$A'-2024010203040506"]'
    folders -u "$BLOB/devstoreaccount1/empty/"
    assert_status 0
    assert_json '. == []'
    assert_stderr 'no backup of Cloud HSM'
}

@test "more backups than a page holds are all there" {
    local i paths=()

    put 'many?restype=container'
    for ((i = 0; i < 5005; i++)); do
        printf 'next\nurl = "%s/devstoreaccount1/many/cloudhsm-%s-20250101%08d/x"\nrequest = PUT\ndata = ""\noutput = /dev/null\nfail\nsilent\ncacert = "%s"\nheader = "Authorization: Bearer %s"\nheader = "x-ms-version: 2022-11-02"\nheader = "x-ms-blob-type: BlockBlob"\nheader = "Content-Type:"\n' \
            "$BLOB" "$A" "$i" "$BATS_FILE_TMPDIR/azurite.pem" "${TOKEN:=$(token)}"
    done | sed 1d >"$BATS_TEST_TMPDIR/many"
    curl --parallel --parallel-max 8 --config "$BATS_TEST_TMPDIR/many"
    folders -u "$BLOB/devstoreaccount1/many"
    assert_status 0
    assert_json 'length == 5005 and (map(.name) | . == (sort | reverse))'
}

@test "a container that is not there, an expired token, one for somebody else" {
    folders -u "$BLOB/devstoreaccount1/nosuch"
    assert_status 5
    assert_stderr ContainerNotFound
    assert_stderr 'storage prepare'
    TOKEN=$(token https://storage.azure.com -60) folders -u "$BLOB/devstoreaccount1/backups"
    [[ $status == 4 || $status == 5 ]]
    assert_stderr AuthenticationFailed
    # A token for somebody else does not leave us; what an audience that is no address means, only the service knows.
    TOKEN=$(token https://vault.azure.net) folders -u "$BLOB/devstoreaccount1/backups"
    assert_status 4
    assert_stderr 'it was not sent there'
    TOKEN=$(token cfa8b339-82a2-471a-a3c9-0fc0be7a4093) folders -u "$BLOB/devstoreaccount1/backups"
    [[ $status == 4 || $status == 5 ]]
    assert_stderr Authentication
    assert_no_secret "$BATS_TEST_TMPDIR/chsmctl.log"
}

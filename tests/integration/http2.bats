#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# chsmctl against a server that speaks HTTP/2 and nothing of Azure: nghttpd, which hands out files.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib

SUBSCRIPTION=00000000-0000-0000-0000-000000000001
CLUSTERS=subscriptions/$SUBSCRIPTION/providers/Microsoft.HardwareSecurityModules/cloudHsmClusters

setup_file() {
    local i j port base

    PATH=$PATH:/usr/sbin
    command -v nghttpd >/dev/null || skip "nghttpd is not installed"
    private_world
    cd "$BATS_FILE_TMPDIR" || return 1
    openssl req -config /dev/null -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
    mkdir -p "www/metadata" "www/${CLUSTERS%/*}"
    for ((i = 0; i < 20; i++)); do
        port=$((20000 + RANDOM % 20000))
        nghttpd -v -a 127.0.0.1 -d www "$port" key.pem cert.pem >nghttpd.log 2>&1 3>&- </dev/null &
        export NGHTTPD_PID=$!
        for ((j = 0; j < 50; j++)); do
            ! grep -q '^IPv4: listen' nghttpd.log || break 2
            kill -0 "$NGHTTPD_PID" 2>/dev/null || break
            sleep 0.1
        done
    done
    base=https://localhost:$port
    printf '[{"name": "Test", "resourceManager": "%s", "suffixes": {"storage": "core.test"},
        "authentication": {"loginEndpoint": "%s", "audiences": ["https://management.test"]}}]' "$base" "$base" >www/metadata/endpoints
    printf '{"value": [{"name": "one"}], "nextLink": "%s/page2"}' "$base" >"www/$CLUSTERS"
    printf '{"value": [{"name": "two"}]}' >www/page2
    export ARM_CLOUD_METADATA_URL=$base AZURE_ACCESS_TOKEN=a-token-that-nobody-may-see SSL_CERT_FILE=$PWD/cert.pem
}

teardown_file() {
    [[ -z ${NGHTTPD_PID:-} ]] || kill "$NGHTTPD_PID"
}

@test "HTTP/2 is spoken where the server offers it, on one connection" {
    run_chsmctl cluster list --subscription "$SUBSCRIPTION" -o json
    assert_status 0
    assert_json 'map(.name) == ["one", "two"]'
    # One "[id=N]" for each connection, one request header block for each stream.
    run grep -oE '^\[id=[0-9]+\] .*recv HEADERS frame' "$BATS_FILE_TMPDIR/nghttpd.log"
    [[ ${#lines[@]} == 3 ]] || fail "not three requests:" "$output"
    [[ $(grep -oE '^\[id=[0-9]+\]' "$BATS_FILE_TMPDIR/nghttpd.log" | sort -u | wc -l) == 1 ]] || fail "not one connection:" "$output"
}

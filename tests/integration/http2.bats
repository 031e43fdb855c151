#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# chsmctl against servers of others that speak HTTP/2: nghttpd, which hands out files, and nghttpx before the simulator.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

SUBSCRIPTION=00000000-0000-0000-0000-000000000001
CLUSTERS=subscriptions/$SUBSCRIPTION/providers/Microsoft.HardwareSecurityModules/cloudHsmClusters

setup_file() {
    local i j port base

    PATH=$PATH:/usr/sbin
    command -v nghttpd >/dev/null || skip "nghttpd is not installed"
    private_world
    cd "$BATS_FILE_TMPDIR" || return 1
    openssl req -config /dev/null -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
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
    sim_stop
}

teardown() {
    [[ -z ${NGHTTPX_PID:-} ]] || kill "$NGHTTPX_PID"
}

# front: nghttpx with HTTP/2 before the simulator's Resource Manager, and cloud.json and ca.pem that lead there.
front() {
    local i j arm

    cd "$BATS_FILE_TMPDIR" || return 1
    arm=$(jq -er .arm "$SIM_DIR/endpoints.json")
    for ((i = 0; i < 20; i++)); do
        FRONT=$((20000 + RANDOM % 20000))
        nghttpx --conf=/dev/null -f"127.0.0.1,$FRONT" -b"127.0.0.1,${arm##*:};;tls;proto=http/1.1" --insecure --no-ocsp --workers=1 \
            key.pem cert.pem >nghttpx.log 2>&1 3>&- </dev/null &
        NGHTTPX_PID=$!
        for ((j = 0; j < 50; j++)); do
            ! (exec 9<>"/dev/tcp/127.0.0.1/$FRONT") 2>/dev/null || break 2
            kill -0 "$NGHTTPX_PID" 2>/dev/null || break
            sleep 0.1
        done
    done
    jq -n --arg arm "https://127.0.0.1:$FRONT" --arg login "$(jq -er .login "$SIM_DIR/endpoints.json")" \
        --arg blob "$(jq -er .blob "$SIM_DIR/endpoints.json")" '{name: "Test", resourceManager: $arm,
        authentication: {loginEndpoint: $login, audiences: ["https://management.azure.com/"]}, suffixes: {storage: $blob}}' >cloud.json
    cat cert.pem "$SIM_DIR/ca.pem" >ca.pem
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

@test "a backup and a restore over HTTP/2: writes share a connection, a start never does" {
    unset ARM_CLOUD_METADATA_URL AZURE_ACCESS_TOKEN
    sim_start drill.yaml
    pins
    command -v nghttpx >/dev/null || skip "nghttpx is not installed"
    front
    options=(--cloud "$BATS_FILE_TMPDIR/cloud.json" --ca-file "$BATS_FILE_TMPDIR/ca.pem" "${POLL[@]}")
    run_chsmctl identity apply "${SOURCE[@]}" --identity "$IDENTITY" "${options[@]}" --record apply.jsonl
    assert_status 0
    run_chsmctl identity apply -g rg-destination -n chsm-destination --identity "$IDENTITY" "${options[@]}"
    assert_status 0
    run_chsmctl backup start "${SOURCE[@]}" -u "$(container)" "${options[@]}" -o json
    assert_status 0
    backup_id=$(jq -er .backupId <<<"$output")
    run_chsmctl restore start -g rg-destination -n chsm-destination -u "$(container)" --backup-id "$backup_id" --source-group rg-source \
        --source-cluster chsm-source "${options[@]}" --record restore.jsonl
    assert_status 0
    # Each exchange with Resource Manager: method, version, connection.
    exchanges() {
        jq -sc --arg at ":$FRONT/" 'group_by(.exchange)[] | select(.[0].event == "request" and (.[0].url | contains($at)))
            | [.[0].method, .[1].http, .[1].connection]' "$1"
    }
    exchanges apply.jsonl >apply
    exchanges restore.jsonl >restore
    ! grep -v '"2"' apply restore || fail "not HTTP/2"
    [[ $(head -n 1 apply) == '["GET","2","new"]' && $(grep -c '"new"' apply) == 1 ]] || fail "not one connection:" "$(cat apply)"
    grep -q '^\["PUT","2","kept"\]' apply
    [[ $(grep -c '"POST"' restore) == 1 ]] || fail "not one start:" "$(cat restore)"
    grep -q '^\["POST","2","new"\]' restore || fail "the start shared a connection:" "$(cat restore)"
    grep -q '^\["GET","2","kept"\]' restore
}

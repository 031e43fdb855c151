# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Talks to the simulated cloud with curl alone, as a foreign client would. Load it after lib.

SUBSCRIPTION=/subscriptions/22222222-2222-4222-8222-222222222222
HSM=providers/Microsoft.HardwareSecurityModules/cloudHsmClusters
SOURCE=$SUBSCRIPTION/resourceGroups/rg-source/$HSM/chsm-source
DESTINATION=$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-destination
API=api-version=2025-03-31
CONTAINER=https://chsmdrill.blob.core.windows.net/backups

# endpoint SERVICE: its address
endpoint() {
    jq -er ".$1" "$SIM_DIR/endpoints.json"
}

# http METHOD URL [CURL OPTION...]: sets code (000 when no answer came), body and headers
http() {
    local method=$1 url=$2 out="$BATS_TEST_TMPDIR/body" head="$BATS_TEST_TMPDIR/head"

    shift 2
    : >"$out"
    : >"$head"
    code=$(curl --silent --path-as-is --globoff --max-time 20 --cacert "$SIM_DIR/ca.pem" --request "$method" --output "$out" --dump-header "$head" \
        --write-out '%{http_code}' "$@" "$url") && curl_status=0 || curl_status=$?
    body=$(<"$out")
    headers=$(tr -d '\r' <"$head")
}

# sign_in [SCOPE [SECRET [CLIENT [TENANT]]]]
sign_in() {
    http POST "$(endpoint login)/${4:-$AZURE_TENANT_ID}/oauth2/v2.0/token" --data grant_type=client_credentials \
        --data-urlencode "client_id=${3:-$AZURE_CLIENT_ID}" --data-urlencode "client_secret=${2:-$AZURE_CLIENT_SECRET}" \
        --data-urlencode "scope=${1:-https://management.azure.com/.default}"
}

# take_token [SCOPE]: a fresh one, kept in TOKEN
# shellcheck disable=SC2120  # the .bats files pass the scope
take_token() {
    sign_in "$@"
    TOKEN=$(jq -er .access_token <<<"$body") || fail "no token: $body"
}

# arm METHOD PATH-OR-URL [JSON]: signs in by itself
arm() {
    local url=$2 more=()

    [[ -n ${TOKEN:-} ]] || take_token
    [[ $url == https://* ]] || url=$(endpoint arm)$url
    [[ $# -lt 3 ]] || more=(--header 'Content-Type: application/json' --data "$3")
    http "$1" "$url" --header "Authorization: Bearer $TOKEN" "${more[@]}"
}

# header NAME: its value in the last answer
header() {
    sed -n "s/^$1: //Ip" <<<"$headers"
}

# expect CODE [FILTER]: the last answer's status, and what jq must find true of its body
expect() {
    [[ $code == "$1" ]] || fail "HTTP $code instead of $1" "$headers" "$body"
    [[ $# -lt 2 ]] || jq -e "$2" <<<"$body" >/dev/null || fail "not true of the answer: $2" "$body"
}

# refused CODE ARMCODE
refused() {
    expect "$1" ".error.code == \"$2\" and (.error.message | length > 0)"
}

# poll URL: until the answer is no 202
poll() {
    local i

    for ((i = 0; i < 100; i++)); do
        arm GET "$1"
        [[ $code == 202 ]] || return 0
        sleep 0.1
    done
    fail "still running: $1"
}

# until_state CLUSTER FILTER: polls the cluster until the filter is true
until_state() {
    local i

    for ((i = 0; i < 100; i++)); do
        arm GET "$1?$API"
        if jq -e "$2" <<<"$body" >/dev/null; then return 0; fi
        sleep 0.1
    done
    fail "never became true: $2" "$body"
}

# backup: runs one of the source to its end; sets backup_id
backup() {
    arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    expect 202
    poll "$(header Location)"
    expect 200 '.properties.status == "Succeeded"'
    backup_id=$(jq -r .properties.backupId <<<"$body")
}

# restore CLUSTER BACKUP: starts one
restore() {
    arm POST "$1/restore?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\",\"backupId\":\"$2\"}"
}

# restart: ends the simulator and starts it again on the same folder
restart() {
    local fifo="$BATS_TEST_TMPDIR/ready" line=

    kill "$(<"$SIM_DIR/serve.pid")"
    while [[ -e $SIM_DIR/serve.pid ]]; do sleep 0.05; done
    mkfifo "$fifo"
    "$CHSM_SIM" serve --dir "$SIM_DIR" --ready-fd 9 9>"$fifo" >>"$BATS_FILE_TMPDIR/sim.log" 2>&1 3>&- </dev/null &
    read -r -t 60 line <"$fifo" || [[ -n $line ]]
}

# logged FILTER: how many lines of the request log it is true of
logged() {
    jq -s "map(select($1)) | length" "$SIM_DIR/requests.jsonl"
}

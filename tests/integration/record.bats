#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --verbose, --debug and --record: everything that helps to find out what happened, and not one secret.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
    export RECORDS="$BATS_FILE_TMPDIR/records"
    mkdir "$RECORDS"
}

teardown_file() {
    sim_stop
}

teardown() {
    sim fault clear
}

# recorded NAME WORD...: chsmctl with everything said, on stderr and in $RECORDS/NAME.
recorded() {
    run_chsmctl "${@:2}" --debug --record "$RECORDS/$1.jsonl"
    printf '%s\n' "$output" "$stderr" >"$RECORDS/$1.log"
    [[ -s $RECORDS/$1.jsonl ]] || fail "no record of $1:" "$stderr"
    jq -se 'length > 0 and .[0].event == "start" and (map(.event) - ["start", "request", "answer", "failure"]) == []' \
        "$RECORDS/$1.jsonl" >/dev/null || fail "not a record: $1"
}

# Nothing in there, as it is, percent-encoded or in base64, is a secret of this cloud.
no_secret_in() {
    local secret

    for secret in "${KNOWN_SECRETS[@]}" "$AZURE_CLIENT_SECRET" "$(jq -rn --arg s "$AZURE_CLIENT_SECRET" '$s | @uri')" \
        "$(jq -rn --arg s "$AZURE_CLIENT_SECRET" '$s | @base64')"; do
        if grep -rF -- "$secret" "$@"; then fail "a secret is in there"; fi
    done
    if grep -rnE 'eyJ|[Bb]earer [A-Za-z0-9]{8}' "$@"; then fail "a token is in there"; fi
    if grep -rnE '(^|[^a-z])(sig|s|c|h|t)=[^R"]' "$@"; then fail "a signature is in there"; fi
}

@test "a whole set of commands is recorded without a secret" {
    local backup_id

    recorded list cluster list
    assert_status 0
    recorded show cluster show "${SOURCE[@]}"
    assert_status 0
    recorded login login show
    assert_status 0
    recorded apply identity apply "${SOURCE[@]}" --identity "$IDENTITY" "${POLL[@]}"
    assert_status 0
    recorded destination identity apply -g rg-destination -n chsm-destination --identity "$IDENTITY" "${POLL[@]}"
    assert_status 0
    recorded backup backup start "${SOURCE[@]}" -u "$(container)" "${POLL[@]}" -o json
    assert_status 0
    backup_id=$(jq -er .backupId <<<"$output")
    recorded backups backup list -u "$(container)"
    assert_status 0
    recorded restore restore start -g rg-destination -n chsm-destination -u "$(container)" --backup-id "$backup_id" \
        --source-group rg-source --source-cluster chsm-source "${POLL[@]}"
    assert_status 0
    recorded check backup check "${SOURCE[@]}" -u "$(container)" "${POLL[@]}"
    assert_status 0
    recorded identity identity show "${SOURCE[@]}"
    assert_status 0
    recorded storage storage show -g rg-source --account-name chsmdrill
    recorded folders storage folders -u "$(container)"
    plan chsm-second "$BATS_TEST_TMPDIR/plan.yaml"
    cd "$BATS_TEST_TMPDIR"
    recorded drill drill run plan.yaml
    assert_status 0
    jq -se 'map(select(.event == "request")) | length > 10' "$RECORDS/drill.jsonl"
    recorded wrong cluster show -g rg-source -n no-such-cluster
    assert_status 5
    no_secret_in "$RECORDS"
    # And it is worth keeping: methods, addresses, statuses, ids, bodies.
    jq -se 'map(select(.event == "request" and .method == "POST" and (.url | test("/backup\\?api-version="))))
        | length == 1 and .[0].body.azureStorageBlobContainerUri != null' "$RECORDS/backup.jsonl"
    jq -se 'map(select(.event == "answer" and .status == 202)) | map(.headers[] | select(startswith("Location: https://")))
        | any(test("t=REDACTED&c=REDACTED&s=REDACTED&h=REDACTED"))' "$RECORDS/backup.jsonl"
    jq -se '.[-1] | .status == 404 and .body.error.code == "ResourceNotFound"' "$RECORDS/wrong.jsonl"
    grep -q '^debug: > Authorization: REDACTED$' "$RECORDS/show.log"
    grep -q '^debug: > grant_type=client_credentials&.*&client_secret=REDACTED' "$RECORDS/show.log"
    grep -q '"access_token":"REDACTED"' "$RECORDS/show.log"
}

@test "a refused secret is not quoted by anybody" {
    AZURE_CLIENT_SECRET='an0ther+secret/that is&wrong=' recorded refused cluster list
    assert_status 4
    if grep -F 'an0ther' "$RECORDS"/refused.*; then fail "the secret is in there"; fi
    no_secret_in "$RECORDS"
}

@test "one id for all requests of a command, named by --verbose and by errors" {
    run_chsmctl cluster show "${SOURCE[@]}" --verbose --record "$RECORDS/ids.jsonl"
    assert_status 0
    id=$(jq -ser ".[0].correlation" "$RECORDS/ids.jsonl")
    assert_stderr "correlation id $id"
    jq -se --arg id "$id" 'map(select(.event == "request" and (.url | test("/subscriptions/"))))
        | length > 0 and all(.headers | contains(["x-ms-correlation-request-id: \($id)"]) and contains(["x-ms-client-request-id: \($id)"]))' \
        "$RECORDS/ids.jsonl"
    jq -se --arg id "$id" 'map(select(.event == "request" and (.url | test("oauth2"))))
        | length > 0 and all(.headers | contains(["client-request-id: \($id)"]))' "$RECORDS/ids.jsonl"
    sim fault add --path cloudHsmClusters --status 403 --code AuthorizationFailed
    run_chsmctl cluster show "${SOURCE[@]}" --record "$RECORDS/error.jsonl"
    assert_status 5
    assert_stderr "correlation id $(jq -ser ".[0].correlation" "$RECORDS/error.jsonl")"
    sim fault clear
    sim fault add --path cloudHsmClusters --drop-answer --count 9
    run_chsmctl cluster show "${SOURCE[@]}" --timeout 2s --record "$RECORDS/lost.jsonl"
    [[ $status != 0 ]]
    assert_stderr "correlation id $(jq -ser ".[0].correlation" "$RECORDS/lost.jsonl")"
}

@test "a record is for its owner, and none is ever overwritten" {
    run_chsmctl cluster list --record "$RECORDS/mine.jsonl"
    assert_status 0
    [[ $(stat -c %a "$RECORDS/mine.jsonl") == 600 ]]
    before=$(sha256sum <"$RECORDS/mine.jsonl")
    run_chsmctl cluster list --record "$RECORDS/mine.jsonl"
    assert_status 3
    assert_stderr 'there is such a file already'
    [[ $(sha256sum <"$RECORDS/mine.jsonl") == "$before" ]]
    ln -s "$RECORDS/elsewhere" "$RECORDS/link"
    run_chsmctl cluster list --record "$RECORDS/link"
    assert_status 3
    [[ ! -e $RECORDS/elsewhere ]]
    run_chsmctl cluster list --record /no/such/folder/x
    assert_status 3
}

@test "a command that asks no service anything records nothing, and says so" {
    run_chsmctl keys list --module "$SIM_MODULE" --record "$RECORDS/keys.jsonl"
    assert_status 2
    assert_stderr '--record has no meaning'
    [[ ! -e $RECORDS/keys.jsonl ]]
}

@test "a command that is killed leaves whole lines" {
    local i pid

    sim fault add --path cloudHsmClusters --stall 20000
    "$CHSMCTL" cluster list --record "$RECORDS/killed.jsonl" >/dev/null 2>&1 3>&- </dev/null &
    pid=$!
    for ((i = 0; i < 100; i++)); do
        ! grep -q 'cloudHsmClusters' "$RECORDS/killed.jsonl" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid"
    wait "$pid" || true
    jq -se '.[-1] | .event == "request" and .method == "GET"' "$RECORDS/killed.jsonl"
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

@test "a file size limit ends the record, not the command" {
    run --separate-stderr timeout 60 bash -c 'ulimit -f 1; exec "$0" "$@"' "$CHSMCTL" cluster list --record "$RECORDS/limited.jsonl" -o json
    assert_status 0
    assert_json 'length > 0'
    assert_stderr 'the record ends here'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cluster, identity, backup and restore against a cloud that misbehaves. Every case: the right exit status, a message that
# says what to do, and no request that should not have been sent.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
    "$CHSMCTL" identity apply "${SOURCE[@]}" --identity "$IDENTITY" "${POLL[@]}"
}

teardown_file() {
    sim_stop
}

teardown() {
    sim fault clear
    sleep 0.4 # the cloud does one job at a time: let a test's last one end
    assert_no_secret "$SIM_DIR/requests.jsonl"
}

backup() {
    run_chsmctl backup start "${SOURCE[@]}" -u "$(container)" "${POLL[@]}" "$@"
}

@test "identity apply sends nothing when it is already so" {
    before=$(writes)
    run_chsmctl identity apply "${SOURCE[@]}" --identity "${IDENTITY/resourceGroups/resourcegroups}" "${POLL[@]}"
    assert_status 0
    assert_stderr 'nothing was sent'
    [[ $(writes) == "$before" ]]
}

@test "identity apply by PUT and by PATCH keeps everything else" {
    run_chsmctl identity apply -g rg-destination -n chsm-destination --identity "$IDENTITY" "${POLL[@]}"
    assert_status 0
    run_chsmctl identity apply -g rg-destination -n chsm-second --identity "$IDENTITY" --method patch "${POLL[@]}"
    assert_status 0
    run_chsmctl cluster show -g rg-destination -n chsm-destination -o json
    assert_json '.tags == {keep: "me"} and .identity.type == "UserAssigned"'
    jq -se 'map(select(.service == "arm" and (.path | endswith("/chsm-destination")) and .method != "GET") | .method) == ["PUT"]' "$SIM_DIR/requests.jsonl"
    jq -se 'map(select(.service == "arm" and (.path | endswith("/chsm-second")) and .method != "GET") | .method) == ["PATCH"]' "$SIM_DIR/requests.jsonl"
    run_chsmctl identity show -g rg-destination -n chsm-destination -o json
    assert_json 'length == 1 and (.[0].principalId | length) == 36'
}

@test "identity apply refuses a second identity" {
    before=$(writes)
    run_chsmctl identity apply "${SOURCE[@]}" --identity "$OTHER_IDENTITY" "${POLL[@]}"
    assert_status 7
    [[ $(writes) == "$before" ]]
}

@test "a backup is followed to its end, and can be picked up by its id" {
    backup --no-wait -o json
    assert_status 0
    job=$(jq -er .jobId <<<"$output")
    run_chsmctl backup wait "${SOURCE[@]}" --job-id "$job" "${POLL[@]}" -o json
    assert_status 0
    assert_json '.status == "Succeeded" and (.backupId | test("^cloudhsm-[0-9a-f-]{36}-[0-9]{16}$")) and (.snapshotTime | length) == 20'
    run_chsmctl backup show "${SOURCE[@]}" --job-id "$job"
    assert_status 0
    assert_output Succeeded
}

@test "a job that does not exist is said to be so" {
    run_chsmctl restore show "${SOURCE[@]}" --job-id 00000000000000000000000000000000
    assert_status 5
    assert_stderr 'no such job'
}

@test "a restore into an active cluster or the source is refused before any POST" {
    before=$(writes)
    id=cloudhsm-00000000-0000-4000-8000-000000000000-2026010100000000
    run_chsmctl restore start -g rg-destination -n chsm-live -u "$(container)" --backup-id "$id"
    assert_status 7
    assert_stderr NotActivated
    run_chsmctl restore start "${SOURCE[@]}" -u "$(container)" --backup-id "$id" --source-cluster CHSM-SOURCE
    assert_status 7
    assert_stderr 'source'
    [[ $(writes) == "$before" ]]
}

@test "a SAS is refused and not repeated" {
    before=$(writes)
    # Not by run_chsmctl: it writes down the words of the command.
    run --separate-stderr "$CHSMCTL" backup start "${SOURCE[@]}" -u "$(container)?sv=2022-11-02&sig=notforyoureyes"
    assert_status 7
    [[ $output$stderr != *notforyoureyes* && $(writes) == "$before" ]]
}

@test "a restore job that fails is a failure, whatever HTTP says" {
    run_chsmctl restore start -g rg-destination -n chsm-fourth -u "$(container)" "${POLL[@]}" \
        --backup-id cloudhsm-00000000-0000-4000-8000-000000000000-2026010100000000
    assert_status 5
    assert_output Failed
}

@test "a wrong client secret is a sign-in error that does not show it" {
    KNOWN_SECRETS+=(totally-wrong-secret)
    AZURE_CLIENT_SECRET=totally-wrong-secret run_chsmctl cluster list
    assert_status 4
    assert_stderr AADSTS7000215
    assert_no_secret
}

@test "a dead server is a clear error" {
    ARM_CLOUD_METADATA_URL='https://127.0.0.1:9/metadata/endpoints?api-version=2022-09-01' CHSM_TIMEOUT=100 \
        run_chsmctl cluster list --timeout 3s
    [[ $status == 3 || $status == 5 || $status == 8 ]]
    assert_stderr '127.0.0.1'
}

@test "an untrusted certificate is refused" {
    : >"$BATS_TEST_TMPDIR/none.pem"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other -keyout "$BATS_TEST_TMPDIR/k.pem" \
        -out "$BATS_TEST_TMPDIR/other.pem" -days 1 2>/dev/null
    before=$(wc -l <"$SIM_DIR/requests.jsonl")
    run_chsmctl cluster list --ca-file "$BATS_TEST_TMPDIR/other.pem" --timeout 3s
    [[ $status == 3 || $status == 5 || $status == 8 ]]
    [[ $(wc -l <"$SIM_DIR/requests.jsonl") == "$before" ]]
}

@test "429 with Retry-After is obeyed, and the start is sent again" {
    sim fault add --path '/backup$' --method POST --nth 1 --status 429 --retry-after 1
    before=$(date +%s%N)
    backup
    assert_status 0
    (($(date +%s%N) - before > 1000000000))
}

@test "a start whose answer is lost is not repeated" {
    sim fault add --path '/backup$' --method POST --nth 1 --drop-answer
    before=$(posts backup)
    backup
    assert_status 5
    assert_stderr 'unknown whether'
    [[ $(posts backup) == $((before + 1)) ]]
}

@test "a 504 on a start is not repeated" {
    sim fault add --path '/backup$' --method POST --nth 1 --status 504
    before=$(posts backup)
    backup
    assert_status 5
    [[ $(posts backup) == $((before + 1)) ]]
}

@test "a token that expires in mid-poll is replaced" {
    sim fault add --path 'backupOperationStatus' --nth 1 --status 401 --code ExpiredAuthenticationToken
    backup
    assert_status 0
}

@test "a truncated answer and broken JSON in a poll are ridden out" {
    sim fault add --path 'backupOperationStatus' --nth 1 --body '{"properties": {"status": "Succ'
    backup
    assert_status 0
    sim fault clear
    sleep 0.6
    sim fault add --path 'backupOperationStatus' --nth 1 --truncate
    backup
    assert_status 0
}

@test "an answer that says nothing is no success" {
    sim fault add --path 'backupOperationStatus' --count 100 --body '{}'
    backup --timeout 2s
    [[ $status == 5 || $status == 8 ]]
}

@test "a deadline leaves the job running and says its id" {
    sim set backup=3s >/dev/null
    backup --timeout 1s
    sim set backup=200ms >/dev/null
    assert_status 8
    assert_stderr 'is still running'
    assert_stderr 'backup wait'
    sleep 3
}

@test "--no-wait prints the job, and the command that follows it" {
    backup --no-wait -o json
    assert_status 0
    job=$(jq -er .jobId <<<"$output")
    command=$(sed -n 's/^follow it: chsmctl //p' <<<"$stderr")
    [[ $command == "backup wait -g rg-source -n chsm-source --job-id $job" ]]
    # shellcheck disable=SC2086  # words
    run_chsmctl $command "${POLL[@]}"
    assert_status 0
    assert_output Succeeded
}

@test "a job of the other kind is said to be so" {
    backup --no-wait -o json
    job=$(jq -er .jobId <<<"$output")
    run_chsmctl restore show "${SOURCE[@]}" --job-id "$job"
    assert_status 5
    assert_stderr "it is a backup of this cluster: \`chsmctl backup show -g rg-source -n chsm-source --job-id $job\`"
    run_chsmctl restore wait "${SOURCE[@]}" --job-id "$job" "${POLL[@]}"
    assert_status 5
    run_chsmctl backup wait "${SOURCE[@]}" --job-id 123
    assert_status 2
}

@test "an interrupt leaves the job running and says how to pick it up" {
    sim set backup=1h >/dev/null
    for signal in INT TERM; do
        run --separate-stderr timeout --preserve-status -s "$signal" 1.5 "$CHSMCTL" backup start "${SOURCE[@]}" -u "$(container)" \
            "${POLL[@]}" </dev/null
        sim set backup=200ms >/dev/null
        assert_status 130
        job=$(sed -n 's/^job //p' <<<"$stderr")
        assert_stderr "backup job $job is still running"
        assert_stderr "pick it up with \`chsmctl backup wait -g rg-source -n chsm-source --job-id $job\`"
        # It goes on indeed, and is in the way of another one.
        before=$(posts backup)
        backup
        assert_status 5
        assert_stderr 'no backup was started: the cluster is busy'
        assert_stderr 'may be running'
        [[ $(posts backup) == $((before + 1)) ]]
        jq --arg id "$job" '.jobs[$id].end = 0' "$SIM_DIR/state.json" >"$BATS_TEST_TMPDIR/state" && cp "$BATS_TEST_TMPDIR/state" "$SIM_DIR/state.json"
        run_chsmctl backup wait "${SOURCE[@]}" --job-id "$job" "${POLL[@]}"
        assert_status 0
        sim set backup=1h >/dev/null
    done
    sim set backup=200ms >/dev/null
}

# interrupt_start TIMES: a backup start that is interrupted so often once its request is there; sets status, stderr and took (ms)
interrupt_start() {
    local i pid begun

    env --default-signal=INT "$CHSMCTL" backup start "${SOURCE[@]}" -u "$(container)" "${POLL[@]}" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
    pid=$!
    for ((i = 0; i < 400; i++)); do
        [[ $(sim fault list | jq .seen) != 1 ]] || break
        sleep 0.05
    done
    begun=${EPOCHREALTIME//[.,]/}
    for ((i = 0; i < $1; i++)); do
        kill -INT "$pid"
        sleep 0.2
    done
    status=0
    wait "$pid" || status=$?
    took=$(((${EPOCHREALTIME//[.,]/} - begun) / 1000))
    stderr=$(<"$BATS_TEST_TMPDIR/stderr")
}

@test "an interrupt does not lose the id of a job that is just being started" {
    sim fault add --path '/backup$' --method POST --nth 1 --stall 1500
    interrupt_start 1
    assert_status 130
    assert_stderr 'pick it up with `chsmctl backup wait'
    refute_stderr 'unknown whether'
}

@test "the second interrupt ends it at once" {
    sim fault add --path '/backup$' --method POST --nth 1 --stall 5000
    interrupt_start 2
    assert_status 130
    refute_stderr 'pick it up'
    ((took < 4000)) || fail "it took $took ms"
    sleep 5
}

@test "a wait outlasts an outage, and a status that is not known yet" {
    sim fault add --path 'backupOperationStatus' --nth 1 --count 3 --status 404 --code JobNotFound
    backup
    assert_status 0
    sim fault clear
    sim fault add --path 'backupOperationStatus' --nth 1 --count 6 --reset
    backup --no-wait -o json
    run_chsmctl backup wait "${SOURCE[@]}" --job-id "$(jq -er .jobId <<<"$output")" "${POLL[@]}"
    assert_status 0
    assert_stderr 'asking again'
}

@test "a restore whose answer is lost is looked for, and waited for until the cluster is active" {
    backup -o json
    id=$(jq -er .backupId <<<"$output")
    sim fault add --path '/restore$' --method POST --nth 1 --drop-answer
    before=$(posts restore)
    run_chsmctl restore start -g rg-destination -n chsm-second -u "$(container)" --backup-id "$id" "${POLL[@]}"
    assert_status 5
    assert_stderr 'it is unknown whether the restore job started: chsm-second is now Succeeded and Active: a restore runs or has run'
    [[ $(posts restore) == $((before + 1)) ]]
    job=$(jq -r '.jobs | to_entries[] | select(.value.kind == "restore" and (.value.cluster | endswith("/chsm-second"))) | .key' "$SIM_DIR/state.json")
    run_chsmctl restore wait -g rg-destination -n chsm-second --job-id "$job" --activation Active "${POLL[@]}"
    assert_status 0
}

@test "a container that may not be read leaves a lost backup unknown" {
    sim fault add --path '/backup$' --method POST --nth 1 --reset
    sim fault add --path '^/chsmdrill/backups' --method GET --count 100 --status 403 --code AuthorizationPermissionMismatch
    backup
    assert_status 5
    assert_stderr 'the container could not be looked at'
    assert_stderr 'it may have started'
}

@test "stdout holds the result alone" {
    run_chsmctl cluster list -o json --debug
    assert_status 0
    assert_json 'length == 6'
    run_chsmctl cluster list -o tsv
    [[ $(wc -l <<<"$output") == 6 ]]
    run_chsmctl cluster list -o yaml
    assert_output 'chsm-source'
    run_chsmctl cluster list -o none
    [[ -z $output ]]
}

@test "mistakes on the command line cost one line and exit status 2" {
    for words in 'cluster' 'cluster shwo' 'clutser show' 'cluster show --nmae x' 'cluster list extra' 'cluster list -o xml' 'cluster show -g g' 'drill run'; do
        # shellcheck disable=SC2086  # words
        run_chsmctl $words
        assert_status 2
        [[ -z $output && $(wc -l <<<"$stderr") -le 2 ]]
    done
}

@test "help goes to stdout and fits into 80 columns" {
    for words in help 'help keys verify' 'help keys prove' 'help keys list' 'help keys diff' 'cluster nodes --help' 'restore start --help' 'cluster --help'; do
        # shellcheck disable=SC2086  # words
        run_chsmctl $words
        assert_status 0
        [[ -n $output && -z $stderr ]]
        [[ -z $(awk 'length > 80' <<<"$output") ]]
    done
}

@test "a full stdout is an error" {
    run --separate-stderr sh -c '"$CHSMCTL" cluster list >/dev/full'
    [[ $status == 3 ]]
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

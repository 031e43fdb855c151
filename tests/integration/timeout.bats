#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --timeout is for the whole command: whatever hangs, it ends in time, with exit status 8.
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
}

# in_time WORD...: exit status 8 after one second, give or take what starting a program costs here.
in_time() {
    local began=${EPOCHREALTIME/./} took

    run_chsmctl "$@" --timeout 1s
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    assert_status 8
    [[ $took -ge 900 && $took -le 2500 ]] || fail "chsmctl $* took $took ms:" "$stderr"
}

@test "a stalled answer of any service ends with the time" {
    local path

    for path in metadata/endpoints oauth2 cloudHsmClusters; do
        sim fault add --path "$path" --stall 10000 --count 9
        in_time cluster show "${SOURCE[@]}"
        sim fault clear
    done
}

@test "tries and waits end with the time" {
    sim fault add --path cloudHsmClusters --status 503 --count 99
    run_chsmctl cluster show "${SOURCE[@]}" --timeout 1s
    assert_status 8
    sim fault clear
    sim fault add --path cloudHsmClusters --status 429 --retry-after 300 --count 99
    run_chsmctl cluster show "${SOURCE[@]}" --timeout 1s
    assert_status 8
    assert_stderr 'no time to try again'
    sim fault clear
    sim fault add --path metadata/endpoints --reset --count 99
    run_chsmctl cluster show "${SOURCE[@]}" --timeout 1s
    [[ $status == 8 || $status == 3 ]] || fail "exit status $status" "$stderr"
}

@test "a wait for a job or a cluster ends with the time" {
    run_chsmctl backup start "${SOURCE[@]}" -u "$(container)" --no-wait -o json
    assert_status 0
    job=$(jq -er .jobId <<<"$output")
    sim fault add --path backupOperationStatus --stall 10000 --count 99
    in_time backup wait "${SOURCE[@]}" --job-id "$job" "${POLL[@]}"
    sim fault clear
    in_time cluster wait "${SOURCE[@]}" --activation NotActivated "${POLL[@]}"
}

@test "a program that signs in for us ends with the time" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\nexec sleep 30\n' >"$BATS_TEST_TMPDIR/bin/az"
    chmod +x "$BATS_TEST_TMPDIR/bin/az"
    PATH="$BATS_TEST_TMPDIR/bin:$PATH" in_time cluster show "${SOURCE[@]}" --credential azure-cli
}

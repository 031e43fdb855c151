#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever the commands send is in the table of requests (tests/unit/azure_request_rows.c): the simulator's log is held against it.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

THERE=(-g rg-destination -n chsm-requests)

setup_file() {
    sim_start drill.yaml
    pins
}

teardown_file() {
    sim_stop
}

# ok ARGUMENT...: the command succeeds
ok() {
    run_chsmctl "$@" "${POLL[@]}"
    assert_status 0
}

@test "what a drill sends is in the table" {
    plan chsm-destination "$BATS_TEST_TMPDIR/plan.yaml"
    ok drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_requests_known
}

@test "what the commands for clusters and identities send is in the table" {
    ok cluster list
    ok cluster list -g rg-source
    ok identity create -g rg-source -n id-requests --tags a=b
    ok identity show --identity "${IDENTITY%id-backup}id-requests"
    ok cluster create "${THERE[@]}" --tags a=b --mi-user-assigned "${IDENTITY%id-backup}id-requests" --domain-name-label-scope NoReuse
    ok cluster show "${THERE[@]}"
    ok cluster update "${THERE[@]}" --tags c=d
    ok cluster update "${THERE[@]}" --tags ''
    ok identity remove "${THERE[@]}"
    ok identity apply "${THERE[@]}" --identity "$IDENTITY" --method patch
    ok identity show "${THERE[@]}"
    ok cluster delete "${THERE[@]}" --yes
    assert_requests_known
}

@test "what the commands for backups send is in the table" {
    ok backup check "${SOURCE[@]}" -u "$(container)"
    ok backup start "${SOURCE[@]}" -u "$(container)" -o json
    id=$(jq -er .backupId <<<"$output")
    ok identity apply -g rg-destination -n chsm-second --identity "$IDENTITY"
    ok restore check -g rg-destination -n chsm-second -u "$(container)" --backup-id "$id"
    ok restore start -g rg-destination -n chsm-second -u "$(container)" --backup-id "$id"
    ok backup list -u "$(container)"
    assert_requests_known
}

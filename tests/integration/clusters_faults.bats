#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The life of a cluster with the answer to each change spoiled: what was asked for is there in the end, once, and nothing is said to be
# done that is not.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start clusters.yaml
    sim set provision=50ms update=50ms
    export AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
}

teardown_file() {
    sim_stop
}

# spoiled FAULT... -- ARGUMENT...: the command, its second request about the cluster (the change) going wrong so, ends well
spoiled() {
    local fault=()

    while [[ $1 != -- ]]; do
        fault+=("$1")
        shift
    done
    shift
    sim fault clear
    sim fault add --path "/cloudHsmClusters/$name\$" --nth 2 "${fault[@]}"
    run_chsmctl "$@" -g rg-destination -n "$name" --poll-interval 50ms --timeout 60s --request-timeout 2s
    assert_status 0
    [[ $(sim fault list | jq -s '.[0].seen >= 2') == true ]] || fail "the fault was not met: $(sim fault list)"
    sim fault clear
}

# lives NAME FAULT...
lives() {
    local name=$1

    shift
    spoiled "$@" -- cluster create -l ukwest --tags a=b -o json
    assert_json '.properties.provisioningState == "Succeeded" and .tags == {a: "b"}'
    spoiled "$@" -- identity apply --identity "$IDENTITY"
    spoiled "$@" -- cluster update --tags x=y -o json
    assert_json '.tags == {x: "y"} and .identity.type == "UserAssigned"'
    spoiled "$@" -- identity remove
    run_chsmctl cluster show -g rg-destination -n "$name" -o json
    assert_json '.tags == {x: "y"} and (.identity // {type: "None"}).type == "None"'
    spoiled "$@" -- cluster delete --yes
    run_chsmctl cluster show -g rg-destination -n "$name"
    assert_status 5
    assert_stderr ResourceNotFound
}

@test "the answer is lost" {
    lives chsm-lost --drop-answer
}

@test "the gateway gives up, and the service does not" {
    lives chsm-gateway --status 504 --handle
}

@test "the answer is cut off" {
    lives chsm-cut --truncate
}

@test "the answer is a page of something between" {
    lives chsm-page --content-type text/html --handle --body '<html>Sign in</html>'
}

@test "the connection is reset before the request is heard" {
    lives chsm-reset --reset
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

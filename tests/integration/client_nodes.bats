#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cluster nodes without the management tool: each node as Azure has it and as this machine reaches it.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill
load client

setup_file() {
    sim_start client_nodes.yaml
    export AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    listen_start 127.0.0.1 127.0.0.2 127.0.0.3
}

teardown_file() {
    listen_stop
    sim_stop
}

# nodes CLUSTER [OPTION...]
nodes() {
    run_chsmctl cluster nodes -g rg -n "$@" --port "$PORT"
}

@test "three nodes that are up and answer" {
    nodes chsm-up -o json
    assert_status 0
    assert_json '.outcome == "fine" and .named == 3 and ([.nodes[] | .state == "Started" and .reachable and .outcome == "fine"] | length == 3 and all)'
    nodes chsm-up
    assert_status 0
    assert_output 'OUTCOME'
    [[ $(grep -c ' fine' <<<"$output") == 3 ]]
    nodes chsm-up -o tsv
    [[ $(cut -f 3,5 <<<"$output" | head -n 1) == $'127.0.0.1\ttrue' ]]
}

@test "a node whose port is closed, or that Azure calls degraded, is down" {
    nodes chsm-closed -o json
    assert_status 1
    assert_json '.outcome == "down" and (.nodes[2] | .outcome == "down" and .reachable == false and (.why | test("refused")))'
    nodes chsm-degraded -o json
    assert_status 1
    assert_json '.nodes[1] | .state == "Degraded" and .reachable and .outcome == "down"'
    nodes chsm-degraded
    assert_output Degraded
}

@test "what is not known is not called fine" {
    nodes chsm-unknown -o json
    assert_status 10
    assert_json '.outcome == "not established" and .nodes[1].state == "Unknown"'
    nodes chsm-two
    assert_status 10
    assert_stderr "Azure names 2 of the cluster's 3 nodes"
    nodes chsm-none -o json
    assert_status 10
    assert_json '.nodes == [] and .named == 0'
}

@test "names that do not resolve here tell of this network, not of the nodes" {
    nodes chsm-away -o json --connect-timeout 3s
    assert_status 10
    assert_json '[.nodes[] | .outcome == "not established" and (.why | test("resolve"))] | length == 3 and all'
}

@test "Azure and the management tool are two questions" {
    run_chsmctl cluster nodes
    assert_status 2
    assert_stderr '--mgmt-pin'
    nodes chsm-up --mgmt-util /bin/true
    assert_status 2
    run_chsmctl cluster nodes -g rg -n chsm-up --port 70000
    assert_status 2
    run_chsmctl cluster nodes -g rg
    assert_status 2
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

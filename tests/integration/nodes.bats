#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# cluster nodes and keys verify --per-node: every node of a cluster through the client's management tool, sound and damaged.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
    export MGMT=$abs_top_builddir/azcloudhsm_mgmt_util
    printf 'adminpassword\n' >"$PINS/officer.pin"
    # shellcheck disable=SC2046  # words
    "$CHSMCTL" keys inventory $(hsm chsm-source) -f "$BATS_FILE_TMPDIR/source.json"
}

teardown_file() {
    sim_stop
}

setup() {
    KNOWN_SECRETS+=(adminpassword)
    unset CHSM_SIM_MGMT
    export CHSM_SIM_MGMT_LOG=$BATS_TEST_TMPDIR/commands
}

# nodes [OPTION...]: the nodes of the source
nodes() {
    run_chsmctl cluster nodes --mgmt-util "$MGMT" --mgmt-directory "$(client chsm-source)" --mgmt-pin "file:$PINS/officer.pin" "$@"
}

# verify [OPTION...]: the source against its own inventory, node by node; as JSON unless -o says otherwise
verify() {
    [[ " $* " == *' -o '* ]] || set -- -o json "$@"
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json" --allow-same-cluster \
        --per-node --mgmt-util "$MGMT" --mgmt-pin "file:$PINS/officer.pin" "$@"
}

# no_tool_left: what was started is gone
no_tool_left() {
    if pgrep -f "^$MGMT" >&2; then fail "the management tool is still running"; fi
}

# not_established WORDS: a reason for "not established" has these words
not_established() {
    assert_json ".open | any(contains(\"$1\"))"
}

@test "every key and user is on every node" {
    nodes -o json
    assert_status 0
    assert_json '.outcome == "full" and .keys == .keys_on_every_node and .keys > 0 and (.members | length) == 3'
    assert_json '[.nodes[] | .state == "connected" and .coverage == "full" and .users == 4] | length == 3 and all'
    assert_json '.missing == [] and .open == []'
    assert_no_secret
    no_tool_left
}

@test "the same as a table and as TSV" {
    nodes
    assert_status 0
    assert_output 'coverage full'
    assert_output '10.0.2.5  connected'
    nodes -o tsv
    assert_status 0
    [[ $(awk -F '\t' '$3 == "connected" && $6 == "full"' <<<"$output" | wc -l) == 3 ]]
}

@test "only commands that change nothing are sent, and one login" {
    nodes
    assert_status 0
    [[ $(sort -u "$CHSM_SIM_MGMT_LOG" | tr '\n' ';') == 'findAllKeys 0 0;findAllKeys 0 1;getClusterInfo;listUsers;loginHSM;logoutHSM;quit;' ]]
    [[ $(grep -c loginHSM "$CHSM_SIM_MGMT_LOG") == 1 ]]
}

@test "a key that is missing on one node" {
    CHSM_SIM_MGMT=lost-keys=1:2 nodes -o json
    assert_status 1
    assert_json '.outcome == "partial" and .keys - .keys_on_every_node == 2'
    assert_json '.missing | length == 1 and .[0].node == "server 1(10.0.2.5)" and .[0].keys == 2 and (.[0].handles | length) == 2'
    assert_json '[.nodes[].coverage] == ["full", "partial", "full"]'
    grep -q findSingleKey "$CHSM_SIM_MGMT_LOG"
    CHSM_SIM_MGMT=lost-keys=1:2 nodes
    assert_status 1
    assert_output 'missing on server 1(10.0.2.5): 2 keys'
}

@test "a user that is missing on one node" {
    CHSM_SIM_MGMT=lost-user=2 nodes -o json
    assert_status 1
    assert_json '[.users[] | select(.missing_on == ["server 2(10.0.2.6)"]) | .name] == ["cu2"]'
}

@test "a node that is down is not established, and hides no loss" {
    CHSM_SIM_MGMT=down=1 nodes -o json
    assert_status 10
    assert_json '.outcome == "not established" and .nodes[1].state == "not connected" and (.nodes[1] | has("keys") | not)'
    not_established 'server 1(10.0.2.5): not connected'
    CHSM_SIM_MGMT=down=1,lost-keys=2 nodes
    assert_status 1
}

@test "a node that is not encrypted, and one that refuses the login, are not established" {
    CHSM_SIM_MGMT=unencrypted=2 nodes -o json
    assert_status 10
    assert_json '.nodes[2].state == "unencrypted"'
    CHSM_SIM_MGMT=login-fails=0 nodes -o json
    assert_status 10
    not_established 'server 0(10.0.2.4)'
}

@test "numbers that are too small change nothing, numbers that are too large leave it open" {
    CHSM_SIM_MGMT=count-less nodes
    assert_status 0
    CHSM_SIM_MGMT=count-more nodes -o json
    assert_status 10
    not_established 'more keys than it lists'
}

@test "the other dialect, other lists, a shared number and a tool without hashes come to the same" {
    local quirk

    for quirk in aws findkey aws,findkey,count-less number=2:1 no-hash echo; do
        CHSM_SIM_MGMT=$quirk nodes
        assert_status 0
        CHSM_SIM_MGMT=$quirk,lost-keys=2 nodes
        assert_status 1
    done
    assert_no_secret
}

@test "hashes that differ leave it open" {
    CHSM_SIM_MGMT=other-hash=1 nodes -o json
    assert_status 10
    not_established 'hashes'
}

@test "answers that are not understood, or not given, leave it open" {
    local word

    for word in garbage=findAllKeys garbage=listUsers garbage=getClusterInfo empty=findAllKeys empty=listUsers empty=getClusterInfo; do
        CHSM_SIM_MGMT=$word nodes -o json
        assert_status 10
        assert_json '.outcome == "not established" and (.open | length) > 0'
    done
}

@test "a tool that hangs costs one clear error within the deadline" {
    local word

    for word in start findAllKeys; do
        CHSM_SIM_MGMT=hang=$word nodes --mgmt-timeout 2s
        assert_status 8
        assert_stderr 'did not answer in time'
        no_tool_left
    done
    CHSM_SIM_MGMT=hang=listUsers nodes --timeout 2s
    assert_status 8
    assert_stderr listUsers
}

@test "a tool that dies, prints without end or cannot be started is an error" {
    CHSM_SIM_MGMT=die=findAllKeys nodes
    assert_status 5
    assert_stderr 'ended with status 77'
    CHSM_SIM_MGMT=endless=listUsers nodes
    assert_status 5
    no_tool_left
    run_chsmctl cluster nodes --mgmt-util "$BATS_TEST_TMPDIR/none" --mgmt-pin "file:$PINS/officer.pin"
    assert_status 3
    assert_stderr '--mgmt-util'
}

@test "an interrupt ends the tool, too" {
    CHSM_SIM_MGMT=hang=listUsers "$CHSMCTL" cluster nodes --mgmt-util "$MGMT" --mgmt-directory "$(client chsm-source)" \
        --mgmt-pin "file:$PINS/officer.pin" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    for _ in {1..100}; do
        grep -q listUsers "$CHSM_SIM_MGMT_LOG" 2>/dev/null && break
        sleep 0.05
    done
    kill -TERM $!
    wait $! && code=0 || code=$?
    [[ $code == 130 ]]
    no_tool_left
}

@test "a question whether to change something is answered with no" {
    CHSM_SIM_MGMT=ask=listUsers nodes
    assert_status 5
    [[ $(tail -n 1 "$CHSM_SIM_MGMT_LOG") == n ]]
}

@test "a wrong password is tried once and never shown" {
    export WRONG=not-the-password-77
    KNOWN_SECRETS+=("$WRONG")
    for quirk in '' echo; do
        : >"$CHSM_SIM_MGMT_LOG"
        CHSM_SIM_MGMT=$quirk run_chsmctl cluster nodes --mgmt-util "$MGMT" --mgmt-directory "$(client chsm-source)" --mgmt-pin env:WRONG --debug
        assert_status 4
        assert_stderr 'no node took the login'
        [[ $(grep -c loginHSM "$CHSM_SIM_MGMT_LOG") == 1 ]]
    done
    assert_no_secret "$CHSM_SIM_MGMT_LOG"
}

@test "the password is in no argument, no environment, no log and no error" {
    export OFFICER=adminpassword
    CHSM_SIM_MGMT=hang=findAllKeys,echo "$CHSMCTL" cluster nodes --mgmt-util "$MGMT" --mgmt-directory "$(client chsm-source)" --mgmt-pin env:OFFICER \
        --mgmt-timeout 4s --debug >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    for _ in {1..100}; do
        grep -q findAllKeys "$CHSM_SIM_MGMT_LOG" 2>/dev/null && break
        sleep 0.05
    done
    tool=$(pgrep -P $!)
    [[ -n $tool ]]
    if tr '\0' '\n' <"/proc/$tool/environ" | grep -q adminpassword; then fail "the tool inherits the password"; fi
    if tr '\0' '\n' <"/proc/$tool/cmdline" | grep -q adminpassword; then fail "the password is an argument"; fi
    wait || true
    assert_no_secret "$BATS_TEST_TMPDIR/out"
    grep -q 'loginHSM: answered' "$BATS_TEST_TMPDIR/out"
}

@test "a tool that cannot ask for the password is told it in the login line, on request" {
    CHSM_SIM_MGMT=no-hpswd nodes
    assert_status 4
    assert_stderr '--mgmt-inline'
    CHSM_SIM_MGMT=no-hpswd,echo nodes --mgmt-inline --debug
    assert_status 0
    assert_no_secret
}

@test "mistakes in the options" {
    run_chsmctl cluster nodes --mgmt-util "$MGMT"
    assert_status 2
    assert_stderr '--mgmt-pin'
    run_chsmctl cluster nodes --mgmt-pin adminpassword
    assert_status 2
    [[ $output$stderr != *adminpassword* ]]
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json" --allow-same-cluster --mgmt-pin prompt
    assert_status 2
    assert_stderr '--per-node'
}

@test "keys verify --per-node: the nodes stand in the report" {
    verify -e "$BATS_TEST_TMPDIR/evidence"
    assert_status 0
    assert_json '.verdict == "verified" and .nodes.outcome == "full" and .nodes.before.outcome == "full" and .nodes.after.outcome == "full"'
    assert_json '.not_covered | any(contains("use on every node")) and (any(contains("was not established")) | not)'
    [[ $(grep -c loginHSM "$CHSM_SIM_MGMT_LOG") == 2 ]]
    grep -q 'Nodes: coverage full' "$BATS_TEST_TMPDIR/evidence/report.txt"
    grep -q 'Nodes after the verification' "$BATS_TEST_TMPDIR/evidence/report.txt"
    jq -e .nodes.after "$BATS_TEST_TMPDIR/evidence/report.json"
    assert_no_secret "$BATS_TEST_TMPDIR/evidence"
}

@test "keys verify --per-node: a key or user that one node lacks is a failure" {
    local quirk

    for quirk in lost-keys=2 lost-user=1; do
        CHSM_SIM_MGMT=$quirk verify
        assert_status 1
        assert_json '.verdict == "failed" and .nodes.outcome == "partial" and .verification.verdict == "verified"'
    done
    CHSM_SIM_MGMT=lost-user=1 verify -o text
    assert_status 1
    assert_output 'FAILED: a node lacks a key or a user'
    assert_output 'missing on server 1(10.0.2.5): the user CU cu2'
}

@test "keys verify --per-node: what is not established makes the run inconclusive" {
    local quirk

    for quirk in down=0 count-more garbage=findAllKeys die=getClusterInfo other-hash=2; do
        CHSM_SIM_MGMT=$quirk verify
        assert_status 10
        assert_json '.verdict == "inconclusive" and .nodes.outcome == "not established" and (.verification.open | any(startswith("nodes")))'
    done
    CHSM_SIM_MGMT=hang=listUsers verify --mgmt-timeout 2s
    assert_status 10
    assert_json '.nodes.open | any(contains("did not answer in time"))'
}

@test "keys verify --per-node: a failed login is not repeated after the verification" {
    export WRONG=not-the-password-77
    KNOWN_SECRETS+=("$WRONG")
    # shellcheck disable=SC2046  # words
    run_chsmctl keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json" --allow-same-cluster -o json --per-node --mgmt-util "$MGMT" \
        --mgmt-pin env:WRONG
    assert_status 10
    [[ $(grep -c loginHSM "$CHSM_SIM_MGMT_LOG") == 1 ]]
    assert_no_secret
}

@test "keys verify --per-node: the nodes of another cluster prove nothing" {
    verify --mgmt-directory "$(client chsm-live)"
    assert_status 10
    assert_json '.verification.open | any(contains("none of these nodes"))'
}

@test "keys verify --per-node: nodes that list fewer keys than one login sees prove nothing" {
    CHSM_SIM_MGMT=lost-keys=0:9,lost-keys=1:9,lost-keys=2:9 verify
    assert_status 10
    assert_json '.verification.open | any(contains("one login sees"))'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every safety rule of `chsmctl help safety`: it refuses with exit status 7 and its name, and the cloud's log shows that nothing was
# asked for that could change anything. A test's name begins with its rule's; a rule without a test fails.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill
load client

NEW=(-g rg-destination -n chsm-new)
BUSY=(-g rg-destination -n chsm-busy)
LIVE=(-g rg-destination -n chsm-live)

setup_file() {
    sim_start safety.yaml
    pins
    # In this cloud a change never ends, so this leaves a cluster in the middle of one.
    "$CHSMCTL" identity apply "${BUSY[@]}" --identity "$IDENTITY" --timeout 1s "${POLL[@]}" 2>"$BATS_FILE_TMPDIR/busy" && return 1
    grep -q 'chsmctl cluster wait -g rg-destination -n chsm-busy' "$BATS_FILE_TMPDIR/busy"
    # shellcheck disable=SC2046  # words
    "$CHSMCTL" keys inventory $(hsm chsm-source) -f "$BATS_FILE_TMPDIR/source.json"
}

teardown_file() {
    sim_stop
}

# requests [FILTER]: how many the cloud has seen, but for finding and signing in
requests() {
    jq -s "map(select(.service != \"login\" and .service != \"imds\" and .path != \"/metadata/endpoints\") | select(${1:-true})) | length" "$SIM_DIR/requests.jsonl"
}

changing='.method != "GET" and .method != "HEAD"'

# refuses RULE ARGUMENT...: chsmctl refuses by that rule; nothing that changes something was sent
refuses() {
    local rule=$1 before

    shift
    before=$(requests "$changing")
    # Not by run_chsmctl: it writes down the words of the command, and one of them is a secret here.
    run --separate-stderr timeout -k 5 60 "$CHSMCTL" "$@" </dev/null
    assert_status 7
    assert_stderr "safety rule $rule: "
    [[ $(requests "$changing") == "$before" ]] || fail "something was sent:" "$(tail -n 5 "$SIM_DIR/requests.jsonl")"
}

# refuses_unasked RULE ARGUMENT...: the same, and nothing at all was sent
refuses_unasked() {
    local all

    all=$(requests)
    refuses "$@"
    [[ $(requests) == "$all" ]] || fail "something was sent:" "$(tail -n 5 "$SIM_DIR/requests.jsonl")"
}

backup_id() {
    echo "cloudhsm-00000000-0000-4000-8000-000000000000-$(date -u +%Y%m%d%H%M%S)00"
}

restore() {
    echo "restore start -u $(container) --backup-id $(backup_id)"
}

@test "every rule has a test" {
    diff <("$CHSMCTL" help safety | grep -E '^[a-z-]+$' | sort) \
        <(sed -n 's/^@test "\([a-z-]*\): .*/\1/p' "$abs_top_srcdir/tests/integration/safety.bats" | sort -u)
}

# shellcheck disable=SC2046  # words
@test "destination-is-source: restoring into the source, in any spelling" {
    refuses_unasked destination-is-source $(restore) "${SOURCE[@]}" --source-cluster chsm-source
    refuses_unasked destination-is-source $(restore) -g RG-SOURCE -n CHSM-Source --source-cluster chsm-source --source-group rg-source
    plan chsm-new "$BATS_TEST_TMPDIR/plan.yaml" 's/destination: { resourceGroup: rg-destination, cluster: chsm-new/destination: { resourceGroup: rg-source, cluster: CHSM-source/'
    run_chsmctl drill run "$BATS_TEST_TMPDIR/plan.yaml"
    [[ $status == 3 || $status == 7 ]]
}

# shellcheck disable=SC2046  # words
@test "destination-not-ready: restoring into a cluster that is changing" {
    refuses destination-not-ready $(restore) "${BUSY[@]}"
    plan chsm-busy "$BATS_TEST_TMPDIR/plan.yaml"
    refuses destination-not-ready drill run "$BATS_TEST_TMPDIR/plan.yaml"
}

# shellcheck disable=SC2046  # words
@test "destination-activated: restoring into a cluster that was activated" {
    refuses destination-activated $(restore) "${LIVE[@]}"
    plan chsm-live "$BATS_TEST_TMPDIR/plan.yaml"
    refuses destination-activated drill run "$BATS_TEST_TMPDIR/plan.yaml"
}

@test "source-not-active: a drill that would back up a cluster without keys" {
    plan chsm-live "$BATS_TEST_TMPDIR/plan.yaml" "s|source: { resourceGroup: rg-source, cluster: chsm-source, client: { directory: $(client chsm-source)|source: { resourceGroup: rg-destination, cluster: chsm-new, client: { directory: $(client chsm-new)|"
    refuses source-not-active drill run "$BATS_TEST_TMPDIR/plan.yaml"
}

# shellcheck disable=SC2046  # words
@test "sas: an address with a SAS, which is not repeated" {
    local sas='?sv=2022-11-02&sig=notforyoureyes'

    refuses_unasked sas backup start "${SOURCE[@]}" -u "$(container)$sas"
    [[ $output$stderr != *notforyoureyes* ]]
    refuses_unasked sas restore start "${NEW[@]}" --backup-id "$(backup_id)" -u "$(container)$sas"
    refuses_unasked sas restore start "${NEW[@]}" --backup-id "$(backup_id)" -u "$(container)%3Fsv%3D2022-11-02%26sig%3Dnotforyoureyes"
    refute_stderr notforyoureyes
    [[ $output$stderr != *notforyoureyes* ]]
}

@test "second-identity: applying an identity to a cluster that has another one" {
    refuses second-identity identity apply "${SOURCE[@]}" --identity "$OTHER_IDENTITY"
    refuses second-identity identity apply "${SOURCE[@]}" --identity "$OTHER_IDENTITY" --method patch
    # In a drill before anything else is done.
    plan chsm-new "$BATS_TEST_TMPDIR/plan.yaml" "s|^  identity: .*|  identity: $OTHER_IDENTITY|"
    refuses second-identity drill run "$BATS_TEST_TMPDIR/plan.yaml"
}

@test "client-of-other-cluster: a client folder that points to a third cluster" {
    mkdir "$BATS_TEST_TMPDIR/client"
    cp "$(client chsm-live)/azcloudhsm_resource.cfg" "$BATS_TEST_TMPDIR/client"
    plan chsm-new "$BATS_TEST_TMPDIR/plan.yaml" "s|directory: $(client chsm-new)|directory: client|"
    refuses client-of-other-cluster drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_stderr 'no node of cluster chsm-new'
}

@test "clients-of-one-cluster: both client folders point to the source" {
    mkdir "$BATS_TEST_TMPDIR/client"
    cp "$(client chsm-source)/azcloudhsm_resource.cfg" "$BATS_TEST_TMPDIR/client"
    plan chsm-new "$BATS_TEST_TMPDIR/plan.yaml" "s|directory: $(client chsm-new)|directory: client|"
    refuses clients-of-one-cluster drill run "$BATS_TEST_TMPDIR/plan.yaml"
}

# shellcheck disable=SC2046  # words
# A daemon of this machine, below $ROOT: started when all its files were there, until `daemon 4711 100` makes it an old one.
daemon_of() {
    install
    daemon 4711 10000
    printf '100.00 50.00\n' >"$ROOT/proc/uptime"
    cp "$(client "$1")/azcloudhsm_resource.cfg" "${COPIES[0]}"
    export CHSMCTL_CLIENT_ROOT=$ROOT
}

# shellcheck disable=SC2046  # words
@test "daemon-of-other-cluster: the folder points to one cluster, the daemon of this machine to another" {
    daemon_of chsm-source
    run_chsmctl keys list $(hsm chsm-source)
    assert_status 0
    # The inventory of the source must not be verified against the source, however the folder is called.
    refuses_unasked daemon-of-other-cluster keys verify $(hsm chsm-new) -i "$BATS_FILE_TMPDIR/source.json"
    assert_stderr "${COPIES[0]}"
    plan chsm-new "$BATS_TEST_TMPDIR/plan.yaml"
    refuses daemon-of-other-cluster drill run "$BATS_TEST_TMPDIR/plan.yaml"
    assert_stderr 'a drill reads two clusters'
    daemon 4711 100
    refuses_unasked daemon-of-other-cluster keys list $(hsm chsm-source)
    assert_stderr 'was changed after'
}

# shellcheck disable=SC2046  # words
@test "daemon-of-other-cluster: a file that was moved here with its old time" {
    daemon_of chsm-source
    daemon 4711 5000
    touch -d '1 hour ago' "${COPIES[0]}"
    refuses_unasked daemon-of-other-cluster keys list $(hsm chsm-source)
    assert_stderr 'was changed after'
}

# shellcheck disable=SC2046  # words
@test "daemon-of-other-cluster: of several daemons, all serve another one" {
    daemon_of chsm-new
    daemon 4712 10000
    refuses_unasked daemon-of-other-cluster keys list $(hsm chsm-source)
    # One that may be the right one: it cannot be told which of them serves us.
    printf '/opt/azurecloudhsm/bin/azcloudhsm_client\0/gone.cfg\0' >"$ROOT/proc/4712/cmdline"
    run_chsmctl keys list $(hsm chsm-source)
    assert_status 0
}

# shellcheck disable=SC2046  # words
@test "daemon-of-other-cluster: a daemon that is started with azcloudhsm_client.cfg has its hosts from the file beside it" {
    daemon_of chsm-source
    printf '{"client":{"log_level":"INFO"}}' >"$BIN/azcloudhsm_client.cfg"
    printf '/opt/azurecloudhsm/bin/azcloudhsm_client\0/opt/azurecloudhsm/bin/azcloudhsm_client.cfg\0' >"$ROOT/proc/4711/cmdline"
    refuses_unasked daemon-of-other-cluster keys list $(hsm chsm-new)
    run_chsmctl keys list $(hsm chsm-source)
    assert_status 0
}

# shellcheck disable=SC2046  # words
@test "daemon-of-other-cluster: an address in the daemon's file that the folder does not name" {
    daemon_of chsm-source
    printf '{"servers":[{"hostname":"10.9.9.9"}]}' >"${COPIES[0]}"
    daemon 4711 10000
    refuses_unasked daemon-of-other-cluster keys verify $(hsm chsm-new) -i "$BATS_FILE_TMPDIR/source.json"
    assert_stderr '10.9.9.9'
    # Of azcloudhsm_client.cfg nobody has said what its addresses are.
    mv "${COPIES[0]}" "$BIN/azcloudhsm_client.cfg"
    printf '/opt/azurecloudhsm/bin/azcloudhsm_client\0/opt/azurecloudhsm/bin/azcloudhsm_client.cfg\0' >"$ROOT/proc/4711/cmdline"
    run_chsmctl keys list $(hsm chsm-source)
    assert_status 0
    assert_stderr 'could not be established'
}

# shellcheck disable=SC2046  # words
@test "daemon-of-other-cluster: a daemon in a container has files of its own" {
    daemon_of chsm-new
    mkdir -p "$BATS_TEST_TMPDIR/inside/opt/azurecloudhsm/bin"
    cp "$(client chsm-source)/azcloudhsm_resource.cfg" "$BATS_TEST_TMPDIR/inside/opt/azurecloudhsm/bin"
    ln -s "$BATS_TEST_TMPDIR/inside" "$ROOT/proc/4711/root"
    refuses_unasked daemon-of-other-cluster keys list $(hsm chsm-new)
    run_chsmctl keys list $(hsm chsm-source)
    assert_status 0
}

# shellcheck disable=SC2046  # words
@test "a daemon with more words than anybody gives one stops nobody" {
    daemon_of chsm-source
    { printf 'azcloudhsm_client\0'; printf 'x\0%.0s' {1..400}; } >"$ROOT/proc/4711/cmdline"
    run_chsmctl keys list $(hsm chsm-source)
    assert_status 0
}

# shellcheck disable=SC2046  # words
@test "same-cluster: verifying the cluster that the inventory came from, unless it is meant" {
    refuses_unasked same-cluster keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json"
    assert_stderr --allow-same-cluster
    run_chsmctl keys verify $(hsm chsm-source) -i "$BATS_FILE_TMPDIR/source.json" --allow-same-cluster
    [[ $status != 7 ]]
    mkdir "$BATS_TEST_TMPDIR/second-node"
    sed 's/hsm1[.]/hsm2./' "$(client chsm-source)/azcloudhsm_resource.cfg" >"$BATS_TEST_TMPDIR/second-node/azcloudhsm_resource.cfg"
    refuses_unasked same-cluster keys verify --module "$SIM_MODULE" --directory "$BATS_TEST_TMPDIR/second-node" --login "cu1=file:$PINS/cu1.pin" \
        -i "$BATS_FILE_TMPDIR/source.json"
}

# shellcheck disable=SC2046  # words
@test "pin-final-try: no login when the next wrong PIN locks the user" {
    export CHSM_SIM_QUIRKS=pin=final-try CHSM_SIM_CALLS=$BATS_TEST_TMPDIR/calls
    refuses_unasked pin-final-try keys list $(hsm chsm-source)
    [[ $(jq -s 'map(.C_Login // 0) | add' "$CHSM_SIM_CALLS") == 0 ]]
}

# shellcheck disable=SC2046  # words
@test "pin-locked: no login when the user is locked" {
    export CHSM_SIM_QUIRKS=pin=locked CHSM_SIM_CALLS=$BATS_TEST_TMPDIR/calls
    refuses_unasked pin-locked keys list $(hsm chsm-source)
    [[ $(jq -s 'map(.C_Login // 0) | add' "$CHSM_SIM_CALLS") == 0 ]]
}

# shellcheck disable=SC2046  # words
@test "evidence-exists: a folder that holds something" {
    mkdir "$BATS_TEST_TMPDIR/evidence"
    echo precious >"$BATS_TEST_TMPDIR/evidence/journal.jsonl"
    plan chsm-new "$BATS_TEST_TMPDIR/plan.yaml"
    refuses_unasked evidence-exists drill run "$BATS_TEST_TMPDIR/plan.yaml"
    refuses_unasked evidence-exists keys verify $(hsm chsm-new) -i "$BATS_FILE_TMPDIR/source.json" --evidence "$BATS_TEST_TMPDIR/evidence"
    [[ $(<"$BATS_TEST_TMPDIR/evidence/journal.jsonl") == precious ]]
}

# shellcheck disable=SC2046  # words
@test "backup-too-old: a backup older than --max-age, by its own id" {
    old=cloudhsm-00000000-0000-4000-8000-000000000000-$(date -u -d '-90 minutes' +%Y%m%d%H%M%S)00
    refuses_unasked backup-too-old restore start "${NEW[@]}" -u "$(container)" --backup-id "$old" --max-age 1h
    assert_stderr 'a larger --max-age'
    refuses_unasked backup-too-old restore check "${NEW[@]}" -u "$(container)" --backup-id "$old" --max-age 89m
    refuses_unasked backup-too-old restore start "${NEW[@]}" -u "$(container)" --max-age 1h \
        --backup-id cloudhsm-00000000-0000-4000-8000-000000000000-9999999999999999
    # The service is asked then, and knows no such backup.
    run_chsmctl restore start "${NEW[@]}" -u "$(container)" --backup-id "$old" --max-age 0s
    assert_status 2
    assert_stderr 'would refuse every backup'
    run_chsmctl restore check "${NEW[@]}" -u "$(container)" --backup-id "$old" --max-age 2h
    assert_status 5
}

# shellcheck disable=SC2046  # words
@test "backup-of-other-source: a backup of another cluster than --source-uuid" {
    refuses_unasked backup-of-other-source $(restore) "${NEW[@]}" --source-uuid 11111111-0000-4000-8000-000000000000
    run_chsmctl $(restore) "${NEW[@]}" --source-uuid not-one
    assert_status 2
}

@test "other-identity: removing an identity that the cluster does not have" {
    refuses other-identity identity remove "${SOURCE[@]}" --identity "$OTHER_IDENTITY"
}

@test "identity-differs: creating an identity that is there in another region" {
    refuses identity-differs identity create -g rg-source -n id-backup -l ukwest
    refuses identity-differs identity create -g rg-source -n id-backup --tags other=one
}

@test "cluster-differs: creating a cluster that is there and is another one" {
    refuses cluster-differs cluster create "${NEW[@]}" -l uksouth
    assert_stderr 'ukwest instead of uksouth'
    refuses cluster-differs cluster create "${NEW[@]}" --sku 'Standard B10'
    refuses cluster-differs cluster create "${NEW[@]}" --tags a=b
    refuses cluster-differs cluster create "${NEW[@]}" --mi-user-assigned "$OTHER_IDENTITY"
    refuses cluster-differs cluster create "${NEW[@]}" --domain-name-label-scope NoReuse
}

@test "delete-unconfirmed: deleting a cluster without --yes, or with another name" {
    refuses_unasked delete-unconfirmed cluster delete "${NEW[@]}"
    refuses_unasked delete-unconfirmed cluster delete "${NEW[@]}" --yes --confirm chsm-live
}

@test "delete-active: deleting a cluster that may hold keys with --yes alone" {
    refuses delete-active cluster delete "${LIVE[@]}" --yes
    assert_stderr '--confirm chsm-live'
    # And then: whoever stops waiting learns how to go on.
    run_chsmctl cluster delete "${LIVE[@]}" --confirm chsm-live --timeout 1s "${POLL[@]}"
    assert_status 8
    assert_stderr 'accepted and goes on'
    assert_stderr 'chsmctl cluster wait -g rg-destination -n chsm-live --deleted'
}

STORAGE=(-g rg-source -c backups)

@test "other-resource: an account in another region, an endpoint to something else" {
    refuses other-resource storage prepare "${STORAGE[@]}" -n chsmdrill -l ukwest
}

@test "account-in-use: opening a firewall, cutting off anonymous readers" {
    refuses account-in-use storage prepare "${STORAGE[@]}" -n walledaccount
    assert_stderr 'Logging -> Logging, AzureServices'
    refuses account-in-use storage prepare "${STORAGE[@]}" -n publicaccount
    assert_stderr 'containers backups'
    run_chsmctl storage prepare "${STORAGE[@]}" -n walledaccount --accept-changes
    assert_status 0
}

@test "no-change: correcting an account with --no-change" {
    refuses no-change storage prepare "${STORAGE[@]}" -n publicaccount --no-change
    run_chsmctl storage prepare "${STORAGE[@]}" -n chsmdrill --no-change
    assert_status 0
}

@test "keys-in-use: hardening while somebody signs with a key, or without the role" {
    refuses keys-in-use storage harden -g rg-source -n keyaccount --identity id-backup
    assert_stderr '7 requests'
    refuses keys-in-use storage harden -g rg-source -n keyaccount --identity id-other
    assert_stderr 'has no role'
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

@test "foreign-storage: listing a container at a host that is no blob service of the cloud" {
    local host

    for host in account.blob.core.windows.net.evil.example account.blob.core.windows.example evilblob.core.windows.net; do
        refuses_unasked foreign-storage storage folders -u "https://$host/backups"
        assert_stderr "$host"
    done
    refuses_unasked foreign-storage backup list -u https://account.blob.core.usgovcloudapi.net/backups
}

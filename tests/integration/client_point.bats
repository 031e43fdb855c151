#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# client point: every copy of azcloudhsm_resource.cfg, all or none, whatever stands in the way; then the daemon and the library.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill
load client

setup_file() {
    sim_start drill.yaml
    pins
}

teardown_file() {
    sim_stop
}

setup() {
    install
}

# point HOST [OPTION...]
point() {
    run_chsmctl client point --root "$ROOT" --hostname "$@"
}

# copies HOST: every copy names this host and no other
copies() {
    local copy

    for copy in "${COPIES[@]}"; do
        jq -e --arg h "$1" '[.servers[].hostname] == [$h]' "$copy" >/dev/null || fail "$copy does not name $1:" "$(cat "$copy")"
    done
}

# files: how many files are beside the copies
files() {
    find "$ROOT" -name 'azcloudhsm_resource.cfg*' | wc -l
}

@test "all copies point to another cluster, and back; twice is once" {
    point "$NEW" -o json
    assert_status 0
    assert_json '.changed and (.copies | length) == 2 and all(.copies[]; .changed and (.backup | length) > 0)'
    copies "$NEW"
    grep -q '"comment": "kept as it is: 1.50",' "${COPIES[0]}"
    [[ $(stat -c %a "${COPIES[0]}") == 640 && $(files) == 4 ]]
    point "$NEW" -o json
    assert_status 0
    assert_json '.changed == false and all(.copies[]; .changed == false)'
    [[ $(files) == 4 ]]
    point "$OLD"
    assert_status 0
    copies "$OLD"
    cmp "${COPIES[0]}" "$BATS_TEST_TMPDIR/before.0"
    cmp "${COPIES[1]}" "$BATS_TEST_TMPDIR/before.1"
    [[ $(files) == 6 ]]
}

@test "a dry run shows the difference and changes nothing" {
    point "$NEW" --dry-run
    assert_status 0
    assert_output "- $OLD"
    assert_output "+ $NEW"
    copies "$OLD"
    [[ $(files) == 2 ]]
}

@test "folders that are named are the only ones that change" {
    mkdir "$BATS_TEST_TMPDIR/own"
    cp "${COPIES[0]}" "$BATS_TEST_TMPDIR/own"
    run_chsmctl client point --directory "$BATS_TEST_TMPDIR/own" --hostname "$NEW"
    assert_status 0
    grep -q "$NEW" "$BATS_TEST_TMPDIR/own/azcloudhsm_resource.cfg"
    copies "$OLD"
}

@test "the file that the unit names is a copy, too" {
    mkdir -p "$ROOT/etc/hsm"
    cp "${COPIES[0]}" "$ROOT/etc/hsm/azcloudhsm_resource.cfg"
    sed -i 's| /opt/azurecloudhsm/bin/azcloudhsm_resource.cfg| /etc/hsm/azcloudhsm_resource.cfg|' "$UNIT"
    COPIES+=("$ROOT/etc/hsm/azcloudhsm_resource.cfg")
    point "$NEW"
    assert_status 0
    copies "$NEW"
}

@test "one broken copy, and none is changed" {
    local damage

    for damage in '{"servers":[{"hostname":"hsm1.x"}' '{"servers":[]}' '[]' '{"servers":[{"hostname":"hsm1.x"},{"hostname":"10.1.1.1"}]}'; do
        printf '%s' "$damage" >"${COPIES[1]}"
        point "$NEW"
        assert_status 3
        assert_stderr "${COPIES[1]}"
        [[ $(cat "${COPIES[1]}") == "$damage" && $(files) == 2 ]]
        cmp "${COPIES[0]}" "$BATS_TEST_TMPDIR/before.0"
    done
}

@test "what is no plain file is refused at once, and nothing is lost" {
    mv "${COPIES[1]}" "${COPIES[1]}.real"
    ln -s "${COPIES[1]##*/}.real" "${COPIES[1]}"
    point "$NEW"
    assert_status 3
    assert_stderr 'is a symbolic link'
    rm "${COPIES[1]}"
    mkfifo "${COPIES[1]}"
    point "$NEW"
    assert_status 3
    assert_stderr 'no regular file'
    rm "${COPIES[1]}"
    truncate -s 5G "${COPIES[1]}"
    point "$NEW"
    assert_status 3
    assert_stderr 'larger than'
    rm "${COPIES[1]}"
    ln "${COPIES[1]}.real" "${COPIES[1]}"
    point "$NEW"
    assert_status 3
    assert_stderr '2 names'
    cmp "${COPIES[0]}" "$BATS_TEST_TMPDIR/before.0"
}

@test "a read-only copy is refused, and the others stay" {
    chmod 444 "${COPIES[1]}"
    point "$NEW"
    assert_status 3
    assert_stderr 'read-only (mode 0444)'
    copies "$OLD"
    [[ $(files) == 2 ]]
}

@test "folders that are links to each other have one copy" {
    ln -s azurecloudhsm "$ROOT/opt/other"
    run_chsmctl client point --directory "$ROOT/opt/other" --directory "$ROOT/opt/azurecloudhsm" --hostname "$NEW" -o json
    assert_status 0
    assert_json '.copies | length == 1'
}

@test "a full disk changes nothing" {
    [[ $(id -u) == 0 ]] || skip "needs root"
    local disk=$BATS_TEST_TMPDIR/disk
    mkdir "$disk"
    mount -t tmpfs -o size=32k none "$disk" 2>/dev/null || skip "no mounts here"
    cp "${COPIES[0]}" "$disk/azcloudhsm_resource.cfg"
    dd if=/dev/zero of="$disk/full" bs=1k 2>/dev/null || true
    run_chsmctl client point --directory "$disk" --hostname "$NEW"
    cmp "$disk/azcloudhsm_resource.cfg" "$BATS_TEST_TMPDIR/before.0"
    [[ $(find "$disk" -name 'azcloudhsm*' | wc -l) == 1 ]]
    umount "$disk"
    assert_status 3
    assert_stderr 'No space left'
    assert_stderr 'no copy of azcloudhsm_resource.cfg was changed'
}

@test "killed at any moment, every copy is whole" {
    local i copy host

    for i in {1..30}; do
        host=$([[ $((i % 2)) == 1 ]] && echo "$NEW" || echo "$OLD")
        timeout -s KILL "0.0$((i * 3 + 5))" "$CHSMCTL" client point --root "$ROOT" --hostname "$host" >/dev/null 2>&1 || true
        for copy in "${COPIES[@]}"; do
            jq -e --arg old "$OLD" --arg new "$NEW" '.servers[0].hostname == $old or .servers[0].hostname == $new' "$copy" >/dev/null
        done
    done
    point "$NEW"
    assert_status 0
    copies "$NEW"
}

@test "the daemon is restarted by words, without a shell" {
    point "$NEW" --no-wait -- "$BATS_TEST_TMPDIR/restart" 'one word;' '$HOME'
    assert_status 3
    copies "$OLD"
    restart_program
    point "$NEW" -o json -- "$BATS_TEST_TMPDIR/restart" 'one word;' '$HOME'
    assert_status 0
    assert_json '.daemon == "restarted"'
    [[ $(cat "$BATS_TEST_TMPDIR/words") == $'one word;\n$HOME' ]]
    printf '# systemctl\n%s\n  two words  \n\n' "$BATS_TEST_TMPDIR/restart" >"$BATS_TEST_TMPDIR/words.conf"
    point "$OLD" --restart-file "$BATS_TEST_TMPDIR/words.conf"
    assert_status 0
    [[ $(cat "$BATS_TEST_TMPDIR/words") == 'two words' ]]
}

@test "a restart that fails or hangs is an error, after the change, and is done by the next run" {
    restart_program 'echo "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x" >&2; exit 4'
    point "$NEW" -- "$BATS_TEST_TMPDIR/restart"
    assert_status 5
    assert_stderr 'ended with status 4'
    assert_stderr 'REDACTED'
    assert_no_secret
    copies "$NEW"
    restart_program 'sleep 60 & sleep 60'
    point "$NEW" --restart-timeout 300ms -- "$BATS_TEST_TMPDIR/restart"
    assert_status 8
    restart_program
    point "$NEW" -o json -- "$BATS_TEST_TMPDIR/restart"
    assert_status 0
    assert_json '.changed == false and .daemon == "restarted"'
}

@test "a daemon that was started after the last change is not restarted" {
    local now uptime

    restart_program
    point "$NEW"
    read -r uptime _ </proc/uptime
    now=$(awk -v u="$uptime" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%d", (u + 5) * hz }')
    daemon 4711 "$now"
    cp /proc/uptime "$ROOT/proc/uptime"
    point "$NEW" -o json -- "$BATS_TEST_TMPDIR/restart"
    assert_status 0
    assert_json '.daemon | startswith("not restarted, it knows")'
    daemon 4711 100
    point "$NEW" -o json -- "$BATS_TEST_TMPDIR/restart"
    assert_status 0
    assert_json '.daemon == "restarted"'
}

@test "addresses that were learned of another cluster are set aside" {
    local info=$ROOT/opt/azurecloudhsm/daemon/1/cluster.info

    mkdir -p "${info%/*}"
    printf '{"nodes":["%s","10.0.2.4"]}' "${OLD/hsm1/hsm2}" >"$info"
    point "$OLD" -o json
    assert_json '.cluster_info == []'
    point "$NEW" -o json
    assert_status 0
    assert_json '.cluster_info | length == 1 and (.[0].backup | test("cluster.info.bak-"))'
    [[ ! -e $info && -s $(jq -r '.cluster_info[0].backup' <<<"$output") ]]
    mkfifo "$info"
    point "$OLD"
    assert_status 3
    assert_stderr 'no regular file'
    copies "$NEW"
}

@test "it waits until the library answers" {
    local folder

    folder=$(client chsm-source)
    run_chsmctl client point --directory "$folder" --hostname "$(jq -r '.servers[0].hostname' "$folder/azcloudhsm_resource.cfg")" \
        --module "$SIM_MODULE" -o json
    assert_status 0
    assert_json '.library == "answers" and .changed == false'
    CHSM_SIM_QUIRKS=daemon-down run_chsmctl client point --directory "$folder" --module "$SIM_MODULE" --wait-timeout 2s \
        --hostname "$(jq -r '.servers[0].hostname' "$folder/azcloudhsm_resource.cfg")"
    assert_status 8
    assert_stderr 'the library does not answer'
    point "$NEW" --module "$BATS_TEST_TMPDIR/none.so"
    assert_status 3
    copies "$OLD"
}

@test "Azure names the nodes; where it names none, it says so" {
    run_chsmctl client point --root "$ROOT" "${SOURCE[@]}"
    assert_status 0
    copies "$(jq -r '.servers[0].hostname' "$(client chsm-source)/azcloudhsm_resource.cfg")"
    sim fault add --path 'cloudHsmClusters/chsm-source' --method GET \
        --body '{"id":"/x","name":"chsm-source","properties":{"provisioningState":"Succeeded","hsms":[]}}'
    run_chsmctl client point --root "$ROOT" "${SOURCE[@]}"
    assert_status 10
    assert_stderr 'give the name of one with --hostname'
}

@test "wrong options are told apart, and change nothing" {
    run_chsmctl client point --root "$ROOT"
    assert_status 2
    run_chsmctl client point --root "$ROOT" --hostname "$NEW" -n chsm-source
    assert_status 2
    point 'hsm1.x"},{"'
    assert_status 2
    point "$NEW" stray
    assert_status 2
    point "$NEW" --restart-timeout 0s
    assert_status 2
    point "$NEW" --directory "$BATS_TEST_TMPDIR/none"
    assert_status 3
    run_chsmctl client point --root "$BATS_TEST_TMPDIR/nothing" --hostname "$NEW"
    assert_status 3
    assert_stderr 'where the client is installed'
    copies "$OLD"
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

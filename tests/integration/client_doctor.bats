#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# client show and client doctor: what stands on a machine, and each thing that can be wrong with it.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill
load client

setup_file() {
    private_world
    listen_start 127.0.0.1 127.0.0.2 127.0.0.3
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$BATS_FILE_TMPDIR/po.key" -out "$BATS_FILE_TMPDIR/PO.crt" -days 400 \
        -subj '/O=Cavium/CN=HSM:CF7B:PARTN:22' 2>/dev/null
}

teardown_file() {
    listen_stop
}

# A machine with which nothing is wrong: three nodes that answer, a daemon that has read its configuration, a unit that is enabled.
setup() {
    local uptime

    install
    APP=$BIN/azcloudhsm_application.cfg
    PO=$ROOT/opt/azurecloudhsm/cert/PO.crt
    mkdir -p "${PO%/*}" "$ROOT/opt/azurecloudhsm/lib64" "$ROOT/etc/systemd/system/multi-user.target.wants"
    cp "$BATS_FILE_TMPDIR/PO.crt" "$PO"
    printf 'DAEMON_ID=1  \nSOCKET_TYPE=UNIXSOCKET\nPORT=1111\n' >"$APP"
    ln -s "$UNIT" "$ROOT/etc/systemd/system/multi-user.target.wants/azure-cloud-hsm.service"
    # The unit's paths are those of the machine below $ROOT; what it names has to be there.
    for copy in "${COPIES[@]}"; do
        printf '{"servers":[{"hostname":"127.0.0.1"},{"hostname":"127.0.0.2"},{"hostname":"127.0.0.3"}]}' >"$copy"
    done
    read -r uptime _ </proc/uptime
    daemon 4711 "$(awk -v u="$uptime" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%d", (u + 5) * hz }')"
    cp /proc/uptime "$ROOT/proc/uptime"
    mkdir -p "$ROOT/proc/4711/fd" "$ROOT/proc/net"
    ln -s 'socket:[991]' "$ROOT/proc/4711/fd/5"
    printf 'Num RefCount Protocol Flags Type St Inode Path\n0: 2 0 00010000 0001 01 991 @azcloudhsm.1111\n' >"$ROOT/proc/net/unix"
    cd "$BIN" || return 1
}

# doctor [OPTION...]: as JSON
doctor() {
    run_chsmctl client doctor --root "$ROOT" --port "$PORT" -o json "$@"
}

# finding LEVEL CHECK WORDS: there is one, and (but for ok) it has a remedy
finding() {
    jq -e --arg l "$1" --arg c "$2" --arg w "$3" \
        'any(.findings[]; .level == $l and .check == $c and (.what | contains($w)) and ($l == "ok" or (.remedy | length) > 0))' <<<"$output" >/dev/null ||
        fail "no finding: $*" "$output"
}

@test "show tells all that stands there" {
    mkdir -p "$ROOT/opt/azurecloudhsm/daemon/1"
    printf '10.0.2.4\n' >"$ROOT/opt/azurecloudhsm/daemon/1/cluster.info"
    touch "$ROOT/opt/azurecloudhsm/lib64/libazcloudhsm_pkcs11.so"
    printf '2.0.2.5\n' >"$ROOT/opt/azurecloudhsm/VERSION"
    touch "$ROOT/usr/local/bin/AzureCloudHSM-ClientSDK-1.0.3.tar.gz"
    run_chsmctl client show --root "$ROOT" -o json
    assert_status 0
    assert_json '(.copies | length) == 2 and all(.copies[]; .hosts == ["127.0.0.1", "127.0.0.2", "127.0.0.3"])'
    assert_json '.copies[0].mode == "0640" and (.owner_certificates[0] | .subject == "O = Cavium, CN = HSM:CF7B:PARTN:22" and (.sha256 | length) == 64)'
    assert_json '.service.enabled and .service.argv[1] == "/opt/azurecloudhsm/bin/azcloudhsm_resource.cfg"'
    assert_json '.daemon.pid == 4711 and .daemon.sockets == ["@azcloudhsm.1111"] and .daemon.outdated == false'
    assert_json '.applications[0].settings == {"DAEMON_ID": "1", "SOCKET_TYPE": "UNIXSOCKET", "PORT": "1111"}'
    assert_json '.learned[0].addresses == ["10.0.2.4"] and (.libraries | length) == 1'
    assert_json '[.versions[].version] == ["2.0.2.5", "1.0.3"] and .working_directories[0].application'
    [[ $(jq -r '.owner_certificates[0].sha256' <<<"$output") == "$(openssl x509 -in "$PO" -outform DER | sha256sum | cut -d ' ' -f 1)" ]]
    run_chsmctl client show --root "$ROOT"
    assert_status 0
    assert_output 'azcloudhsm_resource.cfg'
    run_chsmctl client show --root "$ROOT" -o tsv
    [[ $(cut -f 1 <<<"$output" | sort -u | tr '\n' ';') == *'owner certificate;points to;service;version;'* ]]
}

@test "show of a machine without a client, and of hostile files" {
    run_chsmctl client show --root "$BATS_TEST_TMPDIR/empty" -o json
    assert_status 0
    assert_json '.copies == [] and .service == null'
    rm "$PO" "$APP"
    mkfifo "$PO"
    truncate -s 1G "$APP"
    printf '\xff\xfe{' >"${COPIES[1]}"
    run_chsmctl client show --root "$ROOT" -o json
    assert_status 0
    assert_json '(.owner_certificates[0].error | test("regular")) and (.applications[0].error | test("larger")) and (.copies[1].error | length) > 0'
}

@test "a sound machine: exit 0, every finding ok" {
    doctor
    assert_json '.outcome == "warning" and ([.findings[] | select(.level != "ok")] | map(.check) == ["library"])'
    assert_status 0
    finding ok configuration '2 copies point to 127.0.0.1'
    finding ok node '127.0.0.3 (127.0.0.3) answers'
    finding ok daemon 'it listens on @azcloudhsm.1111'
    run_chsmctl client doctor --root "$ROOT" --port "$PORT"
    assert_status 0
    assert_output 'ok       service:'
    run_chsmctl client doctor --root "$ROOT" --port "$PORT" -o tsv
    [[ $(grep -c '^ok' <<<"$output") -ge 9 ]]
}

@test "copies that are missing, broken or differ" {
    printf '{"servers":[{"hostname":"127.0.0.9"}]}' >"${COPIES[1]}"
    doctor
    assert_status 1
    finding problem configuration 'points to 127.0.0.9, and another copy to 127.0.0.1'
    printf '{' >"${COPIES[1]}"
    doctor
    finding problem configuration 'not valid JSON'
    rm "${COPIES[@]}"
    doctor
    assert_status 1
    finding problem configuration 'there is no azcloudhsm_resource.cfg'
}

@test "the owner's certificate: missing, none, expired, two" {
    rm "$PO"
    doctor
    assert_status 1
    finding problem 'owner certificate' 'there is no PO.crt'
    echo nonsense >"$PO"
    doctor
    finding problem 'owner certificate' 'is no certificate'
    openssl x509 -in "$BATS_FILE_TMPDIR/PO.crt" -signkey "$BATS_FILE_TMPDIR/po.key" -days -1 -out "$PO" 2>/dev/null
    doctor
    assert_status 1
    finding problem 'owner certificate' 'has expired on'
    openssl x509 -in "$BATS_FILE_TMPDIR/PO.crt" -signkey "$BATS_FILE_TMPDIR/po.key" -days 3 -out "$PO" 2>/dev/null
    cp "$BATS_FILE_TMPDIR/PO.crt" "$BIN/PO.crt"
    doctor
    assert_status 0
    finding warning 'owner certificate' 'is valid until'
    finding warning 'owner certificate' 'are different certificates'
}

@test "other files of the client that name another cluster" {
    printf '{"servers":[{"hostname":"hsm1.else.cloudhsm.azure.net"}]}' >"$BIN/azcloudhsm_mgmt_util.cfg"
    printf '{"server":{"hostname":"127.0.0.2"}}' >"$BIN/azcloudhsm_client.cfg"
    doctor
    assert_status 0
    finding warning configuration 'azcloudhsm_mgmt_util.cfg names hsm1.else.cloudhsm.azure.net'
    assert_json '[.findings[] | select(.what | contains("azcloudhsm_client.cfg"))] == []'
}

@test "nodes: closed ports, names that do not resolve, addresses that tell nothing of the others" {
    run_chsmctl client doctor --root "$ROOT" --port 1 -o json
    assert_status 1
    finding problem node '127.0.0.2 does not answer'
    for copy in "${COPIES[@]}"; do printf '{"servers":[{"hostname":"hsm1.c.privatelink.cloudhsm.azure.invalid"}]}' >"$copy"; done
    printf '10.0.0.4 hsm1.c.privatelink.cloudhsm.azure.invalid # hsm9.x.cloudhsm.azure.net\n' >"$ROOT/etc/hosts"
    doctor --connect-timeout 4s
    assert_status 1
    finding problem node 'hsm3.c.privatelink.cloudhsm.azure.invalid: the name does not resolve'
    finding warning node 'hsm1.c.privatelink.cloudhsm.azure.invalid is in /etc/hosts'
    assert_json '[.findings[] | select(.what | contains("hsm9"))] == []'
    for copy in "${COPIES[@]}"; do printf '{"servers":[{"hostname":"127.0.0.1"}]}' >"$copy"; done
    doctor
    assert_status 10
    finding unknown node 'does not tell the names of the other nodes'
}

@test "the daemon: not running, older than its configuration, without a socket" {
    daemon 4711 1
    doctor
    assert_status 1
    finding problem daemon 'may still use the cluster from before'
    : >"$ROOT/proc/net/unix"
    doctor
    finding problem daemon 'listens on no local socket'
    printf 'sl local rem st q t r u t inode\n0: 0100007F:0457 00000000:0000 0A 0:0 0:0 0 0 0 991\n' >"$ROOT/proc/net/tcp"
    doctor
    finding ok daemon 'TCP port 1111'
    rm -r "$ROOT/proc/4711/fd"
    doctor
    finding unknown daemon 'sockets cannot be seen'
    printf 'sh\0' >"$ROOT/proc/4711/cmdline"
    doctor
    assert_status 1
    finding problem daemon 'does not run'
    rm -r "$ROOT/proc"
    doctor
    assert_status 10
    finding unknown daemon 'cannot be seen'
}

@test "a daemon that uses another cluster than the folder says" {
    mkdir "$BATS_TEST_TMPDIR/destination"
    printf '{"servers":[{"hostname":"127.0.0.1"},{"hostname":"127.0.0.2"},{"hostname":"127.0.0.3"}]}' >"$BATS_TEST_TMPDIR/destination/azcloudhsm_resource.cfg"
    cp "$APP" "$PO" "$BATS_TEST_TMPDIR/destination"
    doctor --directory "$BATS_TEST_TMPDIR/destination"
    assert_status 0
    printf '{"servers":[{"hostname":"hsm1.source.cloudhsm.azure.net"}]}' >"${COPIES[0]}"
    doctor --directory "$BATS_TEST_TMPDIR/destination"
    assert_status 1
    finding problem daemon "it was started with ${COPIES[0]}, which points to hsm1.source.cloudhsm.azure.net"
    printf '/opt/azurecloudhsm/bin/azcloudhsm_client\0azcloudhsm_resource.cfg\0' >"$ROOT/proc/4711/cmdline"
    ln -s /opt/azurecloudhsm/bin "$ROOT/proc/4711/cwd"
    doctor --directory "$BATS_TEST_TMPDIR/destination"
    finding problem daemon "it was started with ${COPIES[0]}"
    printf '{"servers":[{"hostname":"127.0.0.1"}]}' >"$BATS_TEST_TMPDIR/destination/azcloudhsm_resource.cfg"
    run_chsmctl client point --root "$ROOT" --directory "$BATS_TEST_TMPDIR/destination" --hostname "$NEW"
    assert_status 0
    assert_stderr "the daemon that runs was started with ${COPIES[0]}, which is none of these copies"
}

@test "the unit: not there, not enabled, masked, with a file that is not there" {
    rm -r "$ROOT/etc/systemd/system/multi-user.target.wants"
    doctor
    assert_status 0
    finding warning service 'is not enabled'
    sed -i 's| /opt/azurecloudhsm/bin/azcloudhsm_resource.cfg| /opt/gone.cfg|' "$UNIT"
    doctor
    assert_status 1
    finding problem service '/opt/gone.cfg, which cannot be read'
    ln -sf /dev/null "$UNIT"
    doctor
    finding warning service 'is masked'
    rm "$UNIT"
    doctor
    finding warning service 'there is no azure-cloud-hsm.service'
}

@test "the working directory without azcloudhsm_application.cfg" {
    cd "$BATS_TEST_TMPDIR" || return 1
    doctor
    assert_status 0
    finding warning application "$BATS_TEST_TMPDIR, the working directory"
    doctor --directory "$BIN" --directory "$ROOT/opt"
    finding ok application "$BIN has azcloudhsm_application.cfg"
    finding warning application "$ROOT/opt, the working directory"
}

@test "addresses that were learned of another cluster" {
    mkdir -p "$ROOT/opt/azurecloudhsm/daemon/1"
    printf '127.0.0.2 127.0.0.3\n' >"$ROOT/opt/azurecloudhsm/daemon/1/cluster.info"
    doctor
    assert_status 0
    finding ok 'learned addresses' 'is of this cluster'
    printf '10.9.9.9\n' >"$ROOT/opt/azurecloudhsm/daemon/1/cluster.info"
    doctor
    assert_status 1
    finding problem 'learned addresses' 'remembers 10.9.9.9'
}

# fake_pem HANDLE: what getCaviumPrivKey leaves: a private key whose numbers are none
fake_pem() {
    printf 'asn1=SEQUENCE:k\n[k]\nv=INTEGER:0\nn=INTEGER:0x%s\ne=INTEGER:65537\n' "$(printf 'c3%.0s' {1..256})" >"$BATS_TEST_TMPDIR/der.cnf"
    printf '%s=INTEGER:'"$1"'\n' d p q dp dq qi >>"$BATS_TEST_TMPDIR/der.cnf"
    openssl asn1parse -genconf "$BATS_TEST_TMPDIR/der.cnf" -noout -out "$BATS_TEST_TMPDIR/der"
    echo '-----BEGIN RSA PRIVATE KEY-----'
    base64 -w 64 "$BATS_TEST_TMPDIR/der"
    echo '-----END RSA PRIVATE KEY-----'
}

@test "everything that holds a handle is named" {
    mkdir -p "$BATS_TEST_TMPDIR/web/ssl"
    printf 'USER_KEK_HANDLE=262150  \n' >>"$APP"
    fake_pem 262169 >"$BATS_TEST_TMPDIR/web/ssl/site.pem"
    cp "$BATS_FILE_TMPDIR/po.key" "$BATS_TEST_TMPDIR/web/real.pem"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$BATS_TEST_TMPDIR/web/ec.pem" 2>/dev/null
    truncate -s 1M "$BATS_TEST_TMPDIR/web/large.pem"
    mkfifo "$BATS_TEST_TMPDIR/web/fifo.pem"
    doctor --scan "$BATS_TEST_TMPDIR/web"
    assert_status 0
    finding warning handle 'USER_KEK_HANDLE=262150'
    finding warning handle 'ssl/site.pem is no private key but the handle of one (262169)'
    assert_json '[.findings[] | select(.check == "handle")] | length == 2'
    doctor --scan "$BATS_TEST_TMPDIR/none"
    assert_status 3
    mkdir -p "$BATS_TEST_TMPDIR/web/$(printf 'd/%.0s' {1..20})"
    doctor --scan "$BATS_TEST_TMPDIR/web"
    assert_status 10
    finding unknown handle 'too deep'
}

@test "certificates of an inventory whose ID is a handle" {
    sim_start client_handles.yaml
    printf 'cu1:user1234' >"$BATS_FILE_TMPDIR/cu1.pin"
    "$CHSMCTL" keys inventory -m "$SIM_MODULE" -d "$(client chsm-one)" -l "cu1=file:$BATS_FILE_TMPDIR/cu1.pin" -f "$BATS_TEST_TMPDIR/inv.json"
    sim_stop
    doctor --inventory "$BATS_TEST_TMPDIR/inv.json"
    assert_status 0
    finding warning handle 'certificate "by-handle" of cu1 has the ID 262150'
    assert_json '[.findings[] | select(.check == "handle")] | length == 1'
    doctor --inventory "$APP"
    assert_status 3
}

@test "the library: starts, or says why it does not" {
    export CHSM_SIM_DIR=$BATS_TEST_TMPDIR/sim
    "$CHSM_SIM" seed --dir "$CHSM_SIM_DIR" "$abs_top_srcdir/tests/integration/client_handles.yaml"
    run_chsmctl client doctor -d "$(SIM_DIR=$CHSM_SIM_DIR client chsm-one)" -m "$SIM_MODULE" --port "$PORT" -o json
    finding ok library 'starts and tells of its token'
    finding ok 'owner certificate' 'partition owner of chsm-one'
    finding ok application 'has azcloudhsm_application.cfg'
    CHSM_SIM_QUIRKS=daemon-down run_chsmctl client doctor -d "$(SIM_DIR=$CHSM_SIM_DIR client chsm-one)" -m "$SIM_MODULE" -o json --connect-timeout 1s
    assert_status 1
    finding problem library 'CKR_GENERAL_ERROR'
    doctor --module "$APP"
    assert_status 1
    finding problem library "$APP"
}

@test "a configuration cannot drive the terminal" {
    printf '{"servers":[{"hostname":"hsm1.\\u001b[31mevil.example"}]}' >"${COPIES[0]}"
    cp "${COPIES[0]}" "${COPIES[1]}"
    run_chsmctl client doctor --root "$ROOT" --port "$PORT" --connect-timeout 1s
    [[ $output == *'hsm1.\x1b[31mevil.example'* && $output$stderr != *$'\e'* ]] || fail "$(cat -v <<<"$output$stderr")"
    run_chsmctl client point --root "$ROOT" --hostname "$NEW" --dry-run
    [[ $output == *'hsm1.\x1b[31mevil.example'* && $output$stderr != *$'\e'* ]] || fail "$(cat -v <<<"$output$stderr")"
    run_chsmctl client show --root "$ROOT" --directory $'/x\e[31m\nchsmctl: all is well'
    assert_status 3
    assert_stderr '/x\x1b[31m\x0achsmctl: all is well'
}

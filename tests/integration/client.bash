# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A machine with Azure's client on it, as files below a folder. Load it after lib.

OLD=hsm1.chsm-old-aaaa.privatelink.cloudhsm.azure.net
NEW=hsm1.chsm-new-bbbb.privatelink.cloudhsm.azure.net

# install: $ROOT with an install, new and old, and its unit; $COPIES are its azcloudhsm_resource.cfg, kept as before.N
install() {
    local i

    export ROOT=$BATS_TEST_TMPDIR/root
    BIN=$ROOT/opt/azurecloudhsm/bin
    UNIT=$ROOT/etc/systemd/system/azure-cloud-hsm.service
    COPIES=("$BIN/azcloudhsm_resource.cfg" "$ROOT/usr/local/bin/AzureCloudHSM-ClientSDK-1.0.3/azcloudhsm_resource.cfg")
    mkdir -p "$BIN" "${COPIES[1]%/*}" "${UNIT%/*}"
    printf '{\n    "comment": "kept as it is: 1.50",\n    "servers": [\n    {\n        "hostname" : "%s"\n    }]\n}\n' "$OLD" >"${COPIES[0]}"
    printf '{"servers":[{"hostname":"%s"}],"z":1,"a":2}' "$OLD" >"${COPIES[1]}"
    chmod 640 "${COPIES[0]}"
    printf '[Service]\nType=simple\nExecStart=%s %s\n\n[Install]\nWantedBy=multi-user.target\n' /opt/azurecloudhsm/bin/azcloudhsm_client \
        /opt/azurecloudhsm/bin/azcloudhsm_resource.cfg >"$UNIT"
    for i in 0 1; do cp -p "${COPIES[i]}" "$BATS_TEST_TMPDIR/before.$i"; done
}

# daemon PID TICKS: the daemon as a process below $ROOT/proc, started that many ticks after the machine
daemon() {
    mkdir -p "$ROOT/proc/$1"
    printf '/opt/azurecloudhsm/bin/azcloudhsm_client\0/opt/azurecloudhsm/bin/azcloudhsm_resource.cfg\0' >"$ROOT/proc/$1/cmdline"
    printf '%s (azcloudhsm) (x) S 1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 3 0 %s 1000 200\n' "$1" "$2" >"$ROOT/proc/$1/stat"
}

# restart_program [COMMAND]: a program that writes down its words, one a line, then runs COMMAND
restart_program() {
    # shellcheck disable=SC2016  # for the program
    printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"%s"\n%s\n' "$BATS_TEST_TMPDIR/words" "${1:-}" >"$BATS_TEST_TMPDIR/restart"
    chmod 755 "$BATS_TEST_TMPDIR/restart"
}

# listen_start ADDRESS...: something listens at these addresses, on $PORT
listen_start() {
    local fifo="$BATS_FILE_TMPDIR/port"

    mkfifo "$fifo"
    "$abs_top_builddir/tests/integration/port_listen" "$@" >"$fifo" 2>"$BATS_FILE_TMPDIR/listen.log" 3>&- </dev/null &
    export LISTEN_PID=$!
    read -r -t 30 PORT <"$fifo" || fail "nothing listens:" "$(cat "$BATS_FILE_TMPDIR/listen.log")"
    export PORT
}

listen_stop() {
    [[ -z ${LISTEN_PID:-} ]] || kill "$LISTEN_PID" 2>/dev/null || true
}

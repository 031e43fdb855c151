#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: token_world.sh KIND STORE COMMAND...: runs the command where the token whose files are in STORE can be used:
#   proxy          SoftHSM, as p11-kit is configured for it
#   remote         the same behind `p11-kit server`
#   nss            NSS softokn; nothing to be done, its folder is a parameter of C_Initialize
#   opencryptoki   with a pkcsslotd of its own. It knows fixed places only, so that the command gets mounts, IPC and processes
#                  of its own where that is allowed; elsewhere (a plain container) the real places are lent, one user at a time
# Nothing stays: no daemon, no file outside STORE. Exit status 77: not possible here, with the reason on stderr.
set -euo pipefail
kind=$1 store=$2
shift 2

softhsm_conf() {
    printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n' "$store" >"$store/softhsm2.conf"
    export SOFTHSM2_CONF=$store/softhsm2.conf
}

# A socket's path has to be short, which a test's folder is not.
serve_remote() {
    local folder server i rc=0

    folder=$(mktemp -d /tmp/chsm-remote.XXXXXX)
    p11-kit server --foreground --provider "$SOFTHSM_MODULE" --name "$folder/socket" 'pkcs11:' >"$folder/log" 2>&1 3>&- </dev/null &
    server=$!
    # shellcheck disable=SC2064  # expanded now
    trap "kill $server 2>/dev/null; rm -rf $folder" EXIT
    for ((i = 0; i < 100; i++)); do
        [[ ! -S $folder/socket ]] || break
        sleep 0.05
    done
    P11_KIT_SERVER_ADDRESS=unix:path=$folder/socket "$@" || rc=$?
    exit $rc
}

# Where pkcsslotd and its library look, whatever they are told.
OCK_STATE=/var/lib/opencryptoki/swtok OCK_LOCKS=/run/lock/opencryptoki OCK_PID=/run/pkcsslotd.pid

# A zombie has no program; in a container there may be nobody to collect it.
slot_daemon_runs() {
    [[ -s $OCK_PID && -e /proc/$(<$OCK_PID)/exe ]]
}

# with_slot_daemon COMMAND...: beside a daemon that lives as long as the command
with_slot_daemon() {
    local rc=0 i

    /usr/sbin/pkcsslotd 3>&- || { echo "pkcsslotd does not start" >&2; return 77; }
    "$@" || rc=$?
    kill "$(<$OCK_PID)" || true
    for ((i = 0; i < 100; i++)); do
        slot_daemon_runs || break
        sleep 0.05
    done
    return $rc
}

ock_private() {
    mount -t tmpfs -o mode=1777 none /run
    mount -t tmpfs -o mode=1777 none /dev/shm
    mount --bind "$store/tokens" $OCK_STATE
    mount --bind "$store/opencryptoki.conf" /etc/opencryptoki/opencryptoki.conf
    mkdir -p $OCK_LOCKS/swtok
    with_slot_daemon "$@"
}

ock_lend() {
    local lock

    exec {lock}>/tmp/chsm-opencryptoki.lock
    flock -w 300 $lock || { echo "another test has had opencryptoki for 5 minutes" >&2; return 77; }
    if slot_daemon_runs || [[ -n $(find $OCK_STATE -type f -print -quit) ]]; then
        echo "opencryptoki is in use on this machine, and there may be no mounts of our own" >&2
        return 77
    fi
    # shellcheck disable=SC2064  # expanded now
    trap "cp -R $OCK_STATE/. '$store/tokens/'; find $OCK_STATE -mindepth 1 -type f -delete; rm -f /dev/shm/var.lib.opencryptoki.* $OCK_PID" EXIT
    cp -R "$store/tokens/." $OCK_STATE
    mkdir -p $OCK_LOCKS/swtok
    with_slot_daemon "$@" {lock}>&-
}

ock() {
    local own=(unshare --mount --propagation private --ipc --pid --fork --kill-child --mount-proc)

    [[ $(id -u) == 0 ]] || { echo "pkcsslotd needs root" >&2; exit 77; }
    case $store in
    /run/* | /dev/shm/*) echo "$store would be hidden from the command" >&2; exit 77 ;;
    esac
    mkdir -p "$store/tokens/TOK_OBJ"
    printf 'version opencryptoki-3.1\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n' >"$store/opencryptoki.conf"
    if "${own[@]}" mount -t tmpfs none /run 2>/dev/null; then
        exec "${own[@]}" "$BASH" "$0" opencryptoki-private "$store" "$@"
    fi
    ock_lend "$@"
}

case $kind in
proxy) softhsm_conf && exec "$@" ;;
remote) softhsm_conf && serve_remote "$@" ;;
nss) exec "$@" ;;
opencryptoki) ock "$@" ;;
opencryptoki-private) ock_private "$@" ;;
*) echo "token_world.sh: unknown kind $kind" >&2; exit 2 ;;
esac

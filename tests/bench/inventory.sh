#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inventory.sh BUILD_DIR [--quick]: listing all objects of a token through the simulated client library, which waits 0, 1 or 5 ms
# in each call: chsmctl with 1, 8 and 16 sessions beside pkcs11-tool, p11tool and libp11. Wall time of the whole program; calls as
# the library counts them; peak memory of the largest process. What would take longer than CHSM_BENCH_LIMIT seconds (600) is
# computed from the calls at 0 ms and the time that a call takes, and marked with "~". CHSM_BENCH_OBJECTS chooses the sizes
# ("3200 20000"). With --quick: one small table at 1 ms.
set -eu
build=$(cd "$1" && pwd)
quick=${2:-}
limit=${CHSM_BENCH_LIMIT:-600}
export LC_ALL=C.UTF-8
make -s -C "$build" tests/bench/run tests/bench/libp11_list >/dev/null
run=$build/tests/bench/run
module=$build/.libs/libchsm-sim-pkcs11.so
# A token is a folder with a file for each object: on a real disk its start would be measured, not the listing.
dir=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/chsm-bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
printf cu1:user1234 >"$dir/pin"
export CHSM_SIM_CALLS="$dir/calls" HOME="$dir" GNUTLS_PIN=cu1:user1234
unset CHSM_SIM_QUIRKS

# seed OBJECTS: of five objects, four are halves of EC pairs and one is an AES key.
seed() {
    rm -rf "$dir/sim"
    {
        echo 'tenant: 11111111-1111-4111-8111-111111111111'
        echo 'subscription: 22222222-2222-4222-8222-222222222222'
        echo 'resourceGroups: [{ name: rg, location: uksouth }]'
        echo 'principals: [{ name: op, clientId: 33333333-3333-4333-8333-333333333333, secret: "simulated-operator-secret" }]'
        echo 'clusters:'
        echo '  - name: bench'
        echo '    resourceGroup: rg'
        echo '    activationState: Active'
        echo '    users:'
        echo '      - name: cu1'
        echo '        password: user1234'
        echo '        keys:'
        echo "          - { kind: ec, curve: P-256, id: \"0001\", label: pair, usage: [sign, verify], count: $(($1 * 2 / 5)), clone: true }"
        echo "          - { kind: aes, bits: 256, id: \"ff000001\", label: aes, usage: [encrypt, decrypt], count: $(($1 / 5)), clone: true }"
    } >"$dir/world.yaml"
    "$build/chsm-sim" seed --dir "$dir/sim" "$dir/world.yaml" >/dev/null
    export CHSM_SIM_DIR="$dir/sim" CHSM_SIM_RESOURCE_CFG="$dir/sim/clusters/bench/azcloudhsm_resource.cfg"
}

# measure LATENCY PROGRAM...: sets seconds, kib and calls.
measure() {
    rm -f "$CHSM_SIM_CALLS"
    CHSM_SIM_QUIRKS="latency=$1"
    export CHSM_SIM_QUIRKS
    shift
    "$run" "$dir/used" "$@" >"$dir/out" 2>"$dir/err" </dev/null || { tail -n 20 "$dir/err" >&2; echo "inventory: $1 failed" >&2; exit 1; }
    unset CHSM_SIM_QUIRKS
    read -r seconds kib _ <"$dir/used"
    calls=$(jq -s '[.[][]] | add' "$CHSM_SIM_CALLS")
}

# chsmctl with $1 sessions
lister() { set -- "$1" keys inventory --module "$module" --login "cu1=file:$dir/pin" --no-proofs --file "$dir/inventory.json"
    jobs=$1; shift; measure "$latency" "$build/chsmctl" "$@" --jobs "$jobs"
    [ "$(jq '[.sections[].records[]] | length' "$dir/inventory.json")" = "$objects" ] || { echo "inventory: not all objects" >&2; exit 1; }
}
pkcs11tool() { measure "$latency" pkcs11-tool --module "$module" -O --login --pin cu1:user1234
    [ "$(grep -c 'Key Object' "$dir/out")" = "$objects" ] || { echo "inventory: pkcs11-tool: not all objects" >&2; exit 1; }
}
p11urls() { measure "$latency" p11tool --provider "$module" --login --list-all --only-urls --batch 'pkcs11:token=cavium'; }
libp11() { measure "$latency" "$build/tests/bench/libp11_list" "$module" cu1:user1234; }

calc() { awk "BEGIN { printf \"$1\", $2 }"; }
row() { printf '%7s %5s  %-24s %10s %13s %10s\n' "$objects" "$latency" "$1" "$2" "$3" "$4"; }

# bench NAME FUNCTION [SESSIONS]: one row; computed when the calls at 0 ms show that it would take too long.
bench() {
    name=$1 key=$2${3:-}
    eval "known=\${calls_$key:-}"
    sessions=${3:-1}
    if [ -n "$known" ] && [ "$(calc %d "$known * $latency * 1.06 / 1000 / $sessions")" -gt "$limit" ]; then
        seconds=$(calc %.0f "$known * $latency * 1.06 / 1000 / $sessions")
        row "$name" "~$seconds s" "$(calc %.2f "$known / $objects")" -
        return
    fi
    "$2" "$sessions"
    [ "$latency" != 0 ] || eval "calls_$key=$calls"
    row "$name" "$(calc %.2f "$seconds") s" "$(calc %.2f "$calls / $objects")" "$(calc %.1f "$kib / 1024") MiB"
}

head() {
    echo "$(nproc) CPUs, $(uname -m), tokens in $(dirname "$dir")"
    printf '%7s %5s  %-24s %10s %13s %10s\n' objects ms program time calls/object memory
}

if [ "$quick" = --quick ]; then
    head
    objects=3200 latency=0
    seed $objects
    lister 1
    per_object=$(calc %.2f "$calls / $objects")
    row "chsmctl, 1 session" "$(calc %.2f "$seconds") s" "$per_object" "$(calc %.1f "$kib / 1024") MiB"
    objects=1850 latency=0
    seed $objects
    measure 0 pkcs11-tool --module "$module" -L
    row "(the library's start)" "$(calc %.2f "$seconds") s" - "$(calc %.1f "$kib / 1024") MiB"
    latency=1
    for j in 1 8; do
        lister $j
        if [ $j = 1 ]; then t1=$seconds; else t8=$seconds; fi
        row "chsmctl, $j session$([ $j = 1 ] || echo s)" "$(calc %.2f "$seconds") s" "$(calc %.2f "$calls / $objects")" "$(calc %.1f "$kib / 1024") MiB"
    done
    pkcs11tool
    row "pkcs11-tool -O" "$(calc %.2f "$seconds") s" "$(calc %.2f "$calls / $objects")" "$(calc %.1f "$kib / 1024") MiB"
else
    head
    for objects in ${CHSM_BENCH_OBJECTS:-3200 20000}; do
        seed "$objects"
        latency=0
        measure 0 pkcs11-tool --module "$module" -L
        row "(the library's start)" "$(calc %.2f "$seconds") s" - "$(calc %.1f "$kib / 1024") MiB"
        for latency in 0 1 5; do
            for j in 1 8 16; do
                bench "chsmctl, $j session$([ $j = 1 ] || echo s)" lister $j
                [ "$latency" != 0 ] || [ $j != 1 ] || per_object=$(calc %.2f "$calls / $objects")
                [ "$latency" != 1 ] || case $j in 1) t1=$seconds ;; 8) t8=$seconds ;; *) t16=$seconds ;; esac
            done
            bench "pkcs11-tool -O" pkcs11tool
            [ "$latency" != 1 ] || tool=$seconds
            bench "libp11, keys only" libp11
            bench "p11tool --only-urls" p11urls
            [ "$latency" != 1 ] || row "against pkcs11-tool" "1: $(calc %.1f "$tool / $t1")x" "8: $(calc %.0f "$tool / $t8")x" "16: $(calc %.0f "$tool / $t16")x"
        done
    done
    seconds=$tool
fi
echo "inventory: calls/object=$per_object speedup1=$(calc %.1f "$seconds / $t1") speedup8=$(calc %.0f "$seconds / $t8")"

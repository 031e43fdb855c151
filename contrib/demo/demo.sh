#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD-DIR [--corrupt KIND]: a whole disaster-recovery drill on the simulator. With --corrupt the restored keys are damaged
# before they are verified, and the drill has to notice. What it leaves is in _build/demo (or CHSM_DEMO_DIR).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
shift
kind=
if [ "${1:-}" = --corrupt ] && [ $# = 2 ]; then
    kind=$2
elif [ $# != 0 ]; then
    echo "usage: ./dev demo [--corrupt KIND]" >&2
    exit 2
fi

dir=${CHSM_DEMO_DIR:-$top/_build/demo}
sim=$dir/sim
server=
stop() { [ -z "$server" ] || kill "$server" 2>/dev/null || :; }
trap stop EXIT
trap 'exit 130' INT TERM
rm -rf "$dir"
mkdir -p "$dir"
chmod 700 "$dir"

echo "demo: making two simulated Cloud HSM clusters, and keys in the source"
"$build/chsm-sim" seed --dir "$sim" "$top/cfg/sim-demo.yaml" >"$dir/seed.log"
"$build/chsm-sim" serve --dir "$sim" --ready-fd 3 3>"$dir/ready" >"$dir/serve.log" 2>&1 &
server=$!
i=0
until [ -s "$dir/ready" ]; do
    i=$((i + 1))
    if [ "$i" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "demo: the simulator did not start:" >&2
        cat "$dir/serve.log" >&2
        exit 1
    fi
    sleep 0.1
done
# shellcheck source=/dev/null
. "$sim/env"

printf 'cu1:user1234\n' >"$dir/cu1.pin"
printf 'cu2:other5678\n' >"$dir/cu2.pin"
blob=$(sed -n 's/.*"blob": *"\([^"]*\)".*/\1/p' "$sim/endpoints.json")
subscription=$(sed -n 's/^subscription: *//p' "$top/cfg/sim-demo.yaml" | sed 's/[ #].*//')
sed -e "s|@SIM@|$sim|g" -e "s|@SUBSCRIPTION@|$subscription|g" -e "s|@BLOB@|$blob|g" \
    -e "s|@MODULE@|$build/.libs/libchsm-sim-pkcs11.so|g" "$top/contrib/demo/plan.yaml.in" >"$dir/plan.yaml"

# The damage is done between the restore and the verification: the cluster is not active before it has happened.
damage() {
    until grep -q cu1 "$sim/clusters/chsm-destination/keys/users.json" 2>/dev/null; do sleep 0.1; done
    "$build/chsm-sim" corrupt --dir "$sim" chsm-destination "$kind" >"$dir/corrupt.log" 2>&1 && : >"$dir/corrupted"
    "$build/chsm-sim" set --dir "$sim" activation=0s >/dev/null
}
damager=
if [ -n "$kind" ]; then
    "$build/chsm-sim" set --dir "$sim" activation=10m >/dev/null
    damage &
    damager=$!
fi
# A daemon of Azure's client on this machine has nothing to do with simulated clusters.
export CHSMCTL_CLIENT_ROOT="$dir"
echo "demo: chsmctl drill run $dir/plan.yaml"
rc=0
"$build/chsmctl" drill run "$dir/plan.yaml" || rc=$?
if [ -n "$damager" ]; then
    kill "$damager" 2>/dev/null || :
    echo "demo: what was done to the restored keys: $(cat "$dir/corrupt.log" 2>/dev/null || echo nothing)"
    [ -e "$dir/corrupted" ] || { echo "demo: the keys were not damaged; this drill shows nothing" >&2; exit 1; }
fi
exit "$rc"

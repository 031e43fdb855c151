#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cli.sh BUILD_DIR [--quick]: one command from its start to its end, chsmctl beside az, both against the simulator: starting up (version),
# and showing a cluster (chsmctl cluster show, az rest, az resource show) with the same sign-in (a managed identity, as Cloud Shell
# offers it) and the addresses of the cloud in a file, where az keeps them, too. Each in turn, CHSM_BENCH_RUNS times (21), medians.
# "private" is the memory that the process shares with nobody; of the rest, most are pages of libraries.
set -eu
build=$(cd "$1" && pwd)
runs=${CHSM_BENCH_RUNS:-21}
[ "${2:-}" != --quick ] || runs=5
export LC_ALL=C.UTF-8
command -v az >/dev/null || { echo "cli: az is missing: apt-get install --no-install-recommends azure-cli" >&2; exit 1; }
make -s -C "$build" tests/bench/run >/dev/null
dir=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/chsm-bench-XXXXXX")
trap 'kill "${sim:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

cat >"$dir/world.yaml" <<'EOF'
tenant: 11111111-1111-4111-8111-111111111111
subscription: 22222222-2222-4222-8222-222222222222
resourceGroups: [{ name: rg, location: uksouth }]
principals: [{ name: op, clientId: 33333333-3333-4333-8333-333333333333, secret: "simulated-operator-secret" }]
identities: [{ name: id-op, resourceGroup: rg }]
clusters: [{ name: bench, resourceGroup: rg, activationState: Active }]
EOF
"$build/chsm-sim" seed --dir "$dir/sim" "$dir/world.yaml" >/dev/null
mkfifo "$dir/ready"
"$build/chsm-sim" serve --dir "$dir/sim" --ready-fd 9 9>"$dir/ready" >"$dir/sim.log" 2>&1 &
sim=$!
read -r _ <"$dir/ready" || { cat "$dir/sim.log" >&2; exit 1; }

for name in $(env | sed -n 's/^\(\(AZURE\|ARM\|IDENTITY\|IMDS\|MSI\)_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
arm=$(jq -er .arm "$dir/sim/endpoints.json")
export HOME="$dir/home" AZURE_CONFIG_DIR="$dir/home/az" AZURE_CORE_COLLECT_TELEMETRY=false AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
MSI_ENDPOINT=$(jq -er .imds "$dir/sim/endpoints.json")/shell/oauth2/token
export MSI_ENDPOINT SSL_CERT_FILE="$dir/sim/ca.pem" REQUESTS_CA_BUNDLE="$dir/sim/ca.pem"
export ARM_CLOUD_METADATA_URL="$arm/metadata/endpoints?api-version=2019-05-01"
mkdir -p "$AZURE_CONFIG_DIR"
curl -sS --fail --cacert "$SSL_CERT_FILE" -o "$dir/cloud.json" "$ARM_CLOUD_METADATA_URL"
az login --identity >/dev/null
cluster=/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/rg/providers/Microsoft.HardwareSecurityModules/cloudHsmClusters/bench

# one NAME PROGRAM...: a run for its time and one for its memory; figures go to NAME and NAME.own, what it shows to NAME.out
one() {
    name=$1
    shift
    for look in '' --private; do
        # shellcheck disable=SC2086  # a word or none
        "$build/tests/bench/run" $look "$dir/used" "$@" >"$dir/$name.out" 2>"$dir/err" </dev/null ||
            { tail -n 20 "$dir/err" >&2; echo "cli: $* failed" >&2; exit 1; }
        cat "$dir/used" >>"$dir/$name${look:+.own}"
    done
}

i=0
while [ "$i" -lt "$runs" ]; do
    i=$((i + 1))
    one version "$build/chsmctl" version
    one az-version az version
    one show "$build/chsmctl" cluster show -g rg -n bench --cloud "$dir/cloud.json" --credential managed-identity -o json
    one az-rest az rest --method get --url "$cluster?api-version=2025-03-31" -o json
    one az-resource az resource show --ids "$cluster" --api-version 2025-03-31 -o json
done
# All three must have shown the same cluster, or the figures compare nothing.
for name in show az-rest az-resource; do
    jq -e '.name == "bench" and .properties.activationState == "Active"' "$dir/$name.out" >/dev/null || { echo "cli: $name shows no cluster" >&2; exit 1; }
done

# median NAME COLUMN
median() { cut -d ' ' -f "$2" "$dir/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { printf '%-24s %8.1f ms %8.1f MiB %8.1f MiB\n' "$1" "$(median "$2" 1 | awk '{ print $1 * 1000 }')" "$(median "$2" 2 | awk '{ print $1 / 1024 }')" "$(median "$2.own" 3 | awk '{ print $1 / 1024 }')"; }
printf '%-24s %11s %12s %12s\n' 'median of '"$runs"' runs' wall resident private
row 'chsmctl version' version
row 'az version' az-version
row 'chsmctl cluster show' show
row 'az rest' az-rest
row 'az resource show' az-resource
# Beside the quicker, smaller one of az's two ways.
awk -v wall="$(median show 1)" -v az="$(median az-rest 1)" -v rss="$(median show 2)" -v az_rss="$(median az-rest 2)" \
    -v own="$(median show.own 3)" -v az_own="$(median az-rest.own 3)" -v resource="$(median az-resource 1)" 'BEGIN {
        printf "beside az resource show: %.0f times the wall time; resident beside az rest, libraries and all: %.1f times\n", resource / wall, az_rss / rss
        printf "cli: wall_ratio=%.0f mem_ratio=%.0f\n", az / wall, az_own / own }'

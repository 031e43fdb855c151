#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole drill with one fault at each request in turn. Whatever happens on the way, a drill ends verified, or it fails with the right exit
# status, a message that agrees with what is true in the cloud, and evidence that claims nothing; no job is started twice; damaged keys are
# never called verified. Usage: http.sh BUILDDIR [--sample]; the last line counts.
# shellcheck shell=bash
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

here=$(cd "${0%/*}" && pwd)
build=${1:?usage: http.sh BUILDDIR [--sample]}
build=$(cd "$build" && pwd)
stride=1
[[ ${2:-} != --sample ]] || stride=37
lanes=2
servers=()

# shellcheck source=tests/faults/world.bash
source "$here/world.bash"
# shellcheck source=tests/faults/http.bash
source "$here/http.bash"
world_begin http.yaml
export AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
finish() {
    [[ ${#servers[@]} == 0 ]] || kill "${servers[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

for ((i = 0; i < lanes; i++)); do
    lane_begin "$work/lane$i"
    servers+=("$(<"$work/lane$i/sim/serve.pid")")
done

# The undisturbed run: its requests, in the order in which they arrive, are what is hit.
drill "$work/lane0" || die "the undisturbed drill failed: $(cat "$work/lane0/err")"
why=$(judge "$work/lane0" v)
[[ -z $why ]] || die "the undisturbed drill: $why"
jq -r '[.service, .method, .path] | @tsv' "$work/lane0/sim/requests.jsonl" >"$work/requests"
drill "$work/lane1" damaged && die "damaged keys were not noticed" || [[ $? == 1 ]] || die "a drill over damaged keys: $(cat "$work/lane1/err")"

cases | awk -v stride="$stride" 'NR % stride == 1 || stride == 1' >"$work/cases"
lane() {
    local n=0 words

    while IFS= read -r words; do
        # shellcheck disable=SC2086  # words
        if ((n++ % lanes == $1)); then one_case "$work/lane$1" $words; fi
    done <"$work/cases" >"$work/lane$1.out"
}
pids=()
for ((i = 0; i < lanes; i++)); do
    lane "$i" &
    pids+=("$!")
done
wait "${pids[@]}"
cat "$work"/lane?.out >"$work/results"
grep -v '^ok ' "$work/results" || true
count() { grep -c "^$1 " "$work/results" || true; }
summary
wrong=$(count wrong) duplicate=$(count duplicate) false=$(count false) unreached=$(count unreached) total=$(wc -l <"$work/results")
echo "http: $((total - unreached)) cases, $wrong wrong, $duplicate duplicate, $false false"
[[ $total == "$(wc -l <"$work/cases")" && $wrong == 0 && $duplicate == 0 && $false == 0 ]] && ((unreached * 50 <= total))

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every kind of key x every corruption: `chsmctl keys verify` has to notice each of them, name the right key, and blame no other.
# Usage: mutations.sh BUILDDIR [--sample]; the last line says how many were right, and how many were called "verified".
# shellcheck shell=bash
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

here=$(cd "${0%/*}" && pwd)
build=${1:?usage: mutations.sh BUILDDIR [--sample]}
build=$(cd "$build" && pwd)
stride=1
[[ ${2:-} != --sample ]] || stride=37
lanes=$(nproc)

# shellcheck source=tests/faults/world.bash
source "$here/world.bash"
# shellcheck source=tests/faults/mutations.bash
source "$here/mutations.bash"

world_begin kinds.yaml
for cluster in verified carried; do
    world_inventory "$cluster" || die "cannot read the cluster $cluster: $(cat "$work/err")"
done

# judge EXPECTED-RUN LABELS ALLOWED EXPECTATIONS ATTRIBUTE BACKGROUND < REPORT: nothing when the verdicts are right, else what is wrong
judge() {
    jq -r --arg background "$6" --arg run "$1" --arg labels "$2" --arg allowed "$3" --arg expected "$4" --arg attribute "$5" -f "$here/mutations.jq"
}

# one_case LANE LINE: prints "ok", "wrong" or "false", and what was wrong
one_case() {
    local background='' dir=$work/lane$1 cluster kind name words run labels allowed expected attribute status=0 said why

    IFS='|' read -r cluster kind name words run labels allowed expected attribute <<<"$2"
    [[ $cluster != carried ]] || background=present/intact
    rm -rf "$dir/clusters/$cluster/keys"
    cp -a "$work/sim/clusters/$cluster/keys" "$dir/clusters/$cluster/keys"
    # shellcheck disable=SC2086  # words are words
    if [[ -n $words ]] && ! "$CHSM_SIM" corrupt --dir "$dir" "$cluster" $words >"$dir/corrupt" 2>&1; then
        echo "wrong $kind $name: not done: $(<"$dir/corrupt")"
        return
    fi
    world_verify "$dir" "$cluster" >"$dir/report.json" 2>"$dir/err" || status=$?
    said=$(jq -r .verdict "$dir/report.json" 2>/dev/null) || said=nothing
    case $said/$status in
    verified/0 | failed/1 | inconclusive/10) ;;
    *) echo "wrong $kind $name: verdict $said with exit status $status: $(tail -n 1 "$dir/err")" && return ;;
    esac
    why=$(judge "$run" "$labels" "$allowed" "$expected" "$attribute" "$background" <"$dir/report.json" 2>&1) || why="no report: $why"
    if [[ $said == verified && $run != verified ]]; then
        echo "false $kind $name: verified; expected $run, $expected"
    elif [[ -n $why ]]; then
        echo "wrong $kind $name: ${why//$'\n'/; }"
    else
        echo "ok $kind $name"
    fi
}

lane() {
    local line n=0

    cp -a "$work/sim" "$work/lane$1"
    while IFS= read -r line; do
        if ((n++ % lanes == $1)); then one_case "$1" "$line"; fi
    done <"$work/cases" >"$work/lane$1.out"
}

all_cases | awk -v stride="$stride" '/\|control\|/ || n++ % stride == 0' >"$work/cases"
pids=()
for ((i = 0; i < lanes; i++)); do
    lane "$i" &
    pids+=("$!")
done
wait "${pids[@]}"

cat "$work"/lane?*.out >"$work/results"
grep -v '^ok' "$work/results" || true
total=$(grep -E '^(ok|wrong|false) ' "$work/results" | grep -vc ' control')
right=$(grep -v ' control' "$work/results" | grep -c '^ok') || true
false_ones=$(grep -c '^false' "$work/results") || true
broken=$(grep ' control' "$work/results" | grep -vc '^ok') || true
[[ $broken == 0 ]] || echo "mutations: the control without corruption is not what it should be"
echo "mutations: $right of $total detected, $false_ones false"
[[ $right == "$total" && $false_ones == 0 && $broken == 0 ]]

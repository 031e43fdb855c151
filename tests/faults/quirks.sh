#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every quirk profile of the simulated client library, alone and with each other one: `chsmctl keys verify` has to give a right verdict or
# a clear error in time. Usage: quirks.sh BUILDDIR [--sample]; prints the matrix.
# shellcheck shell=bash
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

here=$(cd "${0%/*}" && pwd)
build=${1:?usage: quirks.sh BUILDDIR [--sample]}
build=$(cd "$build" && pwd)
stride=1
[[ ${2:-} != --sample ]] || stride=29
lanes=$(($(nproc) * 4))         # most of them wait for a deadline
export MODULE_TIMEOUT=2s WORLD_TIMEOUT=40

# shellcheck source=tests/faults/world.bash
source "$here/world.bash"
world_begin quirks.yaml
QUIRKS='' world_inventory verified || die "cannot read the cluster: $(cat "$work/err")"

# What may come of a profile alone: v verified, i inconclusive, f failed, e an error. All keys are as they were: `failed` is right only where
# the library shows something else, and `verified` only where it can be known all the same.
PROFILES='
template-strict             v
bad-login=0xa0              v
ro-refused                  v
find-duplicates             v
find-short-batches          v
ec-private-no-point         v
mechanisms=all              v
noise                       v
latency=2                   v
slow=C_Sign:300             v
find-ignores-class          v
find-session-objects        v
find-zero                   i
search-busy=0x7             v
search-busy=hang            v
batch-lies=bytes            v
batch-lies=bytes:private    v
batch-lies=bytes:secret     v
batch-lies=order            v
batch-lies=stale:public     v
batch-lies=silent           v
one-attribute               v
one-attribute=0xd1          v
always-authenticate         v
sessions-max=1              v
sessions-max=2              v
threads-break               v
threads-break=0x31          v
slots=3                     v
no-label                    v
garbage-info                v
crash=C_Finalize            v
hang=C_Finalize             v
error=C_GetAttributeValue:0x31:5  v
session-lost=40             v
session-lost=90             v
device-removed=40           ie
device-removed=90           ie
logged-out=40               ie
logged-out=90               ie
find-truncated              i
find-vanishing              i
find-endless                i
length-lies=over            if
length-lies=absent          if
length-lies=zero            if
odd-names                   if
wrong-answer=flip           f
wrong-answer=zero           f
wrong-answer=empty          fi
wrong-answer=other          f
error=C_Sign:0x68           i
already-logged-in=cu2       ie
daemon-down                 e
hang=C_Login                e
hang=C_GetAttributeValue    ie
hang=C_SignInit             ie
crash=C_FindObjects         ie
crash=C_Sign                ie
error=C_FindObjectsInit:0x5 ie
error=C_OpenSession:0xb1    e
pin=final-try               e
pin=locked                  e
'
mapfile -t names < <(awk 'NF { print $1 }' <<<"$PROFILES")
mapfile -t rights < <(awk 'NF { print $2 }' <<<"$PROFILES")

# allowed I K: what may come of two. To be unsure, or to give up with a clear error, is right in company.
allowed() {
    local a=${rights[$1]} b=${rights[$2]} set=ie

    [[ $1 != "$2" ]] || { echo "$a" && return; }
    [[ $a != *v* || $b != *v* ]] || set+=v
    [[ $a != *f* && $b != *f* ]] || set+=f
    # Searches that ignore the class find everything each, so that it is no harm when every other one ends half-way. Who has lost a session
    # begins again: with a new login, and with handles of which none has vanished.
    case ${names[$1]}/${names[$2]} in
    find-ignores-class/find-truncated | session-lost=*/logged-out=* | session-lost=*/find-vanishing) set+=v ;;
    esac
    echo "$set"
}

# outcome LANE QUIRKS: a letter, or "!" with what is wrong whatever was expected
outcome() {
    local out=$work/lane$1.json err=$work/lane$1.err status=0 said

    QUIRKS=$2 world_verify "$work/sim$1" verified >"$out" 2>"$err" || status=$?
    said=$(jq -r .verdict "$out" 2>/dev/null) || said=
    if grep -q "$(printf '\033')" "$out" "$err"; then
        echo '! control characters are passed on'
        return
    fi
    case $said/$status in
    verified/0) echo v ;;
    failed/1) echo f ;;
    inconclusive/10) echo i ;;
    */6 | */7 | */8) if grep -q '^chsmctl: ' "$err"; then echo e; else echo "! no message"; fi ;;
    */124 | */137) echo '! not in time' ;;
    *) echo "! '$said' with exit status $status: $(tail -n 1 "$err")" ;;
    esac
}

# shortened LANE QUIRKS: a list that says to be complete has as many objects as there are
shortened() {
    local out=$work/lane$1.inventory.json

    rm -f "$out"
    QUIRKS=$2 world_keys "$work/sim$1" verified inventory -f "$out" >/dev/null 2>&1 || true
    [[ -e $out ]] || return 1
    jq -e --slurpfile honest "$work/verified.json" 'any(.sections[]; . as $s | .complete
        and (.records | length) < ($honest[0].sections[] | select(.login == $s.login) | .records | length))' "$out" >/dev/null
}

# one_case LANE I K: "I K letter", with "!" and a reason when it is wrong
one_case() {
    local quirks=${names[$2]} got set

    [[ $2 == "$3" ]] || quirks+=",${names[$3]}"
    set=$(allowed "$2" "$3")
    got=$(outcome "$1" "$quirks")
    if [[ $got != '!'* && $set != *$got* ]]; then
        got="! $got instead of $set: $(jq -c '[.verification.keys[]? | select(.outcome != "pass") | .verdict] | group_by(.) | map({(.[0]): length}) | add' \
            "$work/lane$1.json" 2>/dev/null || true) $(grep -m 1 '^chsmctl: ' "$work/lane$1.err" | cut -c1-200 || true)"
    fi
    if [[ $2 == "$3" && $got != '!'* ]] && shortened "$1" "$quirks"; then got='! a list is shorter than it says'; fi
    echo "$2 $3 $got"
}

lane() {
    local n=0 i k

    cp -a "$work/sim" "$work/sim$1"        # SoftHSM does not like several processes on one token
    while read -r i k; do
        if ((n++ % lanes == $1)); then one_case "$1" "$i" "$k"; fi
    done <"$work/cases" >"$work/lane$1.out"
}

# What excludes itself: two values of one quirk.
for ((i = 0; i < ${#names[@]}; i++)); do
    for ((k = i; k < ${#names[@]}; k++)); do
        [[ $i != "$k" && ${names[i]%%[=:]*} == "${names[k]%%[=:]*}" && ${names[i]} != @(hang|crash|error)=* ]] || echo "$i $k"
    done
done | awk -v stride="$stride" 'n++ % stride == 0' >"$work/cases"
pids=()
for ((i = 0; i < lanes; i++)); do
    lane "$i" &
    pids+=("$!")
done
wait "${pids[@]}"
cat "$work"/lane?*.out >"$work/results"

# The matrix: a row and a column for each profile.
awk -v names="${names[*]}" '
    { cell[$1, $2] = $3 }
    END {
        n = split(names, name, " ")
        print "v verified, i inconclusive, f failed, e clear error, ! wrong, . not tried"
        for (i = 1; i <= n; i++) {
            row = ""
            for (k = 1; k <= n; k++) {
                a = i < k ? i : k
                b = i < k ? k : i
                row = row (((a - 1, b - 1) in cell) ? cell[a - 1, b - 1] : ".")
            }
            printf "%2d %-34s %s\n", i, name[i], row
        }
    }' "$work/results"
while read -r i k _ why; do
    echo "wrong ${names[i]} with ${names[k]}: $why"
done < <(grep -F ' ! ' "$work/results")
total=$(wc -l <"$work/results")
wrong=$(grep -cF ' ! ' "$work/results") || true
echo "quirks: $((total - wrong)) of $total right"
[[ $wrong == 0 ]]

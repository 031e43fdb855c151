# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One drill with one fault in it, and whether what came of it is right. Needs world.bash; http.sh has the loop.

# The faults, one a line: name, and the words of `chsm-sim fault add`. A stall outlasts --request-timeout, and is handled then.
REQUEST_TIMEOUT=3s
FAULTS='
reset           --reset
lost            --drop-answer
408             --status 408
429             --status 429 --retry-after 1
500             --status 500
502             --status 502
503             --status 503
504             --status 504
504-handled     --status 504 --handle
stall           --stall 3500
truncated       --truncate
garbled         --body {"value":[{"na
garbled-handled --handle --body {"value":[{"na
odd-json        --body [42]
page            --content-type text/html --body <html><body>Sign_in</body></html>
page-handled    --content-type text/html --handle --body <html><body>Sign_in</body></html>
wrong-type      --content-type text/html
huge-header     --huge-header 90000
expired         --status 401 --code ExpiredAuthenticationToken
claims          --status 401 --code InvalidAuthenticationToken --claims {"access_token":{"nbf":{"essential":true,"value":"1"}}}
'

# cases: "NUMBER FAULT WORLD [FAULT2]" for each request of $work/requests; in every sixth case the restored keys are damaged. After a
# start whose answer is lost, the next request, which looks for the job, goes wrong as well.
cases() {
    local n name rest k=0 service method path all

    # shellcheck disable=SC2154  # world.bash makes it
    all=$(wc -l <"$work/requests")
    for ((n = 1; n <= all; n++)); do
        IFS=$'\t' read -r service method path < <(sed -n "${n}p" "$work/requests")
        while read -r name rest; do
            [[ -n $name ]] || continue
            # Who asks without a token cannot be told that it has expired.
            [[ $service == arm && $path != /metadata/* ]] || [[ $name != @(expired|claims) ]] || continue
            echo "$n $name honest"
            if ((k++ % 6 == 0)); then echo "$n $name damaged"; fi
            [[ $method:$path == POST:*/@(backup|restore) ]] || continue
            if ((k % 2)); then echo "$n lost honest $name"; else echo "$n reset honest $name"; fi
        done <<<"$FAULTS"
    done
}

# lane_begin LANE: a simulator of its own, and a plan for it
lane_begin() {
    local lane=$1 line=

    mkdir "$lane"
    cp -a "$work/sim" "$lane/sim"
    mkfifo "$lane/ready"
    "$CHSM_SIM" serve --dir "$lane/sim" --ready-fd 9 9>"$lane/ready" >"$lane/sim.log" 2>&1 </dev/null &
    read -r -t 60 line <"$lane/ready" || [[ -n $line ]] || die "chsm-sim did not start: $(cat "$lane/sim.log")"
    cat >"$lane/plan.yaml" <<EOF
apiVersion: chsmctl/v1
kind: Drill
metadata: { name: faults }
spec:
  subscription: $AZURE_SUBSCRIPTION_ID
  source: { resourceGroup: rg-source, cluster: chsm-source, client: { directory: sim/clusters/chsm-source, env: { CHSM_SIM_DIR: "$lane/sim" } } }
  destination: { resourceGroup: rg-destination, cluster: chsm-destination, client: { directory: sim/clusters/chsm-destination, env: { CHSM_SIM_DIR: "$lane/sim" } } }
  identity: /subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
  storage: { containerUri: "$(jq -r .blob "$lane/sim/endpoints.json")/chsmdrill/backups" }
  pkcs11: { module: $SIM_MODULE, timeout: 30s, logins: [{ name: cu1, pin: "file:$work/cu1" }] }
  timing: { pollInterval: 200ms, deadline: 2m }
  evidence: evidence
EOF
}

# Puts the cloud back to what it was, under the server that runs.
lane_reset() {
    local lane=$1

    rm -rf "$lane/evidence" "$lane/sim/clusters" "$lane/sim/blobs" "$lane/sim/requests.jsonl" "$lane/sim/faults.json" "$lane"/{out,err,corrupt,ended}
    cp -a "$work/sim/clusters" "$work/sim/state.json" "$lane/sim/"
    [[ ! -e $work/sim/blobs ]] || cp -a "$work/sim/blobs" "$lane/sim/"
}

# The damage is done between the restore and the verification: the cluster is not active before it has happened.
damage() {
    local lane=$1

    until grep -q cu1 "$lane/sim/clusters/chsm-destination/keys/users.json" 2>/dev/null; do
        [[ ! -e $lane/ended ]] || return 0
        sleep 0.05
    done
    "$CHSM_SIM" corrupt --dir "$lane/sim" chsm-destination swap-private 0101 >"$lane/corrupt" 2>&1
    "$CHSM_SIM" set --dir "$lane/sim" activation=0s
}

# fault LANE NUMBER NAME: the request of that number goes wrong
fault() {
    local words

    read -ra words < <(awk -v name="$3" '$1 == name { $1 = ""; print }' <<<"$FAULTS")
    "$CHSM_SIM" fault --dir "$1/sim" add --path / --nth "$2" "${words[@]}"
}

# drill LANE [WORLD [NUMBER FAULT [FAULT2]]]: its exit status
drill() {
    local lane=$1 status=0

    lane_reset "$lane"
    [[ $# -lt 4 ]] || fault "$lane" "$3" "$4"
    [[ -z ${5:-} ]] || fault "$lane" "$(($3 + 1))" "$5"
    if [[ ${2:-} == damaged ]]; then
        "$CHSM_SIM" set --dir "$lane/sim" activation=10m
        damage "$lane" &
    fi
    (
        # shellcheck source=/dev/null
        source "$lane/sim/env"
        exec timeout -k 5 110 "$CHSMCTL" drill run "$lane/plan.yaml" --request-timeout "$REQUEST_TIMEOUT" -o json >"$lane/out" 2>"$lane/err" </dev/null
    ) || status=$?
    : >"$lane/ended"
    [[ ${2:-} != damaged ]] || wait "$!"
    return "$status"
}

# reached LANE NUMBER: there were as many requests
reached() {
    jq -e ".[0].seen >= $2" "$1/sim/faults.json" >/dev/null
}

# settle LANE: until the request that was hit has been handled, too, and what it began is over
settle() {
    local i

    for ((i = 0; i < 60; i++)); do
        if jq -es 'any(.fault != "")' "$1/sim/requests.jsonl" >/dev/null 2>&1; then break; fi
        sleep 0.1
    done
}

# summary: what came of each fault
summary() {
    echo 'fault                  survived  damage found  ended'
    awk '$1 == "ok" { all[$3]; n[$3, $5 == 0 ? "v" : $5 == 1 ? "d" : "e"]++ }
         END { for (f in all) printf "%-17s %8d %13d %6d\n", f, n[f, "v"], n[f, "d"], n[f, "e"] }' "$work/results" | sort
}

# jobs LANE KIND: the ids of the jobs that the cloud knows
jobs_of() {
    jq -r --arg kind "$2" '.jobs // {} | to_entries[] | select(.value.kind == $kind) | .key' "$1/sim/state.json"
}

# same_keys LANE: the destination's tokens hold what the source's do
same_keys() {
    diff <(cd "$1/sim/clusters/chsm-source/keys/tokens" && find . -name '*.object' ! -name token.object -exec sha256sum {} + | sort) \
        <(cd "$1/sim/clusters/chsm-destination/keys/tokens" && find . -name '*.object' ! -name token.object -exec sha256sum {} + | sort) >/dev/null
}

# expected NUMBER FAULT: v when the drill has to survive it; else the exit status with which it has to end
expected() {
    local service method path

    IFS=$'\t' read -r service method path < <(sed -n "${1}p" "$work/requests")
    case $method:$path:$2 in
    # A request that starts a job is sent again only when it certainly started nothing; of its answer, only the job's id is needed.
    POST:*/backup:* | POST:*/restore:*)
        case $2 in
        429 | expired | claims | truncated | wrong-type | huge-header) echo v ;;
        *) echo 5 ;;
        esac
        ;;
    *) echo v ;;
    esac
}

# judge_start LANE KIND WORLD: what is said of a start agrees with what the cloud knows
judge_start() {
    local lane=$1 kind=$2 known noted handled

    known=$(jobs_of "$lane" "$kind")
    handled=$(jq -s --arg path "/$kind\$" 'map(select(.method == "POST" and .handled and (.path | test($path)))) | length' "$lane/sim/requests.jsonl")
    ((handled <= 1)) || echo "DUPLICATE $handled $kind requests were handled"
    [[ $(wc -w <<<"$known") -le 1 ]] || echo "DUPLICATE $(wc -w <<<"$known") $kind jobs"
    [[ -e $lane/evidence/journal.jsonl ]] || return 0
    noted=$(jq -r --arg kind "$kind" 'select(.event == "job-started" and .step == $kind) | .data.job_id' "$lane/evidence/journal.jsonl")
    [[ -z $noted || $noted == "$known" ]] || echo "the journal says job $noted; the cloud knows ${known:-none}"
    [[ -n $noted || -z $known ]] || grep -q "whether the $kind job started" "$lane/err" || echo "job $known runs, and nothing is said of it"
    # Where the keys are damaged, the cluster is kept from becoming active meanwhile: then a restore does not show.
    if [[ $3 != damaged && -n $known ]] && grep -q "most likely no $kind started" "$lane/err"; then echo "said that no $kind started, but $known did"; fi
    if grep "whether the $kind job started" "$lane/err" | grep -Eq 'most likely it is this one|runs or has run' && [[ -z $known ]]; then echo "said that a $kind started, but none did"; fi
    if grep -q "whether the $kind job started" "$lane/err" && ! jq -es --arg text "whether the $kind job started" 'any(.event == "start-failed" and (.data.text | contains($text)) and .data.hint != "")' \
        "$lane/evidence/journal.jsonl" >/dev/null; then
        echo "the journal does not say that it is unknown whether the $kind started"
    fi
}

# judge_failed LANE: a drill that did not verify
judge_failed() {
    local lane=$1 evidence=$1/evidence

    [[ $(grep -c '^chsmctl: ' "$lane/err") == 1 ]] || echo "not one message: $(tail -n 2 "$lane/err")"
    grep -q '^         ' "$lane/err" || echo "no remedy: $(tail -n 1 "$lane/err")"
    [[ -e $evidence ]] || return 0
    [[ $(jq -r .verdict "$evidence/report.json" 2>&1) == inconclusive ]] || echo "the evidence says $(jq -r .verdict "$evidence/report.json" 2>&1)"
}

# judge LANE EXPECTED STATUS [damaged]: nothing when all is right, else what is wrong
judge() {
    local lane=$1 wanted=$2 status=${3:-0} evidence=$1/evidence

    judge_start "$lane" backup "${4:-}"
    judge_start "$lane" restore "${4:-}"
    if [[ -e $evidence ]]; then
        (cd "$evidence" && sha256sum --quiet -c SHA256SUMS) >/dev/null 2>&1 || echo "the evidence is not sealed"
        jq -es 'length > 1 and (map(.n) == [range(1; length + 1)]) and .[-1].event == "run-end"' "$evidence/journal.jsonl" >/dev/null 2>&1 ||
            echo "the journal cannot be read"
    fi
    case $status in
    0)
        [[ $(jq -r .verdict "$evidence/report.json" 2>&1) == verified ]] || echo "exit status 0 without a verdict"
        [[ ${4:-} != damaged ]] || echo "FALSE damaged keys are verified"
        same_keys "$lane" || echo "FALSE the keys are not the same"
        [[ -n $(jobs_of "$lane" restore) ]] || echo "FALSE verified without a restore"
        ;;
    1) [[ ${4:-} == damaged && $(jq -r .verdict "$evidence/report.json" 2>&1) == failed ]] || echo "undamaged keys have failed" ;;
    124 | 137) echo "not in time" ;;
    *) judge_failed "$lane" ;;
    esac
    [[ $wanted != v || $status == 0 || ${4:-}/$status == damaged/1 ]] || echo "it did not survive: exit status $status: $(grep '^chsmctl: ' "$lane/err")"
    [[ $wanted == v || $status == "$wanted" ]] || echo "exit status $status instead of $wanted: $(grep '^chsmctl: ' "$lane/err")"
}

# one_case LANE NUMBER FAULT WORLD [FAULT2]: "ok", "wrong", "duplicate" or "false", and why
one_case() {
    local lane=$1 number=$2 fault=$3 world=$4 status why where i

    where=$(sed -n "${number}p" "$work/requests" | tr '\t' ' ' | sed 's|/subscriptions/[^ ]*/providers/||')
    for ((i = 0; i < 3; i++)); do
        status=0
        drill "$lane" "$world" "$number" "$fault" "${5:-}" || status=$?
        if reached "$lane" "$number"; then break; fi
    done
    # How often is polled depends on how long things take.
    reached "$lane" "$number" || { echo "unreached $number $fault $world ($where)" && return; }
    settle "$lane"
    why=$(judge "$lane" "$(expected "$number" "$fault")" "$status" "$world")
    why=${why//$'\n'/; }
    case $why in
    '') echo "ok $number ${5:+$fault+}${5:-$fault} $world $status" ;;
    *FALSE*) echo "false $number $fault ${5:+then $5 }$world ($where): $why" ;;
    *DUPLICATE*) echo "duplicate $number $fault ${5:+then $5 }$world ($where): $why" ;;
    *) echo "wrong $number $fault ${5:+then $5 }$world ($where): $why" ;;
    esac
}

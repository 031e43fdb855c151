#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tally.sh DIR: "PASSED FAILED SKIPPED" over automake's .trs files in DIR; what failed or was skipped goes to stderr.
# An ERROR beside a FAIL in one file is that failure's own exit status (cmocka, bats) and is not counted again.
set -eu
trs=$(find "$1" -name '*.trs' | sort)
[ -n "$trs" ] || { echo "0 0 0"; exit 0; }
for f in $trs; do
    grep -qE '^:test-result: (FAIL|XPASS|ERROR)' "$f" || continue
    log=${f%.trs}.log
    echo "--- $log"
    grep -E -B 3 -A 6 '^(not ok|Bail out)|ERROR: |runtime error: ' "$log" | grep -vE '^(PASS|ok )' | head -n 80
done >&2
# shellcheck disable=SC2086  # one word per file; build folders have no blanks in their names (automake forbids them)
sed -n 's/^:test-result: SKIP /skipped: /p' $trs >&2
# shellcheck disable=SC2086
awk '
    function close_file() { failed += bad ? bad : error; bad = error = 0 }
    FNR == 1 { close_file() }
    $1 != ":test-result:" { next }
    $2 == "PASS" { passed++ }
    $2 == "SKIP" { skipped++ }
    $2 == "ERROR" { error++ }
    $2 == "FAIL" || $2 == "XFAIL" || $2 == "XPASS" { bad++ }
    END { close_file(); print passed + 0, failed + 0, skipped + 0 }' $trs

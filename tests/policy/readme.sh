#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every command that README.md and the manual pages in doc/ name exists.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"

# The code of a Markdown file: fenced blocks and `spans`.
md_code() {
    awk '
        /^[ \t]*```/ { fence = !fence; next }
        fence { print; next }
        { n = split($0, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' "$@"
}

pages=$(ls README.md doc/*.md 2>/dev/null)
[ -n "$pages" ] || { echo "1..0 # SKIP there is no README.md"; exit 0; }
plan 3

words=$(sh ./dev help | awk 'NR > 1 { print $1 }')
# shellcheck disable=SC2086  # names without blanks
md_code $pages | grep -oE '(^|[^[:alnum:]])\./dev +[a-z-]+' | awk '{ print $NF }' | sort -u | while read -r word; do
    echo "$words" | grep -qxF -- "$word" || echo "./dev $word"
done | check "every ./dev word exists"
for word in demo check; do
    md_code README.md 2>/dev/null | grep -qE "\./dev $word" || echo "./dev $word"
done | check "README.md names ./dev demo and ./dev check"

name="every chsmctl command exists"
if [ -x "${CHSMCTL:-}" ]; then
    {
        # A program that takes anything would make this test worthless.
        "$CHSMCTL" keys frobnicate --help >/dev/null 2>&1 </dev/null && echo "chsmctl takes unknown verbs"
        # shellcheck disable=SC2086
        md_code $pages | grep -oE '(^|[ /$(])chsmctl +[a-z][a-z-]+( +[a-z][a-z-]+)?' | sed 's/.*chsmctl *//' | sort -u | while read -r noun verb; do
            case $noun in help) last= ;; *) last=--help ;; esac
            "$CHSMCTL" "$noun" ${verb:+"$verb"} ${last:+"$last"} >/dev/null 2>&1 </dev/null || echo "chsmctl $noun $verb"
        done
    } | check "$name"
else
    skip "$name" "chsmctl is not built"
fi

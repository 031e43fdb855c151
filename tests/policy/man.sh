#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# chsmctl(1) says what the program does: every exit status of util/err.h, every global option, the tables of `help`.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"

page=doc/man/chsmctl.1
[ -f "$page" ] || { echo "1..0 # SKIP $page is not there"; exit 0; }
plan 4

text=$(sed 's/\\-/-/g; s/\\f[BIRP]//g' "$page")
status=$(echo "$text" | awk '/^\.S[Hh] / { on = /EXIT STATUS/ } on')
sed -n 's/^ *CHSM_[A-Z0-9_]* = \([0-9]*\),.*/\1/p' src/util/err.h | while read -r code; do
    echo "$status" | grep -qE "(^|[^0-9])$code([^0-9]|\$)" || echo "exit status $code"
done | check "the manual lists every exit status"

name="the manual lists every global option"
if [ -x "${CHSMCTL:-}" ]; then
    {
        options=$("$CHSMCTL" --help </dev/null 2>/dev/null | grep -oE '(^|[ ,|[])--[a-z][a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u)
        [ -n "$options" ] || echo "chsmctl --help shows no option"
        for o in $options; do
            echo "$text" | grep -qE -- "(^|[^a-z-])$o([^a-z-]|\$)" || echo "$o"
        done
    } | check "$name"
else
    skip "$name" "chsmctl is not built"
fi

name="the manual lists every command and each of its options, and no help lists one twice"
if [ -x "${CHSMCTL:-}" ]; then
    "$CHSMCTL" help </dev/null | sed -n 's/^  \([a-z][a-z]*\) \([a-z][a-z]*\) .*/\1 \2/p' | grep -v '^help ' | while read -r noun verb; do
        [ "$noun" != version ] || continue
        echo "$text" | grep -qE -- "(^|[^a-z-])$noun $verb([^a-z-]|\$)" || echo "$noun $verb"
        options=$("$CHSMCTL" help "$noun" "$verb" </dev/null | sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\) .*/\2/p' | sort)
        [ -n "$options" ] || echo "chsmctl help $noun $verb shows no option"
        echo "$options" | uniq -d | sed "s/^/twice in $noun $verb: /"
        for o in $options; do
            echo "$text" | grep -qE -- "(^|[^a-z-])$o([^a-z-]|\$)" || echo "$noun $verb $o"
        done
    done | check "$name"
else
    skip "$name" "chsmctl is not built"
fi

name="the manual has the table of retries as the program prints it"
if [ -x "${CHSMCTL:-}" ]; then
    {
        said=$("$CHSMCTL" help retries </dev/null 2>&1)
        [ -n "$said" ] || echo "chsmctl help retries prints nothing"
        written=$(sed -n '/^\.SH RETRIES/,/^\.SH PLANS/p' "$page" | sed -n '/^\.nf/,/^\.fi/p' | sed '1d; $d; s/\\-/-/g; s/\\e/\\/g')
        [ "$said" = "$written" ] || { echo "program:"; echo "$said"; echo "manual:"; echo "$written"; }
    } | check "$name"
else
    skip "$name" "chsmctl is not built"
fi

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The safety rules: one way to refuse, no rule that nobody uses, and the manual says what `chsmctl help safety` says.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
plan 4

# err.* name the code, safety.* refuse, wire.c reads what the PKCS#11 process said, topics.c prints.
# shellcheck disable=SC2046  # names without blanks
code $(c_files | grep -vE '^src/util/(err|safety)\.[ch]$|^pkcs11/wire\.c$|^src/cli/topics\.c$') /dev/null |
    grep -E '(^|[^A-Z_])CHSM_REFUSED([^A-Z_]|$)' | check "nothing is refused but by chsm_refuse()"

# shellcheck disable=SC2046
used=$(code $(c_files | grep -vE '^src/util/safety\.[ch]$') /dev/null)
for rule in $(sed -n 's/^    \(CHSM_RULE_[A-Z_]*\),$/\1/p' src/util/safety.h 2>/dev/null); do
    echo "$used" | grep -qE "[^A-Z_]$rule([^A-Z_]|\$)" || echo "$rule"
done | check "every safety rule is used"

# "ID|when|why|override", one a line
told() { "$CHSMCTL" help safety </dev/null 2>/dev/null | awk '
    /^[a-z-]+$/ { id = $0 }
    sub(/^  when +/, "") { when = $0 }
    sub(/^  why +/, "") { why = $0 }
    sub(/^  override +/, "") { print id "|" when "|" why "|" $0 }'; }
written() { sed 's/\\-/-/g' doc/man/chsmctl.1 | awk '
    /^\.S[Hh] / { on = /SAFETY RULES/ }
    !on { next }
    sub(/^\.B /, "") { id = $0 }
    sub(/^When: /, "") { sub(/\.$/, ""); when = $0 }
    sub(/^Why: /, "") { sub(/\.$/, ""); why = $0 }
    sub(/^Override: /, "") { sub(/\.$/, ""); print id "|" when "|" why "|" $0 }'; }
if [ -x "${CHSMCTL:-}" ]; then
    {
        told | grep -q '|' || echo "chsmctl help safety shows no rule"
        told | grep -vxF -- "$(written)"
    } | check "the manual has every rule of chsmctl help safety"
    written | grep -vxF -- "$(told)" | check "chsmctl help safety has every rule of the manual"
else
    skip "the manual has every rule of chsmctl help safety" "chsmctl is not built"
    skip "chsmctl help safety has every rule of the manual" "chsmctl is not built"
fi

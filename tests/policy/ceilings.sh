#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ceilings: 600 lines a file, 80 lines a function. Complexity over 20 is shown and fails nothing.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
plan 4

c_files tests | xargs awk 'FNR == 601 { print FILENAME ": more than 600 lines" }' /dev/null | check "no file has more than 600 lines"
c_files tests | xargs awk 'length($0) > 160 { print FILENAME ":" FNR ": " length($0) " columns" }' /dev/null | check "no line has more than 160 columns"

awk 'FNR == 121 { print FILENAME ": more than 120 lines" }' dev | check "./dev has at most 120 lines"

if ctags --version 2>/dev/null | grep -q Universal; then
    c_files tests | xargs ctags -f - --languages=C --langmap=C:.c.h --kinds-C=f --fields=ne --sort=no /dev/null 2>/dev/null |
        awk -F '\t' '{
            line = end = 0
            for (i = 3; i <= NF; i++) {
                if ($i ~ /^line:/) line = substr($i, 6)
                if ($i ~ /^end:/) end = substr($i, 5)
            }
            if (end - line + 1 > 80) print $2 ":" line ": " $1 " has " end - line + 1 " lines"
        }' | check "no function has more than 80 lines"
else
    skip "no function has more than 80 lines" "universal-ctags is not installed"
fi

if command -v pmccabe >/dev/null 2>&1; then
    c_files | grep '\.c$' | xargs pmccabe /dev/null 2>/dev/null | awk -F '\t' '$1 > 20 { print "# complexity " $1 ": " $6 }' | sort -t ' ' -k 3 -rn | head -n 10
fi

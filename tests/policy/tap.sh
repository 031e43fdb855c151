# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by the policy tests: TAP, and the lists of files that they look at. $1 of the test is the tree, by default ours.
LC_ALL=C
export LC_ALL
policy_dir=$(cd "$(dirname "$0")" && pwd)
cd "${1:-${abs_top_srcdir:-$policy_dir/../..}}" || exit 99

# plan N: how many cases follow. A test that stops early is an error.
plan() { echo "1..$1"; }

# check NAME: the standard input is the list of violations; none of them is a pass.
check() {
    found=$(cat)
    if [ -z "$found" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1"
        echo "$found" | head -n 40 | sed 's/^/#   /'
    fi
}

# skip NAME WHY
skip() { echo "ok - $1 # SKIP $2"; }

# need TOOL: without it the whole test is skipped.
need() { command -v "$1" >/dev/null 2>&1 || { echo "1..0 # SKIP $1 is not installed"; exit 0; }; }

# Every file that belongs to the project, one a line: by git in a checkout, by what make does not make elsewhere.
project_files() {
    if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; then
        git ls-files -co --exclude-standard | while read -r f; do [ -f "$f" ] || [ -L "$f" ] && echo "$f"; done
    else
        find . -type d \( -name '_*' -o -name .git -o -name build-aux -o -name autom4te.cache -o -path ./m4 \) -prune -o \( -type f -o -type l \) \
            ! -name configure ! -name Makefile.in ! -name aclocal.m4 ! -name config.h.in ! -name 'config.*' -print | sed 's|^\./||'
    fi | sort
}

# The C files of the program; with the tests' when asked.
c_files() { project_files | grep -E "^(src|pkcs11${1:+|$1})/.*\.[ch]\$"; }

# code FILE...: "FILE:LINE:TEXT" without comments and without the contents of string literals.
code() {
    awk '
        FNR == 1 { in_comment = 0 }
        {
            out = ""; n = length($0); quote = ""
            for (i = 1; i <= n; i++) {
                c = substr($0, i, 1); two = substr($0, i, 2)
                if (in_comment) { if (two == "*/") { in_comment = 0; i++ } }
                else if (quote != "") { if (c == "\\") i++; else if (c == quote) { quote = ""; out = out c } }
                else if (two == "/*") { in_comment = 1; i++ }
                else if (two == "//") break
                else { if (c == "\"" || c == "\047") quote = c; out = out c }
            }
            if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
        }' "$@"
}

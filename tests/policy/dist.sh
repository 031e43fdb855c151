#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every file of the checkout is in the tarball (automake cannot glob), and every test is registered.
# CHSM_DISTFILES names the list of what `make dist` packs; folders stand for all that is in them.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"

[ -f "${CHSM_DISTFILES:-}" ] || { echo "1..0 # SKIP the list of make dist is not there (run by make check)"; exit 0; }
[ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ] || [ -n "${1:-}" ] || { echo "1..0 # SKIP not a git checkout"; exit 0; }
plan 2

# Paths of an out-of-tree build lead back through the source folder.
packed=$(sed "s|^$(pwd -P)/||; s|^\(\.\./\)*||" "$CHSM_DISTFILES" | sed 's|^\./||' | sort -u)
if [ -n "${1:-}" ]; then project_files; else git ls-files; fi | grep -vE '(^|/)\.gitignore$|^\.clang-format$|^Makefile\.am$|^configure\.ac$' | while read -r f; do
    d=$f
    while :; do
        echo "$packed" | grep -qxF -- "$d" && break
        case $d in */*) d=${d%/*} ;; *) echo "$f"; break ;; esac
    done
done | check "every file is in the tarball"

registered=$(cat tests/local.mk tests/unit/*.mk)
for f in $(project_files | grep -E '^tests/(integration/.*\.bats|unit/test_.*\.c|policy/.*\.sh)$' | grep -v '/tap\.sh$'); do
    case $f in *.c) t=${f%.c} ;; *) t=$f ;; esac
    echo "$registered" | grep -qE "(^|[[:space:]])$t([[:space:]]|\$)" || echo "$f"
done | check "every test is registered"

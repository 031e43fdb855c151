#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The project stands alone: no file names a place that only one workplace has, and none is a link out of the tree.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
plan 2

project_files | tr '\n' '\0' | xargs -0 grep -nE '\.\./share[d]|(^|[^A-Za-z0-9._-])/wor[k]/|\.librar[y]/' /dev/null | check "no file names a place outside the project"
project_files | while read -r f; do
    if [ -L "$f" ]; then
        case $(readlink -f "$f") in "$(pwd -P)"/*) ;; *) echo "$f" ;; esac
    fi
done | check "no link leaves the project"

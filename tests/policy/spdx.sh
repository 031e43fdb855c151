#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One licence line in each file that can hold a comment.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
plan 1

project_files | grep -vE '^(LICENSE|tests/floor|tests/data/.*|tests/fuzz/seeds/.*|.*\.json|.*\.png|.*\.md|(.*/)?\.gitignore)$' | while read -r f; do
    head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"
done | check "every file has its SPDX line"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shell code passes shellcheck.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
need shellcheck
plan 2

for f in $(project_files | grep -E '(^dev|^\.ci/run|\.sh)$'); do
    shellcheck --format=gcc --external-sources --severity=warning "$f"
done | check "scripts pass shellcheck"
# Tests in bats files are functions in subshells: variables set in setup are theirs, and run sets status and output.
for f in $(project_files | grep -E '\.(bats|bash)$'); do
    shellcheck --format=gcc --severity=warning --exclude=SC2030,SC2031,SC2034,SC2154,SC1091 "$f"
done | check "bats files pass shellcheck"

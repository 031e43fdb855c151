#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A fixed sample of tests/faults/mutations.sh; all of it: ./dev faults mutations
# shellcheck disable=SC2154  # output comes from run

load lib

@test "a sample of all corruptions is noticed, and nothing else is blamed" {
    run bash "$abs_top_srcdir/tests/faults/mutations.sh" "$abs_top_builddir" --sample
    [[ $status == 0 ]] || fail "$output"
    [[ ${lines[-1]} =~ ^mutations:\ ([0-9]+)\ of\ ([0-9]+)\ detected,\ 0\ false$ ]]
    ((BASH_REMATCH[1] >= 40 && BASH_REMATCH[1] == BASH_REMATCH[2]))
}

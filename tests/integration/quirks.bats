#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A fixed sample of tests/faults/quirks.sh; all of it: ./dev faults quirks
# shellcheck disable=SC2154  # output comes from run

load lib

@test "a sample of all quirks, alone and in pairs, gives right verdicts or clear errors" {
    run bash "$abs_top_srcdir/tests/faults/quirks.sh" "$abs_top_builddir" --sample
    [[ $status == 0 ]] || fail "$output"
    [[ ${lines[-1]} =~ ^quirks:\ ([0-9]+)\ of\ ([0-9]+)\ right$ ]]
    ((BASH_REMATCH[1] >= 40 && BASH_REMATCH[1] == BASH_REMATCH[2]))
}

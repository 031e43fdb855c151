#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A fixed sample of tests/faults/http.sh; all of it: ./dev faults http
# shellcheck disable=SC2154  # output comes from run

load lib

@test "a sample of drills with one request gone wrong end as they should" {
    run bash "$abs_top_srcdir/tests/faults/http.sh" "$abs_top_builddir" --sample
    [[ $status == 0 ]] || fail "$output"
    [[ ${lines[-1]} =~ ^http:\ ([0-9]+)\ cases,\ 0\ wrong,\ 0\ duplicate,\ 0\ false$ ]]
    ((BASH_REMATCH[1] >= 12))
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --output: every command that shows something shows it in every format, and twice the same.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

setup_file() {
    sim_start drill.yaml
    pins
    "$CHSMCTL" identity apply "${SOURCE[@]}" --identity "$IDENTITY" "${POLL[@]}"
    job=$("$CHSMCTL" backup start "${SOURCE[@]}" -u "$(container)" "${POLL[@]}" -o json | jq -er .jobId)
    export job
}

teardown_file() {
    sim_stop
}

# columns SEPARATOR: every line of the output has as many as the first one
columns() {
    awk -F "$1" 'NR == 1 { n = NF } NF != n { exit 1 } END { exit n < 2 }' <<<"$output" || fail "not the same number of columns:" "$output"
}

# shown ARGUMENT...: the command in every format
shown() {
    local table

    run_chsmctl "$@"
    assert_status 0
    table=$output
    [[ ${lines[1]} =~ ^-[-\ ]*$ ]] || fail "no dashes below the headings:" "$output"
    run_chsmctl "$@" -o table
    [[ $output == "$table" ]] || fail "table is not the default, or not the same twice:" "$output"
    run_chsmctl "$@" -o text
    [[ $output == "$table" ]]
    run_chsmctl "$@" -o json
    assert_json 'type == "object" or type == "array"'
    run_chsmctl "$@" -o yaml
    assert_status 0
    [[ -n $output && ${output:0:1} != '{' ]]
    run_chsmctl "$@" -o tsv
    assert_status 0
    [[ $output != "${table%% *}"$'\t'* ]] || fail "headings in tsv:" "$output"
    columns $'\t'
    run_chsmctl "$@" -o csv
    columns ,
    run_chsmctl "$@" -o none
    assert_status 0
    [[ -z $output ]]
}

@test "clusters and identities in every format" {
    shown cluster list
    shown cluster show "${SOURCE[@]}"
    shown cluster wait "${SOURCE[@]}"
    shown identity show "${SOURCE[@]}"
    shown identity show --identity "$IDENTITY"
    shown identity apply "${SOURCE[@]}" --identity "$IDENTITY"
}

@test "jobs and backups in every format" {
    shown backup show "${SOURCE[@]}" --job-id "$job"
    shown backup wait "${SOURCE[@]}" --job-id "$job"
    shown backup check "${SOURCE[@]}" -u "$(container)"
}

# The age of a backup grows from look to look, so that its table is not twice the same.
@test "lists of backups in every format" {
    for format in table json yaml tsv csv none; do
        run_chsmctl backup list -u "$(container)" -o "$format"
        assert_status 0
    done
    run_chsmctl backup list -u "$(container)" -o tsv
    columns $'\t'
}

# shellcheck disable=SC2046  # words
@test "keys in every format" {
    shown keys list $(hsm chsm-source)
}

@test "a format that is not known names those that are" {
    run_chsmctl cluster list -o xml
    assert_status 2
    assert_stderr 'table, json, yaml, tsv, csv or none'
}

@test "JSON has the members that Resource Manager gives" {
    run_chsmctl cluster show "${SOURCE[@]}" -o json
    assert_json '.id and .name and .location and .type and .sku.family and .tags and .properties.provisioningState and .systemData.createdAt'
    run_chsmctl identity show --identity "$IDENTITY" -o json
    assert_json '.properties.principalId and .properties.clientId and .id'
}

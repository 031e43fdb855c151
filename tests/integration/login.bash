# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the sign-in tests share. Load it after lib.

CLIENT=33333333-3333-4333-8333-333333333333
# shellcheck disable=SC2034  # used by the .bats files
OBJECT=44444444-4444-4444-8444-444444444444 MACHINE=55555555-5555-4555-8555-555555555555

# Nothing in the environment signs in; tenant and application stay known as TENANT and CLIENT.
no_login() {
    TENANT=$AZURE_TENANT_ID
    SECRET=$AZURE_CLIENT_SECRET
    unset AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET
    # Not this machine's own identity: nobody answers there.
    export AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:1
    KNOWN_SECRETS=("$SECRET")
}

# As an application: tenant and client, and NAME=VALUE ...
as_application() {
    local pair

    export AZURE_TENANT_ID=$TENANT AZURE_CLIENT_ID=$CLIENT
    for pair in "$@"; do export "${pair?}"; done
}

# make_certificate NAME [SUBJECT]: NAME.key and NAME.crt in the test's folder
make_certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$BATS_TEST_TMPDIR/$1.key" -out "$BATS_TEST_TMPDIR/$1.crt" -days 30 \
        -subj "/CN=${2:-$1}" 2>/dev/null
}

# register NAME: the certificate NAME.crt belongs to the application from now on
register() {
    sim app drill --certificate "$BATS_TEST_TMPDIR/$1.crt"
}

# shows SOURCE DETAIL: chsmctl login show, and who is signed in how
shows() {
    run_chsmctl login show -o json
    assert_status 0
    assert_json ".source == \"$1\" and .detail == \"$2\" and .tenant == \"$TENANT\""
    assert_no_secret
}

# refused_with CODE TEXT...: chsmctl login show fails with this status and these texts
refused_with() {
    local text

    run_chsmctl login show -o json
    assert_status "$1"
    for text in "${@:2}"; do assert_stderr "$text"; done
    [[ -z $output ]] || fail "something on stdout: $output"
    assert_no_secret
}

# base64url, of stdin
b64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d '='
}

# asked FILTER: how many requests of the log, from line MARK on, it is true of
asked() {
    tail -n "+$((MARK + 1))" "$SIM_DIR/requests.jsonl" | jq -s "map(select($1)) | length"
}

# mark: requests are counted from here
mark() {
    MARK=$(wc -l 2>/dev/null <"$SIM_DIR/requests.jsonl" || echo 0)
}

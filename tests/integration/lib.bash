# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every .bats file loads. One simulator per file, on ports of its own, so that files run in parallel:
#
#   load lib
#   setup_file() { sim_start small.yaml; }      # a file beside this one, or a path
#   teardown_file() { sim_stop; }
#   @test "..." { run_chsmctl cluster list -o json; assert_status 0; }
#
# run_chsmctl leaves status, output (stdout) and stderr, and keeps both for assert_no_secret.

bats_require_minimum_version 1.5.0
: "${abs_top_srcdir:=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir/_build/check}"
: "${CHSMCTL:=$abs_top_builddir/chsmctl}" "${CHSM_SIM:=$abs_top_builddir/chsm-sim}"
: "${SIM_MODULE:=$abs_top_builddir/.libs/libchsm-sim-pkcs11.so}"
export abs_top_srcdir abs_top_builddir CHSMCTL CHSM_SIM SIM_MODULE

# fail TEXT...: ends the test with the text.
fail() {
    printf '%s\n' "$@" >&2
    return 1
}

# A world of our own: nothing of the developer's sign-in, home or OpenSSL setup takes part.
private_world() {
    local name

    for name in $(compgen -e | grep -E '^(AZURE_|ARM_|IDENTITY_|IMDS_|MSI_|CHSMCTL_|SOFTHSM2_|https?_proxy$|HTTPS?_PROXY$|(all|no)_proxy$|(ALL|NO)_PROXY$|CURL_CA_BUNDLE$|SSL_CERT_|NO_COLOR$)'); do
        unset "$name"
    done
    export HOME="$BATS_FILE_TMPDIR/home" OPENSSL_CONF="$BATS_FILE_TMPDIR/openssl.cnf" LC_ALL=C.UTF-8
    mkdir -p "$HOME"
    : >"$OPENSSL_CONF"
}

# sim_start SEED.yaml [OPTION...]: seeds and starts a simulator, waits until it answers, and exports what DIR/env says.
sim_start() {
    local seed=$1 fifo="$BATS_FILE_TMPDIR/ready" line=

    shift
    private_world
    export SIM_DIR="$BATS_FILE_TMPDIR/sim"
    [[ $seed == */* ]] || seed="$abs_top_srcdir/tests/integration/$seed"
    "$CHSM_SIM" seed --dir "$SIM_DIR" "$seed"
    mkfifo "$fifo"
    # Descriptor 3 is bats' own: a child that keeps it open would make bats wait for ever.
    "$CHSM_SIM" serve --dir "$SIM_DIR" --ready-fd 9 "$@" 9>"$fifo" >"$BATS_FILE_TMPDIR/sim.log" 2>&1 3>&- </dev/null &
    export SIM_PID=$!
    read -r -t 60 line <"$fifo" || [[ -n $line ]] || fail "chsm-sim did not start:" "$(tail -n 30 "$BATS_FILE_TMPDIR/sim.log")"
    sim_env
}

# Exports the addresses and names of the running simulator.
sim_env() {
    set -a
    # shellcheck source=/dev/null
    source "$SIM_DIR/env"
    set +a
}

# sim WORD ...: a command of the simulator on this file's state ("sim corrupt ...", "sim fault ...").
sim() {
    "$CHSM_SIM" "$1" --dir "$SIM_DIR" "${@:2}"
}

sim_stop() {
    local i

    [[ -n ${SIM_PID:-} ]] || return 0
    kill "$SIM_PID" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
        kill -0 "$SIM_PID" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$SIM_PID" 2>/dev/null || true
    if grep -E -A 20 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$BATS_FILE_TMPDIR/sim.log" >&2; then
        fail "a sanitizer complained about chsm-sim"
    fi
}

# run_chsmctl ARGUMENT...: no terminal, no input, no more than CHSM_TIMEOUT seconds (120).
run_chsmctl() {
    run --separate-stderr timeout -k 5 "${CHSM_TIMEOUT:-120}" "$CHSMCTL" "$@" </dev/null
    {
        printf '$ chsmctl %s\n' "$*"
        printf '%s\n' "$output" "$stderr"
    } >>"$BATS_TEST_TMPDIR/chsmctl.log"
    case $status in
    99) fail "a sanitizer complained:" "$stderr" ;;
    124 | 137) fail "chsmctl $* did not end in time:" "$stderr" ;;
    esac
}

assert_status() {
    [[ $status == "$1" ]] || fail "exit status $status instead of $1" "stdout: $output" "stderr: $stderr"
}

assert_output() {
    [[ $output == *"$1"* ]] || fail "not in stdout: $1" "stdout: $output" "stderr: $stderr"
}

refute_output() {
    [[ $output != *"$1"* ]] || fail "in stdout: $1" "stdout: $output"
}

assert_stderr() {
    [[ $stderr == *"$1"* ]] || fail "not in stderr: $1" "stdout: $output" "stderr: $stderr"
}

refute_stderr() {
    [[ $stderr != *"$1"* ]] || fail "in stderr: $1" "stderr: $stderr"
}

# assert_json FILTER: jq gives true for what chsmctl printed.
assert_json() {
    jq -e "$1" <<<"$output" >/dev/null || fail "not true of the output: $1" "stdout: $output" "stderr: $stderr"
}

# assert_no_secret FILE_OR_FOLDER...: none of the secrets that the test knows (the environment's, KNOWN_SECRETS), and
# nothing that looks like a token or a signed URL. What chsmctl printed in this test is always looked at too.
assert_no_secret() {
    local secret places=("$@")

    [[ ! -f $BATS_TEST_TMPDIR/chsmctl.log ]] || places+=("$BATS_TEST_TMPDIR/chsmctl.log")
    for secret in "${AZURE_CLIENT_SECRET:-}" "${AZURE_ACCESS_TOKEN:-}" "${KNOWN_SECRETS[@]:-}"; do
        [[ -n $secret ]] || continue
        if grep -rlF -- "$secret" "${places[@]}"; then fail "a secret is in there"; fi
    done
    if grep -rnoE 'eyJ[A-Za-z0-9_-]{20,}|[?&](sig|s|c|h|t)=[^R&"[:space:]]{4}' "${places[@]}"; then
        fail "a token or a signature is in there"
    fi
}

# assert_requests_known: every request that the simulator has seen so far is in the table of tests/unit/azure_request_rows.c. For files in
# which nobody but chsmctl talks to it.
assert_requests_known() {
    local log=$abs_top_builddir/tests/unit/azure_request_log

    [[ -x $log ]] || skip "$log is not built"
    run "$log" "$SIM_DIR/requests.jsonl"
    [[ $status == 0 ]] || fail "$output"
    echo "# ${lines[-1]}" >&3
}

# foreign PROGRAM ...: a program that was not built with sanitizers and loads our module needs their runtime first.
foreign() {
    if [[ ${CHSM_SANITIZERS:-no} == yes ]]; then
        LD_PRELOAD="$("${CC:-gcc}" -print-file-name=libasan.so)" ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" "$@"
    else
        "$@"
    fi
}

# interrupted TEXT WORDS...: chsmctl with these words, at a terminal, gets a Ctrl-C when it has said TEXT, and ends with 130
interrupted() {
    local said=$BATS_TEST_TMPDIR/interrupted text=$1 rc=0

    shift
    { timeout 30 sh -c 'until grep -qs "$1" "$2"; do sleep 0.1; done' sh "$text" "$said"; printf '\003'; sleep 0.5; } |
        script -qefc "$CHSMCTL $*" "$said" >/dev/null || rc=$?
    [[ $rc == 130 ]] || fail "exit status $rc instead of 130" "$(cat "$said")"
}

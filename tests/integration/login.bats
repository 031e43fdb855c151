#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The sign-in chain, link by link, against the simulator.

load lib
load sim
load login

setup_file() {
    sim_start login.yaml
}

teardown_file() {
    sim_stop
}

setup() {
    no_login
    no_tools
}

# No az and no azd but those that a test puts into tools/.
no_tools() {
    mkdir -p "$BATS_TEST_TMPDIR/tools"
    printf '#!/bin/sh\nPATH="%s${TOOLS_PATH:-}" exec "%s" "$@"\n' "$BATS_TEST_TMPDIR/tools" "$CHSMCTL" >"$BATS_TEST_TMPDIR/chsmctl"
    chmod +x "$BATS_TEST_TMPDIR/chsmctl"
    CHSMCTL="$BATS_TEST_TMPDIR/chsmctl"
}

# tool NAME [MODE]: a stand-in for az or azd that is signed in
tool() {
    cp "$abs_top_srcdir/tests/integration/stand_in_cli.sh" "$BATS_TEST_TMPDIR/tools/$1"
    chmod +x "$BATS_TEST_TMPDIR/tools/$1"
    export CLI_MODE=${2:-new} CLI_TOKEN_FILE="$BATS_TEST_TMPDIR/cli-token" TOOLS_PATH=:/usr/bin:/bin
    http POST "$(endpoint login)/$TENANT/oauth2/v2.0/token" --data grant_type=client_credentials --data "client_id=$CLIENT" \
        --data-urlencode "client_secret=$SECRET" --data-urlencode "scope=https://management.core.windows.net/.default" \
        --data-urlencode 'claims={"access_token":{"xms_cc":{"values":["CP1"]}}}'
    TOKEN=$(jq -er .access_token <<<"$body")
    printf %s "$TOKEN" >"$CLI_TOKEN_FILE"
    CLI_EXPIRES=$(($(date +%s) + 3000))
    export CLI_EXPIRES
    KNOWN_SECRETS+=("$TOKEN")
}

@test "client secret" {
    as_application AZURE_CLIENT_SECRET="$SECRET"
    shows environment "client secret"
    assert_json ".object == \"$OBJECT\" and .application == \"$CLIENT\" and .claimsChallenge and (.expires | test(\"^20..-.*Z$\"))"
    AZURE_CLIENT_SECRET=wrong+value refused_with 4 AADSTS7000215 "ID instead of its value" "trace id" "correlation id"
    AZURE_TENANT_ID=99999999-9999-4999-8999-999999999999 refused_with 4 AADSTS90002 "check AZURE_TENANT_ID"
    AZURE_TENANT_ID=../evil refused_with 3 "only letters, digits"
}

@test "the table of who is signed in has no token" {
    as_application AZURE_CLIENT_SECRET="$SECRET"
    run_chsmctl login show
    assert_status 0
    assert_output "client secret"
    assert_output "$TENANT"
    run_chsmctl login show --resource https://storage.azure.com/ -o json --debug
    assert_status 0
    assert_json '.audience == "https://storage.azure.com"'
    assert_no_secret
    run_chsmctl login show --resource https://unknown.example -o json
    assert_status 4
    assert_stderr AADSTS500011
}

@test "certificate: PEM in any order, with a passphrase, PKCS#12, chain" {
    make_certificate app
    register app
    cd "$BATS_TEST_TMPDIR"
    cat app.key app.crt >key-first.pem
    cat app.crt app.key >crt-first.pem
    openssl rsa -in app.key -aes256 -passout pass:opensesame -out locked.key 2>/dev/null
    cat app.crt locked.key >locked.pem
    openssl pkcs12 -export -in app.crt -inkey app.key -passout pass:opensesame -out app.pfx
    KNOWN_SECRETS+=(opensesame)
    as_application
    for AZURE_CLIENT_CERTIFICATE_PATH in key-first.pem "$PWD/crt-first.pem"; do
        export AZURE_CLIENT_CERTIFICATE_PATH
        shows environment "client certificate"
        CHSMCTL_CLIENT_ASSERTION_ALG=RS256 shows environment "client certificate"
        AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=TRUE shows environment "client certificate"
    done
    for AZURE_CLIENT_CERTIFICATE_PATH in locked.pem app.pfx; do
        AZURE_CLIENT_CERTIFICATE_PASSWORD=opensesame shows environment "client certificate"
        refused_with 3 AZURE_CLIENT_CERTIFICATE_PASSWORD
        AZURE_CLIENT_CERTIFICATE_PASSWORD=opensesam refused_with 3 "does not open it"
    done
    CHSMCTL_CLIENT_ASSERTION_ALG=none AZURE_CLIENT_CERTIFICATE_PATH=crt-first.pem refused_with 3 "PS256 (default) or RS256"
}

@test "certificate: the chain goes leaf first, whatever the order of the file" {
    cd "$BATS_TEST_TMPDIR"
    make_certificate ca "The CA"
    openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf 2>/dev/null
    openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out leaf.crt -days 30 2>/dev/null
    register leaf
    cat ca.crt leaf.key leaf.crt >all.pem
    as_application AZURE_CLIENT_CERTIFICATE_PATH=all.pem AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=1
    shows environment "client certificate"
}

@test "certificate: what cannot work is said before anything is sent" {
    make_certificate app
    make_certificate other
    cd "$BATS_TEST_TMPDIR"
    cat app.key other.crt >mixed.pem
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.crt -days 3 -subj /CN=ec 2>/dev/null
    cat ec.key ec.crt >ec.pem
    as_application AZURE_CLIENT_CERTIFICATE_PATH=mixed.pem
    mark
    refused_with 3 "no certificate in it belongs to its private key"
    AZURE_CLIENT_CERTIFICATE_PATH=ec.pem refused_with 3 "not RSA"
    AZURE_CLIENT_CERTIFICATE_PATH=app.crt refused_with 3 "no private key"
    AZURE_CLIENT_CERTIFICATE_PATH=app.key refused_with 3 "no certificate"
    AZURE_CLIENT_CERTIFICATE_PATH=nowhere.pem refused_with 3 "nowhere.pem"
    [[ $(asked '.service == "login"') == 0 ]]
}

# federated_token SUBJECT AUDIENCE [SECONDS]: signed with issuer.key
federated_token() {
    local head body now

    now=$(date +%s)
    head=$(printf '{"alg":"RS256","typ":"JWT","kid":"k1"}' | b64url)
    body=$(printf '{"iss":"https://issuer.example","sub":"%s","aud":"%s","nbf":%d,"exp":%d}' "$1" "$2" "$((now - 60))" "$((now + ${3:-600}))" | b64url)
    printf '%s.%s.%s' "$head" "$body" "$(printf %s "$head.$body" | openssl dgst -sha256 -sign "$BATS_TEST_TMPDIR/issuer.key" -binary | b64url)"
}

@test "workload identity" {
    local file="$BATS_TEST_TMPDIR/federated"

    openssl genrsa -out "$BATS_TEST_TMPDIR/issuer.key" 2048 2>/dev/null
    openssl rsa -in "$BATS_TEST_TMPDIR/issuer.key" -pubout -out "$BATS_TEST_TMPDIR/issuer.pub" 2>/dev/null
    sim app drill --issuer https://issuer.example --subject system:pod --key "$BATS_TEST_TMPDIR/issuer.pub"
    as_application AZURE_FEDERATED_TOKEN_FILE="$file"
    printf ' %s\n' "$(federated_token system:pod api://AzureADTokenExchange)" >"$file"
    shows workload-identity "federated token"
    federated_token system:other api://AzureADTokenExchange >"$file"
    refused_with 4 AADSTS700213 "subject"
    federated_token system:pod somebody-else >"$file"
    refused_with 4 AADSTS700212
    federated_token system:pod api://AzureADTokenExchange -30 >"$file"
    refused_with 4 AADSTS700024 "clock"
    : >"$file"
    refused_with 4 "holds no token"
    rm "$file"
    refused_with 4 AZURE_FEDERATED_TOKEN_FILE
}

@test "when nothing is configured the error lists each link and why" {
    refused_with 4 "token: AZURE_ACCESS_TOKEN is not set" "environment: AZURE_TENANT_ID is not set" \
        "workload-identity: AZURE_FEDERATED_TOKEN_FILE is not set" "managed-identity: no metadata service answers" "azure-cli: az is not installed" \
        "azure-developer-cli: azd is not installed" "az login"
}

@test "AZURE_TOKEN_CREDENTIALS and --credential choose, anything else is an error" {
    local name

    as_application AZURE_CLIENT_SECRET="$SECRET"
    for name in prod " PROD " EnvironmentCredential environmentcredential environment; do
        AZURE_TOKEN_CREDENTIALS=$name shows environment "client secret"
    done
    AZURE_TOKEN_CREDENTIALS=dev refused_with 4 "azure-cli: az is not installed" "azure-developer-cli: azd is not installed"
    AZURE_TOKEN_CREDENTIALS=WorkloadIdentityCredential refused_with 4 "AZURE_FEDERATED_TOKEN_FILE is not set"
    AZURE_TOKEN_CREDENTIALS=everything refused_with 3 "AZURE_TOKEN_CREDENTIALS names no credential that is known: everything"
    AZURE_TOKEN_CREDENTIALS=everything run_chsmctl login show --credential environment -o json
    assert_status 0
    run_chsmctl login show --credential nobody
    assert_status 3
    assert_stderr "unknown credential: nobody"
}

@test "AZURE_AUTHORITY_HOST: any number of slashes, https only" {
    as_application AZURE_CLIENT_SECRET="$SECRET"
    AZURE_AUTHORITY_HOST="$(endpoint login)///" shows environment "client secret"
    AZURE_AUTHORITY_HOST=http://127.0.0.1:1 refused_with 3 AZURE_AUTHORITY_HOST
}

@test "clouds: every form of metadata, a file, a name" {
    local version

    as_application AZURE_CLIENT_SECRET="$SECRET"
    for version in 2019-05-01 2022-09-01; do
        ARM_CLOUD_METADATA_URL="$(endpoint arm)/metadata/endpoints?api-version=$version" shows environment "client secret"
        assert_json '.cloud == "AzureCloud"'
    done
    for version in 1.0 2015-01-01; do
        ARM_CLOUD_METADATA_URL="$(endpoint arm)//metadata/endpoints?api-version=$version" shows environment "client secret"
        assert_json ".cloud == \"AzureStack\" and .authority == \"$(endpoint login)\""
    done
    http GET "$(endpoint arm)/metadata/endpoints?api-version=2022-09-01"
    printf '\xef\xbb\xbf%s' "$body" | sed 's/"AzureCloud"/"Mine"/' >"$BATS_TEST_TMPDIR/mine.json"
    unset ARM_CLOUD_METADATA_URL
    run_chsmctl login show --cloud "$BATS_TEST_TMPDIR/mine.json" -o json
    assert_status 0
    assert_json '.cloud == "Mine"'
    run_chsmctl login show --cloud Elsewhere
    assert_status 3
    assert_stderr "unknown cloud: Elsewhere"
    echo '{}' >"$BATS_TEST_TMPDIR/empty.json"
    run_chsmctl login show --cloud "$BATS_TEST_TMPDIR/empty.json"
    assert_status 3
    assert_stderr empty.json
}

@test "managed identity: the metadata service" {
    export AZURE_POD_IDENTITY_AUTHORITY_HOST
    AZURE_POD_IDENTITY_AUTHORITY_HOST=$(endpoint imds)/
    shows managed-identity "instance metadata service"
    assert_json ".application == \"$MACHINE\""
    AZURE_POD_IDENTITY_AUTHORITY_HOST=$(endpoint imds)
    AZURE_CLIENT_ID=$MACHINE shows managed-identity "instance metadata service"
    run_chsmctl login show --credential managed-identity
    assert_status 0
    AZURE_CLIENT_ID=$CLIENT run_chsmctl login show --credential managed-identity
    assert_status 4
    assert_stderr "Identity not found"
    assert_stderr "assign a managed identity"
    # In a chain somebody else may be meant.
    AZURE_CLIENT_ID=$CLIENT refused_with 4 "managed-identity: " "Identity not found" "azure-cli: "
}

@test "managed identity: App Service, Container Apps, Cloud Shell, Service Fabric" {
    local header

    header=$(jq -r .identityHeader "$SIM_DIR/state.json")
    KNOWN_SECRETS+=("$header")
    IDENTITY_ENDPOINT="$(endpoint imds)/MSI/token" IDENTITY_HEADER=$header shows managed-identity "App Service or Container Apps"
    IDENTITY_ENDPOINT="$(endpoint imds)/MSI/token?extra=1" IDENTITY_HEADER=$header AZURE_CLIENT_ID=$MACHINE \
        shows managed-identity "App Service or Container Apps"
    IDENTITY_ENDPOINT="$(endpoint imds)/MSI/token" IDENTITY_HEADER=wrong-header refused_with 4 "identity header is missing or wrong"
    MSI_ENDPOINT="$(endpoint imds)/MSI/token" MSI_SECRET=$header AZURE_CLIENT_ID=$MACHINE shows managed-identity "App Service"
    MSI_ENDPOINT="$(endpoint imds)/shell/oauth2/token" shows managed-identity "Cloud Shell"
    MSI_ENDPOINT="$(endpoint imds)/shell/oauth2/token" AZURE_CLIENT_ID=$MACHINE refused_with 3 "no user-assigned identities"
    IDENTITY_ENDPOINT="$(endpoint imds)/MSI/token" IDENTITY_HEADER=$header IDENTITY_SERVER_THUMBPRINT=aa \
        AZURE_POD_IDENTITY_AUTHORITY_HOST=$(endpoint imds) refused_with 3 "Service Fabric" "not supported"
}

# In namespaces of its own, where the simulator's folder stands for the agent's.
on_arc() {
    unshare --map-root-user --mount sh -c 'mount -t tmpfs none /var/opt && mkdir -p /var/opt/azcmagent/tokens &&
        mount --bind "$1" /var/opt/azcmagent/tokens && shift && exec "$@"' sh "$SIM_DIR/arc-tokens" "$@"
}

@test "managed identity: Azure Arc" {
    mkdir -p "$SIM_DIR/arc-tokens"
    on_arc true 2>/dev/null || skip "no namespaces here"
    export IMDS_ENDPOINT=http://127.0.0.1:1 IDENTITY_ENDPOINT
    IDENTITY_ENDPOINT="$(endpoint imds)/arc/metadata/identity/oauth2/token"
    run --separate-stderr on_arc "$CHSMCTL" login show -o json
    assert_status 0
    assert_json ".source == \"managed-identity\" and .detail == \"Azure Arc\" and .application == \"$MACHINE\""
    AZURE_CLIENT_ID=$MACHINE run --separate-stderr on_arc "$CHSMCTL" login show -o json
    assert_status 0
    # Without the folder the key cannot be read, and nothing else is.
    refused_with 4 "key file" "No such file"
}

@test "Azure CLI, new and old" {
    tool az new
    shows azure-cli ""
    CLI_MODE=text shows azure-cli ""
    CLI_MODE=old shows azure-cli ""
    AZURE_CLIENT_SECRET=$SECRET shows azure-cli ""
    CLI_MODE=logged-out refused_with 4 "azure-cli: nobody is signed in there" "az login"
    CLI_MODE=broken refused_with 4 "printed no token: something is broken"
    CLI_MODE='cut' refused_with 4 "printed no token but a part of one"
    refute_stderr half-of-a-token
    CLI_MODE=trace refused_with 4 "az ended with status 1: FileNotFoundError: nothing there"
    AZURE_TOKEN_CREDENTIALS=AzureCliCredential shows azure-cli ""
    run_chsmctl login show --credential azure-cli --resource 'https://x;rm -rf /'
    assert_status 2
    run_chsmctl login show --credential azure-cli --resource 'https://x;rm'
    assert_status 4
    assert_stderr "not handed to another program"
}

@test "a tool is asked once, however many requests there are" {
    tool az new
    export CLI_LOG="$BATS_TEST_TMPDIR/cli.log" AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    mark
    run_chsmctl cluster update -g rg-source -n chsm-source --tags a=b --poll-interval 50ms
    assert_status 0
    [[ $(asked '.service == "arm" and (.path | test("clusters"; "i"))') -ge 3 ]]
    [[ $(wc -l <"$CLI_LOG") == 1 ]]
}

@test "Azure CLI itself, where it is installed" {
    [[ -x /usr/bin/az ]] || skip "az is not installed"
    export TOOLS_PATH=:/usr/bin:/bin AZURE_CONFIG_DIR="$BATS_TEST_TMPDIR/az"
    unset ARM_CLOUD_METADATA_URL
    run_chsmctl login show --credential azure-cli
    assert_status 4
    assert_stderr "credential azure-cli: nobody is signed in there"
    assert_stderr 'run "az login"'
}

@test "Azure Developer CLI" {
    tool azd azd
    shows azure-developer-cli ""
    CLI_MODE=azd-cut refused_with 4 "printed no token but a part of one"
    refute_stderr half-of-a-token
    CLI_MODE=azd-logged-out refused_with 4 "azure-developer-cli: nobody is signed in there"
}

@test "a command line tool that hangs ends with us" {
    tool az hang
    CHSM_TIMEOUT=20
    run --separate-stderr timeout -s INT -k 5 2 "$CHSMCTL" login show
    assert_status 124
    ! pgrep -f "sleep 100" >/dev/null || fail "its child lives on"
}

@test "a link that is refused ends the search, though others could" {
    tool az new
    as_application AZURE_CLIENT_SECRET=wrong
    mark
    refused_with 4 AADSTS7000215
    [[ $stderr != *azure-cli* ]]
}

@test "device code: approved, declined, only by name" {
    sim set deviceInterval=1s
    "$CHSMCTL" login show --credential device-code -o json >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
    for ((i = 0; i < 100; i++)); do
        ! sim device approve 2>/dev/null || break
        sleep 0.1
    done
    wait $!
    grep -q "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code" "$BATS_TEST_TMPDIR/err"
    jq -e ".source == \"device-code\" and .object == \"$OBJECT\"" "$BATS_TEST_TMPDIR/out"
    "$CHSMCTL" login show --credential device-code --only-show-errors -o json >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
    for ((i = 0; i < 100; i++)); do
        ! sim device decline 2>/dev/null || break
        sleep 0.1
    done
    status=0
    wait $! || status=$?
    [[ $status == 4 ]]
    grep -q "authorization_declined" "$BATS_TEST_TMPDIR/err"
    [[ ! -s $BATS_TEST_TMPDIR/out ]]
    assert_no_secret "$BATS_TEST_TMPDIR/err"
}

# discreet ARGUMENT...: a sign-in that says everything that it may say, and keeps every secret
discreet() {
    rm -f "$BATS_TEST_TMPDIR/record"
    run_chsmctl login show --debug --record "$BATS_TEST_TMPDIR/record" -o json "$@"
    assert_status 0
    [[ -s $BATS_TEST_TMPDIR/record ]]
    [[ $stderr == *debug:* ]]
    assert_no_secret "$BATS_TEST_TMPDIR/record" "$SIM_DIR/requests.jsonl"
}

@test "no secret in logs and records, whatever the link" {
    local header assertion

    as_application AZURE_CLIENT_SECRET="$SECRET"
    discreet --credential environment
    unset AZURE_CLIENT_SECRET
    make_certificate app
    register app
    cat "$BATS_TEST_TMPDIR"/app.{key,crt} >"$BATS_TEST_TMPDIR/app.pem"
    AZURE_CLIENT_CERTIFICATE_PATH="$BATS_TEST_TMPDIR/app.pem" discreet --credential environment
    openssl genrsa -out "$BATS_TEST_TMPDIR/issuer.key" 2048 2>/dev/null
    openssl rsa -in "$BATS_TEST_TMPDIR/issuer.key" -pubout -out "$BATS_TEST_TMPDIR/issuer.pub" 2>/dev/null
    sim app drill --issuer https://issuer.example --subject system:logs --key "$BATS_TEST_TMPDIR/issuer.pub"
    assertion=$(federated_token system:logs api://AzureADTokenExchange)
    printf %s "$assertion" >"$BATS_TEST_TMPDIR/federated"
    KNOWN_SECRETS+=("$assertion")
    AZURE_FEDERATED_TOKEN_FILE="$BATS_TEST_TMPDIR/federated" discreet --credential workload-identity
    unset AZURE_CLIENT_ID AZURE_TENANT_ID
    header=$(jq -r .identityHeader "$SIM_DIR/state.json")
    KNOWN_SECRETS+=("$header")
    IDENTITY_ENDPOINT="$(endpoint imds)/MSI/token" IDENTITY_HEADER=$header discreet --credential managed-identity
    MSI_ENDPOINT="$(endpoint imds)/MSI/token" MSI_SECRET=$header discreet --credential managed-identity
    AZURE_POD_IDENTITY_AUTHORITY_HOST=$(endpoint imds) discreet --credential managed-identity
}

@test "a device code's secrets stay out of logs and records" {
    sim set deviceInterval=1s
    "$CHSMCTL" login show --credential device-code --debug --record "$BATS_TEST_TMPDIR/record" -o json >"$BATS_TEST_TMPDIR/out" \
        2>"$BATS_TEST_TMPDIR/err" 3>&- &
    for ((i = 0; i < 100; i++)); do
        ! jq -er '.devices | to_entries[] | select(.value.state == "pending") | .key' "$SIM_DIR/state.json" >"$BATS_TEST_TMPDIR/code" \
            2>/dev/null || break
        sleep 0.1
    done
    sim device approve
    wait $!
    KNOWN_SECRETS+=("$(<"$BATS_TEST_TMPDIR/code")" "$(jq -r '.refreshes | keys[]' "$SIM_DIR/state.json" | tail -n 1)")
    rm "$BATS_TEST_TMPDIR/code"
    assert_no_secret "$BATS_TEST_TMPDIR/record" "$BATS_TEST_TMPDIR/err" "$BATS_TEST_TMPDIR/out" "$SIM_DIR/requests.jsonl"
}

@test "a metadata service that fails once is asked again; an endpoint that refuses ends the search" {
    export AZURE_POD_IDENTITY_AUTHORITY_HOST
    AZURE_POD_IDENTITY_AUTHORITY_HOST=$(endpoint imds)
    sim fault add --path /metadata/identity --status 500
    shows managed-identity "instance metadata service"
    tool az new
    IDENTITY_ENDPOINT="$(endpoint imds)/MSI/token" IDENTITY_HEADER=wrong-header refused_with 4 "identity header is missing or wrong"
    [[ $stderr != *azure-cli* ]]
}

@test "a revoked token is replaced, with the claims that are asked for, once" {
    as_application AZURE_CLIENT_SECRET="$SECRET" AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    sim revoke
    mark
    run_chsmctl cluster show -g rg-source -n chsm-source -o json
    assert_status 0
    assert_json '.name == "chsm-source"'
    [[ $(asked '.service == "login"') == 2 && $(asked '.service == "arm" and (.path | test("clusters"; "i"))') == 2 ]]
    sim revoke --forever
    mark
    run_chsmctl cluster show -g rg-source -n chsm-source
    assert_status 4
    assert_stderr InvalidAuthenticationToken
    [[ $(asked '.service == "login"') == 2 && $(asked '.service == "arm" and (.path | test("clusters"; "i"))') == 2 ]]
    sim revoke --off
    assert_no_secret
}

@test "what cannot answer a claims challenge says what to do" {
    tool az new
    sim revoke
    export AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    run_chsmctl cluster show -g rg-source -n chsm-source
    assert_status 4
    assert_stderr "az login --claims-challenge"
    sim revoke --off
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

@test "a link that is configured wrongly is in nobody's way behind one that is ready, and named where it is meant" {
    as_application AZURE_CLIENT_SECRET="$SECRET" MSI_ENDPOINT=http://127.0.0.1:1/oauth2/token
    shows environment "client secret"
    unset AZURE_CLIENT_SECRET
    refused_with 3 "Cloud Shell has no user-assigned identities"
    unset MSI_ENDPOINT
    AZURE_CLIENT_ID=$'\xff' AZURE_CLIENT_SECRET=$SECRET refused_with 3 "AZURE_CLIENT_ID is no client id"
    IDENTITY_ENDPOINT=http://127.0.0.1:1/ IDENTITY_HEADER=$'two\nlines' refused_with 3 "IDENTITY_HEADER holds blanks or control characters"
}

# hides STATUS: the command failed so, and nothing of what was in an address is shown
hides() {
    assert_status "$1"
    [[ -n $stderr && $output$stderr != *hunter2* ]] || fail "shown: $output$stderr"
}

@test "a password or a signature in an address is not shown when the address is refused" {
    local each

    as_application AZURE_CLIENT_SECRET="$SECRET"
    for each in ARM_CLOUD_METADATA_URL=https://u:hunter2@127.0.0.1:1/ ARM_CLOUD_METADATA_URL='http://127.0.0.1:1/x?sig=hunter2' \
        ARM_CLOUD_METADATA_URL='https://127.0.0.1:1/x?sig=hunter2' ARM_CLOUD_METADATA_URL="$ARM_CLOUD_METADATA_URL&sig=hunter2" \
        AZURE_AUTHORITY_HOST=https://u:hunter2@127.0.0.1:1/; do
        (
            export "${each?}"
            run_chsmctl login show --cloud NoSuchCloud --timeout 300ms
            hides 3
        )
    done
    run_chsmctl login show --hsm-url https://u:hunter2@127.0.0.1:1/
    hides 2
    run_chsmctl backup list --blob-container-uri https://u:hunter2@acct.blob.core.windows.net/c
    hides 2
    unset AZURE_CLIENT_SECRET
    AZURE_POD_IDENTITY_AUTHORITY_HOST=http://u:hunter2@127.0.0.1:1 run_chsmctl login show --credential managed-identity
    hides 3
}

@test "a FIFO in the place of trusted certificates is refused, and does not hang" {
    mkfifo "$BATS_TEST_TMPDIR/ca"
    as_application AZURE_CLIENT_SECRET="$SECRET"
    run_chsmctl login show --ca-file "$BATS_TEST_TMPDIR/ca"
    assert_status 3
    assert_stderr "a pipe cannot be read for each connection"
}

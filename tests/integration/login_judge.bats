#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The simulator as the judge of sign-ins: requests made by hand, each with one mistake, are refused as the service refuses them.

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
    make_certificate app
    register app
    endpoint=$(endpoint login)/$TENANT/oauth2/v2.0/token
    now=$(date +%s)
}

thumbprint() {
    openssl x509 -in "$BATS_TEST_TMPDIR/${2:-app}.crt" -outform DER | openssl dgst "-$1" -binary | b64url
}

claims() {
    jq -nc --arg aud "$endpoint" --arg id "$CLIENT" --arg jti "$(uuidgen 2>/dev/null || cat /proc/sys/kernel/random/uuid)" --argjson now "$now" \
        "{aud: \$aud, iss: \$id, sub: \$id, jti: \$jti, nbf: \$now, exp: (\$now + 600)} | ${1:-.}"
}

# sign ALG HEADER CLAIMS [SALT]: an assertion by app.key
sign() {
    local text pss=()

    text=$(printf %s "$2" | b64url).$(printf %s "$3" | b64url)
    [[ $1 != PS256 ]] || pss=(-sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:${4:-32}" -sigopt rsa_mgf1_md:sha256)
    printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -sha256 "${pss[@]}" -sign "$BATS_TEST_TMPDIR/app.key" -binary | b64url)"
}

# present ASSERTION [CURL OPTION...]
present() {
    http POST "$endpoint" --data grant_type=client_credentials --data "client_id=$CLIENT" \
        --data-urlencode scope=https://management.azure.com/.default --data-urlencode "client_assertion=$1" \
        --data-urlencode client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer "${@:2}"
}

# judged CODE NUMBER
judged() {
    expect "$1" ".error_codes == [$2] and (.error_description | startswith(\"AADSTS$2: \")) and (.trace_id | length == 36)"
}

@test "good assertions: PS256 with x5t#S256, RS256 with x5t, with a chain" {
    local x5c

    present "$(sign PS256 "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha256)\"}" "$(claims)")"
    expect 200 '.token_type == "Bearer"'
    present "$(sign RS256 "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"$(thumbprint sha1)\"}" "$(claims)")"
    expect 200
    x5c=$(openssl x509 -in "$BATS_TEST_TMPDIR/app.crt" -outform DER | openssl base64 -A)
    present "$(sign PS256 "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha256)\",\"x5c\":[\"$x5c\"]}" "$(claims)")"
    expect 200
}

@test "an assertion is good once" {
    local text

    text=$(sign PS256 "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha256)\"}" "$(claims)")
    present "$text"
    expect 200
    present "$text"
    judged 401 700027
}

@test "claims: audience, issuer, subject, times, jti" {
    local header change number

    header="{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha256)\"}"
    while read -r number change; do
        present "$(sign PS256 "$header" "$(claims "$change")")"
        judged 401 "$number"
    done <<'END'
700023 .aud = "https://login.microsoftonline.com/x/oauth2/v2.0/token"
700023 del(.aud)
700021 .iss = "somebody"
700021 .sub = "somebody"
700024 .exp = (.nbf - 1)
700024 .nbf = (.nbf - 1200) | .exp = (.exp - 1200)
700024 .nbf = (.nbf + 1200) | .exp = (.exp + 1200)
700024 .exp = "soon"
50027 del(.jti)
END
}

@test "header and signature" {
    local good

    good="\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha256)\""
    present "$(sign RS256 "{\"alg\":\"PS256\",$good}" "$(claims)")"
    judged 401 700027
    present "$(sign PS256 "{\"alg\":\"PS256\",$good}" "$(claims)" 20)"
    judged 401 700027
    present "$(sign PS256 "{\"alg\":\"none\",$good}" "$(claims)")"
    judged 401 50027
    present "$(sign PS256 "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha1)\"}" "$(claims)")"
    judged 401 700027
    present "$(sign PS256 "{\"alg\":\"PS256\",$good,\"x5c\":[]}" "$(claims)")"
    judged 401 700027
    present "$(sign PS256 "{\"alg\":\"PS256\",$good}" "$(claims)")x"
    judged 401 700027
    present "a.b"
    judged 401 50027
}

@test "one proof, of the right kind, and no token in a request for one" {
    local text

    text=$(sign PS256 "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"$(thumbprint sha256)\"}" "$(claims)")
    present "$text" --data-urlencode "client_secret=$SECRET"
    judged 400 90023
    present "$text" --header "Authorization: Bearer x"
    judged 400 90023
    http POST "$endpoint" --data grant_type=client_credentials --data "client_id=$CLIENT" --data-urlencode "client_assertion=$text" \
        --data-urlencode scope=https://management.azure.com/.default
    judged 400 900144
    present "$text" --data-urlencode 'claims=[1]'
    judged 400 90014
}

@test "identity endpoints: headers, versions and methods" {
    local url header

    url=$(endpoint imds)
    header=$(jq -r .identityHeader "$SIM_DIR/state.json")
    http GET "$url/MSI/token?api-version=2019-08-01&resource=r" --header "X-IDENTITY-HEADER: $header"
    expect 200 '.access_token and (.expires_on | type == "string") and (has("expires_in") | not)'
    http GET "$url/MSI/token?api-version=2019-08-01&resource=r" --header "secret: $header"
    expect 401
    http GET "$url/MSI/token?api-version=2017-09-01&resource=r" --header "X-IDENTITY-HEADER: $header"
    expect 401
    http GET "$url/MSI/token?api-version=2017-09-01&resource=r&client_id=x" --header "secret: $header"
    expect 400
    http GET "$url/MSI/token?api-version=2018-02-01&resource=r" --header "secret: $header"
    expect 400
    http GET "$url/shell/oauth2/token?resource=r" --header "Metadata: true"
    expect 400
    http POST "$url/shell/oauth2/token" --header "Metadata: true" --data resource=r
    expect 200
    http GET "$url/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r" --header "Metadata: true" --header "Authorization: Bearer x"
    expect 400
    http GET "$url/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r" --header "Metadata: true" --header "Via: 1.1 proxy"
    expect 400
    http GET "$url/arc/metadata/identity/oauth2/token?api-version=2020-06-01&resource=r" --header "Metadata: true"
    expect 401
    [[ $(header WWW-Authenticate) == "Basic realm=/var/opt/azcmagent/tokens/"*.key ]]
    http GET "$url/arc/metadata/identity/oauth2/token?api-version=2020-06-01&resource=r" --header "Metadata: true" --header "Authorization: Basic x"
    expect 401
}

@test "the OpenID configuration, of tenants that are there" {
    http GET "$(endpoint login)/$TENANT/v2.0/.well-known/openid-configuration"
    expect 200 ".token_endpoint == \"$endpoint\" and has(\"issuer\") and has(\"jwks_uri\") and has(\"authorization_endpoint\")"
    http GET "$(endpoint login)/nobody.example/v2.0/.well-known/openid-configuration"
    judged 400 90002
    http POST "$(endpoint login)/$TENANT/v2.0/.well-known/openid-configuration" --data x=y
    judged 405 900561
}

@test "device code: the poll's pace, another client, an unknown code" {
    local device

    sim set deviceInterval=2s
    http POST "$(endpoint login)/organizations/oauth2/v2.0/devicecode" --data client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46 \
        --data-urlencode "scope=https://management.azure.com/.default openid profile offline_access"
    expect 200 '.interval == 2 and .expires_in == 900 and (.message | contains("microsoft.com/devicelogin"))'
    device=$(jq -r .device_code <<<"$body")
    poll_device() {
        http POST "$(endpoint login)/organizations/oauth2/v2.0/token" --data grant_type=urn:ietf:params:oauth:grant-type:device_code \
            --data "client_id=${2:-04b07795-8ddb-461a-bbee-02f9e1bf7b46}" --data "device_code=$1"
    }
    poll_device "$device"
    expect 400 '.error == "slow_down"'
    sleep 2
    poll_device "$device"
    expect 400 '.error == "authorization_pending"'
    poll_device nonsense
    expect 400 '.error == "bad_verification_code"'
    poll_device "$device" "$CLIENT"
    expect 401 '.error_codes == [7000218]'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Servers that are not to be trusted, played by openssl s_server: refused with a message that says why, and not one byte of a
# request reaches them - neither as Resource Manager, nor as sign-in service, nor as the source of the cloud's metadata.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib

SUBSCRIPTION=00000000-0000-0000-0000-000000000001

# certificate NAME DAYS SAN [REQ OPTIONS...]: NAME.pem and NAME.key
certificate() {
    openssl req -config /dev/null -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days "$2" \
        -subj /CN=localhost -addext "subjectAltName=$3" 2>/dev/null
}

setup_file() {
    private_world
    cd "$BATS_FILE_TMPDIR" || return 1
    certificate good 2 DNS:localhost
    certificate other-host 2 DNS:other.test
    certificate unknown 2 DNS:localhost
    # req makes no certificate of the past; ca does.
    openssl req -config /dev/null -new -key good.key -subj /CN=localhost -out expired.csr 2>/dev/null
    : >index.txt
    echo 01 >serial
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:TRUE\n' >ca.cnf
    openssl ca -config ca.cnf -selfsign -batch -keyfile good.key -in expired.csr -out expired.pem -notext \
        -startdate 20200101000000Z -enddate 20200102000000Z 2>/dev/null
    cp good.key expired.key
    cat good.pem other-host.pem expired.pem >trusted.pem
    export SSL_CERT_FILE=$PWD/trusted.pem AZURE_SUBSCRIPTION_ID=$SUBSCRIPTION
}

teardown() {
    [[ -z ${SERVER_PID:-} ]] || kill "$SERVER_PID" 2>/dev/null || true
}

# serve CERTIFICATE [S_SERVER OPTIONS...]: a server; PORT is where. What it gets goes to the file "got".
serve() {
    local i

    cd "$BATS_FILE_TMPDIR" || return 1
    for ((i = 0; i < 20; i++)); do
        PORT=$((20000 + RANDOM % 20000))
        # Its own words go to stderr and to "got" before the first connection; -quiet leaves what the client sends.
        sleep 60 | openssl s_server -accept "127.0.0.1:$PORT" -cert "$1.pem" -key "$1.key" -quiet "${@:2}" >got 2>s_server.log 3>&- &
        SERVER_PID=$!
        for ((j = 0; j < 50; j++)); do
            ! (exec 9<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || return 0
            kill -0 "$SERVER_PID" 2>/dev/null || break
            sleep 0.1
        done
    done
    fail "openssl s_server does not start"
}

# refused TEXT HINT: by all three kinds of service, each with its exit status.
refused() {
    local bad=https://localhost:$PORT

    cloud() {
        printf '{"name": "Test", "resourceManager": "%s", "suffixes": {"storage": "core.test"},
            "authentication": {"loginEndpoint": "%s", "audiences": ["https://management.test"]}}' "$1" "$2" >cloud.json
    }
    said() {
        assert_status "$1"
        assert_stderr "$2"
        assert_stderr "$3"
        assert_stderr 'nothing was sent'
        [[ ! -s got ]] || fail "the server got something:" "$(cat got)"
    }
    cloud "$bad" https://localhost:1
    AZURE_ACCESS_TOKEN=a-token-for-nobody run_chsmctl cluster list --cloud ./cloud.json
    said 5 "$1" "$2"
    cloud https://localhost:1 "$bad"
    AZURE_TENANT_ID=t AZURE_CLIENT_ID=c AZURE_CLIENT_SECRET=for-nobody-either run_chsmctl cluster list --cloud ./cloud.json --credential environment
    said 4 "$1" "$2"
    ARM_CLOUD_METADATA_URL=$bad AZURE_ACCESS_TOKEN=a-token-for-nobody run_chsmctl cluster list
    said 3 "$1" "$2"
}

@test "the good one is spoken to: the test can fail" {
    serve good
    ARM_CLOUD_METADATA_URL=https://localhost:$PORT AZURE_ACCESS_TOKEN=a-token-for-nobody run_chsmctl cluster list --timeout 1s
    assert_status 8
    grep -q '^GET /metadata/endpoints' got
}

@test "expired" {
    serve expired
    refused 'certificate has expired' clock
}

@test "wrong host name" {
    serve other-host
    refused 'certificate is for another host' 'check the address'
}

@test "self-signed" {
    serve unknown
    refused 'self-signed' '--ca-file'
}

@test "an unknown CA" {
    cd "$BATS_FILE_TMPDIR"
    openssl req -config /dev/null -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout issued.key -subj /CN=localhost -out issued.csr 2>/dev/null
    openssl x509 -req -in issued.csr -CA unknown.pem -CAkey unknown.key -CAcreateserial -days 2 -out issued.pem \
        -extfile <(echo subjectAltName=DNS:localhost) 2>/dev/null
    serve issued
    refused 'CA is unknown here' '--ca-file'
}

@test "TLS 1.1 and nothing newer" {
    serve good -tls1_1 -cipher ALL:@SECLEVEL=0
    refused 'does not speak TLS 1.2' 'must be updated'
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The simulated cloud as a foreign client sees it: right where Azure is strict, odd where recordings show Azure to be odd.

load lib
load sim

setup_file() { sim_start sim_cloud.yaml --imds; }
teardown_file() {
    SIM_PID=$(cat "$SIM_DIR/serve.pid" 2>/dev/null || true)
    sim_stop
}
teardown() { sim fault clear; }

# --- discovery and sign-in

@test "a caller sees its subscription, as az asks for it when it signs in" {
    arm GET '/subscriptions?api-version=2019-11-01'
    expect 200 ".value | length == 1 and .[0].id == \"$SUBSCRIPTION\" and .[0].state == \"Enabled\""
    arm GET '/subscriptions'
    refused 400 MissingApiVersionParameter
}

@test "the metadata document announces all services, as an object and as an array" {
    http GET "$ARM_CLOUD_METADATA_URL"
    expect 200 ".resourceManager == \"$(endpoint arm)\" and .authentication.loginEndpoint == \"$(endpoint login)\""
    http GET "$(endpoint arm)//metadata/endpoints?api-version=2019-05-01"
    expect 200 'type == "array" and .[0].name == "AzureCloud"'
    http GET "$(endpoint arm)/metadata/endpoints?api-version=1999-01-01"
    refused 400 InvalidApiVersionParameter
}

@test "TLS needs the simulator's CA" {
    run curl --silent --cacert /dev/null "$ARM_CLOUD_METADATA_URL"
    [[ $status -ne 0 ]]
}

@test "sign-in gives a token with the claims of an application" {
    take_token
    expect 200 '.token_type == "Bearer" and .expires_in == 3599'
    run jq -Rr 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | @base64d' <<<"$TOKEN"
    jq -e ".aud == \"https://management.azure.com\" and .tid == \"$AZURE_TENANT_ID\" and .appid == \"$AZURE_CLIENT_ID\"" <<<"$output"
    jq -e '.exp - .iat == 3599 and (.oid | length == 36) and (.iss | startswith("https://sts.windows.net/"))' <<<"$output"
}

@test "wrong secret, client, tenant, scope and grant are told apart as Entra does" {
    sign_in https://management.azure.com/.default wrong
    expect 401 '.error == "invalid_client" and .error_codes == [7000215] and (.trace_id | length == 36)'
    expect 401 '(.error_description | startswith("AADSTS7000215:")) and (.timestamp | length > 0)'
    sign_in https://management.azure.com/.default x 44444444-4444-4444-8444-444444444444
    expect 400 '.error == "unauthorized_client" and .error_codes == [700016]'
    sign_in https://management.azure.com/.default x "$AZURE_CLIENT_ID" 44444444-4444-4444-8444-444444444444
    expect 400 '.error == "invalid_request" and .error_codes == [90002]'
    sign_in https://management.azure.com/
    expect 400 '.error == "invalid_scope" and .error_codes == [1002012]'
    sign_in "https://management.azure.com/.default https://storage.azure.com/.default"
    expect 400 '.error == "invalid_scope" and .error_codes == [70011]'
    sign_in https://nowhere.example/.default
    expect 400 '.error == "invalid_resource" and .error_codes == [500011]'
    http POST "$(endpoint login)/$AZURE_TENANT_ID/oauth2/v2.0/token" --data grant_type=password
    expect 400 '.error == "unsupported_grant_type"'
    http POST "$(endpoint login)/$AZURE_TENANT_ID/oauth2/v2.0/token" --data client_id=x
    expect 400 '.error_codes == [900144]'
}

@test "IMDS answers strings, and only to Metadata: true and a known identity" {
    local imds="$AZURE_POD_IDENTITY_AUTHORITY_HOST/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/" id

    http GET "$imds"
    expect 400 '.error == "invalid_request"'
    http GET "$imds" --header 'Metadata: true'
    expect 400 '.error_description | startswith("Multiple user assigned identities")'
    http GET "$imds&client_id=44444444-4444-4444-8444-444444444444" --header 'Metadata: true'
    expect 400 '.error_description == "Identity not found"'
    id=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
    http GET "$imds&msi_res_id=$id" --header 'Metadata: true'
    expect 200 '(.expires_in | type == "string") and (.expires_on | type == "string") and .token_type == "Bearer"'
    TOKEN=$(jq -r .access_token <<<"$body")
    arm GET "$SOURCE?$API"
    expect 200
}

# --- ARM: who may ask, and how

@test "a missing, foreign, wrong-audience or expired token is 401 with its own code" {
    http GET "$(endpoint arm)$SOURCE?$API"
    refused 401 AuthenticationFailed
    [[ $(header WWW-Authenticate) == "Bearer authorization_uri=\"$(endpoint login)/$AZURE_TENANT_ID\""* ]]
    TOKEN=eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.
    arm GET "$SOURCE?$API"
    refused 401 InvalidAuthenticationToken
    take_token https://storage.azure.com/.default
    arm GET "$SOURCE?$API"
    refused 401 InvalidAuthenticationTokenAudience
    sim set tokenLifetime=0s
    take_token
    sim set tokenLifetime=3599s
    arm GET "$SOURCE?$API"
    refused 401 ExpiredAuthenticationToken
}

@test "a token for the older ARM audience and for this ARM's own address pass" {
    take_token https://management.core.windows.net//.default
    arm GET "$SOURCE?$API"
    expect 200
    take_token "$(endpoint arm)/.default"
    arm GET "$SOURCE?$API"
    expect 200
}

@test "api-version is required and checked per type" {
    arm GET "$SOURCE"
    refused 400 MissingApiVersionParameter
    arm GET "$SOURCE?api-version=2024-11-30"
    refused 400 InvalidApiVersionParameter
    arm GET "$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup?api-version=2024-11-30"
    expect 200 '(.properties.principalId | length == 36) and .properties.tenantId == "11111111-1111-4111-8111-111111111111"'
}

@test "names in any case, %2D and double slashes name the same cluster; ids come back as they were made" {
    arm GET "/SUBSCRIPTIONS/22222222-2222-4222-8222-222222222222//resourcegroups/RG%2Dsource/providers/microsoft.hardwaresecuritymodules/cloudhsmclusters/CHSM-source?$API"
    expect 200 ".id == \"$SOURCE\""
}

@test "what is not there is 404 with the code of the part that is missing" {
    arm GET "/subscriptions/99999999-9999-4999-8999-999999999999/resourceGroups/rg-source/$HSM/chsm-source?$API"
    refused 404 SubscriptionNotFound
    arm GET "$SUBSCRIPTION/resourceGroups/rg-none/$HSM/chsm-source?$API"
    refused 404 ResourceGroupNotFound
    arm GET "$SUBSCRIPTION/resourceGroups/rg-source/$HSM/chsm-none?$API"
    refused 404 ResourceNotFound
    arm GET "$SOURCE/backupOperationStatus/00000000000000000000000000000000?$API"
    refused 404 JobNotFound
    arm POST "$SOURCE?$API"
    refused 405 MethodNotAllowed
}

@test "answers carry ARM's ids; the correlation id of the request is echoed" {
    local id=55555555-5555-4555-8555-555555555555

    take_token
    http GET "$(endpoint arm)$SOURCE?$API" --header "Authorization: Bearer $TOKEN" --header "x-ms-correlation-request-id: $id"
    [[ $(header x-ms-correlation-request-id) == "$id" ]]
    [[ $(header x-ms-request-id) =~ ^[0-9a-f-]{36}$ ]]
    [[ $(header x-ms-routing-request-id) =~ ^SIMULATOR:[0-9]{8}T[0-9]{6}Z:[0-9a-f-]{36}$ ]]
    [[ $(header x-ms-ratelimit-remaining-subscription-reads) =~ ^[0-9]+$ ]]
}

@test "lists hold what lies in their scope" {
    arm GET "$SUBSCRIPTION/$HSM?$API"
    expect 200 '[.value[].name] | index("chsm-source") and index("chsm-plain")'
    arm GET "$SUBSCRIPTION/resourceGroups/rg-source/$HSM?$API"
    expect 200 '[.value[].name] == ["chsm-source"]'
    arm GET "$SUBSCRIPTION?api-version=2022-12-01"
    expect 200 '.state == "Enabled"'
}

@test "role assignments are listed by principal, with what is inherited" {
    local account=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.Storage/storageAccounts/chsmdrill id

    arm GET "$account?api-version=2025-08-01"
    expect 200 '.properties.primaryEndpoints.blob | test("^https://chsmdrill[.]blob[.]localhost:[0-9]+/$")'
    arm GET "$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-stranger?api-version=2023-01-31"
    id=$(jq -r .properties.principalId <<<"$body")
    arm GET "$account/blobServices/default/containers/backups/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&\$filter=principalId%20eq%20'$id'"
    expect 200 ".value | length == 1 and (.[0].properties.roleDefinitionId | endswith(\"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1\"))"
}

# --- ARM: changing things

@test "a group and an identity can be made, shown and (the identity) deleted" {
    local group=$SUBSCRIPTION/resourceGroups/rg-new identity

    identity=$group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-new
    arm PUT "$group?api-version=2025-04-01" '{"location":"uksouth"}'
    expect 201 '.properties.provisioningState == "Succeeded"'
    arm PUT "$group?api-version=2025-04-01" '{"location":"ukwest"}'
    refused 409 InvalidResourceGroupLocation
    arm PUT "$identity?api-version=2024-11-30" '{"location":"uksouth"}'
    expect 201
    local first=$body
    arm PUT "$identity?api-version=2024-11-30" '{"location":"uksouth"}'
    expect 200 ".properties.principalId == $(jq .properties.principalId <<<"$first")"
    arm DELETE "$identity?api-version=2024-11-30"
    expect 200
    arm GET "$identity?api-version=2024-11-30"
    refused 404 ResourceNotFound
    arm DELETE "$identity?api-version=2024-11-30"
    expect 204
}

@test "create answers 200 and Provisioning without a polling header, and ends in NotActivated" {
    local made=$SUBSCRIPTION/resourceGroups/rg-source/$HSM/chsm-made

    arm PUT "$made?$API" '{"location":"uksouth","sku":{"family":"B","name":"Standard_B1"},"tags":{"a":"b"}}'
    expect 200 '.properties.provisioningState == "Provisioning" and .properties.activationState == "NotDefined"'
    [[ -z $(header Location)$(header Azure-AsyncOperation)$(header Retry-After) ]]
    until_state "$made" '.properties.provisioningState == "Succeeded"'
    expect 200 '.properties.activationState == "NotActivated" and (.properties.hsms | length == 3)'
    arm PUT "$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-made?$API" '{"location":"ukwest","sku":{"family":"B","name":"Standard_B1"}}'
    refused 409 Conflict
    arm DELETE "$made?$API"
    expect 202
    [[ $(header Location) == *"/locations/uksouth/cloudHsmOperationResults/Delete"*"&s="* ]]
    poll "$(header Location)"
    expect 200
    arm GET "$made?$API"
    refused 404 ResourceNotFound
    [[ ! -e $SIM_DIR/clusters/chsm-made ]]
}

@test "a PUT without tags drops the tags; ids of the identity stay null" {
    local plain=$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-plain id

    id=$SUBSCRIPTION/resourcegroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
    arm GET "$plain?$API"
    expect 200 '.tags.env == "plain" and (has("identity") | not)'
    arm PUT "$plain?$API" "{\"Location\":\"ukwest\",\"Sku\":{\"Family\":\"B\",\"Name\":\"Standard_B1\"},\"Identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"$id\":{}}}}"
    expect 200 '.properties.provisioningState == "Updating"'
    until_state "$plain" '.properties.provisioningState == "Succeeded"'
    expect 200 '(has("tags") | not) and .properties.activationState == "Active"'
    expect 200 '.identity.userAssignedIdentities | length == 1 and .[] == {"principalId":null,"clientId":null}'
}

@test "a PATCH changes tags and identity only; a value that differs in case stays" {
    arm PATCH "$SOURCE?$API" '{"tags":{"env":"DRILL","owner":"security"}}'
    expect 200 '.tags == {"env":"drill","owner":"security"} and .properties.provisioningState == "Succeeded"'
    arm PATCH "$SOURCE?$API" '{"properties":{}}'
    refused 400 InvalidRequestContent
}

@test "what a PUT may not hold or change is refused" {
    local sku='"sku":{"family":"B","name":"Standard_B1"}' one two

    one=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
    two=${one/id-backup/id-stranger}
    arm PUT "$SOURCE?$API" '{"location":'
    refused 400 InvalidRequestContent
    arm PUT "$SOURCE?$API" "{\"location\":\"ukwest\",$sku}"
    refused 409 InvalidResourceLocation
    arm PUT "$SOURCE?$API" '{"location":"uksouth","sku":{"family":"B","name":"Standard B10"}}'
    refused 400 PropertyChangeNotAllowed
    arm PUT "$SOURCE?$API" '{"location":"uksouth","sku":{"family":"B","name":"Premium"}}'
    refused 400 InvalidSku
    arm PUT "$SOURCE?$API" "{\"location\":\"uksouth\",$sku,\"identity\":{\"type\":\"SystemAssigned\"}}"
    refused 400 InvalidIdentity
    arm PUT "$SOURCE?$API" "{\"location\":\"uksouth\",$sku,\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"$one\":{},\"$two\":{}}}}"
    refused 400 InvalidIdentity
    arm PUT "$SOURCE?$API" "{\"location\":\"uksouth\",$sku,\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"${one}x\":{}}}}"
    refused 400 FailedIdentityOperation
    arm PUT "$SOURCE?$API" "{\"location\":\"uksouth\",$sku,\"properties\":{\"provisioningState\":\"Failed\"}}"
    refused 400 InvalidRequestContent
    arm PUT "$SUBSCRIPTION/resourceGroups/rg-source/$HSM/a_b?$API" "{\"location\":\"uksouth\",$sku}"
    refused 400 InvalidResourceName
    arm GET "$SOURCE?$API"
    expect 200 '.tags.env == "drill" and .properties.provisioningState == "Succeeded"'
}

# --- backup and restore

@test "a backup: 202 and a long signed Location, 202 and a plain one while it runs, then the recorded body" {
    local signed plain before after

    arm POST "$SOURCE/validateBackupProperties?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    expect 200 '.properties.status == "Succeeded"'
    before=$(date -u +%s)
    arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    expect 202
    [[ -z $body && -z $(header Azure-AsyncOperation)$(header Retry-After) && $(header Content-Length) == 0 ]]
    signed=$(header Location)
    [[ ${#signed} -gt 3400 && ${#signed} -lt 4096 ]]
    [[ $signed =~ /backupOperationStatus/[0-9a-f]{32}\?api-version=2025-03-31\&t=[0-9]{18}\&c=[A-Za-z0-9_-]{2968}\&s=[A-Za-z0-9_-]{342}\&h=[A-Za-z0-9_-]{43}$ ]]
    arm GET "$signed"
    expect 202
    plain=$(header Location)
    [[ $plain == "${signed%%&t=*}" && -z $body ]]
    arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    refused 409 Conflict
    poll "$plain"
    after=$(date -u +%s)
    expect 200 '.properties.status == "Succeeded" and (.properties.backupId | test("^cloudhsm-[0-9a-f-]{36}-[0-9]{16}$"))'
    run jq -r '.properties.statusDetails | capture("^HSM Backup Time: (?<t>[0-9]+/[0-9]+/[0-9]{4} [0-9]+:[0-9]{2}:[0-9]{2} [AP]M) [+]00:00 UTC[.]$").t' <<<"$body"
    run date -u -d "$output" +%s
    ((output >= before - 1201 && output <= after - 1200))
    arm GET "$signed"
    expect 200
    arm GET "${signed/&h=/&h=A}"
    refused 403 InvalidSignature
    arm GET "${signed/&t=6/&t=7}"
    refused 403 InvalidSignature
    arm GET "${plain/backupOperation/restoreOperation}"
    refused 404 JobNotFound
}

@test "two backups of one cluster share the uuid and differ in their digits" {
    backup
    local first=$backup_id
    backup
    [[ ${first%-*} == "${backup_id%-*}" && $first != "$backup_id" ]]
}

@test "a restore: the keys are there when the job is done, Active follows" {
    backup
    restore "$DESTINATION" "$backup_id"
    expect 202
    poll "$(header Location)"
    expect 200 '.properties.status == "Succeeded" and (.properties | has("backupId") or has("azureStorageBlobContainerUri") | not)'
    until_state "$DESTINATION" '.properties.activationState == "Active"'
    expect 200 '.properties.provisioningState == "Succeeded"'
    diff -r "$SIM_DIR/clusters/chsm-source/keys" "$SIM_DIR/clusters/chsm-destination/keys"
}

@test "a restore into an active cluster is accepted, fails, and leaves that cluster Failed" {
    local active=$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-spare

    backup
    restore "$active" "$backup_id"
    expect 202
    poll "$(header Location)"
    until_state "$active" '.properties.activationState == "Active"'
    arm POST "$active/validateRestoreProperties?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\",\"backupId\":\"$backup_id\"}"
    expect 200 '.properties.status == "Failed" and (.properties.error.code | length > 0)'
    restore "$active" "$backup_id"
    expect 202
    poll "$(header Location)"
    expect 200 '.properties.status == "Failed" and (.properties.error.code | length > 0) and (.properties.error.message | length > 0)'
    arm GET "$active?$API"
    expect 200 '.properties.provisioningState == "Failed" and .properties.activationState == "Failed"'
}

@test "a restore of a backup that is not there fails as a job" {
    local made=$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-nobackup id

    id=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
    arm PUT "$made?$API" "{\"location\":\"ukwest\",\"sku\":{\"family\":\"B\",\"name\":\"Standard_B1\"},\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"$id\":{}}}}"
    expect 200
    until_state "$made" '.properties.activationState == "NotActivated"'
    restore "$made" cloudhsm-00000000-0000-4000-8000-000000000000-2025061314364592
    expect 202
    poll "$(header Location)"
    expect 200 '.properties.status == "Failed" and .properties.error.code == "BackupNotFound"'
}

@test "a backup that cannot work is refused: no identity's role, no container, no cluster that is active" {
    local stranger=$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-stranger

    arm POST "$stranger/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    refused 403 AuthorizationPermissionMismatch
    arm POST "$SOURCE/backup?$API" '{"azureStorageBlobContainerUri":"https://chsmdrill.blob.core.windows.net/private"}'
    refused 403 AuthorizationPermissionMismatch
    for uri in https://chsmdrill.blob.core.windows.net/none https://other.blob.core.windows.net/backups "$CONTAINER/sub" http://x; do
        arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$uri\"}"
        refused 400 StorageContainerNotFound
    done
    arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\",\"token\":\"sv=1&sig=x\"}"
    refused 400 SasTokenNotSupported
    arm POST "$SOURCE/backup?$API" '{}'
    refused 400 InvalidRequestContent
    arm POST "$SOURCE/backup?$API"
    refused 400 InvalidRequestContent
    arm POST "$SOURCE/restore?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    refused 400 InvalidRequestContent
}

@test "containers answer to the simulator's own addresses too" {
    for uri in "https://chsmdrill.blob.localhost:$(endpoint blob | sed 's/.*://')/backups" "$(endpoint blob)/chsmdrill/backups"; do
        arm POST "$SOURCE/validateBackupProperties?$API" "{\"azureStorageBlobContainerUri\":\"$uri\"}"
        expect 200 '.properties.status == "Succeeded"'
    done
}

# --- faults, restart, log

@test "a fault rule answers the nth request and only that one" {
    sim fault add --path '/chsm-source$' --method GET --nth 2 --count 1 --status 429 --code TooManyRequests --retry-after 7
    arm GET "$SOURCE?$API"
    expect 200
    arm GET "$SOURCE?$API"
    refused 429 TooManyRequests
    [[ $(header Retry-After) == 7 ]]
    arm GET "$SOURCE?$API"
    expect 200
    run sim fault list
    jq -e '.seen == 3 and .kind == "status"' <<<"$output"
}

@test "reset: no answer, and the request was not handled" {
    take_token
    sim fault add --path '/chsm-source$' --method PATCH --reset
    arm PATCH "$SOURCE?$API" '{"tags":{"env":"reset"}}'
    [[ $code == 000 && $curl_status -ne 0 ]]
    arm GET "$SOURCE?$API"
    expect 200 '.tags.env != "reset"'
}

@test "drop-answer: no answer, but the request was handled" {
    take_token
    sim fault add --path '/chsm-source$' --method PATCH --drop-answer
    arm PATCH "$SOURCE?$API" '{"tags":{"env":"drill","owner":"security","dropped":"yes"}}'
    [[ $code == 000 && $curl_status -ne 0 ]]
    arm GET "$SOURCE?$API"
    expect 200 '.tags.dropped == "yes"'
    [[ $(logged '.fault == "drop-answer" and .status == 0 and .method == "PATCH"') == 1 ]]
}

@test "truncate: fewer bytes than Content-Length announces" {
    take_token
    sim fault add --path '/chsm-source$' --truncate
    arm GET "$SOURCE?$API"
    [[ $code == 200 && $curl_status -ne 0 ]]
    ((${#body} > 0 && ${#body} < $(header Content-Length)))
}

@test "stall and a body of one's own" {
    take_token
    sim fault add --path '/chsm-source$' --stall 600
    local begin=$EPOCHREALTIME
    arm GET "$SOURCE?$API"
    expect 200
    ((${EPOCHREALTIME/./} - ${begin/./} >= 600000))
    sim fault add --path '/chsm-source$' --nth 1 --body '{"properties":'
    arm GET "$SOURCE?$API"
    [[ $code == 200 && $body == '{"properties":' ]]
}

@test "a restart keeps CA, jobs and state; old tokens stay good" {
    local ca job

    ca=$(<"$SIM_DIR/ca.pem")
    arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    expect 202
    job=$(header Location)
    job=${job#https://*/}
    restart
    [[ $ca == "$(<"$SIM_DIR/ca.pem")" ]]
    poll "/$job"
    expect 200 '.properties.status == "Succeeded"'
    arm GET "$SOURCE?$API"
    expect 200 '.tags.env == "drill"'
}

@test "one server per folder" {
    run "$CHSM_SIM" serve --dir "$SIM_DIR"
    [[ $status -eq 3 && $output == *"another chsm-sim serves"* ]]
}

@test "SIGTERM ends a server that is in the middle of a stalled request" {
    take_token
    sim fault add --path '/chsm-source$' --stall 60000
    arm GET "$SOURCE?$API" &
    local client=$!
    for ((i = 0; i < 100; i++)); do
        [[ $(sim fault list | jq '.seen // 0') == 1 ]] && break
        sleep 0.05
    done
    local begin=$SECONDS
    restart
    ((SECONDS - begin < 15))
    wait "$client" || true
}

@test "set: timings take effect at once; nonsense changes nothing" {
    sim set retryAfter=3s
    arm POST "$SOURCE/backup?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    expect 202
    [[ $(header Retry-After) == 3 ]]
    poll "$(header Location)"
    run sim set backup=soon
    [[ $status -eq 2 ]]
    run sim set speed=1s
    [[ $status -eq 2 && $output == *speed* ]]
}

@test "the request log holds what was asked and no secret" {
    KNOWN_SECRETS=(user1234)
    arm GET "$SOURCE?$API"
    [[ $(logged '.service == "login" and .body.client_secret == "REDACTED"') -gt 0 ]]
    [[ $(logged '.path | endswith("/restore")') -gt 0 ]]
    [[ $(logged '.authorization == "bearer" and .status == 200') -gt 0 ]]
    [[ $(logged '.query.s and .query.s != "REDACTED"') -eq 0 ]]
    [[ $(logged '.body.token == "REDACTED"') -gt 0 ]]
    assert_no_secret "$SIM_DIR/requests.jsonl" "$BATS_FILE_TMPDIR/sim.log"
}

# --- seed

@test "seeding a folder twice needs --force" {
    local dir="$BATS_TEST_TMPDIR/again"

    "$CHSM_SIM" seed --dir "$dir" "$abs_top_srcdir/tests/integration/sim_cloud.yaml"
    run "$CHSM_SIM" seed --dir "$dir" "$abs_top_srcdir/tests/integration/sim_cloud.yaml"
    [[ $status -eq 3 && $output == *--force* ]]
    "$CHSM_SIM" seed --force --dir "$dir" "$abs_top_srcdir/tests/integration/sim_cloud.yaml"
}

@test "mistakes in a seed file are named with line and column and leave nothing behind" {
    local dir="$BATS_TEST_TMPDIR/bad" file="$BATS_TEST_TMPDIR/bad.yaml" good="$abs_top_srcdir/tests/integration/sim_cloud.yaml"

    sed 's/activationState: Active/activationState: Sleeping/' "$good" >"$file"
    run "$CHSM_SIM" seed --dir "$dir" "$file"
    [[ $status -eq 3 && $output =~ bad.yaml:[0-9]+:[0-9]+:\ clusters\[0\] ]]
    sed 's/curve: P-256/curve: P-257/' "$good" >"$file"
    run "$CHSM_SIM" seed --dir "$dir" "$file"
    [[ $status -eq 3 && $output =~ bad.yaml:33:[0-9]+:\ clusters\[0\].users\[0\].keys\[0\].curve ]]
    sed 's/^tenant:/tenent:/' "$good" >"$file"
    run "$CHSM_SIM" seed --dir "$dir" "$file"
    [[ $status -eq 3 && $output =~ bad.yaml:3:[0-9]+:\ tenent ]]
    run "$CHSM_SIM" serve --dir "$dir"
    [[ $status -eq 3 ]]
    "$CHSM_SIM" seed --dir "$dir" "$good"
}

@test "a group's tags can be replaced, and a group goes with all that is in it" {
    local group=$SUBSCRIPTION/resourceGroups/rg-gone api=api-version=2024-03-01

    arm PUT "$group?$api" '{"location":"uksouth","tags":{"a":"b"}}'
    expect 201
    arm PATCH "$group?$api" '{"tags":{"c":"d"}}'
    expect 200 '.tags == {c: "d"} and .location == "uksouth"'
    arm PUT "$group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-gone?api-version=2023-01-31" '{"location":"uksouth"}'
    expect 201
    arm DELETE "$group?$api"
    expect 202
    poll "$(header Location)"
    expect 200
    arm GET "$group?$api"
    refused 404 ResourceGroupNotFound
    arm PUT "$group?$api" '{"location":"ukwest"}'
    expect 201
    arm GET "$group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-gone?api-version=2023-01-31"
    refused 404 ResourceNotFound
}

@test "storage accounts: names, locations, api-versions, and a PUT that drops the tags it leaves out" {
    local account=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.Storage/storageAccounts/simaccount api=api-version=2024-01-01
    local spec='{"location":"uksouth","kind":"StorageV2","sku":{"name":"Standard_LRS"}'

    arm PUT "$account?api-version=2019-01-01" "$spec}"
    refused 400 InvalidApiVersionParameter
    arm PUT "$account?$api" '{"kind":"StorageV2","sku":{"name":"Standard_LRS"}}'
    refused 400 LocationRequired
    arm PUT "${account}X?$api" "$spec}"
    refused 400 AccountNameInvalid
    arm PUT "$account?$api" "$spec,\"properties\":{\"networkAcls\":{\"bypass\":\"None\"}}}"
    refused 400 InvalidValuesForRequestParameters
    arm PUT "$account?$api" "$spec,\"tags\":{\"a\":\"b\"}}"
    expect 202
    [[ -z $body ]]
    poll "$(header Location)"
    expect 200 '.tags == {a: "b"} and .properties.provisioningState == "Succeeded" and (.properties | has("allowSharedKeyAccess") | not)'
    arm PUT "$account?$api" '{"location":"ukwest","kind":"StorageV2","sku":{"name":"Standard_LRS"}}'
    refused 409 InvalidResourceLocation
    arm PATCH "$account?$api" '{"properties":{"allowSharedKeyAccess":false}}'
    expect 200 '.tags == {a: "b"} and .properties.allowSharedKeyAccess == false'
    arm PUT "$account?$api" '{"location":"uksouth","kind":"StorageV2","sku":{"name":"Standard_LRS"}}'
    expect 200 'has("tags") | not'
    arm PUT "${account/rg-source/rg-destination}?$api" '{"location":"uksouth","kind":"StorageV2","sku":{"name":"Standard_LRS"}}'
    refused 409 StorageAccountAlreadyExists
    arm POST "$account/listKeys?$api"
    expect 200 '.keys | length == 2 and all(.[]; .permissions == "FULL" and (.value | length == 88))'
    arm PUT "$account/blobServices/default/containers/a--b?$api" '{}'
    refused 400 ContainerOperationFailure
    arm PUT "$account/blobServices/default/containers/a-b?$api" '{}'
    expect 201
    arm PUT "$account/blobServices/default/containers/a-b?$api" '{}'
    expect 200
    arm DELETE "$account?$api"
    expect 200
    arm GET "$account/blobServices/default/containers/a-b?$api"
    refused 404 ResourceNotFound
}

@test "role assignments: the name, the principal, the same once more" {
    local scope=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.Storage/storageAccounts/chsmdrill api=api-version=2022-04-01 identity id client
    local name=55555555-5555-4555-8555-555555555555 other=55555555-5555-4555-8555-555555555556

    arm PUT "$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-role?api-version=2023-01-31" '{"location":"uksouth"}'
    id=$(jq -r .properties.principalId <<<"$body") client=$(jq -r .properties.clientId <<<"$body")
    role() {
        echo "{\"properties\":{\"roleDefinitionId\":\"$SUBSCRIPTION/providers/Microsoft.Authorization/roleDefinitions/$1\",\"principalId\":\"$2\"${3:+,\"principalType\":\"$3\"}}}"
    }
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/no-guid?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$id")"
    refused 400 InvalidRoleAssignmentId
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$client" ServicePrincipal)"
    refused 400 PrincipalNotFound
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$id" User)"
    refused 400 UnmatchedPrincipalType
    sim set principal=1h
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$id")"
    refused 400 PrincipalNotFound
    sim set principal=0s
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$id" ServicePrincipal)"
    expect 201 ".properties.scope == \"$scope\""
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$id" ServicePrincipal)"
    expect 200
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$other?$api" "$(role ba92f5b4-2d11-453d-a403-e96b0029c9fe "$id" ServicePrincipal)"
    refused 409 RoleAssignmentExists
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api" "$(role 2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 "$id" ServicePrincipal)"
    refused 409 RoleAssignmentUpdateNotPermitted
    arm DELETE "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api"
    expect 200
    arm DELETE "$scope/providers/Microsoft.Authorization/roleAssignments/$name?$api"
    expect 204
}

@test "a new role has its effect after a delay: a backup before that is refused" {
    local scope=$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.Storage/storageAccounts/chsmdrill/blobServices/default/containers/backups id

    arm GET "$SUBSCRIPTION/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-stranger?api-version=2023-01-31"
    id=$(jq -r .properties.principalId <<<"$body")
    sim set roleDelay=1s
    arm PUT "$scope/providers/Microsoft.Authorization/roleAssignments/55555555-5555-4555-8555-555555555557?api-version=2022-04-01" \
        "{\"properties\":{\"roleDefinitionId\":\"/x/ba92f5b4-2d11-453d-a403-e96b0029c9fe\",\"principalId\":\"$id\",\"principalType\":\"ServicePrincipal\"}}"
    expect 201
    sim set roleDelay=0s
    arm POST "$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-stranger/validateBackupProperties?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    refused 403 AuthorizationPermissionMismatch
    sleep 1.1
    arm POST "$SUBSCRIPTION/resourceGroups/rg-destination/$HSM/chsm-stranger/validateBackupProperties?$API" "{\"azureStorageBlobContainerUri\":\"$CONTAINER\"}"
    expect 200 '.properties.status == "Succeeded"'
}

# --- blobs

# blob METHOD PATH [CURL OPTION...]: a request to the account's own host, with the token for storage
blob() {
    take_token https://storage.azure.com/.default
    http "$1" "https://chsmdrill.blob.localhost:${BLOB##*:}$2" --header "Authorization: Bearer $TOKEN" --header 'x-ms-version: 2022-11-02' "${@:3}"
}

# blob_refused CODE SERVICECODE
blob_refused() {
    [[ $code == "$1" && $(header x-ms-error-code) == "$2" && $body == *"<Code>$2</Code>"* ]] || fail "HTTP $code, not $1 $2:" "$body"
}

@test "the blob service lists backups as folders, page by page" {
    local BLOB marker

    BLOB=$(endpoint blob)
    backup
    blob GET '/backups?restype=container&comp=list&prefix=cloudhsm-&delimiter=%2F'
    [[ $code == 200 && $body == *"<BlobPrefix><Name>$backup_id/</Name></BlobPrefix>"* && $body == *'<NextMarker></NextMarker>'* ]]
    blob GET "/backups?restype=container&comp=list&prefix=$backup_id/&maxresults=1"
    [[ $code == 200 && $body == *"<Blob><Name>$backup_id/"* ]]
    marker=$(sed -n 's/.*<NextMarker>\(.*\)<\/NextMarker>.*/\1/p' <<<"$body")
    [[ $marker == "$backup_id/"* && $body != *"<Name>$marker</Name>"* ]]
    http GET "$BLOB/chsmdrill/backups?restype=container&comp=list&marker=$marker" --header "Authorization: Bearer $TOKEN" \
        --header 'x-ms-version: 2022-11-02'
    [[ $code == 200 && $body == *"<Name>$marker</Name>"* ]]
}

@test "the blob service wants a token for storage, a version and a role" {
    local BLOB list='?restype=container&comp=list'

    BLOB=$(endpoint blob)
    http GET "$BLOB/chsmdrill/backups$list"
    blob_refused 409 PublicAccessNotPermitted
    take_token
    http GET "$BLOB/chsmdrill/backups$list" --header "Authorization: Bearer $TOKEN" --header 'x-ms-version: 2022-11-02'
    blob_refused 401 InvalidAuthenticationInfo
    take_token https://storage.azure.com/.default
    http GET "$BLOB/chsmdrill/backups$list" --header "Authorization: Bearer $TOKEN"
    blob_refused 403 AuthenticationFailed
    http GET "$BLOB/chsmdrill/backups$list" --header "Authorization: Bearer $TOKEN" --header 'x-ms-version: 1999-01-01'
    blob_refused 400 InvalidHeaderValue
    blob GET "/private$list"
    blob_refused 403 AuthorizationPermissionMismatch
    blob PUT '/another?restype=container'
    blob_refused 403 AuthorizationPermissionMismatch
    blob GET "/backups$list&sig=abc"
    blob_refused 403 KeyBasedAuthenticationNotPermitted
    http GET "$BLOB/nobody/backups$list" --header "Authorization: Bearer $TOKEN" --header 'x-ms-version: 2022-11-02'
    blob_refused 404 ResourceNotFound
}

#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# storage prepare, show, harden and folders: from nothing, from anything half done, and against a cloud that says no.
# shellcheck disable=SC2154  # status, output and stderr come from run

load lib
load drill

RG=/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-old
ID=$RG/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
SUBNET=$RG/providers/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints
CONTRIBUTOR=ba92f5b4-2d11-453d-a403-e96b0029c9fe

setup_file() {
    sim_start storage.yaml
    export AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
}
teardown_file() { sim_stop; }
teardown() {
    sim fault clear
    sim set principal=0s principalTyped=0s retryAfter=0s
    assert_no_secret "$SIM_DIR/requests.jsonl"
}

# writes: how many requests so far could have changed something
writes() {
    jq -s 'map(select(.method != "GET" and .service == "arm" and (.path | endswith("/checkNameAvailability") | not))) | length' \
        "$SIM_DIR/requests.jsonl"
}

# prepare ACCOUNT [OPTION...]: in rg-old, with the container backups
prepare() {
    run_chsmctl storage prepare -g rg-old -n "$1" -c backups "${POLL[@]}" -o json "${@:2}"
}

# resource ID-OR-SUFFIX FILTER: jq finds it true of what the cloud keeps
resource() {
    local id=$1

    [[ $id == /subscriptions/* ]] || id=$RG/providers/Microsoft.Storage/storageAccounts/$1
    jq -e ".resources[\"${id,,}\"] | $2" "$SIM_DIR/state.json" >/dev/null || fail "not true of $id: $2" "$(jq ".resources[\"${id,,}\"]" "$SIM_DIR/state.json")"
}

# refuse_next METHOD PATTERN STATUS CODE MESSAGE: the next such request is refused so
refuse_next() {
    sim fault add --method "$1" --path "$2" --status "$3" --body "{\"error\":{\"code\":\"$4\",\"message\":\"$5\"}}"
}

@test "prepare makes everything from nothing, and the second time nothing" {
    local before

    run_chsmctl storage prepare -g rg-new -n newaccount -c backups -l 'UK South' --identity "$ID" --subnet "$SUBNET" --tags a=b c=d -o json "${POLL[@]}"
    assert_status 0
    assert_json 'map(.step) == ["group", "account", "container", "role", "endpoint"] and all(.[]; .outcome == "created")'
    assert_json '.[2].uri | test("^https://newaccount[.]blob[.]localhost:[0-9]+/backups$")'
    assert_json '.[4].connection == "Approved"'
    assert_stderr 'account newaccount: created'
    resource "${RG%old}new" '.location == "uksouth" and .tags == {a: "b", c: "d"}'
    resource "${RG%old}new/providers/Microsoft.Storage/storageAccounts/newaccount" '.kind == "StorageV2" and .sku.name == "Standard_LRS" and .tags.c == "d"
        and (.properties | .allowSharedKeyAccess == false and .allowBlobPublicAccess == false and .minimumTlsVersion == "TLS1_2"
        and .supportsHttpsTrafficOnly and .publicNetworkAccess == "Enabled" and .networkAcls.bypass == "AzureServices"
        and .networkAcls.defaultAction == "Allow" and .provisioningState == "Succeeded")'
    resource "${RG%old}new/providers/Microsoft.Network/privateEndpoints/newaccount-blob" ".location == \"uksouth\" and .properties.subnet.id == \"$SUBNET\"
        and .properties.privateLinkServiceConnections[0].properties.groupIds == [\"blob\"]"
    jq -e "[.resources[] | select(.properties.principalId == \"44444444-4444-4444-8444-444444444444\" and (.id | test(\"newaccount/providers\")))]
        | length == 1 and (.[0].properties.roleDefinitionId | endswith(\"$CONTRIBUTOR\"))" "$SIM_DIR/state.json"
    before=$(writes)
    run_chsmctl storage prepare -g rg-new -n newaccount -c backups --identity "$ID" --subnet "$SUBNET" --tags other=tags "${POLL[@]}" -o json
    assert_status 0
    assert_json 'all(.[]; .outcome == "exists")'
    [[ $(writes) == "$before" ]]
    resource "${RG%old}new" '.tags == {a: "b", c: "d"}'
}

@test "prepare finishes what was begun" {
    refuse_next PUT '/containers/backups$' 403 RequestDisallowedByPolicy 'Resource was disallowed by policy.'
    prepare halfaccount --identity id-backup
    assert_status 5
    assert_stderr 'account halfaccount: created'
    assert_stderr 'RequestDisallowedByPolicy'
    assert_stderr 'an Azure Policy forbids this'
    prepare halfaccount --identity id-backup
    assert_status 0
    assert_json 'map(.outcome) == ["exists", "exists", "created", "created"]'
}

@test "prepare corrects an account that lets in too much; tags and the rest survive" {
    prepare laxaccount --no-change
    assert_status 7
    prepare laxaccount --dry-run
    assert_status 0
    assert_json '.[1].outcome == "would-change" and .[1].request.method == "PATCH" and (.[1].request.body.properties | keys == ["allowBlobPublicAccess", "minimumTlsVersion", "supportsHttpsTrafficOnly"])'
    prepare laxaccount
    assert_status 0
    assert_json '.[1] | .outcome == "changed" and (.changes | length == 3) and (.note | test("harden"))'
    assert_stderr 'minimumTlsVersion: TLS1_0 -> TLS1_2'
    resource laxaccount '.tags == {owner: "security", env: "prod"} and (.properties | .minimumTlsVersion == "TLS1_2" and .allowSharedKeyAccess and .allowBlobPublicAccess == false and .networkAcls.defaultAction == "Allow")'
    prepare laxaccount
    assert_json '.[1].outcome == "exists"'
}

@test "prepare opens a firewall only when it is told to, and keeps its rules" {
    prepare walledaccount
    assert_status 7
    prepare walledaccount --accept-changes
    assert_status 0
    resource walledaccount '.properties.networkAcls == {bypass: "Logging, Metrics, AzureServices", defaultAction: "Deny", ipRules: [{value: "192.0.2.1"}], virtualNetworkRules: []}'
}

@test "dry run sends nothing and prints what would be sent" {
    local before

    before=$(writes)
    run_chsmctl storage prepare -g rg-dry -n dryaccount -c backups -l ukwest --identity "$ID" --subnet "$SUBNET" --dry-run
    assert_status 0
    assert_output "PUT $(jq -r .arm "$SIM_DIR/endpoints.json")/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-dry?api-version="
    assert_output '"principalType":"ServicePrincipal"'
    assert_output '"groupIds":["blob"]'
    [[ $(grep -c '^PUT ' <<<"$output") == 5 ]]
    run_chsmctl storage prepare -g rg-old -n goodaccount -c backups --identity "$ID" --dry-run
    assert_output 'nothing would be sent'
    run_chsmctl storage harden -g rg-old -n keyaccount -c backups --identity "$ID" --dry-run
    assert_status 0
    assert_output 'PATCH '
    assert_output '{"properties":{"allowSharedKeyAccess":false}}'
    [[ $(writes) == "$before" ]]
}

@test "mistakes in names and options are found before anything is sent" {
    local before

    before=$(wc -l <"$SIM_DIR/requests.jsonl")
    for words in '-n Upper -c backups' '-n ab -c backups' '-n goodaccount -c Backups' '-n goodaccount -c a--b' '-n goodaccount -c -b' \
        '-n goodaccount -c backups --scope planet' '-n goodaccount -c backups --default-action maybe' '-n goodaccount' \
        '-n goodaccount -c backups --private-endpoint pe' '-n goodaccount -c backups --subnet /not/one' \
        '-n goodaccount -c backups --identity /not/one' '-n goodaccount -c backups --tags a=b a=c'; do
        # shellcheck disable=SC2086  # words
        run_chsmctl storage prepare -g rg-old $words
        assert_status 2
    done
    run_chsmctl storage folders -g rg-old -n goodaccount -c backups -u https://x.blob.core.windows.net/y
    assert_status 2
    run_chsmctl storage folders -u 'https://x.blob.core.windows.net/y?sig=z'
    assert_status 7
    [[ $(jq -s "[.[$before:][] | select(.service == \"arm\" and .path != \"/metadata/endpoints\")] | length" "$SIM_DIR/requests.jsonl") == 0 ]]
}

@test "prepare says what to do about a taken name, another region, a lock, a quota and a policy" {
    prepare takenbysomebody
    assert_status 5
    assert_stderr 'already taken'
    assert_stderr 'choose another one for --account-name'
    run_chsmctl storage prepare -g rg-nowhere -n someaccount -c backups
    assert_status 2
    assert_stderr 'give --location'
    prepare goodaccount -l ukwest
    assert_status 7
    assert_stderr 'leave --location out'
    refuse_next PUT '/storageAccounts/lockedaccount$' 409 ScopeLocked 'The scope cannot perform write operation because following scope(s) are locked.'
    prepare lockedaccount
    assert_status 5
    assert_stderr 'a lock on the resource'
    refuse_next PUT '/storageAccounts/quotaaccount$' 409 MaxStorageAccountsCountPerSubscriptionExceeded 'Subscription already contains 250 storage accounts in location uksouth.'
    prepare quotaaccount
    assert_status 5
    assert_stderr 'quota of storage accounts'
    refuse_next PUT '/storageAccounts/regionaccount$' 400 LocationNotAvailableForResourceType 'The provided location is not available.'
    prepare regionaccount
    assert_status 5
    assert_stderr 'az account list-locations'
}

@test "prepare says what to do when the role may not be given" {
    refuse_next PUT '/roleAssignments/' 403 AuthorizationFailed "The client 'x' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/write' over scope 'y'."
    prepare walledaccount --identity "$ID" --accept-changes
    assert_status 5
    assert_stderr 'User Access Administrator'
    refuse_next PUT '/roleAssignments/' 409 RoleAssignmentUpdateNotPermitted 'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.'
    prepare walledaccount --identity "$ID" --accept-changes
    assert_status 5
    assert_stderr 'az role assignment delete'
    prepare walledaccount --identity "${ID%id-backup}id-nobody" --accept-changes
    assert_status 5
    assert_stderr 'chsmctl identity create'
}

@test "a provider that is not registered is named, and registered when asked for" {
    jq '.providers = {"Microsoft.Storage": "NotRegistered", "Microsoft.Network": "NotRegistered"}' "$SIM_DIR/state.json" >"$BATS_TEST_TMPDIR/state"
    cp "$BATS_TEST_TMPDIR/state" "$SIM_DIR/state.json"
    prepare provideraccount
    assert_status 5
    assert_stderr 'az provider register --namespace Microsoft.Storage'
    prepare provideraccount --register-providers --subnet "$SUBNET"
    assert_status 0
    assert_json 'map(.outcome) == ["exists", "created", "created", "created"]'
}

@test "a role is found where it is inherited, and waited for while the directory does not know the identity" {
    prepare goodaccount --identity "$ID" --scope container
    assert_status 0
    assert_json '.[3].outcome == "exists" and (.[3].scope | endswith("/goodaccount"))'
    "$CHSMCTL" identity create -g rg-old -n id-fresh "${POLL[@]}" -o none
    sim set principalTyped=1s
    # The clock of the delay began when the identity was made.
    jq ".resources[\"${RG,,}/providers/microsoft.managedidentity/userassignedidentities/id-fresh\"].sim.bornAt = $(date +%s%3N)" "$SIM_DIR/state.json" >"$BATS_TEST_TMPDIR/state"
    cp "$BATS_TEST_TMPDIR/state" "$SIM_DIR/state.json"
    prepare goodaccount --identity id-fresh --scope container
    assert_status 0
    assert_json '.[3].outcome == "created" and (.[3].scope | endswith("/containers/backups"))'
    [[ $(jq -s 'map(select(.method == "PUT" and .status == 400 and (.path | test("roleAssignments")))) | length' "$SIM_DIR/requests.jsonl") -ge 1 ]]
}

@test "a role that somebody else has given under another name is no failure; one with a condition is not relied upon" {
    local role

    sim fault add --method GET --path '/keyaccount/.*roleAssignments$' --body '{"value":[]}'
    prepare keyaccount --identity "$ID" --scope container
    assert_status 0
    assert_json '.[3].outcome == "exists"'
    role=$(jq -c '[.resources[] | select(.id | test("keyaccount.*roleAssignments"))][0] | del(.sim) | .properties.condition = "@Resource[x] StringEquals y"' "$SIM_DIR/state.json")
    sim fault add --method GET --path '/keyaccount/.*roleAssignments$' --body "{\"value\":[$role]}"
    run_chsmctl storage show -g rg-old -n keyaccount -c backups --identity "$ID" -o json
    assert_json '.[] | select(.check == "role") | .result == "unknown" and (.text | test("under a condition"))'
    assert_status 10
    # A condition that somebody has put on it stays: a PUT would take it away.
    local before
    before=$(writes)
    sim fault add --method GET --path '/keyaccount/.*roleAssignments$' --body "{\"value\":[$role]}"
    prepare keyaccount --identity "$ID" --scope container
    assert_status 0
    assert_json '.[3].outcome == "exists" and (.[3].note | test("condition"))'
    [[ $(writes) == "$before" ]]
    # At another place it is not in the way of one without.
    role=$(jq -c '.properties.scope = "/"' <<<"$role")
    sim fault add --method GET --path '/keyaccount/.*roleAssignments$' --body "{\"value\":[$role]}"
    prepare keyaccount --identity "$ID" --scope container
    assert_status 0
    [[ $(writes) != "$before" ]]
}

@test "a 404 that does not say what is missing, and an empty answer, are no reason to make anything" {
    local before

    before=$(writes)
    for path in '/resourceGroups/rg-old$' '/storageAccounts/goodaccount$' '/containers/backups$' '/goodaccount/.*roleAssignments$'; do
        for fault in '--status 404 --body <html>no</html> --content-type text/html' '--status 404 --code SomethingElse' '--status 200'; do
            sim fault clear
            # shellcheck disable=SC2086  # three options
            sim fault add --method GET --path "$path" --count 9 $fault
            prepare goodaccount --identity "$ID" -l uksouth
            [[ $status == 5 ]] || fail "$path $fault: $status" "$stderr"
        done
    done
    [[ $(writes) == "$before" ]]
    sim fault clear
    sim fault add --method GET --path '/managementPolicies/default$' --status 404 --count 9
    run_chsmctl storage show -g rg-old -n goodaccount -c backups --identity "$ID" -o json
    assert_status 10
    assert_json '.[] | select(.check == "lifecycle") | .result == "unknown"'
}

@test "a role from a management group counts; one for a neighbour, below, or of another kind does not" {
    local role id="$RG/providers/Microsoft.Storage/storageAccounts/publicaccount"

    # said SCOPE [ROLE]: the list of role assignments is this one
    said() {
        role="{\"id\":\"/x/y\",\"properties\":{\"roleDefinitionId\":\"/x/${2:-$CONTRIBUTOR}\",\"principalId\":\"44444444-4444-4444-8444-444444444444\",\"scope\":\"$1\"}}"
        sim fault clear
        sim fault add --method GET --path 'roleAssignments$' --body "{\"value\":[$role]}"
        run_chsmctl storage show -g rg-old -n publicaccount -c backups --identity "$ID" -o json
    }
    for scope in /providers/Microsoft.Management/managementGroups/mg / "${RG^^}" "$id/blobServices/default/containers/backups"; do
        said "$scope"
        assert_json '.[] | select(.check == "role") | .result == "ok"'
    done
    for scope in "${id}s" "$id/blobServices/default/containers/other" "${RG%d}"; do
        said "$scope"
        assert_json '.[] | select(.check == "role") | .result == "problem"'
    done
    said "$RG" 2a2b9908-6ea1-4ae2-8e65-a410df84e7d1
    assert_json '.[] | select(.check == "role") | .result == "problem"'
}

@test "an answer that gets lost on the way makes no second account" {
    sim fault add --method PUT --path '/storageAccounts/lostaccount$' --drop-answer
    prepare lostaccount
    assert_status 0
    assert_json '.[1].outcome == "created"'
    resource lostaccount '.properties.provisioningState == "Succeeded"'
}

@test "preparing that runs out of time goes on with the same command" {
    sim set storage=1500ms
    prepare slowaccount --timeout 1s
    assert_status 8
    assert_stderr 'run the same command again'
    prepare slowaccount
    assert_status 0
    assert_json '.[1].outcome == "exists" and .[2].outcome == "created"'
    sim set storage=300ms
}

@test "a private endpoint: pending, elsewhere, in a subnet that is not there" {
    prepare goodaccount --subnet "$SUBNET" --manual-request --private-endpoint pe-manual
    assert_status 0
    assert_json '.[3].connection == "Pending"'
    assert_stderr 'has to approve the connection'
    prepare frozenaccount --subnet "$SUBNET" --private-endpoint pe-manual
    assert_status 7
    assert_stderr 'not to the blobs of frozenaccount'
    prepare goodaccount --subnet "${SUBNET%endpoints}others" --private-endpoint pe-manual
    assert_status 7
    assert_stderr 'is in the subnet'
    prepare goodaccount --subnet "${SUBNET%endpoints}nowhere" --private-endpoint pe-two
    assert_status 5
    assert_stderr 'is not there'
}

@test "whichever answer to a change gets lost, everything is there once in the end" {
    local n

    for n in 1 2 3 4 5; do
        sim fault clear
        sim fault add --method PUT --path '^/subscriptions' --nth "$n" --drop-answer
        run_chsmctl storage prepare -g "rg-lost-$n" -n "lost$n" -c backups -l uksouth --identity "$ID" --subnet "$SUBNET" "${POLL[@]}" -o json
        assert_status 0
        [[ $(jq "[.resources[] | select(.type == \"Microsoft.Authorization/roleAssignments\" and (.id | test(\"/lost$n/\")))] | length" "$SIM_DIR/state.json") == 1 ]]
        [[ $(jq "[.resources[\"${RG%old}lost-$n/providers/microsoft.storage/storageaccounts/lost$n\" | ascii_downcase].properties.privateEndpointConnections[]] | length" "$SIM_DIR/state.json") == 1 ]]
    done
}

# finding ACCOUNT CHECK RESULT
finding() {
    run_chsmctl storage show -g rg-old -n "$1" -c backups --identity "$ID" -o json
    assert_json ".[] | select(.check == \"$2\") | .result == \"$3\" and (.result == \"ok\" or (.remedy | length > 0))"
}

@test "show: what stands in the way, with the remedy" {
    finding goodaccount role ok
    assert_status 0
    assert_json 'all(.[]; .result == "ok") and length == 9'
    finding frozenaccount immutability problem
    assert_status 1
    finding frozenaccount lifecycle warning
    finding usedaccount 'shared keys' warning
    assert_status 0
    finding publicaccount 'public access' problem
    finding publicaccount role problem
    finding walledaccount network warning
    finding nosuchaccount account problem
    run_chsmctl storage show -g rg-old -n goodaccount -c nosuch --identity "$ID"
    assert_status 1
    assert_output 'nosuch is not there'
    run_chsmctl storage show -g rg-old -n goodaccount -c nosuch --identity "$ID" -o json
    assert_json '.[] | select(.check == "immutability") | .result == "unknown"'
    run_chsmctl storage show -g rg-old -n goodaccount
    assert_status 10
    refuse_next GET '/managementPolicies/default$' 403 AuthorizationFailed 'no'
    finding goodaccount lifecycle unknown
    assert_status 10
}

@test "harden: not while somebody needs the keys; then once" {
    local before

    run_chsmctl storage harden -g rg-old -n usedaccount --identity "$ID" "${POLL[@]}"
    assert_status 7
    assert_stderr '12 requests'
    resource usedaccount '.properties.allowSharedKeyAccess'
    run_chsmctl storage harden -g rg-old -n keyaccount --identity "$ID" "${POLL[@]}"
    assert_status 7
    refuse_next GET '/metrics$' 403 AuthorizationFailed 'no metrics for you'
    run_chsmctl storage harden -g rg-old -n keyaccount -c backups --identity "$ID" "${POLL[@]}" -o json
    assert_status 0
    assert_stderr 'not checked: whether somebody has used keys'
    assert_json '.[0].outcome == "changed"'
    resource keyaccount '.properties.allowSharedKeyAccess == false'
    before=$(writes)
    run_chsmctl storage harden -g rg-old -n keyaccount "${POLL[@]}" -o json
    assert_status 0
    assert_json '.[0].outcome == "exists"'
    [[ $(writes) == "$before" ]]
    run_chsmctl storage harden -g rg-old -n usedaccount --force "${POLL[@]}"
    assert_status 0
    resource usedaccount '.properties.allowSharedKeyAccess == false'
}

@test "folders: the newest backup first, of one source, and what the service says when it does not want to" {
    local a=0e35c989-c582-4b3c-958d-596e4c4fe133 b=11111111-2222-4333-8444-555555555555 name

    for name in "cloudhsm-$a-2025061314364592" "cloudhsm-$b-2026010203040506" "cloudhsm-$a-2025061314364593" other-things "cloudhsm-$a-2025061314364594.partial"; do
        mkdir -p "$SIM_DIR/blobs/goodaccount/backups/$name"
        echo x >"$SIM_DIR/blobs/goodaccount/backups/$name/part"
    done
    run_chsmctl storage folders -g rg-old -n goodaccount -c backups -o json
    assert_status 0
    assert_json "map(.name) == [\"cloudhsm-$b-2026010203040506\", \"cloudhsm-$a-2025061314364593\", \"cloudhsm-$a-2025061314364592\"]"
    assert_json '.[2].time == "2025-06-13T14:36:45.920Z"'
    run_chsmctl storage folders -u "$(jq -r .blob "$SIM_DIR/endpoints.json")/goodaccount/backups" --source-uuid "${a^^}" -o json
    assert_json 'length == 2'
    run_chsmctl storage folders -g rg-old -n goodaccount -c backups --prefix cloudhsm-1 -o json
    assert_json 'length == 1'
    run_chsmctl storage folders -g rg-old -n goodaccount -c other-one
    assert_status 5
    assert_stderr 'Storage Blob Data Reader'
    run_chsmctl storage folders -g rg-old -n walledaccount -c backups
    assert_status 5
    assert_stderr 'firewall'
}

@test "everything that was sent is in the table of requests" {
    assert_requests_known
}

@test "folders: a busy service is asked again; what is no listing is not taken for an empty one" {
    local folders=(storage folders -u "$(jq -r .blob "$SIM_DIR/endpoints.json")/goodaccount/backups" -o json)

    mkdir -p "$SIM_DIR/blobs/goodaccount/backups/cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592"
    echo x >"$SIM_DIR/blobs/goodaccount/backups/cloudhsm-0e35c989-c582-4b3c-958d-596e4c4fe133-2025061314364592/part"
    sim fault add --path '^/goodaccount/backups$' --status 503 --code ServerBusy --retry-after 0
    sim fault add --path '^/goodaccount/backups$' --nth 2 --truncate
    run_chsmctl "${folders[@]}"
    assert_status 0
    assert_json 'length >= 1'
    for answer in '<html><body>Sign in to the hotel network</body></html>' '{"value":[]}' '' '<?xml version="1.0"?><EnumerationResults><Blobs/>'; do
        sim fault clear
        sim fault add --path '^/goodaccount/backups$' --status 200 --body "$answer"
        run_chsmctl "${folders[@]}"
        assert_status 5
    done
    sim fault clear
    sim fault add --path '^/goodaccount/backups$' --status 409 --code PublicAccessNotPermitted
    run_chsmctl "${folders[@]}"
    assert_status 5
    assert_stderr 'sign in again'
}

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of drills, jobs and keys share. Load it after lib.

export AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
KNOWN_SECRETS=(user1234 other5678)
IDENTITY=/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/rg-source/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-backup
OTHER_IDENTITY=${IDENTITY%id-backup}id-other
SOURCE=(-g rg-source -n chsm-source)
POLL=(--poll-interval 100ms)

# The container's URI on this simulator's blob service.
container() {
    echo "$(jq -er .blob "$SIM_DIR/endpoints.json")/chsmdrill/backups"
}

# client CLUSTER: the working directory of the library for a cluster
client() {
    echo "$SIM_DIR/clusters/$1"
}

# pins: the two users' PIN files, in $PINS; call it after sim_start, which empties the environment of Azure's names
pins() {
    export PINS="$BATS_FILE_TMPDIR" AZURE_SUBSCRIPTION_ID=22222222-2222-4222-8222-222222222222
    printf 'cu1:user1234\n' >"$PINS/cu1.pin"
    printf 'cu2:other5678\n' >"$PINS/cu2.pin"
}

# The options that reach a cluster's keys with both logins.
hsm() {
    echo --module "$SIM_MODULE" --directory "$(client "$1")" --login "cu1=file:$PINS/cu1.pin" --login "cu2=file:$PINS/cu2.pin"
}

# plan DESTINATION FILE [SED...]: a plan for a drill into a cluster, its evidence beside it
plan() {
    local destination=$1 file=$2

    shift 2
    cat >"$file" <<EOF
apiVersion: chsmctl/v1
kind: Drill
metadata: { name: test }
spec:
  subscription: $AZURE_SUBSCRIPTION_ID
  source: { resourceGroup: rg-source, cluster: chsm-source, client: { directory: $(client chsm-source), env: { CHSM_SIM_DIR: "$SIM_DIR" } } }
  destination: { resourceGroup: rg-destination, cluster: $destination, client: { directory: $(client "$destination") } }
  identity: $IDENTITY
  storage: { containerUri: "$(container)" }
  pkcs11:
    module: $SIM_MODULE
    timeout: 30s
    logins:
      - { name: cu1, pin: "file:$PINS/cu1.pin" }
      - { name: cu2, pin: "file:$PINS/cu2.pin" }
  objectives: { rto: 15m, rpo: 1h }
  timing: { pollInterval: 100ms, deadline: 2m }
  evidence: evidence
EOF
    [[ $# == 0 ]] || sed -i "$@" "$file"
}

# posts WORD: how many POSTs whose path ends with it reached the cloud
posts() {
    jq -s "map(select(.method == \"POST\" and (.path | test(\"/$1([?]|\$)\")))) | length" "$SIM_DIR/requests.jsonl"
}

# writes: how many requests that could change something reached ARM
writes() {
    jq -s 'map(select(.service == "arm" and .method != "GET")) | length' "$SIM_DIR/requests.jsonl"
}

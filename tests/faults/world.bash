# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the programs of this folder share: a folder of their own, a simulated HSM in it, and chsmctl on that. Needs $here and $build.

CHSMCTL=$build/chsmctl
CHSM_SIM=$build/chsm-sim
SIM_MODULE=$build/.libs/libchsm-sim-pkcs11.so

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# world_begin SEED: makes $work (in memory where there is room for it) and the simulator's folder $work/sim
world_begin() {
    local name base=${TMPDIR:-/tmp}

    [[ ! -w /dev/shm ]] || base=/dev/shm
    work=$(mktemp -d "$base/chsm-faults.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    for name in $(compgen -e | grep -E '^(AZURE_|ARM_|IDENTITY_|IMDS_|MSI_|CHSMCTL_|CHSM_SIM_|SOFTHSM2_|CURL_|SSL_CERT|https?_proxy$|HTTPS?_PROXY$)'); do
        unset "$name"
    done
    export HOME="$work/home" OPENSSL_CONF="$work/openssl.cnf" LC_ALL=C.UTF-8
    mkdir "$HOME"
    : >"$OPENSSL_CONF"
    printf 'cu1:user1234' >"$work/cu1"
    printf 'cu2:other5678' >"$work/cu2"
    "$CHSM_SIM" seed --dir "$work/sim" "$here/$1" || die "cannot seed"
}

# world_keys DIR CLUSTER WORD...: chsmctl keys on a cluster, with both logins
world_keys() {
    CHSM_SIM_DIR=$1 CHSM_SIM_RESOURCE_CFG=$1/clusters/$2/azcloudhsm_resource.cfg CHSM_SIM_QUIRKS=${QUIRKS-mechanisms=all} \
        timeout -k 5 "${WORLD_TIMEOUT:-120}" "$CHSMCTL" keys "${@:3}" --module "$SIM_MODULE" --login "cu1=file:$work/cu1" \
        --login "cu2=file:$work/cu2" --module-timeout "${MODULE_TIMEOUT:-60s}" --only-show-errors </dev/null
}

# world_inventory CLUSTER: $work/CLUSTER.json
world_inventory() {
    world_keys "$work/sim" "$1" inventory -f "$work/$1.json" 2>"$work/err"
}

# world_verify DIR CLUSTER WORD...: the report on stdout
world_verify() {
    world_keys "$1" "$2" verify --inventory "$work/$2.json" --allow-same-cluster -o json "${@:3}"
}

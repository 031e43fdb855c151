# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The table: which kinds there are (kinds.yaml), what is done to them, and what the right answer is. From first principles: what
# an auditor would say who knows what was done, not what chsmctl happens to answer.
#   cluster|kind|name|words of `chsm-sim corrupt`|run|labels|allowed|expectations|attribute   (mutations.jq has the meaning)

# kind cluster shape id twin's-id; a dash is an empty ID, "none" no ID at all
KINDS='
rsa-sign        verified rsa    0101 0102
rsa-decrypt     verified rsa    0111 0112
rsa-unwrap      verified rsa    0121 0122
rsa3072         verified rsa    0131 0132
rsa-dated       verified rsa    0141 0142
ec-p192         verified ec     0201 0202
ec-p224         verified ec     0211 0212
ec-p256         verified ec     0221 0222
ec-p384         verified ec     0231 0232
ec-p521         verified ec     0241 0242
ec-p256k        verified ec     0251 0252
ec-bp256        verified ec     0261 0262
ec-bp384        verified ec     0271 0272
ec-derive       verified ec     0281 0282
ed25519         verified ec     0291 0292
ed448           verified ec     02a1 02a2
aes128          verified secret 0501 0502
aes192          verified secret 0511 0512
aes256          verified secret 0521 0522
aes-decrypt     verified secret 0531 0532
aes-wrap        verified secret 0541 0542
aes-mac         verified secret 0561 0562
des3            verified secret 0571 0572
hmac160         verified secret 0601 0602
hmac256         verified secret 0611 0612
hmac512         verified secret 0621 0622
rsa-no-id       verified rsa    -    -
ec-no-id        verified ec     -    -
aes-no-id       verified secret -    -
certificate     verified cert   0701 0702
data            verified data   none none
aes-unwrap      carried  secret 0551 0552
dsa             carried  blind  0401 0402
dh              carried  blind  0411 0412
'

# The flags that the inventory has, by class.
PRIVATE_FLAGS='private decrypt sign unwrap derive local extractable sensitive never-extractable always-sensitive wrap-with-trusted destroyable'
PUBLIC_FLAGS='private encrypt verify wrap derive local trusted destroyable'
SECRET_FLAGS='private encrypt decrypt sign verify wrap unwrap derive local extractable sensitive never-extractable always-sensitive
    wrap-with-trusted trusted destroyable'
DATES='start-date end-date allowed-mechanisms'

# emit NAME WORDS RUN EXPECTATIONS [ATTRIBUTE [LABELS [ALLOWED]]]: for the kind at hand
emit() {
    local labels=${6:-$kind.a}

    printf '%s\n' "$cluster|$kind|$1|$2|$3|$labels|${7:-$labels}|$4|${5:-}"
}

# attribute CLASS NAME RUN EXPECTATIONS [WORDS]: one attribute of one object; in `changed` it has to be named
attribute() {
    local named=

    [[ $4 != *=changed ]] || named=$2
    emit "$1:$2" "change-attribute $target --class $1 --attribute $2 ${5:-}" "$3" "$4" "$named"
}

flags() {
    local class=$1 flag

    for flag in "${@:2}"; do
        attribute "$class" "$flag" failed "$class=changed"
    done
}

# exchanges MATERIAL IDS LABELS: what is expected of both the key and its twin
exchanges() {
    local twin="--twin-label $kind.b"

    [[ $twin_id == none || $twin_id == - ]] || twin+=" --twin $twin_id"
    emit exchange "exchange $target $twin" failed "$1" '' "$kind.a,$kind.b"
    emit exchange-labels "exchange-labels $target $twin" failed "$3" '' "$kind.a,$kind.b"
    [[ $twin_id == none || $twin_id == - ]] || emit exchange-ids "exchange-ids $target $twin" failed "$2" '' "$kind.a,$kind.b"
}

# What can be done to every object, key or not.
any_object() {
    local class=$1

    emit lose-key "lose-key $target" failed "$2"
    emit copy "copy $target" failed "$3"
    emit change-label "change-label $target" failed "$4" label "$kind.a" "$kind.a,renamed"
    [[ $id == none ]] || emit change-id "change-id $target" failed "$4" id
    attribute "$class" class failed "$class=missing,public?unexpected,private?unexpected,certificate?unexpected,data?unexpected,other?unexpected"
    attribute "$class" token failed "$class=missing"
    attribute "$class" label failed "$class=changed"
    # A private EC key tells nothing of its material: with another ID than its public half it may be another key, too.
    if [[ $class/$shape == private/ec ]]; then
        attribute private id failed private=changed/missing,private?unexpected
    elif [[ $id != none ]]; then
        attribute "$class" id failed "$class=changed"
    fi
}

pair() {
    local material=$1

    any_object private "private=missing,public=missing" "private=unexpected,public=unexpected" "private=changed,public=changed"
    emit lose-private "lose-private $target" failed private=missing
    emit lose-public "lose-public $target" failed public=missing
    emit swap-material "swap-material $target" failed private=impostor,public=impostor
    emit swap-private "swap-private $target" failed private=impostor
    emit swap-public "swap-public $target" failed public=impostor
    emit forge-check-value "forge-check-value $target" failed private=impostor,public=impostor
    emit duplicate "duplicate $target" failed private=unexpected,public=unexpected
    emit foreign-like "foreign-like $target" failed private=unexpected,public=unexpected '' foreign
    [[ $id == - ]] || emit other-user "other-user $target" failed "private=impostor,private?unexpected,public=impostor"
    exchanges "private=$swapped,public=$swapped" private=impostor/changed,public=impostor/changed private=impostor/changed,public=impostor/changed
    # shellcheck disable=SC2086  # lists
    flags private $PRIVATE_FLAGS $DATES
    # shellcheck disable=SC2086
    flags public $PUBLIC_FLAGS $DATES
    attribute public label failed public=changed
    attribute public token failed public=missing
    attribute public key-type failed public=$other
    attribute private key-type failed private=$other
    attribute public check-value failed public=impostor/changed
    attribute public check-value failed public=changed '--value none'
    "$material"
}

rsa_material() {
    attribute private modulus failed private=impostor
    attribute public modulus failed public=impostor
    attribute public public-exponent failed public=impostor '--value 03'
    attribute public modulus failed public=$other '--value none'
}

# Of a damaged point or curve no public key can be made: whether that is another key, or none that can be read, is open.
ec_material() {
    attribute public ec-point 'failed/inconclusive' public=$other/unproven
    attribute public ec-params 'failed/inconclusive' public=$other/unproven
    attribute private ec-params 'failed/inconclusive' private=$other/unproven
}

secret() {
    any_object secret secret=missing secret=unexpected secret=changed
    emit swap-material "swap-material $target" failed secret=impostor
    # An unwrap-only AES key has no proof, for nothing can be wrapped for it: only its check value speaks for it, which is not enough.
    if [[ $kind == aes-unwrap ]]; then
        emit forge-check-value "forge-check-value $target" inconclusive secret=intact
    else
        emit forge-check-value "forge-check-value $target" failed secret=impostor
    fi
    emit duplicate "duplicate $target" failed secret=unexpected
    emit foreign-like "foreign-like $target" failed secret=unexpected '' foreign
    [[ $id == - ]] || emit other-user "other-user $target" failed secret=impostor,secret?unexpected
    exchanges secret=$swapped secret=impostor/changed secret=impostor/changed
    # shellcheck disable=SC2086
    flags secret $SECRET_FLAGS $DATES
    attribute secret key-type failed secret=$other
    attribute secret check-value failed secret=impostor/changed
    attribute secret check-value failed secret=changed '--value none'
    [[ $kind == des3 ]] || attribute secret value-len failed secret=$other
}

certificate() {
    any_object certificate certificate=missing certificate=unexpected certificate=changed
    exchanges certificate=impostor certificate=impostor/changed certificate=impostor/changed
    flags certificate private trusted
    attribute certificate value failed certificate=impostor
}

data() {
    any_object data data=missing data=unexpected data=changed
    exchanges data=impostor/changed data=impostor/changed data=impostor/changed
    flags data private
    attribute data value failed data=impostor
}

# Nothing that the HSM tells of these depends on their material, and there is no proof: another one cannot be told from them. It
# must not be called verified, and it is not; what shows has to be said.
blind() {
    local flag

    emit lose-key "lose-key $target" failed private=missing,public=missing
    emit lose-private "lose-private $target" failed private=missing
    emit lose-public "lose-public $target" failed public=missing
    emit swap-material "swap-material $target" inconclusive/failed "private?impostor,public?impostor"
    emit swap-private "swap-private $target" inconclusive/failed "private?impostor,public?impostor"
    emit swap-public "swap-public $target" inconclusive/failed "private?impostor,public?impostor"
    emit duplicate "duplicate $target" failed/inconclusive "private=unexpected/ambiguous,public=unexpected/ambiguous"
    emit copy "copy $target" failed/inconclusive "private=unexpected/ambiguous,public=unexpected/ambiguous"
    emit foreign-like "foreign-like $target" failed "private=unexpected,public=unexpected" '' foreign
    emit change-label "change-label $target" failed "private=changed,public=changed" label "$kind.a" "$kind.a,renamed"
    emit change-id "change-id $target" failed "private=changed/missing,private?unexpected,public=changed/missing,public?unexpected" id
    # shellcheck disable=SC2086  # lists
    flags private $PRIVATE_FLAGS $DATES
    # shellcheck disable=SC2086
    flags public $PUBLIC_FLAGS $DATES
}

all_cases() {
    local kind cluster shape id twin_id target swapped other

    while read -r kind cluster shape id twin_id; do
        [[ -n $kind ]] || continue
        target="--label $kind.a"
        [[ $id == none || $id == - ]] || target="$id $target"
        # Without an ID, two keys that exchange their material are two that exchange their labels; and one that does not have the
        # type, size or material that it had is another one.
        swapped=impostor other=impostor/changed
        [[ $id != - ]] || swapped=impostor/changed other=impostor/changed/missing/unexpected
        case $shape in
        rsa | ec) pair "${shape}_material" ;;
        cert) certificate ;;
        *) "$shape" ;;
        esac
    done <<<"$KINDS"
    printf '%s\n' 'verified|all|control||verified||||' 'carried|all|control||inconclusive||||'
}

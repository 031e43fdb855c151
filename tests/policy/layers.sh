#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Data flows one way: cli -> drill -> { azure | pkcs11 | evidence | nodes | client } -> keys -> util, and sim -> util. Only #include lines count.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
plan 10

# The folders that a file may include from. `code` empties strings, so the includes are read as they stand.
c_files | xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null | awk -F: '
    BEGIN {
        may["src/util"] = " util "
        may["src/keys"] = " keys util "
        may["src/azure"] = " azure keys util "
        may["pkcs11"] = " pkcs11 keys util "
        may["src/evidence"] = " evidence keys util "
        may["src/nodes"] = " nodes keys util "
        may["src/client"] = " client keys util "
        may["src/drill"] = " drill azure pkcs11 evidence nodes client keys util "
        may["src/cli"] = " cli drill azure pkcs11 evidence nodes client keys util "
        may["src/main.c"] = " cli pkcs11 util "
        may["src/sim"] = " sim util "
    }
    /#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        if (quoted[2] == "config.h") next
        layer = ""
        for (l in may) if (index($1 "/", l "/") == 1 && length(l) > length(layer)) layer = l
        folder = quoted[2]
        if (!sub("/.*", "", folder)) folder = "(no folder)"
        if (layer == "") print $1 ":" $2 ": a folder that no layer knows"
        else if (!index(may[layer], " " folder " ")) print $1 ":" $2 ": " layer " includes " quoted[2]
    }' | check "no include runs upwards or sideways"

# library PATTERN FOLDERS: the header is included in these folders only.
library() {
    c_files | grep -vE "^($2)/" | xargs grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$1" /dev/null | check "<$1...> is included in $2 only"
}
library 'curl/' 'src/azure'
library 'expat' 'src/azure'
library 'p11-kit/' 'pkcs11|src/sim'
library 'libp11' 'pkcs11'
library 'microhttpd' 'src/sim'
library 'libfyaml' 'src/util'

quiet=$(c_files | grep -vE '^src/(cli|sim)/|^src/main\.c$')
# shellcheck disable=SC2086  # names without blanks
code $quiet /dev/null | grep -E '[^a-zA-Z0-9_](v?printf|puts|putchar|perror|psignal)[[:space:]]*\(|[^a-zA-Z0-9_](stdout|stderr)[^a-zA-Z0-9_]' |
    check "only src/cli, src/main.c and src/sim print"

silent=$(c_files | grep -vE '^src/main\.c$|^src/sim/([a-z0-9_]*/)?[a-z0-9_]*main\.c$')
# shellcheck disable=SC2086
code $silent /dev/null | grep -E '[^a-zA-Z0-9_](quick_)?exit[[:space:]]*\(' | check "only the mains call exit"

for f in $(c_files | grep '\.c$'); do
    first=$(grep -nE '^[[:space:]]*#[[:space:]]*include' "$f" | head -n 1)
    case $first in *'"config.h"') ;; *) echo "$f: $first" ;; esac
done | check 'every .c includes "config.h" first'

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch.sh DIR: puts the storage emulator of package-lock.json into DIR, unless it is there, and prints the program's path.
# Exit status 1, with a reason on stderr, when npm or its registry cannot be had; 2 when something else is wrong, such as a package
# that is not what the lock file says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=node_modules/azurite/dist/src/blob/main.js
mkdir -p "$1"
cd "$1"
if [ ! -f fetched ] || ! cmp -s "$here/package-lock.json" fetched; then
    command -v npm >/dev/null && command -v node >/dev/null || { echo "npm and node are not there" >&2; exit 1; }
    cp "$here/package.json" "$here/package-lock.json" .
    # No scripts of the packages are run: nothing of it needs building.
    if ! timeout 300 npm ci --ignore-scripts --omit=dev --no-audit --no-fund >npm.log 2>&1 </dev/null; then
        echo "npm ci failed: $(grep -m 1 -E 'npm (ERR!|error)' npm.log || tail -n 1 npm.log)" >&2
        # Not reached, shut out by a gateway, or somebody else's certificate in between: that says nothing of the packages.
        grep -qE 'E(CONNREFUSED|CONNRESET|NOTFOUND|AI_AGAIN|TIMEDOUT|HOSTUNREACH|NETUNREACH|403|407|5[0-9][0-9])|ERR_SOCKET_TIMEOUT' npm.log && exit 1
        grep -qE 'SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)|CERT_(HAS_EXPIRED|NOT_YET_VALID)' npm.log && exit 1
        exit 2
    fi
    cp package-lock.json fetched
fi
echo "$PWD/$program"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch.sh DIR: puts the storage emulator of package-lock.json into DIR, unless it is there, and prints the program's path.
# Exit status 1, with a reason on stderr, when npm or its registry cannot be had.
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
        exit 1
    fi
    cp package-lock.json fetched
fi
echo "$PWD/$program"

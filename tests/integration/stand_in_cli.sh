#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stands in for az and azd, by the name it is called by: checks what it is asked and where, and answers as $CLI_MODE says with
# the token in $CLI_TOKEN_FILE.

bad() {
    echo "stand-in: $*" >&2
    exit 90
}

[ "$(pwd)" = /bin ] || [ "$(pwd)" = /usr/bin ] || bad "started in $(pwd)"
[ -z "${AZURE_CLIENT_SECRET:-}${AZURE_CLIENT_CERTIFICATE_PASSWORD:-}${AZURE_ACCESS_TOKEN:-}" ] || bad "a secret is in the environment"
[ "$(cat)" = "" ] || bad "there is input"
case ${0##*/} in
az)
    [ "$1 $2 $3 $4 $5" = "account get-access-token --output json --resource" ] || bad "asked: $*"
    shift 6
    [ $# -eq 0 ] || { [ $# -eq 2 ] && [ "$1" = --tenant ]; } || bad "asked in the end: $*"
    ;;
azd)
    [ "$1 $2 $3 $4 $5 $6" = "auth token --output json --no-prompt --scope" ] || bad "asked: $*"
    case $7 in *//.default) bad "two slashes" ;; */.default) ;; *) bad "scope: $7" ;; esac
    ;;
esac

[ -z "${CLI_LOG:-}" ] || echo "${0##*/} $*" >>"$CLI_LOG"
token=$(cat "$CLI_TOKEN_FILE" 2>/dev/null)
echo "WARNING: something on stderr" >&2
case ${CLI_MODE:-new} in
new) printf '{"accessToken":"%s","expiresOn":"2001-01-01 00:00:00.000000","expires_on":%s,"tokenType":"Bearer"}\n' "$token" "$CLI_EXPIRES" ;;
text) printf '{"accessToken":"%s","expires_on":"%s","tokenType":"Bearer"}\n' "$token" "$CLI_EXPIRES" ;;
old) printf '{"accessToken":"%s","expiresOn":"%s","tokenType":"Bearer"}\n' "$token" "$(date -d "@$CLI_EXPIRES" '+%Y-%m-%d %H:%M:%S.123456')" ;;
azd) printf '{"token":"%s","expiresOn":"%s"}\n' "$token" "$(date -u -d "@$CLI_EXPIRES" '+%Y-%m-%dT%H:%M:%SZ')" ;;
logged-out) echo "ERROR: Please run 'az login' to setup account." >&2; exit 1 ;;
azd-logged-out) echo "ERROR: not logged in, run \`azd auth login\` to login" >&2; exit 1 ;;
cut) printf '{"accessToken": "%s' half-of-a-token-that-is-no-jwt; exit 0 ;;
azd-cut) printf '{"token": "%s", "expires' half-of-a-token-that-is-no-jwt; exit 0 ;;
broken) echo "something is broken"; exit 0 ;;
trace) printf 'Traceback (most recent call last):\n  File "x"\nFileNotFoundError: nothing there\n\n' >&2; exit 1 ;;
hang) sleep 100 ;;
esac

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls that have no safe use here. util/banned.h poisons most of them; this also sees files that forgot to include it.
# shellcheck source=tests/policy/tap.sh
. "$(dirname "$0")/tap.sh"
plan 4

files=$(c_files tests)
# shellcheck disable=SC2086  # names without blanks
text=$(code $files /dev/null)
calls='strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|system|popen|gmtime|localtime|ctime|asctime|tmpnam|tempnam|mktemp|alloca|rand|srand'
echo "$text" | grep -E "(^|[^a-zA-Z0-9_.>])($calls)[[:space:]]*\\(" | check "no banned call"
echo "$text" | grep -E '[^a-zA-Z0-9_](strtou?ll?|strtod)[[:space:]]*\([^;]*,[[:space:]]*NULL[[:space:]]*[,)]' |
    check "no number is parsed without looking at its end"
echo "$text" | grep -E '[^a-zA-Z0-9_](CURLOPT_SSL_VERIFY(PEER|HOST)[^;]*,[[:space:]]*0|SSL_VERIFY_NONE)' |
    check "certificate checks are not switched off"
# shellcheck disable=SC2086
grep -nwE 'TO''DO|FIX''ME|XX''X' $files /dev/null | check "nothing is left for later"

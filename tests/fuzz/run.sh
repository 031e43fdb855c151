#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh [SECONDS [NAME...]]
# Builds every tests/fuzz/fuzz_<name>.c with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, replays
# tests/fuzz/seeds/<name>/ and then fuzzes for SECONDS each, two at a time. Without arguments: about 20 s in all. Speaks TAP.
# What a run of a minute or more has reached stays in the build folder and is the start of the next one. An input that fails is
# named; when its cause is mended it goes to the seeds.
set -eu
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${abs_top_builddir:-$top/_build/check}
out=$build/_fuzz
clang=${CLANG:-clang}
modules='jansson libcrypto libcurl expat p11-kit-1 libp11 libfyaml'
flags='-std=gnu17 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DOPENSSL_NO_DEPRECATED'

# objects: compiles what the fuzzers link, as far as it is not up to date, two files at a time.
objects() {
    newest=$(find "$top/src" "$top/pkcs11" "$top/tests/fuzz" "$build/config.h" -name '*.h' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-)
    (
        cd "$top"
        for folder in src/util src/keys src/nodes src/client pkcs11; do
            [ ! -d "$folder" ] || find "$folder" -maxdepth 1 -name '*.c'
        done
        find src/drill -name waivers.c -o -name plan_check.c
        find src/azure -name challenge.c -o -name url.c -o -name blob_xml.c
        find tests/fuzz -maxdepth 1 -name 'fuzz_*.c'
    ) | sort >"$out/sources"
    while read -r c; do
        o=$out/$(echo "${c%.c}" | tr / _).o
        echo "$o" >&3
        [ -n "$(find "$o" -newer "$top/$c" -newer "$newest" 2>/dev/null)" ] || echo "$c $o"
    done <"$out/sources" 3>"$out/objects" | xargs -r -n 2 -P 2 sh "$0" --compile
}

# compile SOURCE OBJECT
compile() {
    # shellcheck disable=SC2046,SC2086  # words
    "$clang" $flags -fsanitize=fuzzer-no-link "-I$build" "-I$top/src" "-I$top" "-I$top/tests/fuzz" $(pkg-config --cflags $modules) -c -o "$2" "$top/$1"
}

# link NAME
link() {
    # shellcheck disable=SC2046,SC2086
    "$clang" $flags -fsanitize=fuzzer -o "$out/$1/fuzz" "$out/tests_fuzz_fuzz_$1.o" $(grep -v /tests_fuzz_ "$out/objects") $(pkg-config --libs $modules)
}

# one NAME SECONDS: replays, then fuzzes; the outcome is in NAME/outcome, two TAP lines without their numbers.
one() {
    mine=$out/$1
    seeds=$top/tests/fuzz/seeds/$1
    [ "$2" -ge 60 ] || rm -rf "$mine/corpus"
    mkdir -p "$mine/corpus"
    : >"$mine/outcome"
    [ -n "$(find "$seeds" -type f 2>/dev/null | head -n 1)" ] || { echo "not ok - $1: there are no seeds" >"$mine/outcome"; return; }
    if find "$seeds" -type f -exec "$mine/fuzz" -timeout=20 -artifact_prefix="$mine/" {} + >"$mine/replay.log" 2>&1; then
        echo "ok - $1: $(find "$seeds" -type f | wc -l) seeds" >>"$mine/outcome"
    else
        failed "$1: seeds" "$mine/replay.log"
        return
    fi
    if "$mine/fuzz" -max_total_time="$2" -timeout=20 -rss_limit_mb=3072 -max_len=16384 -print_final_stats=1 -artifact_prefix="$mine/" \
        "$mine/corpus" "$seeds" >"$mine/fuzz.log" 2>&1; then
        echo "ok - $1: $2 s, $(sed -n 's/^stat::number_of_executed_units: *//p' "$mine/fuzz.log") inputs, nothing found" >>"$mine/outcome"
    else
        failed "$1: fuzzing" "$mine/fuzz.log"
    fi
}

# failed WHAT LOG
failed() {
    {
        echo "not ok - $1"
        grep -E -A 25 'ERROR: |does not hold|runtime error' "$2" | head -n 60 | sed 's/^/#   /'
        grep -E 'Test unit written' "$2" | sed 's/^/#   /'
        echo "#   all of it: $2"
    } >>"$mine/outcome"
}

case ${1:-} in
--compile) compile "$2" "$3" && exit 0 || exit 1 ;;
--one) one "$2" "$3" && exit 0 || exit 1 ;;
esac

mkdir -p "$out"
echo 'int LLVMFuzzerTestOneInput(const char *p, long n); int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n < 0; }' >"$out/try.c"
# shellcheck disable=SC2086
"$clang" $flags -fsanitize=fuzzer -o "$out/try" "$out/try.c" >"$out/try.log" 2>&1 || { echo "1..0 # SKIP clang with libFuzzer is not installed"; exit 0; }
objects || { echo "Bail out! the fuzzers do not compile"; exit 1; }
names=$(cd "$top/tests/fuzz" && find . -maxdepth 1 -name 'fuzz_*.c' | sed 's|^./fuzz_||; s|\.c$||' | sort)
seconds=${1:-$((40 / $(echo "$names" | wc -w)))}
[ $# -lt 2 ] || { shift; names=$*; }
for n in $names; do
    mkdir -p "$out/$n"
    link "$n" || { echo "Bail out! $n does not link"; exit 1; }
done
echo "1..$(($(echo "$names" | wc -w) * 2))"
echo "$names" | tr ' ' '\n' | xargs -P 2 -I '{}' sh "$0" --one '{}' "$seconds"
for n in $names; do cat "$out/$n/outcome"; done

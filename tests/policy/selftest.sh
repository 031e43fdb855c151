#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The policy tests themselves: each passes on a small clean tree and fails on every violation that is planted there.
set -eu
policy=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
export CHSM_DISTFILES="$work/distfiles" CHSMCTL="$work/chsmctl"

spdx='SPDX-License-Identifier: Apache-2.0'
put() { mkdir -p "$tree/$(dirname "$1")" && cat >"$tree/$1"; }
c_file() { { echo "/* $spdx */"; echo '#include "config.h"'; cat; } | put "$1"; }

# A clean project, small enough to be read at a glance.
clean() {
    rm -rf "$tree"
    for f in src/util/a.c src/keys/a.c src/azure/a.c pkcs11/a.c src/evidence/a.c src/drill/a.c src/cli/a.c src/sim/a.c src/main.c; do
        printf '#include "util/err.h"\nint f(void);\nint f(void)\n{\n    return 0; /* printf("not code") */\n}\n' | c_file "$f"
    done
    printf '/* %s */\nenum chsm_code {\n    CHSM_OK = 0,\n    CHSM_FAILED = 1,\n};\n' "$spdx" | put src/util/err.h
    printf '#!/bin/sh\n# %s\nprintf "usage:\\n  demo  x\\n  check  y\\n"\n' "$spdx" | put dev
    # shellcheck disable=SC2016  # Markdown
    printf 'Run `./dev demo`, `./dev check`.\n\n```\n$ chsmctl keys verify --help\n```\n' | put README.md
    printf '.\\" %s\n.SH OPTIONS\n\\-\\-output\n.SH EXIT STATUS\n0 1\n.SH RETRIES\n.nf\nagain\n.fi\n.SH PLANS\n.SH SAFETY RULES\n.B x\nWhen: y.\nWhy: z.\nOverride: none.\n.SH SEE ALSO\n' "$spdx" | put doc/man/chsmctl.1
    printf '# %s\nPOLICY_TESTS = tests/policy/x.sh\n' "$spdx" | put tests/local.mk
    printf '# %s\nUNIT_TESTS += tests/unit/test_x\n' "$spdx" | put tests/unit/x.mk
    printf '#!/bin/sh\n# %s\ntrue\n' "$spdx" | put tests/policy/x.sh
    printf 'int main(void)\n{\n    return 0;\n}\n' | c_file tests/unit/test_x.c
    (cd "$tree" && find . -type f | sed 's|^\./||') >"$CHSM_DISTFILES"
    printf '#!/bin/sh\ncase "$*" in "--help") echo "  --output FORMAT" ;; "keys verify --help") ;; "help retries") echo again ;; "help safety") printf "x\\n  when  y\\n  why  z\\n  override  none\\n" ;; *) exit 2 ;; esac\n' >"$CHSMCTL"
    chmod +x "$CHSMCTL"
}

passes() {
    clean
    if out=$(sh "$policy/$1.sh" "$tree" 2>&1) && ! echo "$out" | grep -q '^not ok'; then
        echo "ok - $1 passes on a clean tree"
    else
        echo "not ok - $1 passes on a clean tree"
        echo "$out" | sed 's/^/#   /'
    fi
}

# catches SCRIPT CASE WHAT: after the plant, exactly a `not ok` of the case that begins so.
catches() {
    out=$(sh "$policy/$1.sh" "$tree" 2>&1) || true
    case $out in
    *"not ok - $2"*) echo "ok - $1 catches $3" ;;
    *"# SKIP"*"is not installed"*) echo "ok - $1 catches $3 # SKIP a tool is not installed" ;;
    *) echo "not ok - $1 catches $3"; echo "$out" | sed 's/^/#   /' ;;
    esac
    clean
}

echo 1..62
for s in layers ceilings banned spdx outside readme man safety dist shell; do passes "$s"; done

# FILE INCLUDES WHAT
for arrow in 'src/util/a.c keys/record.h' 'src/keys/a.c azure/http.h' 'src/azure/a.c pkcs11/hsm.h' 'pkcs11/a.c evidence/report.h' \
    'src/evidence/a.c azure/arm.h' 'src/drill/a.c cli/print.h' 'src/sim/a.c keys/record.h' 'src/sim/a.c azure/http.h' \
    'src/keys/a.c sim/state.h' 'src/main.c drill/plan.h' 'src/cli/a.c a.h' 'src/new/a.c util/err.h'; do
    file=${arrow% *}
    printf '#include "%s"\n' "${arrow#* }" | c_file "$file"
    catches layers 'no include' "$file including ${arrow#* }"
done
for library in 'src/drill/a.c curl/curl.h' 'src/sim/a.c curl/curl.h' 'src/keys/a.c p11-kit/pkcs11.h' 'src/cli/a.c libp11.h' 'src/azure/a.c microhttpd.h'; do
    file=${library% *}
    printf '#include <%s>\n' "${library#* }" | c_file "$file"
    catches layers '<' "$file including <${library#* }>"
done
for call in 'printf("x")' 'fprintf(stderr, "x")' 'fputs("x", stdout)' 'puts("x")' 'perror("x")'; do
    printf 'void f(void)\n{\n    %s;\n}\n' "$call" | c_file src/drill/a.c
    catches layers 'only src/cli' "$call in src/drill"
done
printf 'void f(void)\n{\n    exit(1);\n}\n' | c_file src/cli/a.c
catches layers 'only the mains' 'exit below main'
printf '#include <stdio.h>\n#include "config.h"\n' | put src/util/a.c
catches layers 'every .c' 'config.h in second place'

awk 'BEGIN { for (i = 0; i < 600; i++) print "/* line */" }' | c_file src/util/a.c
catches ceilings 'no file' 'a file of 602 lines'
awk 'BEGIN { print "int f(void)\n{"; for (i = 0; i < 79; i++) print "    g();"; print "}" }' | c_file src/util/a.c
catches ceilings 'no function' 'a function of 82 lines'
awk 'BEGIN { for (i = 0; i < 121; i++) print "true" }' | put dev
catches ceilings './dev' 'a long ./dev'
printf '/* %0200d */\n' 0 | c_file src/util/a.c
catches ceilings 'no line' 'a long line'

for call in 'strcpy(a, b)' 'x = atoi(y)' 'if (system("x"))' 'sprintf(a, "x")'; do
    printf 'void f(void)\n{\n    %s;\n}\n' "$call" | c_file src/util/a.c
    catches banned 'no banned call' "$call"
done
printf 'void f(void)\n{\n    x = strtoul(s, NULL, 10);\n}\n' | c_file src/util/a.c
catches banned 'no number' 'strtoul without an end'
printf 'void f(void)\n{\n    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);\n}\n' | c_file src/azure/a.c
catches banned 'certificate checks' 'a switched-off certificate check'
echo "/* TO""DO */" | c_file src/util/a.c
catches banned 'nothing is left' 'a note for later'

echo 'int x;' | put src/util/b.h
catches spdx 'every file' 'a file without its line'
echo "see ../share""d/x" | put doc/X.md
catches outside 'no file names' 'a path of the workplace'
ln -s /etc/passwd "$tree/link"
catches outside 'no link' 'a link out of the tree'
# shellcheck disable=SC2016  # Markdown
echo '`./dev frobnicate` `./dev demo` `./dev check`' | put README.md
catches readme 'every ./dev word' 'an unknown ./dev word'
# shellcheck disable=SC2016
echo '`./dev demo`' | put README.md
catches readme 'README.md names' 'a README without ./dev check'
# shellcheck disable=SC2016
echo '`chsmctl keys prune`' | put doc/X.md
catches readme 'every chsmctl' 'an unknown chsmctl verb'
printf '/* %s */\nenum chsm_code {\n    CHSM_NEW = 11,\n};\n' "$spdx" | put src/util/err.h
catches man 'the manual lists every exit' 'an exit status without its text'
printf '#!/bin/sh\necho "  --new  x"\n' >"$CHSMCTL"
catches man 'the manual lists every global' 'an option without its text'
sed 's/echo again/echo never/' "$CHSMCTL" >"$CHSMCTL.new" && mv "$CHSMCTL.new" "$CHSMCTL" && chmod +x "$CHSMCTL"
catches man 'the manual has the table' 'another table of retries'
printf 'int f(void)\n{\n    return chsm_fail(err, CHSM_REFUSED, "no");\n}\n' | c_file src/azure/a.c
catches safety 'nothing is refused' 'a refusal without a rule'
printf '/* %s */\nenum chsm_rule {\n    CHSM_RULE_X,\n    CHSM_RULES,\n};\n' "$spdx" | put src/util/safety.h
catches safety 'every safety rule' 'a rule that nobody uses'
sed 's/override  none/override  --yes/' "$CHSMCTL" >"$CHSMCTL.new" && mv "$CHSMCTL.new" "$CHSMCTL" && chmod +x "$CHSMCTL"
catches safety 'the manual has' 'another override than the manual says'
printf '#!/bin/sh\n' >"$CHSMCTL"
catches safety 'chsmctl help safety has' 'a rule of the manual alone'
echo "# $spdx" | put cfg/new.yaml
catches dist 'every file' 'a file left out of the tarball'
echo "/* $spdx */" | put tests/unit/test_new.c
catches dist 'every test' 'a test that is not registered'
# shellcheck disable=SC2016
printf '#!/bin/sh\n# %s\ncd $1; if [ $x == y ]; then true; fi\n' "$spdx" | put tests/policy/x.sh
catches shell 'scripts' 'a script with mistakes'
# shellcheck disable=SC2016
printf '# %s\n@test "x" { local a=$(b) }\n' "$spdx" | put tests/integration/x.bats
catches shell 'bats' 'a bats file with mistakes'

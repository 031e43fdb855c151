# SPDX-License-Identifier: Apache-2.0
# Every test speaks TAP, so that `make check` counts cases and not programs:
#   tests/unit/         cmocka, one group per program; each area registers its own in tests/unit/<area>.mk
#   tests/integration/  bats, against the real simulator; one simulator per file, so that files run in parallel
#   tests/policy/       shell, on the sources alone
#   tests/fuzz/         libFuzzer, some seconds; every fuzz_*.c is picked up (see run.sh)
# A new .bats or policy file is registered here; tests/policy/dist.sh fails when one was forgotten.
# `make check BATS_TESTS= FUZZ_TESTS=` leaves out what needs the simulator or clang (distcheck does).
INTEGRATION_TESTS = tests/integration/drill.bats tests/integration/keys.bats tests/integration/keys_module.bats tests/integration/keys_judge.bats \
	tests/integration/proofs.bats tests/integration/jobs.bats \
	tests/integration/sim_module.bats tests/integration/tokens.bats \
	tests/integration/mutations.bats
INTEGRATION_TESTS += tests/integration/http2.bats tests/integration/record.bats tests/integration/tls.bats tests/integration/timeout.bats
INTEGRATION_TESTS += tests/integration/nodes.bats tests/integration/quirks.bats
INTEGRATION_TESTS += tests/integration/safety.bats tests/integration/clusters.bats tests/integration/requests.bats tests/integration/formats.bats tests/integration/clusters_faults.bats
INTEGRATION_TESTS += tests/integration/storage.bats tests/integration/azurite.bats
INTEGRATION_TESTS += tests/integration/faults.bats
BATS_TESTS = $(INTEGRATION_TESTS)
FUZZ_TESTS = tests/fuzz/run.sh
POLICY_TESTS = \
	tests/policy/layers.sh \
	tests/policy/ceilings.sh \
	tests/policy/banned.sh \
	tests/policy/spdx.sh \
	tests/policy/readme.sh \
	tests/policy/outside.sh \
	tests/policy/man.sh \
	tests/policy/safety.sh \
	tests/policy/dist.sh \
	tests/policy/shell.sh \
	tests/policy/selftest.sh

if HAVE_CMOCKA
include tests/unit/util.mk
include tests/unit/keys.mk
include tests/unit/pkcs11.mk
include tests/unit/azure.mk
include tests/unit/simcloud.mk
include tests/unit/simkeys.mk
include tests/unit/evidence.mk
include tests/unit/drill.mk
include tests/unit/nodes.mk
include tests/unit/client.mk
endif

check_PROGRAMS += tests/integration/token_keys
tests_integration_token_keys_SOURCES = tests/integration/token_keys.c
tests_integration_token_keys_LDADD = libchsmutil.la $(CRYPTO_LIBS)
check_PROGRAMS += tests/integration/port_listen
tests_integration_port_listen_SOURCES = tests/integration/port_listen.c

TESTS += $(UNIT_TESTS) $(BATS_TESTS) $(POLICY_TESTS) $(FUZZ_TESTS)
TEST_EXTENSIONS = .bats .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_COMPILER = $(BATS)
AM_BATS_LOG_FLAGS = --tap
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)

if SANITIZERS
CHSM_SANITIZERS = yes
else
CHSM_SANITIZERS = no
endif

# 99 is no exit status of ours: a test that sees it has met a sanitizer's report.
AM_TESTS_ENVIRONMENT = \
	abs_top_srcdir='$(abs_top_srcdir)'; abs_top_builddir='$(abs_top_builddir)'; \
	CHSMCTL='$(abs_top_builddir)/chsmctl'; CHSM_SIM='$(abs_top_builddir)/chsm-sim'; \
	SIM_MODULE='$(abs_top_builddir)/.libs/libchsm-sim-pkcs11.so'; \
	CHSM_SANITIZERS='$(CHSM_SANITIZERS)'; CHSM_DISTFILES='$(abs_top_builddir)/tests/distfiles.list'; \
	CMOCKA_MESSAGE_OUTPUT=TAP; \
	ASAN_OPTIONS='exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1'; \
	UBSAN_OPTIONS='print_stacktrace=1'; \
	LSAN_OPTIONS='exitcode=99:print_suppressions=0:suppressions=$(abs_top_srcdir)/tests/lsan.supp'; \
	export abs_top_srcdir abs_top_builddir CHSMCTL CHSM_SIM SIM_MODULE CHSM_SANITIZERS CHSM_DISTFILES \
	CMOCKA_MESSAGE_OUTPUT ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS; \
	unset CMOCKA_XML_FILE CMOCKA_TEST_ABORT;

# What `make dist` would pack, for tests/policy/dist.sh.
check_DATA = tests/distfiles.list
tests/distfiles.list: Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && echo $(DISTFILES) | tr ' ' '\n' >$@
CLEANFILES += tests/distfiles.list
clean-local:
	rm -rf _fuzz _azurite

EXTRA_DIST += tests/integration/storage.yaml tests/integration/azurite.yaml \
	tests/azurite/fetch.sh tests/azurite/package.json tests/azurite/package-lock.json
EXTRA_DIST += $(INTEGRATION_TESTS) $(POLICY_TESTS) \
	tests/integration/sim_module.yaml tests/integration/safety.yaml tests/integration/clusters.yaml \
	tests/integration/lib.bash tests/integration/drill.bash tests/integration/drill.yaml tests/integration/proofs.yaml \
	tests/integration/client.bash tests/integration/client_nodes.yaml tests/integration/client_handles.yaml \
	tests/integration/tokens.bash tests/integration/token_world.sh \
	tests/fuzz/run.sh tests/fuzz/fuzz.h tests/fuzz/fuzz_json.h tests/fuzz/fuzz_attributes.c tests/fuzz/fuzz_challenge.c tests/fuzz/fuzz_inventory.c \
	tests/fuzz/fuzz_mgmt.c tests/fuzz/fuzz_module.c tests/fuzz/fuzz_redact.c tests/fuzz/fuzz_waivers.c tests/fuzz/seeds \
	tests/policy/tap.sh \
	tests/floor \
	tests/tally.sh \
	tests/lsan.supp

INTEGRATION_TESTS += tests/integration/login_token.bats tests/integration/login.bats tests/integration/login_judge.bats
EXTRA_DIST += tests/integration/stand_in_cli.sh tests/integration/login.bash tests/integration/login.yaml

# Built by the scripts in tests/bench when they are run.
EXTRA_PROGRAMS = tests/bench/compare tests/bench/run tests/bench/libp11_list
tests_bench_run_SOURCES = tests/bench/run.c
tests_bench_libp11_list_SOURCES = tests/bench/libp11_list.c
tests_bench_libp11_list_LDADD = $(LIBP11_LIBS)
tests_bench_compare_SOURCES = tests/bench/compare.c
tests_bench_compare_LDADD = libchsmkeys.la libchsmutil.la $(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += tests/bench/cli.sh tests/bench/compare.sh tests/bench/inventory.sh

EXTRA_DIST += tests/faults/http.sh tests/faults/http.bash tests/faults/http.yaml
EXTRA_DIST += tests/faults/quirks.sh tests/faults/quirks.yaml tests/faults/kinds.yaml tests/faults/world.bash \
	tests/faults/mutations.sh tests/faults/mutations.bash tests/faults/mutations.jq

INTEGRATION_TESTS += tests/integration/client_point.bats tests/integration/client_nodes.bats tests/integration/client_doctor.bats
EXTRA_DIST += tests/fuzz/fuzz_client.c tests/fuzz/fuzz_blob.c

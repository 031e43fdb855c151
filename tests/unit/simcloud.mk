# SPDX-License-Identifier: Apache-2.0
simcloud_test_libs = libchsmsim.la libchsmsimkeys.la libchsmutil.la $(CMOCKA_LIBS) $(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_sim_http
UNIT_TESTS += tests/unit/test_sim_http
tests_unit_test_sim_http_SOURCES = tests/unit/test_sim_http.c tests/unit/check.h
tests_unit_test_sim_http_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_http_LDADD = $(simcloud_test_libs)

check_PROGRAMS += tests/unit/test_sim_token
UNIT_TESTS += tests/unit/test_sim_token
tests_unit_test_sim_token_SOURCES = tests/unit/test_sim_token.c tests/unit/check.h
tests_unit_test_sim_token_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_token_LDADD = $(simcloud_test_libs)

check_PROGRAMS += tests/unit/test_sim_fault
UNIT_TESTS += tests/unit/test_sim_fault
tests_unit_test_sim_fault_SOURCES = tests/unit/test_sim_fault.c tests/unit/check.h
tests_unit_test_sim_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sim_fault_LDADD = $(simcloud_test_libs)

INTEGRATION_TESTS += tests/integration/sim_cloud.bats
EXTRA_DIST += tests/integration/sim.bash tests/integration/sim_cloud.yaml

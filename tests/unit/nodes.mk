# SPDX-License-Identifier: Apache-2.0
NODES_TEST_LIBS = libchsmnodes.la libchsmutil.la $(CMOCKA_LIBS) $(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)
check_PROGRAMS += tests/unit/test_nodes_parse
UNIT_TESTS += tests/unit/test_nodes_parse
tests_unit_test_nodes_parse_SOURCES = tests/unit/test_nodes_parse.c tests/unit/nodes_data.h tests/unit/check.h
tests_unit_test_nodes_parse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_nodes_parse_LDADD = $(NODES_TEST_LIBS)
check_PROGRAMS += tests/unit/test_nodes_coverage
UNIT_TESTS += tests/unit/test_nodes_coverage
tests_unit_test_nodes_coverage_SOURCES = tests/unit/test_nodes_coverage.c tests/unit/nodes_data.h tests/unit/check.h
tests_unit_test_nodes_coverage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_nodes_coverage_LDADD = $(NODES_TEST_LIBS)
check_PROGRAMS += tests/unit/test_nodes_run
UNIT_TESTS += tests/unit/test_nodes_run
tests_unit_test_nodes_run_SOURCES = tests/unit/test_nodes_run.c tests/unit/check.h
tests_unit_test_nodes_run_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_nodes_run_LDADD = $(NODES_TEST_LIBS)
EXTRA_DIST += tests/data/mgmt

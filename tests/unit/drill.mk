# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_drill_files
UNIT_TESTS += tests/unit/test_drill_files
tests_unit_test_drill_files_SOURCES = tests/unit/test_drill_files.c tests/unit/check.h
tests_unit_test_drill_files_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_drill_files_LDADD = libchsmdrill.la libchsmazure.la libchsmpkcs11.la libchsmevidence.la libchsmclient.la libchsmkeys.la libchsmutil.la \
	$(CMOCKA_LIBS) $(CURL_LIBS) $(EXPAT_LIBS) $(P11KIT_LIBS) $(LIBP11_LIBS) $(LIBFYAML_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
check_PROGRAMS += tests/unit/test_drill_waivers
UNIT_TESTS += tests/unit/test_drill_waivers
tests_unit_test_drill_waivers_SOURCES = tests/unit/test_drill_waivers.c tests/unit/check.h
tests_unit_test_drill_waivers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_drill_waivers_LDADD = $(tests_unit_test_drill_files_LDADD)
check_PROGRAMS += tests/unit/test_drill_report
UNIT_TESTS += tests/unit/test_drill_report
tests_unit_test_drill_report_SOURCES = tests/unit/test_drill_report.c tests/unit/check.h tests/unit/keys_build.h
tests_unit_test_drill_report_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_drill_report_LDADD = $(tests_unit_test_drill_files_LDADD)
check_PROGRAMS += tests/unit/test_drill_resolve
UNIT_TESTS += tests/unit/test_drill_resolve
tests_unit_test_drill_resolve_SOURCES = tests/unit/test_drill_resolve.c tests/unit/check.h tests/unit/keys_build.h tests/unit/keys_compare.h
tests_unit_test_drill_resolve_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_drill_resolve_LDADD = $(tests_unit_test_drill_files_LDADD)

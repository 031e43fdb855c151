# SPDX-License-Identifier: Apache-2.0
CLIENT_TEST_LIBS = libchsmclient.la libchsmkeys.la libchsmutil.la $(CMOCKA_LIBS) $(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)
check_PROGRAMS += tests/unit/test_client_text
UNIT_TESTS += tests/unit/test_client_text
tests_unit_test_client_text_SOURCES = tests/unit/test_client_text.c tests/unit/check.h
tests_unit_test_client_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_client_text_LDADD = $(CLIENT_TEST_LIBS)
check_PROGRAMS += tests/unit/test_client_point
UNIT_TESTS += tests/unit/test_client_point
tests_unit_test_client_point_SOURCES = tests/unit/test_client_point.c tests/unit/check.h
tests_unit_test_client_point_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_client_point_LDADD = $(CLIENT_TEST_LIBS)
check_PROGRAMS += tests/unit/test_client_doctor
UNIT_TESTS += tests/unit/test_client_doctor
tests_unit_test_client_doctor_SOURCES = tests/unit/test_client_doctor.c tests/unit/check.h
tests_unit_test_client_doctor_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_client_doctor_LDADD = $(CLIENT_TEST_LIBS)

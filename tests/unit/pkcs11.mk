# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_pkcs11_hsm
UNIT_TESTS += tests/unit/test_pkcs11_hsm
tests_unit_test_pkcs11_hsm_SOURCES = tests/unit/test_pkcs11_hsm.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_hsm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_hsm_LDADD = libchsmpkcs11.la libchsmkeys.la libchsmutil.la $(CMOCKA_LIBS) $(P11KIT_LIBS) $(LIBP11_LIBS) \
	$(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)

# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_pkcs11_hsm
UNIT_TESTS += tests/unit/test_pkcs11_hsm
tests_unit_test_pkcs11_hsm_SOURCES = tests/unit/test_pkcs11_hsm.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_hsm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_hsm_LDADD = libchsmpkcs11.la libchsmkeys.la libchsmutil.la $(CMOCKA_LIBS) $(P11KIT_LIBS) $(LIBP11_LIBS) \
	$(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)
# SoftHSM with one fault at a time; -rpath makes libtool build a module that can be loaded, though it is never installed.
noinst_LTLIBRARIES += tests/unit/p11_quirk.la
tests_unit_p11_quirk_la_SOURCES = tests/unit/p11_quirk.c
tests_unit_p11_quirk_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
check_PROGRAMS += tests/unit/test_pkcs11_fault
UNIT_TESTS += tests/unit/test_pkcs11_fault
tests_unit_test_pkcs11_fault_SOURCES = tests/unit/test_pkcs11_fault.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_fault_LDADD = $(tests_unit_test_pkcs11_hsm_LDADD)
EXTRA_tests_unit_test_pkcs11_fault_DEPENDENCIES = tests/unit/p11_quirk.la
check_PROGRAMS += tests/unit/test_pkcs11_spki
UNIT_TESTS += tests/unit/test_pkcs11_spki
tests_unit_test_pkcs11_spki_SOURCES = tests/unit/test_pkcs11_spki.c tests/unit/check.h
tests_unit_test_pkcs11_spki_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_spki_LDADD = $(tests_unit_test_pkcs11_hsm_LDADD)
check_PROGRAMS += tests/unit/test_pkcs11_proofs
UNIT_TESTS += tests/unit/test_pkcs11_proofs
tests_unit_test_pkcs11_proofs_SOURCES = tests/unit/test_pkcs11_proofs.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_proofs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_proofs_LDADD = $(tests_unit_test_pkcs11_hsm_LDADD)
check_PROGRAMS += tests/unit/test_pkcs11_attributes
UNIT_TESTS += tests/unit/test_pkcs11_attributes
tests_unit_test_pkcs11_attributes_SOURCES = tests/unit/test_pkcs11_attributes.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_attributes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_attributes_LDADD = $(tests_unit_test_pkcs11_hsm_LDADD)
# SoftHSM with the manners of other modules.
noinst_LTLIBRARIES += tests/unit/p11_odd.la
tests_unit_p11_odd_la_SOURCES = tests/unit/p11_odd.c
tests_unit_p11_odd_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_unit_p11_odd_la_LIBADD = $(CRYPTO_LIBS)
check_PROGRAMS += tests/unit/test_pkcs11_odd
UNIT_TESTS += tests/unit/test_pkcs11_odd
tests_unit_test_pkcs11_odd_SOURCES = tests/unit/test_pkcs11_odd.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_odd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_odd_LDADD = $(tests_unit_test_pkcs11_hsm_LDADD)
EXTRA_tests_unit_test_pkcs11_odd_DEPENDENCIES = tests/unit/p11_odd.la
check_PROGRAMS += tests/unit/test_pkcs11_nss
UNIT_TESTS += tests/unit/test_pkcs11_nss
tests_unit_test_pkcs11_nss_SOURCES = tests/unit/test_pkcs11_nss.c tests/unit/p11_world.c tests/unit/p11_world.h tests/unit/check.h
tests_unit_test_pkcs11_nss_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_nss_LDADD = $(tests_unit_test_pkcs11_hsm_LDADD)

# SPDX-License-Identifier: Apache-2.0
# The key store of the simulated clusters (also for chsm-sim), and the simulated client library.
noinst_LTLIBRARIES += libchsmsimkeys.la
libchsmsimkeys_la_SOURCES = \
	src/sim/keystore.c src/sim/keystore.h src/sim/keystore_paths.h \
	src/sim/keystore_tree.c src/sim/keystore_tree.h \
	src/sim/keystore_users.c src/sim/keystore_users.h \
	src/sim/keystore_softhsm.c src/sim/keystore_softhsm.h \
	src/sim/keystore_object.c src/sim/keystore_object.h src/sim/keystore_generate.c \
	src/sim/keystore_spki.c src/sim/keystore_spki.h \
	src/sim/keystore_spec.c src/sim/keystore_spec.h \
	src/sim/keystore_certificate.c src/sim/keystore_certificate.h \
	src/sim/keystore_seed.c
libchsmsimkeys_la_LIBADD = $(JANSSON_LIBS) $(CRYPTO_LIBS) -ldl

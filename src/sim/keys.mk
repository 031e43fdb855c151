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
	src/sim/keystore_spec.c src/sim/keystore_spec.h src/sim/keystore_spec_key.c src/sim/keystore_spec_key.h \
	src/sim/keystore_domain.c src/sim/keystore_domain.h \
	src/sim/keystore_certificate.c src/sim/keystore_certificate.h \
	src/sim/keystore_seed.c \
	src/sim/keystore_overlay.c src/sim/keystore_overlay.h \
	src/sim/keystore_clone.c src/sim/keystore_clone.h \
	src/sim/corrupt.c src/sim/corrupt.h src/sim/corrupt_attribute.c \
	src/sim/cmd_corrupt.c
libchsmsimkeys_la_LIBADD = $(JANSSON_LIBS) $(CRYPTO_LIBS) -ldl

# The simulated client library. All of it is private but C_GetFunctionList: programs that load it have C_* names of their own.
pkglib_LTLIBRARIES += libchsm-sim-pkcs11.la
libchsm_sim_pkcs11_la_SOURCES = \
	src/sim/p11/functions.h \
	src/sim/p11/quirks.c src/sim/p11/quirks.h \
	src/sim/p11/gate.c src/sim/p11/gate.h \
	src/sim/p11/handles.c src/sim/p11/handles.h \
	src/sim/p11/cluster.c src/sim/p11/cluster.h \
	src/sim/p11/state.c src/sim/p11/state.h \
	src/sim/p11/listing.c src/sim/p11/listing.h \
	src/sim/p11/lies.c src/sim/p11/lies.h \
	src/sim/p11/attributes.c src/sim/p11/attributes.h \
	src/sim/p11/own.h \
	src/sim/p11/general.c src/sim/p11/session.c src/sim/p11/object.c src/sim/p11/find.c \
	src/sim/p11/keys.c src/sim/p11/crypt.c src/sim/p11/module.c
libchsm_sim_pkcs11_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^C_GetFunctionList$$'
libchsm_sim_pkcs11_la_LIBADD = libchsmsimkeys.la libchsmutil.la $(JANSSON_LIBS) $(CRYPTO_LIBS) $(LIBFYAML_LIBS) -ldl -lpthread

# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmpkcs11.la
libchsmpkcs11_la_SOURCES = \
	pkcs11/hsm.c pkcs11/hsm.h \
	pkcs11/request.c pkcs11/request.h \
	pkcs11/child.c pkcs11/child.h pkcs11/spawn.c \
	pkcs11/output.c pkcs11/output.h \
	pkcs11/wire.c pkcs11/wire.h \
	pkcs11/worker.c \
	pkcs11/ck.c pkcs11/ck.h pkcs11/ckr.c \
	pkcs11/module.c pkcs11/session.c pkcs11/session.h pkcs11/choose.c pkcs11/choose.h \
	pkcs11/uri.c pkcs11/uri.h pkcs11/tokenkey.c pkcs11/tokenkey.h \
	pkcs11/crew.c pkcs11/crew.h pkcs11/provers.c pkcs11/provers.h pkcs11/gather.c pkcs11/gather.h \
	pkcs11/found.c pkcs11/found.h pkcs11/find.c pkcs11/find.h pkcs11/list.c pkcs11/list.h \
	pkcs11/attrs.c pkcs11/attrs.h pkcs11/read.c pkcs11/read.h pkcs11/trust.c pkcs11/trust.h pkcs11/nested.c pkcs11/nested.h \
	pkcs11/object.c pkcs11/object.h pkcs11/spki.c pkcs11/spki.h pkcs11/curve.c pkcs11/curve.h \
	pkcs11/probe.c pkcs11/probe.h pkcs11/probe_ops.h pkcs11/probe_made.c \
	pkcs11/probe_rsa.c pkcs11/probe_ec.c pkcs11/probe_secret.c \
	pkcs11/leftovers.c pkcs11/leftovers.h \
	pkcs11/evp.c pkcs11/evp.h
libchsmpkcs11_la_LIBADD = libchsmkeys.la libchsmutil.la $(P11KIT_LIBS) $(LIBP11_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)

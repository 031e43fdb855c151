# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmclient.la
libchsmclient_la_SOURCES = \
	src/client/file.c src/client/file.h \
	src/client/endpoint.c src/client/endpoint.h \
	src/client/guard.c src/client/guard.h \
	src/client/resource.c src/client/resource.h \
	src/client/install.c src/client/install.h \
	src/client/point.c src/client/point.h \
	src/client/run.c src/client/run.h \
	src/client/learned.c src/client/learned.h \
	src/client/service.c src/client/sockets.c src/client/service.h \
	src/client/lookup.c src/client/lookup.h \
	src/client/reach.c src/client/reach.h \
	src/client/members.c src/client/members.h \
	src/client/settings.c src/client/settings.h \
	src/client/pem.c src/client/pem.h \
	src/client/handles.c src/client/handles.h \
	src/client/look.c src/client/look.h \
	src/client/doctor.c src/client/doctor_network.c src/client/doctor.h src/client/doctor_parts.h
libchsmclient_la_LIBADD = libchsmkeys.la libchsmutil.la $(JANSSON_LIBS) $(CRYPTO_LIBS)

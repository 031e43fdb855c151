# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmclient.la
libchsmclient_la_SOURCES = \
	src/client/file.c src/client/file.h \
	src/client/endpoint.c src/client/endpoint.h \
	src/client/resource.c src/client/resource.h \
	src/client/install.c src/client/install.h \
	src/client/point.c src/client/point.h \
	src/client/run.c src/client/run.h \
	src/client/learned.c src/client/learned.h \
	src/client/service.c src/client/service.h \
	src/client/lookup.c src/client/lookup.h \
	src/client/reach.c src/client/reach.h \
	src/client/members.c src/client/members.h
libchsmclient_la_LIBADD = libchsmkeys.la libchsmutil.la

# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmutil.la
libchsmutil_la_SOURCES = \
	src/util/banned.h src/util/compat.h \
	src/util/err.c src/util/err.h \
	src/util/safety.c src/util/safety.h \
	src/util/buf.c src/util/buf.h \
	src/util/secret.c src/util/secret.h \
	src/util/known.c src/util/known.h \
	src/util/redact.c src/util/redact_json.c src/util/redact.h \
	src/util/log.c src/util/log.h \
	src/util/path.c src/util/path.h \
	src/util/json.c src/util/json.h \
	src/util/yaml.c src/util/yaml.h \
	src/util/enc.c src/util/enc.h \
	src/util/clock.c src/util/clock.h \
	src/util/table.c src/util/table.h \
	src/util/environment.c src/util/environment.h \
	src/util/spawn.c src/util/spawn.h \
	src/util/program.c src/util/program.h
libchsmutil_la_LIBADD = $(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)

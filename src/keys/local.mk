# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmkeys.la
libchsmkeys_la_SOURCES = \
	src/keys/record.c src/keys/record.h \
	src/keys/names.c \
	src/keys/attributes.c \
	src/keys/record_json.c \
	src/keys/inventory.c src/keys/inventory.h src/keys/inventory_write.c src/keys/inventory_read.c \
	src/keys/link.c \
	src/keys/order.c src/keys/order.h \
	src/keys/assign.c src/keys/assign.h \
	src/keys/match.c src/keys/match.h \
	src/keys/compare.c src/keys/compare.h src/keys/judge.c src/keys/judge.h src/keys/halves.c src/keys/halves.h \
	src/keys/verdict.c src/keys/verdict_json.c src/keys/waiver.c src/keys/waiver.h \
	src/keys/sample.c src/keys/sample.h \
	src/keys/challenge.c src/keys/challenge.h src/keys/challenge_ways.h \
	src/keys/challenge_rsa.c src/keys/challenge_ec.c src/keys/challenge_secret.c \
	src/keys/proof_check.c
libchsmkeys_la_LIBADD = libchsmutil.la

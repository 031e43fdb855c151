# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmdrill.la
libchsmdrill_la_SOURCES = \
	src/drill/reader.c src/drill/reader.h \
	src/drill/ask.c src/drill/ask.h \
	src/drill/count.c src/drill/count.h \
	src/drill/halves.c src/drill/resolve.c \
	src/drill/nodes.c src/drill/nodes.h \
	src/drill/plan.c src/drill/plan.h \
	src/drill/plan_check.c src/drill/plan_check.h \
	src/drill/waivers.c src/drill/waivers.h \
	src/drill/journal.c src/drill/journal.h \
	src/drill/report.c src/drill/report.h \
	src/drill/run.c src/drill/run.h \
	src/drill/run_state.h \
	src/drill/steps_azure.c \
	src/drill/steps_keys.c
libchsmdrill_la_LIBADD = libchsmazure.la libchsmpkcs11.la libchsmevidence.la libchsmnodes.la libchsmclient.la libchsmkeys.la libchsmutil.la

# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmevidence.la
libchsmevidence_la_SOURCES = \
	src/evidence/store.c src/evidence/store.h \
	src/evidence/report_text.c src/evidence/report.h \
	src/evidence/report_nodes.c src/evidence/report_nodes.h
libchsmevidence_la_LIBADD = libchsmkeys.la libchsmutil.la

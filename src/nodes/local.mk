# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmnodes.la
libchsmnodes_la_SOURCES = \
	src/nodes/mgmt_text.c src/nodes/mgmt_text.h \
	src/nodes/mgmt_servers.c src/nodes/mgmt_keys.c src/nodes/mgmt_users.c src/nodes/mgmt_status.c src/nodes/mgmt_parse.h \
	src/nodes/mgmt_process.c src/nodes/mgmt_process.h \
	src/nodes/mgmt_run.c src/nodes/mgmt_run.h \
	src/nodes/reading.c src/nodes/reading.h \
	src/nodes/coverage.c src/nodes/coverage_json.c src/nodes/coverage.h
libchsmnodes_la_LIBADD = libchsmutil.la

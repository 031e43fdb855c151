# SPDX-License-Identifier: Apache-2.0
# azcloudhsm_mgmt_util, simulated. Not in bin: nobody's PATH should find it in the place of the real one.
pkglibexec_PROGRAMS += azcloudhsm_mgmt_util
azcloudhsm_mgmt_util_SOURCES = \
	src/sim/mgmt/main.c \
	src/sim/mgmt/answers.c src/sim/mgmt/tool.h \
	src/sim/mgmt/world.c src/sim/mgmt/world.h \
	src/sim/mgmt/quirks.c src/sim/mgmt/quirks.h \
	src/sim/p11/cluster.c src/sim/p11/cluster.h
# Objects of its own: cluster.c is built for the library, too.
azcloudhsm_mgmt_util_CFLAGS = $(AM_CFLAGS)
azcloudhsm_mgmt_util_LDFLAGS = $(AM_LDFLAGS) $(CHSM_PROG_LDFLAGS)
azcloudhsm_mgmt_util_LDADD = libchsmsimkeys.la libchsmutil.la $(JANSSON_LIBS) $(CRYPTO_LIBS) $(LIBFYAML_LIBS) -ldl

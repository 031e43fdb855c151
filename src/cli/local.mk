# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmcli.la
libchsmcli_la_SOURCES = \
	src/cli/cli.c src/cli/cli.h \
	src/cli/args.c src/cli/args.h \
	src/cli/commands.c src/cli/commands.h \
	src/cli/help.c \
	src/cli/topics.c src/cli/topics.h \
	src/cli/output.c src/cli/output.h \
	src/cli/connect.c src/cli/connect.h \
	src/cli/token_key.c src/cli/token_key.h \
	src/cli/hsm_options.c src/cli/hsm_options.h \
	src/cli/nodes_options.c src/cli/nodes_options.h \
	src/cli/per_node.c src/cli/per_node.h \
	src/cli/cmd_cluster.c src/cli/cmd_cluster_change.c src/cli/cluster_columns.h \
	src/cli/cmd_login.c \
	src/cli/cmd_nodes.c \
	src/cli/cmd_identity.c \
	src/cli/cmd_job.c src/cli/cmd_backup_list.c \
	src/cli/cmd_storage.c \
	src/cli/cmd_keys.c src/cli/keys_common.h \
	src/cli/cmd_verify.c \
	src/cli/client_options.c src/cli/client_options.h \
	src/cli/cmd_client.c \
	src/cli/cmd_client_point.c \
	src/cli/cmd_drill.c
libchsmcli_la_LIBADD = libchsmdrill.la libchsmutil.la

bin_PROGRAMS += chsmctl
chsmctl_SOURCES = src/main.c
chsmctl_LDADD = libchsmcli.la libchsmdrill.la libchsmazure.la libchsmpkcs11.la libchsmevidence.la libchsmnodes.la libchsmclient.la libchsmkeys.la libchsmutil.la \
	$(CURL_LIBS) $(EXPAT_LIBS) $(P11KIT_LIBS) $(LIBP11_LIBS) $(LIBFYAML_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
chsmctl_LDFLAGS = $(AM_LDFLAGS) $(CHSM_PROG_LDFLAGS)

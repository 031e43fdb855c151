# SPDX-License-Identifier: Apache-2.0
# chsm-sim: the simulated cloud. All but main() is a library, so that the unit tests make requests without a socket.
bin_PROGRAMS += chsm-sim
noinst_LTLIBRARIES += libchsmsim.la
libchsmsim_la_SOURCES = \
	src/sim/arm.c src/sim/arm.h src/sim/arm_access.c src/sim/arm_base.c src/sim/arm_cluster.c src/sim/arm_job.c \
	src/sim/arm_routes.c src/sim/arm_group.c src/sim/arm_role.c src/sim/arm_container.c src/sim/arm_storage.c src/sim/arm_network.c src/sim/arm_metrics.c \
	src/sim/blob.c src/sim/blob_list.c src/sim/blob.h \
	src/sim/certs.c src/sim/certs.h \
	src/sim/cloud.c src/sim/cloud.h \
	src/sim/cluster.c src/sim/cluster.h \
	src/sim/cmd_fault.c src/sim/cmd_serve.c src/sim/opts.c src/sim/opts.h \
	src/sim/fault.c src/sim/fault_answer.c src/sim/fault.h \
	src/sim/http.c src/sim/http.h \
	src/sim/imds.c src/sim/identity.c src/sim/identity.h \
	src/sim/login.c src/sim/login.h src/sim/login_jwt.c src/sim/login_assertion.c src/sim/login_device.c \
	src/sim/login_discovery.c \
	src/sim/principal.c src/sim/principal.h src/sim/cmd_login.c \
	src/sim/jobs.c src/sim/jobs.h \
	src/sim/reqlog.c src/sim/reqlog.h \
	src/sim/seed.c src/sim/seed_storage.c src/sim/seed_read.c src/sim/seed_read.h \
	src/sim/server.c src/sim/server.h \
	src/sim/state.c src/sim/state.h \
	src/sim/token.c src/sim/token.h
libchsmsim_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS)
libchsmsim_la_LIBADD = libchsmsimkeys.la libchsmutil.la $(MICROHTTPD_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
chsm_sim_SOURCES = src/sim/main.c
chsm_sim_LDFLAGS = $(AM_LDFLAGS) $(CHSM_PROG_LDFLAGS)
chsm_sim_LDADD = libchsmsim.la

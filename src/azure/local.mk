# SPDX-License-Identifier: Apache-2.0
noinst_LTLIBRARIES += libchsmazure.la
libchsmazure_la_SOURCES = \
	src/azure/url.c \
	src/azure/http.c src/azure/http.h \
	src/azure/http_exchange.h src/azure/http_open.c src/azure/http_setup.c src/azure/http_failure.c \
	src/azure/http_headers.c src/azure/http_headers.h \
	src/azure/trace.c src/azure/trace_show.c src/azure/trace.h \
	src/azure/retry.c src/azure/retry.h \
	src/azure/clouds.c src/azure/clouds.h \
	src/azure/credential.c src/azure/credential.h src/azure/credential_kind.h \
	src/azure/credential_env.c src/azure/credential_form.c src/azure/credential_static.c src/azure/credential_environment.c \
	src/azure/credential_certificate.c src/azure/credential_certificate.h src/azure/certificate_file.c src/azure/certificate_file.h \
	src/azure/credential_workload.c src/azure/credential_cli.c src/azure/credential_device.c \
	src/azure/credential_managed.c src/azure/credential_managed_arc.c src/azure/credential_managed.h \
	src/azure/token.c src/azure/challenge.c src/azure/challenge.h \
	src/azure/login.c src/azure/login.h \
	src/azure/send.c src/azure/send.h \
	src/azure/arm.c src/azure/arm_error.c src/azure/arm.h \
	src/azure/lro.c src/azure/lro_wait.c src/azure/lro_run.c src/azure/lro.h src/azure/lro_poll.h \
	src/azure/steps.c src/azure/steps.h src/azure/role.c src/azure/role.h \
	src/azure/storage.c src/azure/storage_account.c src/azure/storage_check.c src/azure/storage_harden.c src/azure/endpoint.c src/azure/storage.h \
	src/azure/blob.c src/azure/blob_xml.c src/azure/blob.h \
	src/azure/resource.c src/azure/resource.h \
	src/azure/cluster.c src/azure/cluster_diff.c src/azure/cluster_identity.c src/azure/cluster.h \
	src/azure/cluster_change.c src/azure/cluster_change.h src/azure/cluster_create.c src/azure/cluster_update.c src/azure/cluster_delete.c \
	src/azure/identity.c src/azure/identity.h \
	src/azure/tags.c src/azure/tags.h src/azure/location.c src/azure/location.h \
	src/azure/restore.c src/azure/restore.h \
	src/azure/job.c src/azure/job_check.c src/azure/job_start.c src/azure/job_lost.c src/azure/job_start.h src/azure/job_parse.c \
	src/azure/job_snapshot.c src/azure/job_words.c src/azure/job.h src/azure/job_id.h
libchsmazure_la_LIBADD = libchsmutil.la $(CURL_LIBS) $(EXPAT_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)

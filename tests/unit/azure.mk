# SPDX-License-Identifier: Apache-2.0
azure_test_libs = libchsmazure.la libchsmutil.la $(CMOCKA_LIBS) $(CURL_LIBS) $(EXPAT_LIBS) $(JANSSON_LIBS) $(LIBFYAML_LIBS) $(CRYPTO_LIBS)
azure_test_server = tests/unit/azure_server.c tests/unit/azure_server.h tests/unit/azure_world.h
check_PROGRAMS += tests/unit/test_azure_url
UNIT_TESTS += tests/unit/test_azure_url
tests_unit_test_azure_url_SOURCES = tests/unit/test_azure_url.c tests/unit/check.h
tests_unit_test_azure_url_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_url_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_retry
UNIT_TESTS += tests/unit/test_azure_retry
tests_unit_test_azure_retry_SOURCES = tests/unit/test_azure_retry.c tests/unit/check.h
tests_unit_test_azure_retry_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_retry_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_lro
UNIT_TESTS += tests/unit/test_azure_lro
tests_unit_test_azure_lro_SOURCES = tests/unit/test_azure_lro.c tests/unit/check.h
tests_unit_test_azure_lro_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_lro_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_answers
UNIT_TESTS += tests/unit/test_azure_answers
tests_unit_test_azure_answers_SOURCES = tests/unit/test_azure_answers.c tests/unit/check.h
tests_unit_test_azure_answers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_answers_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_cluster
UNIT_TESTS += tests/unit/test_azure_cluster
tests_unit_test_azure_cluster_SOURCES = tests/unit/test_azure_cluster.c tests/unit/check.h
tests_unit_test_azure_cluster_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_cluster_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_job
UNIT_TESTS += tests/unit/test_azure_job
tests_unit_test_azure_job_SOURCES = tests/unit/test_azure_job.c tests/unit/check.h
tests_unit_test_azure_job_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_job_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_http
UNIT_TESTS += tests/unit/test_azure_http
tests_unit_test_azure_http_SOURCES = tests/unit/test_azure_http.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_http_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_http_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_tls
UNIT_TESTS += tests/unit/test_azure_tls
tests_unit_test_azure_tls_SOURCES = tests/unit/test_azure_tls.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_tls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_tls_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_proxy
UNIT_TESTS += tests/unit/test_azure_proxy
tests_unit_test_azure_proxy_SOURCES = tests/unit/test_azure_proxy.c tests/unit/check.h tests/unit/azure_proxy.c \
	tests/unit/azure_proxy.h $(azure_test_server)
tests_unit_test_azure_proxy_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_proxy_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_challenge
UNIT_TESTS += tests/unit/test_azure_challenge
tests_unit_test_azure_challenge_SOURCES = tests/unit/test_azure_challenge.c tests/unit/check.h
tests_unit_test_azure_challenge_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_challenge_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_login
UNIT_TESTS += tests/unit/test_azure_login
tests_unit_test_azure_login_SOURCES = tests/unit/test_azure_login.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_login_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_login_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_send
UNIT_TESTS += tests/unit/test_azure_send
tests_unit_test_azure_send_SOURCES = tests/unit/test_azure_send.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_send_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_send_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_time
UNIT_TESTS += tests/unit/test_azure_time
tests_unit_test_azure_time_SOURCES = tests/unit/test_azure_time.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_time_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_time_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_trace
UNIT_TESTS += tests/unit/test_azure_trace
tests_unit_test_azure_trace_SOURCES = tests/unit/test_azure_trace.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_trace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_trace_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_arm
UNIT_TESTS += tests/unit/test_azure_arm
tests_unit_test_azure_arm_SOURCES = tests/unit/test_azure_arm.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_arm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_arm_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_flow
UNIT_TESTS += tests/unit/test_azure_flow
tests_unit_test_azure_flow_SOURCES = tests/unit/test_azure_flow.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_flow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_flow_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_storage
UNIT_TESTS += tests/unit/test_azure_storage
tests_unit_test_azure_storage_SOURCES = tests/unit/test_azure_storage.c tests/unit/check.h
tests_unit_test_azure_storage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_storage_LDADD = $(azure_test_libs)
check_PROGRAMS += tests/unit/test_azure_blob
UNIT_TESTS += tests/unit/test_azure_blob
tests_unit_test_azure_blob_SOURCES = tests/unit/test_azure_blob.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_blob_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_blob_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_change
UNIT_TESTS += tests/unit/test_azure_change
tests_unit_test_azure_change_SOURCES = tests/unit/test_azure_change.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_change_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_change_LDADD = $(azure_test_libs) -lssl
azure_request_table = tests/unit/azure_requests.c tests/unit/azure_requests.h tests/unit/azure_request_rows.c tests/unit/azure_request_spec.c
check_PROGRAMS += tests/unit/test_azure_requests
UNIT_TESTS += tests/unit/test_azure_requests
tests_unit_test_azure_requests_SOURCES = tests/unit/test_azure_requests.c tests/unit/check.h $(azure_test_server) $(azure_request_table)
tests_unit_test_azure_requests_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_requests_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_requests_storage
UNIT_TESTS += tests/unit/test_azure_requests_storage
tests_unit_test_azure_requests_storage_SOURCES = tests/unit/test_azure_requests_storage.c tests/unit/check.h $(azure_test_server) $(azure_request_table)
tests_unit_test_azure_requests_storage_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_requests_storage_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_requests_login
UNIT_TESTS += tests/unit/test_azure_requests_login
tests_unit_test_azure_requests_login_SOURCES = tests/unit/test_azure_requests_login.c tests/unit/check.h $(azure_test_server) $(azure_request_table)
tests_unit_test_azure_requests_login_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_requests_login_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/azure_request_log
tests_unit_azure_request_log_SOURCES = tests/unit/azure_request_log.c tests/unit/check.h $(azure_test_server) $(azure_request_table)
tests_unit_azure_request_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_azure_request_log_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_lost
UNIT_TESTS += tests/unit/test_azure_lost
tests_unit_test_azure_lost_SOURCES = tests/unit/test_azure_lost.c tests/unit/check.h $(azure_test_server) $(azure_request_table)
tests_unit_test_azure_lost_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_lost_LDADD = $(azure_test_libs) -lssl
check_PROGRAMS += tests/unit/test_azure_operation
UNIT_TESTS += tests/unit/test_azure_operation
tests_unit_test_azure_operation_SOURCES = tests/unit/test_azure_operation.c tests/unit/check.h $(azure_test_server)
tests_unit_test_azure_operation_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -pthread
tests_unit_test_azure_operation_LDADD = $(azure_test_libs) -lssl
EXTRA_DIST += \
	tests/data/azure/README.md \
	tests/data/azure/CloudHsmCluster_Backup_Pending_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_CreateOrUpdate_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_CreateOrValidate_Backup_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_Get_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_ListByResourceGroup_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_RequestOrValidate_Restore_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_Restore_Pending_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_Delete_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_ListBySubscription_MaximumSet_Gen.json \
	tests/data/azure/CloudHsmCluster_Update_MaximumSet_Gen.json \
	tests/data/azure/CreateResourceGroup.json \
	tests/data/azure/BlobContainersPutDefaultEncryptionScope.json \
	tests/data/azure/PrivateEndpointCreate.json \
	tests/data/azure/RoleAssignments_CreateForResource.json \
	tests/data/azure/RoleAssignments_ListForScope.json \
	tests/data/azure/StorageAccountCreate.json \
	tests/data/azure/StorageAccountCreateDisallowPublicNetworkAccess.json \
	tests/data/azure/IdentityCreate.json \
	tests/data/azure/IdentityGet.json \
	tests/data/azure/openapi.json

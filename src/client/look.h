/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the client on this machine: everything that its files tell, as JSON, before anything is concluded. */
#ifndef CHSM_CLIENT_LOOK_H
#define CHSM_CLIENT_LOOK_H

#include <jansson.h>

#include "client/service.h"

/*
 * *ret, the caller's, has these members; a file that cannot be read or understood has "error" in place of what it says:
 *   bases               folders of installs, or those that were named
 *   copies              [{path, hosts, mode, link}]                       azcloudhsm_resource.cfg
 *   owner_certificates  [{path, subject, sha256, not_before, not_after}]  PO.crt, also those that other files name
 *   configurations      [{path, hosts, certificates}]                     azcloudhsm_client.cfg, azcloudhsm_mgmt_util.cfg
 *   applications        [{path, settings}]                                azcloudhsm_application.cfg
 *   working_directories [{path, application}]                             where an application would be started
 *   libraries           [path]                                            libazcloudhsm_pkcs11.so
 *   learned             [{path, addresses}]                               cluster.info
 *   versions            [{path, version}]                                 of the SDK, from a file or from the name of its folder
 *   service             {unit, enabled, masked, argv, config}; null = no unit
 *   daemon              {visible, pid, argv, started, outdated, sockets, configuration}: outdated = it was started before a
 *                       copy was last changed; sockets = those that it listens on, when they can be seen; configuration = {path,
 *                       hosts} of the file that it was started with
 *   hosts_file          [name]                                            of nodes, in /etc/hosts
 * `directories` are the working directories (ended by NULL).
 */
CHSM_MUST_CHECK int chsm_client_look(const char *root, const struct chsm_client *client, const struct chsm_service *service,
                                     const char *const *directories, json_t **ret, struct chsm_err *err);

#endif

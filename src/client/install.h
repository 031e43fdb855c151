/* SPDX-License-Identifier: Apache-2.0 */
/* Where Azure's client has its files on this machine (facts: cloudhsm-client.md §3). */
#ifndef CHSM_CLIENT_INSTALL_H
#define CHSM_CLIENT_INSTALL_H

#include "util/err.h"

#define CHSM_PATHS_MAX 256u

struct chsm_paths {
    char **v;
    size_t n;
};
void chsm_paths_done(struct chsm_paths *p);
#define AUTO_PATHS AUTO(chsm_paths_done)

/* Copies a path to the end of the list; CHSM_CONFIG when there are too many. */
CHSM_MUST_CHECK int chsm_paths_add(struct chsm_paths *p, const char *path, struct chsm_err *err);

/* Where to look. */
struct chsm_client_where {
    const char *root;               /* stands for "/"; NULL = it is "/" */
    const char *const *directories; /* these folders, in place of those of an install; ended by NULL, may be NULL */
};

enum chsm_client_kind {
    CHSM_CLIENT_RESOURCE,     /* azcloudhsm_resource.cfg */
    CHSM_CLIENT_APPLICATION,  /* azcloudhsm_application.cfg */
    CHSM_CLIENT_DAEMON,       /* azcloudhsm_client.cfg */
    CHSM_CLIENT_MGMT,         /* azcloudhsm_mgmt_util.cfg */
    CHSM_CLIENT_OWNER_CERT,   /* PO.crt */
    CHSM_CLIENT_LIBRARY,      /* libazcloudhsm_pkcs11.so */
    CHSM_CLIENT_CLUSTER_INFO, /* cluster.info: addresses that the daemon has learned */
    CHSM_CLIENT_VERSION,      /* VERSION */
    CHSM_CLIENT_UNIT,         /* azure-cloud-hsm.service; never in a folder of its own */
    CHSM_CLIENT_UNIT_WANTED,  /* the link that `systemctl enable` makes */
    CHSM_CLIENT_KINDS
};

/* The names of all files: azcloudhsm_resource.cfg, ... */
const char *chsm_client_kind_name(enum chsm_client_kind kind);

struct chsm_client {
    struct chsm_paths bases;                    /* the folders that were looked in and exist */
    struct chsm_paths found[CHSM_CLIENT_KINDS]; /* each file once, also where folders are linked to each other */
};
void chsm_client_done(struct chsm_client *c);
#define AUTO_CLIENT AUTO(chsm_client_done)

/*
 * Looks in /opt/azurecloudhsm, in the folders of older SDKs below /usr/local, and in those of systemd; or in the folders that are
 * named. A folder that is named and not there is CHSM_CONFIG; an install that is not there leaves the lists empty.
 */
CHSM_MUST_CHECK int chsm_client_find(const struct chsm_client_where *where, struct chsm_client *ret, struct chsm_err *err);

/* Adds a file that was found otherwise, unless it is there already under another name. */
CHSM_MUST_CHECK int chsm_client_add(struct chsm_client *c, enum chsm_client_kind kind, const char *path, struct chsm_err *err);

/* A path of the machine as seen from here: `root` before it. NULL when out of memory. The caller frees it. */
char *chsm_client_path(const char *root, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inventory: the keys of one HSM at one time, one section per login. As a file it is JSON, format
 * "chsmctl.inventory/v1" (schema: cfg/inventory.schema.json); it travels between machines and lives for years.
 */
#ifndef CHSM_KEYS_INVENTORY_H
#define CHSM_KEYS_INVENTORY_H

#include "keys/record.h"

#define CHSM_INVENTORY_FORMAT "chsmctl.inventory/v1"
#define CHSM_INVENTORY_MAX (256u << 20)     /* bytes of a file: 3,200 keys are 3 MB */

struct chsm_inventory {
    char *created;                  /* RFC 3339 */
    char *tool;                     /* "chsmctl 0.1.0" */
    char *cluster;                  /* resource id, NULL = not known */
    char *endpoint;                 /* host name in azcloudhsm_resource.cfg, NULL = not known */
    char *module;                   /* path of the PKCS#11 library */
    char *module_sha256;            /* NULL = not known */
    struct chsm_section *sections;
    size_t n;
    json_t *unknown;                /* members that this version does not know; kept for rewriting */
};

void chsm_inventory_done(struct chsm_inventory *inv);
#define AUTO_INVENTORY AUTO(chsm_inventory_done)

/* Adds an empty section and lends it until the next call. NULL when out of memory. */
struct chsm_section *chsm_inventory_add(struct chsm_inventory *inv);

/* The section of a login; NULL when there is none. */
const struct chsm_section *chsm_inventory_section(const struct chsm_inventory *inv, const char *login);

bool chsm_inventory_complete(const struct chsm_inventory *inv);
size_t chsm_inventory_count(const struct chsm_inventory *inv);

/*
 * The whole as JSON; the caller owns *ret. Records are sorted, so that equal content gives equal bytes. Its member
 * "fingerprint" is SHA-256 over the canonical form of the sections: two inventories compare by one string.
 */
CHSM_MUST_CHECK int chsm_inventory_to_json(const struct chsm_inventory *inv, json_t **ret, struct chsm_err *err);

/*
 * Reads that form. CHSM_CONFIG for another format, a newer major version, a member of the wrong kind, or a fingerprint
 * that does not fit the content (the file was changed). *ret is untouched on failure.
 */
CHSM_MUST_CHECK int chsm_inventory_from_json(const json_t *json, struct chsm_inventory *ret, struct chsm_err *err);

/* One record; `null` members are left out. */
json_t *chsm_record_to_json(const struct chsm_record *r);
CHSM_MUST_CHECK int chsm_record_from_json(const json_t *json, struct chsm_record *ret, struct chsm_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inventory: the keys of one HSM at one time, one section per login. As a file it is JSON, format
 * "chsmctl.inventory/v1" (schema: cfg/inventory.schema.json); it travels between machines and lives for years.
 */
#ifndef CHSM_KEYS_INVENTORY_H
#define CHSM_KEYS_INVENTORY_H

#include "keys/record.h"
#include "util/buf.h"

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

struct chsm_inventory_sums {    /* SHA-256, hexadecimal */
    char fingerprint[65];       /* of what the HSM holds: two inventories compare by this one string */
    char content[65];           /* of the whole document but itself */
};

/*
 * Appends the file: canonical JSON (compact, members sorted by byte), records in an order that depends on their content alone,
 * and a newline. Equal content gives equal bytes.
 */
CHSM_MUST_CHECK int chsm_inventory_write(const struct chsm_inventory *inv, struct chsm_buf *out, struct chsm_inventory_sums *ret_sums,
                                         struct chsm_err *err);

/* The fingerprint alone. */
CHSM_MUST_CHECK int chsm_inventory_fingerprint(const struct chsm_inventory *inv, char out[65], struct chsm_err *err);

/*
 * Reads that form. CHSM_CONFIG for another format, a newer major version, a member of the wrong kind, or a fingerprint
 * that does not fit the content (the file was changed). *ret is untouched on failure.
 */
CHSM_MUST_CHECK int chsm_inventory_from_json(const json_t *json, struct chsm_inventory *ret, struct chsm_err *err);

/* "own-attributes", ...: the names in files. */
const char *chsm_spki_from_name(enum chsm_spki_from from);

/* "sha1-spki" and "other"; NULL = untested. Unknown names are untested: nothing is concluded then. */
const char *chsm_pair_rule_name(enum chsm_pair_rule rule);
enum chsm_pair_rule chsm_pair_rule_from_name(const char *name);

/* One record that stands alone: its public key is a member ("spki"). `null` members are left out. NULL when out of memory. */
json_t *chsm_record_to_json(const struct chsm_record *r);

/* Reads one; without "spki" the public key is looked up by the fingerprint in `keys`, a section's "public_keys" (NULL = none). */
CHSM_MUST_CHECK int chsm_record_from_json(const json_t *json, const json_t *keys, struct chsm_record *ret, struct chsm_err *err);

#endif

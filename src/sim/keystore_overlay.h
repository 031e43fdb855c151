/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys/overlay.json: attributes that an object shows instead of SoftHSM's, for damage that SoftHSM does not let one do.
 *   [{"user": "cu1", "class": 3, "id": "0101", "label": "<hex>", "type": 256, "value": "<hex>"}]
 * "class", "id" and "label" are what SoftHSM has; without "value" the object does not have the attribute.
 */
#ifndef CHSM_SIM_KEYSTORE_OVERLAY_H
#define CHSM_SIM_KEYSTORE_OVERLAY_H

#include <p11-kit/pkcs11.h>

#include "util/enc.h"

/* By what an object is known. */
struct sim_overlay_key {
    const char *user;
    CK_OBJECT_CLASS cls;
    struct chsm_bytes id, label;
};

struct sim_overlay_change {
    CK_ATTRIBUTE_TYPE type;
    bool absent;
    struct chsm_bytes value;
};

struct sim_overlay_entry {
    char *user;
    CK_OBJECT_CLASS cls;
    struct chsm_bytes id, label;
    struct sim_overlay_change change;
    struct sim_overlay_entry *next;     /* the same object's next change; the first entry of an object leads to all */
    bool follows;                       /* not the first of its object */
};

struct sim_overlay {
    struct sim_overlay_entry *entries;
    size_t n;
};

/* No file is an empty overlay. CHSM_CONFIG when it is broken. */
CHSM_MUST_CHECK int sim_overlay_load(const char *keys, struct sim_overlay *ret, struct chsm_err *err);
void sim_overlay_done(struct sim_overlay *o);

/* Adds a change to the file; one of the same attribute of the same object is replaced. */
CHSM_MUST_CHECK int sim_overlay_add(const char *keys, const struct sim_overlay_key *key, const struct sim_overlay_change *change,
                                    struct chsm_err *err);

/* The first entry of an object, NULL when it has none; lent. */
const struct sim_overlay_entry *sim_overlay_find(const struct sim_overlay *o, const struct sim_overlay_key *key);

/* What an object shows for an attribute, NULL when SoftHSM is to be asked. `entry` may be NULL. */
const struct sim_overlay_change *sim_overlay_change_of(const struct sim_overlay_entry *entry, CK_ATTRIBUTE_TYPE type);

#endif

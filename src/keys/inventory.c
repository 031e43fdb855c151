/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "keys/inventory.h"

void chsm_inventory_done(struct chsm_inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++)
        chsm_section_done(&inv->sections[i]);
    free(inv->sections);
    free(inv->created);
    free(inv->tool);
    free(inv->cluster);
    free(inv->endpoint);
    free(inv->module);
    free(inv->module_sha256);
    json_decref(inv->unknown);
    *inv = (struct chsm_inventory){ 0 };
}

struct chsm_section *chsm_inventory_add(struct chsm_inventory *inv)
{
    struct chsm_section *grown = reallocarray(inv->sections, inv->n + 1, sizeof *grown);

    if (!grown)
        return NULL;
    inv->sections = grown;
    grown[inv->n] = (struct chsm_section){ 0 };
    return &grown[inv->n++];
}

const struct chsm_section *chsm_inventory_section(const struct chsm_inventory *inv, const char *login)
{
    for (size_t i = 0; i < inv->n; i++)
        if (chsm_streq(inv->sections[i].login, login))
            return &inv->sections[i];
    return NULL;
}

bool chsm_inventory_complete(const struct chsm_inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++)
        if (!inv->sections[i].complete)
            return false;
    return inv->n > 0;
}

size_t chsm_inventory_count(const struct chsm_inventory *inv)
{
    size_t n = 0;

    for (size_t i = 0; i < inv->n; i++)
        n += inv->sections[i].n;
    return n;
}

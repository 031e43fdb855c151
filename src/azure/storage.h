/* SPDX-License-Identifier: Apache-2.0 */
/* What a backup needs of storage: prepared, looked at, and hardened (facts: arm.md §4). */
#ifndef CHSM_AZURE_STORAGE_H
#define CHSM_AZURE_STORAGE_H

#include "azure/steps.h"

#define CHSM_STORAGE_API "2024-01-01"
#define CHSM_NETWORK_API "2024-05-01"

/* CHSM_USAGE, with the rule in the text, when it is no name of a storage account, container or private endpoint. */
CHSM_MUST_CHECK int chsm_name_account(const char *s, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_name_container(const char *s, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_name_endpoint(const char *s, struct chsm_err *err);

/* The id of the network that a subnet's id lies in, malloc()ed; CHSM_USAGE when it is no subnet's id. */
CHSM_MUST_CHECK int chsm_subnet_network(const char *subnet, char **ret, struct chsm_err *err);

struct chsm_storage_ref {
    const char *subscription, *group, *account, *container;
};

/* "/subscriptions/.../storageAccounts/NAME", malloc()ed; CHSM_USAGE when a part breaks Azure's naming rules. */
CHSM_MUST_CHECK int chsm_account_id(const struct chsm_storage_ref *ref, char **ret, struct chsm_err *err);

/* The same for the container; ref->container is needed. */
CHSM_MUST_CHECK int chsm_container_id(const struct chsm_storage_ref *ref, char **ret, struct chsm_err *err);

/* "https://ACCOUNT.blob.../CONTAINER" from the account's own primaryEndpoints, malloc()ed; CHSM_SERVICE when it has none. */
CHSM_MUST_CHECK int chsm_container_uri(const json_t *account, const char *container, char **ret, struct chsm_err *err);

/* Reads the account; one that is not there is CHSM_SERVICE. */
CHSM_MUST_CHECK int chsm_account_get(struct chsm_steps *s, const struct chsm_storage_ref *ref, json_t **ret,
                                     struct chsm_err *err);

struct chsm_storage_plan {         /* NULL = not asked for */
    struct chsm_storage_ref ref;   /* all of it is needed */
    const char *location;          /* as chsm_location_normal() gives it; of what is made; NULL: the group's */
    const char *sku;               /* NULL: Standard_LRS */
    const char *default_action;    /* of a new account's firewall; NULL: Allow */
    const json_t *tags;            /* of what is made; what is there keeps its own */
    const char *identity;          /* id of the managed identity that gets the role */
    bool role_on_container;        /* instead of the account */
    const char *subnet, *endpoint; /* endpoint NULL: ACCOUNT-blob */
    bool manual_request;           /* the connection waits for its approval by the account's owner */
    bool no_change;                /* what is there is not changed, whatever it lacks */
    bool accept_changes;           /* also what opens the account or cuts readers off */
};

/*
 * The steps group, account, container, role, endpoint. CHSM_USAGE for names that break the rules, before anything is sent;
 * CHSM_REFUSED when what is there is another thing, or would have to be changed and must not.
 */
CHSM_MUST_CHECK int chsm_storage_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, struct chsm_err *err);

/* The body of a new account's PUT; NULL when out of memory. Pure. */
json_t *chsm_account_body(const struct chsm_storage_plan *p, const char *location);

struct chsm_account_drift { /* what an existing account lacks */
    json_t *patch;          /* the properties of a PATCH; empty = nothing */
    json_t *changes;        /* array of "name: old -> new" */
    const char *opens;      /* a change that lets more in, said in words; NULL = none */
    bool closes_public;     /* a change that ends anonymous reading */
};
void chsm_account_drift_done(struct chsm_account_drift *d);
CHSM_MUST_CHECK int chsm_account_drift(const json_t *account, struct chsm_account_drift *ret, struct chsm_err *err);

/* The step "endpoint", after the account's. */
CHSM_MUST_CHECK int chsm_endpoint_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *account_id,
                                          struct chsm_err *err);
/* The body of its PUT; NULL when out of memory. Pure. */
json_t *chsm_endpoint_body(const struct chsm_storage_plan *p, const char *account_id, const char *location);

/* The step "account", and the step "container" after it. *ret = NULL with dry_run when it is not there yet. */
CHSM_MUST_CHECK int chsm_account_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, const char *id,
                                         const char *location, json_t **ret, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_container_prepare(struct chsm_steps *s, const struct chsm_storage_plan *p, const json_t *account,
                                           struct chsm_err *err);

/*
 * What stands in the way of a backup: array of {"check", "result": "ok" | "warning" | "problem" | "unknown", "text", "remedy"}.
 * ref->container and identity may be NULL; what they would tell is "unknown" then. An account that is not there is a problem,
 * no error.
 */
CHSM_MUST_CHECK int chsm_storage_findings(struct chsm_steps *s, const struct chsm_storage_ref *ref, const char *identity,
                                          json_t **ret, struct chsm_err *err);

/*
 * The step "keys": shared keys off, when the identity has its role (at the container, if ref names one) and the metrics of the
 * last 7 days show no use of keys or
 * SAS; CHSM_REFUSED otherwise, unless `force`. *ret_unchecked: array of what could not be established. Nothing is sent when
 * they are off.
 */
CHSM_MUST_CHECK int chsm_storage_harden(struct chsm_steps *s, const struct chsm_storage_ref *ref, const char *identity,
                                        bool force, json_t **ret_unchecked, struct chsm_err *err);

#endif

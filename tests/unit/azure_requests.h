/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of every request that chsmctl sends. A request that fits no row, a member that its row does not name, and a row
 * that the published examples or the OpenAPI file do not bear out, each fail the test. A new request: a row in
 * azure_request_rows.c, and a test that sends it and calls requests_check().
 */
#ifndef CHSM_TESTS_AZURE_REQUESTS_H
#define CHSM_TESTS_AZURE_REQUESTS_H

#include "tests/unit/azure_server.h"
#include "util/json.h"

enum request_kind {
    REQUEST_OPEN,           /* no Authorization at all */
    REQUEST_BEARER,         /* with a bearer token */
    REQUEST_ARM,            /* the same, and a correlation id */
};

struct request_row {
    const char *sender;     /* which tests send it (requests_all_seen()): "cluster", "storage", "login"; "simulator": .bats alone */
    const char *service;    /* as the simulator calls it: "arm", "login", "imds", "blob" */
    const char *what;       /* "cluster create"; unique */
    enum request_kind kind;
    const char *method;
    const char *path;       /* "{name}" stands for one part, "{+name}" for several */
    const char *query;      /* "api-version=2025-03-31&marker?=*": nothing else may be there; "*" any value, "?" may be left
                             * out; NULL = none at all; "*" alone: an address that the service made */
    const char *header;     /* a line that has to be there besides; NULL */

    const char *body;       /* members that have to be there, "*" being any name: "sku.name tags.*"; NULL = no body */
    const char *may;        /* members that may be there besides */
    bool form;              /* the body is a form, its fields are the members */

    const char *example;    /* file in tests/data/azure; NULL = none is at hand */
    const char *part;       /* where in it the body is ("parameters.body"); NULL = nowhere */
    const char *beyond;     /* those of body and may that the example leaves out, as the service's reference has them; NULL */
    bool unpublished;       /* in no specification: reads only, and any answer will do */
    const char *schema;     /* definition in tests/data/azure/openapi.json; NULL = not ours */
};

extern const struct request_row request_rows[];     /* ended by a row without what */

struct request {            /* one that was sent */
    char *method, *path, *query;    /* query without "?", NULL = none */
    char *head;             /* all header lines, each with "\r\n" before it; NULL = not known (from a log) */
    char *authorization;    /* "bearer", "none"; else the scheme */
    char *text;             /* body, NULL = none */
    json_t *body;           /* what it says; a form as an object of strings */
    bool form;
};
void request_done(struct request *q);

/* Reads the bytes of a request as server_request() has them; fails the test when it is none. */
void request_read(const char *raw, struct request *ret);

/* The row that a request belongs to; NULL with *ret_why (malloc()ed) when it belongs to none or is not as the row says. */
const struct request_row *request_row_of(const struct request *q, const char *service, char **ret_why);

/* Every request that the server has seen belongs to a row, and is as it says; fails the test otherwise. */
void requests_check(struct server *s);

/* Every row of the sender was seen by requests_check() in this program; fails the test otherwise. */
void requests_all_seen(const char *sender);

/* Every row agrees with its example, and with the OpenAPI file where it is of Cloud HSM; fails the test otherwise. */
void requests_agree_with_the_specification(void **state);

/* Whether a body fits a definition of the OpenAPI file: nothing unknown, nothing read-only, all that is required, known words. */
bool request_fits_schema(const json_t *body, const char *definition, char **ret_why);

/* The paths of all leaves of a value ("sku.name", "tags.Dept", "list[]"); a new array. */
json_t *request_leaves(const json_t *value);

/* "tags.*" fits "tags.Dept". */
bool request_member_fits(const char *pattern, const char *leaf);

/* One of the words of a list (NULL = none) fits the leaf. */
bool request_among(const char *list, const char *leaf);

/* A file of tests/data/azure; fails the test when it cannot be read. */
json_t *request_data(const char *name);

#endif

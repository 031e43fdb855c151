/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pure parsers of what azcloudhsm_mgmt_util (and its twin in the AWS client, of the same family) prints. The grammar is
 * nowhere documented; it was taken from published outputs (tests/data/mgmt), in both dialects.
 *
 * The rules, because a proof may hang on it:
 * - A number of keys or users that the tool prints is never believed: published outputs say 3 and list 4. The list counts. A
 *   list that is shorter than its number may have been cut, though; struct chsm_mgmt_keys tells.
 * - A line that is not understood makes the whole answer an error (CHSM_SERVICE), never a shorter answer. Only the talk at the
 *   tool's start is read leniently: what is not recognised there is simply not established.
 * - A server is its number and its address: one number has been seen with two addresses.
 * - Handles mean something inside one cluster at one moment: they compare its nodes, and identify nothing.
 *
 * All functions take n bytes of output, that need not end with NUL; the result is the caller's, and untouched on failure.
 */
#ifndef CHSM_NODES_MGMT_PARSE_H
#define CHSM_NODES_MGMT_PARSE_H

#include "nodes/mgmt_text.h"

#define CHSM_MGMT_SERVERS_MAX 64
#define CHSM_MGMT_HANDLES_MAX 200000    /* of one server; a cluster holds 3,200 (facts: service limits) */
#define CHSM_MGMT_USERS_MAX 20000

enum chsm_node_state {
    CHSM_NODE_UNKNOWN,          /* the tool did not say */
    CHSM_NODE_CONNECTED,
    CHSM_NODE_UNENCRYPTED,      /* connected, but without the partition owner's certificate: it answers next to nothing */
    CHSM_NODE_NOT_CONNECTED,
};

const char *chsm_node_state_name(enum chsm_node_state s);   /* "connected", "not connected", "unencrypted", "unknown" */

/* The servers that the tool's start, or any other answer, speaks of. */
struct chsm_mgmt_servers {
    struct { struct chsm_mgmt_server server; enum chsm_node_state state; } v[CHSM_MGMT_SERVERS_MAX];
    size_t n;
};

/*
 * Adds what is known of a server. A worse state stays; a number or an address that is not told fits any.
 */
CHSM_MUST_CHECK int chsm_mgmt_servers_note(struct chsm_mgmt_servers *l, const struct chsm_mgmt_server *s,
                                           enum chsm_node_state state, struct chsm_err *err);

/*
 * Takes in the talk at the start: "Connected to ...", "Server 1(..) is not connected", "Connetion to server .. failed" (the
 * tool's spelling), "... is in unencrypted mode". A bad state is never taken back by a good one. CHSM_SERVICE only for text
 * that is no text, and for too many servers.
 */
CHSM_MUST_CHECK int chsm_mgmt_parse_start(const char *text, size_t n, struct chsm_mgmt_servers *ret, struct chsm_err *err);

/* Every "<command> success on server ..." of an answer; *ret_failed is set when a server failed, or nothing was said. */
CHSM_MUST_CHECK int chsm_mgmt_parse_outcome(const char *text, size_t n, const char *command, struct chsm_mgmt_servers *ret,
                                            bool *ret_failed, struct chsm_err *err);

/* getClusterInfo: the members as each server knows them. Membership, not health: all are listed even when two are down. */
struct chsm_mgmt_members {
    struct { unsigned long id, port; char host[254]; } v[CHSM_MGMT_SERVERS_MAX];    /* as the first server lists them */
    size_t n;
    size_t servers;             /* how many servers were asked; 0 is an error */
    bool differ;                /* two servers list other members */
    struct chsm_mgmt_servers down;      /* "Server 1 is not connected" */
};
CHSM_MUST_CHECK int chsm_mgmt_parse_members(const char *text, size_t n, struct chsm_mgmt_members *ret, struct chsm_err *err);

/* One server's answer to findAllKeys; or that of findKey, which names no server (number -1, no address). */
struct chsm_mgmt_keys {
    struct chsm_mgmt_server server;
    unsigned long *handles;     /* sorted, each once */
    size_t n;
    unsigned long said;         /* the number that the tool printed; not believed */
    bool cut;                   /* fewer handles than that: the list may not be whole */
    bool success;               /* "findAllKeys success on server .." stands there */
    bool failed;                /* "findAllKeys failed on server .." does; there is no list */
    char hash[65];              /* "" = none */
};
struct chsm_mgmt_key_lists {
    struct chsm_mgmt_keys *v;
    size_t n;
};
void chsm_mgmt_key_lists_done(struct chsm_mgmt_key_lists *l);
#define AUTO_MGMT_KEYS AUTO(chsm_mgmt_key_lists_done)

/* A server that is listed twice, and an answer without any list, are CHSM_SERVICE. */
CHSM_MUST_CHECK int chsm_mgmt_parse_keys(const char *text, size_t n, struct chsm_mgmt_key_lists *ret, struct chsm_err *err);

struct chsm_mgmt_user {
    unsigned long id;
    char type[12];              /* "CU", "CO", "PCO", "AU" */
    char name[64];
};
struct chsm_mgmt_users {
    struct chsm_mgmt_server server;
    struct chsm_mgmt_user *v;
    size_t n;
    unsigned long said;
    bool cut;                   /* fewer users than the printed number */
};
struct chsm_mgmt_user_lists {
    struct chsm_mgmt_users *v;
    size_t n;
};
void chsm_mgmt_user_lists_done(struct chsm_mgmt_user_lists *l);
#define AUTO_MGMT_USERS AUTO(chsm_mgmt_user_lists_done)

/* listUsers, per server; or that of azcloudhsm_util, with an index column and without a server. */
CHSM_MUST_CHECK int chsm_mgmt_parse_users(const char *text, size_t n, struct chsm_mgmt_user_lists *ret, struct chsm_err *err);

/* The status of each node, as findSingleKey gives it: by node ids (from 0 or from 1, in any order) or by servers. */
struct chsm_mgmt_status {
    struct { unsigned long id, code; } node[CHSM_MGMT_SERVERS_MAX];
    size_t nodes;
    struct chsm_mgmt_servers servers;       /* CHSM_NODE_CONNECTED = success, CHSM_NODE_UNKNOWN = failed */
    bool has_result;
    unsigned long result;                   /* "Cfm3... returned: 0x00", before or after the nodes */
};
CHSM_MUST_CHECK int chsm_mgmt_parse_status(const char *text, size_t n, struct chsm_mgmt_status *ret, struct chsm_err *err);

#endif

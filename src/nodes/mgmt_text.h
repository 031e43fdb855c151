/* SPDX-License-Identifier: Apache-2.0 */
/* The management tool's output as lines, and the words that its lines are made of. Pure: no I/O. */
#ifndef CHSM_NODES_MGMT_TEXT_H
#define CHSM_NODES_MGMT_TEXT_H

#include "util/buf.h"

#define CHSM_MGMT_TEXT_MAX (16u << 20)      /* bytes of one answer */

/* How the tool names a node: "server 1(10.0.2.6)". Numbers have been seen twice in one answer, so both count. */
struct chsm_mgmt_server {
    int number;             /* from 0; -1 = the line has none */
    char address[254];      /* "" = the line has none */
};

bool chsm_mgmt_server_eq(const struct chsm_mgmt_server *a, const struct chsm_mgmt_server *b);

/* "server 1(10.0.2.6)", "server 1" or the address alone. */
void chsm_mgmt_server_name(const struct chsm_mgmt_server *s, char *out, size_t size);

/* Lines without blanks around them; empty ones are left out. One block of text, pointed into. */
struct chsm_mgmt_lines {
    char *text;
    size_t size;            /* of it, without its NUL */
    char **line;
    size_t n, cap;
};

void chsm_mgmt_lines_done(struct chsm_mgmt_lines *l);
#define AUTO_MGMT_LINES AUTO(chsm_mgmt_lines_done)

/*
 * Splits n bytes of output. Terminal sequences and prompts are taken out, and lines that the tool has run together ("...
 * present: 13 Number of matching keys ...") are broken before the phrases that only stand at a line's beginning.
 * Bytes that are not ASCII are spelled, "\xc3".
 * CHSM_SERVICE when the text is longer than CHSM_MGMT_TEXT_MAX or has control characters that no terminal output needs.
 */
CHSM_MUST_CHECK int chsm_mgmt_split(const char *text, size_t n, struct chsm_mgmt_lines *ret, struct chsm_err *err);

/* Each of these reads what stands at *p and moves on; false, and *p where it was, when it is something else. */
bool chsm_mgmt_word(const char **p, const char *word);                      /* exactly this text, then blanks */
bool chsm_mgmt_number(const char **p, unsigned long *ret);                  /* decimal, at most 32 bits, then blanks */
bool chsm_mgmt_hex(const char **p, unsigned long *ret);                     /* 0x..., at most 32 bits, then blanks */
bool chsm_mgmt_server(const char **p, struct chsm_mgmt_server *ret);        /* "1(10.0.2.6)", then blanks */

/* A blank-separated token of printable ASCII into out; false when there is none, or it is too long. */
bool chsm_mgmt_token(const char **p, char *out, size_t size);

/* The prompt at *p ("cloudmgmt>", "aws-cloudhsm>", "server0>"), then blanks. */
bool chsm_mgmt_prompt(const char **p);

/* Lines that say nothing about the answer: chatter of the library ("INF: ..."), progress ("Getting ... on 3 nodes"). */
bool chsm_mgmt_chatter(const char *line);

/* "Server 1 is not connected", "Server 1(10.0.2.6) is not connected". */
bool chsm_mgmt_not_connected(const char *line, struct chsm_mgmt_server *ret);

/* "<command> success on server 0(10.0.2.4)" and "... failed on server ...": true, with what it says. */
bool chsm_mgmt_outcome(const char *line, const char *command, struct chsm_mgmt_server *ret, bool *ret_success);

/* A line that is not understood, quoted in part: what cannot be read must never be silently less. Always -1, CHSM_SERVICE. */
int chsm_mgmt_strange(const char *line, const char *command, struct chsm_err *err);

#endif

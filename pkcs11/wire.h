/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What parent and worker say to each other: frames of one type byte, four length bytes (big-endian) and a body. Bodies are
 * JSON, but for the PIN, which goes as it is. Both sides bound everything: a hostile module lives in the worker.
 */
#ifndef CHSM_PKCS11_WIRE_H
#define CHSM_PKCS11_WIRE_H

#include "keys/record.h"
#include "util/buf.h"
#include "util/json.h"

/* Descriptors of the worker. */
#define CHSM_WIRE_FD 3              /* stream socket, both directions */
#define CHSM_WIRE_PAGE_FD 4         /* memory file that names the C_ calls being made */

#define CHSM_WIRE_HEADER 5
#define CHSM_WIRE_MAX (8u << 20)            /* body of one frame */
#define CHSM_WIRE_LIST_MAX (512u << 20)     /* bodies of one whole listing */
#define CHSM_WIRE_OBJECTS_MAX 200000u       /* objects of one listing */
#define CHSM_WIRE_TICKETS 64u               /* proofs under way at once */
#define CHSM_WIRE_DATA_MAX 16384u           /* input or answer of one proof (facts: cloudhsm-client.md §11) */
#define CHSM_WIRE_CALL_MAX 56u              /* name of a call in the page, with its NUL */
#define CHSM_WIRE_CALLS 64u                 /* threads of the worker that have a place in the page */

/* What one thread of the worker is calling; the page is an array of these. */
struct chsm_wire_call {
    char name[CHSM_WIRE_CALL_MAX];          /* "" = nothing */
    int64_t since;                          /* chsm_mono() at the start of the call */
};

enum chsm_wire_type {
    /* to the worker */
    CHSM_WIRE_OPEN = 'O',       /* {"module", "init"?, "login", "label"?, "slot"?}; with login, a PIN frame follows */
    CHSM_WIRE_PIN = 'P',
    CHSM_WIRE_LIST = 'L',
    CHSM_WIRE_PROVE = 'R',      /* {"index", "kind", "input", "ticket", "alone"}; others may follow before it is answered */
    CHSM_WIRE_EVP = 'E',        /* {"module", "init"?, "label"?, "slot"?, "id"?, "object"?, "pss"?, and "input" or "certificate"}; a PIN frame follows */
    CHSM_WIRE_COUNT = 'M',      /* {}: how many keys there are now */
    CHSM_WIRE_CLOSE = 'C',
    /* from the worker */
    CHSM_WIRE_OK = 'K',         /* open: the token; list: {"complete", "why"?, "session-objects", "sessions"}; count: {"keys"} */
    CHSM_WIRE_ERROR = 'X',      /* {"code", "ck-rv", "text", "hint"} */
    CHSM_WIRE_RECORD = 'I',     /* one object of a listing */
    CHSM_WIRE_AGAIN = 'Z',      /* forget the records of this listing: it begins again; no body */
    CHSM_WIRE_TICK = 'T',       /* a listing is getting on; no body */
    CHSM_WIRE_ANSWER = 'A',     /* {"answer", "ticket"} */
    CHSM_WIRE_REFUSED = 'N',    /* {"ck-rv", "ticket"} */
    CHSM_WIRE_LATER = 'S',      /* {"ticket"}: to be asked again, alone */
};

void chsm_wire_header(unsigned char out[CHSM_WIRE_HEADER], enum chsm_wire_type type, size_t n);
/* The body's length; CHSM_PKCS11 when it is more than CHSM_WIRE_MAX. */
CHSM_MUST_CHECK int chsm_wire_length(const unsigned char header[CHSM_WIRE_HEADER], size_t *ret, struct chsm_err *err);

/* The worker's side: blocking. Sending never raises SIGPIPE. */
CHSM_MUST_CHECK int chsm_wire_send(int fd, enum chsm_wire_type type, const void *body, size_t n, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_wire_send_json(int fd, enum chsm_wire_type type, const json_t *body, struct chsm_err *err);
/* Appends a frame to `out` instead of sending it; what is sent then is the caller's business. */
CHSM_MUST_CHECK int chsm_wire_append(struct chsm_buf *out, enum chsm_wire_type type, const void *body, size_t n, struct chsm_err *err);
/* Sends frames that were appended. */
CHSM_MUST_CHECK int chsm_wire_flush(int fd, struct chsm_buf *out, struct chsm_err *err);
/* 1 and one frame, 0 at the end of the stream. `body` is cleared first; its own maximum counts, too. */
CHSM_MUST_CHECK int chsm_wire_recv(int fd, unsigned char *ret_type, struct chsm_buf *body, struct chsm_err *err);

/* An error value as JSON and back. Reading never fails: what does not fit becomes a CHSM_PKCS11 error that says so. */
json_t *chsm_wire_error(const struct chsm_err *e);
void chsm_wire_error_read(const json_t *body, struct chsm_err *ret);

/* A record as JSON (NULL when out of memory) and back: every field checked, attribute names only those of attrs.h. */
json_t *chsm_wire_record(const struct chsm_record *r);
CHSM_MUST_CHECK int chsm_wire_record_read(const json_t *body, struct chsm_record *ret, struct chsm_err *err);

/* A member that holds bytes in hexadecimal, at most max of them. */
CHSM_MUST_CHECK int chsm_wire_bytes(const json_t *body, const char *member, size_t max, struct chsm_bytes *ret,
                                    struct chsm_err *err);
/* A member that holds a CK_ULONG ("0x1f": JSON integers are too small for all of them). */
CHSM_MUST_CHECK int chsm_wire_ulong(const json_t *body, const char *member, unsigned long *ret, struct chsm_err *err);
json_t *chsm_wire_from_ulong(unsigned long v);

#endif

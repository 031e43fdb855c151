/* SPDX-License-Identifier: Apache-2.0 */
/* Reading typed values out of a YAML tree while collecting every mistake with its place. */
#ifndef CHSM_DRILL_PLAN_CHECK_H
#define CHSM_DRILL_PLAN_CHECK_H

#include "util/yaml.h"

struct chsm_check {
    const struct chsm_yaml *yaml;
    const char *folder;             /* what relative paths are taken from */
    struct chsm_buf *problems;      /* one line each */
    size_t count;
};

enum chsm_field_kind {
    CHSM_FIELD_TEXT,        /* char *: any string that is not empty */
    CHSM_FIELD_GUID,        /* char *: a UUID */
    CHSM_FIELD_PATH,        /* char *: made absolute */
    CHSM_FIELD_URI,         /* char *: https, no query (a SAS does not belong there) */
    CHSM_FIELD_SECRET,      /* char *: a source of a secret; a relative file: is made absolute */
    CHSM_FIELD_DURATION,    /* int64_t: ms */
    CHSM_FIELD_BOOL,        /* bool */
    CHSM_FIELD_CONST,       /* nothing is stored: the value must be `expected` */
    CHSM_FIELD_MAP,         /* looked at elsewhere: only that it is a mapping */
    CHSM_FIELD_LIST,        /* looked at elsewhere: only that it is a list with at least one item */
    CHSM_FIELD_ANY,         /* looked at elsewhere */
};

struct chsm_field {
    const char *name;
    enum chsm_field_kind kind;
    size_t offset;          /* of the member in the structure that chsm_check_map() fills */
    bool required;
    const char *expected;   /* CHSM_FIELD_CONST */
};

/* Notes a mistake at a path of the document. */
CHSM_PRINTF(3, 4) void chsm_check_note(struct chsm_check *c, const char *path, const char *fmt, ...);

/*
 * Fills `structure` from the mapping at `path`: each field by its kind; a missing required one, a value of the wrong kind
 * and a name that is not in the table (with the nearest that is) are noted. Strings are malloc()ed.
 */
void chsm_check_map(struct chsm_check *c, const char *path, const struct chsm_field *fields, size_t n, void *structure);

/* The value at a path ("spec.pkcs11.logins[1].name"), NULL when it is not there. Borrowed. */
json_t *chsm_check_at(const struct chsm_check *c, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* YAML 1.2 (libfyaml) into a jansson tree that remembers where each value stood. */
#ifndef CHSM_UTIL_YAML_H
#define CHSM_UTIL_YAML_H

#include "util/json.h"

struct chsm_yaml;   /* one parsed document */

struct chsm_mark { unsigned line, column; };    /* both from 1; 0 = unknown */

/*
 * Parses one document of at most 1 MiB and 64 levels. Plain scalars become null, bool, integer, real or string by the
 * core schema (YAML 1.2.2 §10.3), quoted ones are always strings. Repeated keys, aliases, tags and a second document are
 * errors. Errors carry "NAME:LINE:COLUMN". The caller frees *ret.
 */
CHSM_MUST_CHECK int chsm_yaml_parse(const char *text, size_t n, const char *name, struct chsm_yaml **ret, struct chsm_err *err);
CHSM_MUST_CHECK int chsm_yaml_load(const char *path, struct chsm_yaml **ret, struct chsm_err *err);

/* The whole document; borrowed. */
json_t *chsm_yaml_root(const struct chsm_yaml *y);

/* The name given to parse or load; borrowed. */
const char *chsm_yaml_name(const struct chsm_yaml *y);

/* Where the value at a path stands ("spec.logins[0].name", "" = the document); its nearest parent when it is missing. */
struct chsm_mark chsm_yaml_mark(const struct chsm_yaml *y, const char *path);

/* A value as YAML in block style, malloc()ed; NULL when out of memory. */
char *chsm_yaml_text(const json_t *value);

void chsm_yaml_free(struct chsm_yaml *y);
static inline void chsm_yaml_auto_(struct chsm_yaml **y) { chsm_yaml_free(*y); }
#define AUTO_YAML AUTO(chsm_yaml_auto_)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutator for inputs that are JSON: bytes changed at random are seldom JSON again. It takes the text apart and removes, doubles,
 * exchanges or changes one value. A fuzzer that includes this defines LLVMFuzzerCustomMutator() with it.
 */
#ifndef CHSM_TESTS_FUZZ_JSON_H
#define CHSM_TESTS_FUZZ_JSON_H

#include <jansson.h>

#include "util/compat.h"

#define FUZZ_NODES_MAX 1024u

/* libFuzzer's own mutator, for the bytes of a string. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

struct fuzz_nodes {
    struct { json_t *parent, *value; const char *key; size_t index; } v[FUZZ_NODES_MAX];
    size_t n;
    uint32_t seed;
};

static inline uint32_t fuzz_random(struct fuzz_nodes *t, size_t below)
{
    t->seed = t->seed * 1664525u + 1013904223u;
    return (uint32_t)((t->seed >> 8) % below);
}

static inline void fuzz_collect(struct fuzz_nodes *t, json_t *parent, unsigned depth)
{
    const char *key;
    json_t *value;
    size_t i;

    if (depth > 16)
        return;
    json_object_foreach(parent, key, value) {
        if (t->n < FUZZ_NODES_MAX) {
            t->v[t->n].parent = parent, t->v[t->n].value = value, t->v[t->n++].key = key;
            fuzz_collect(t, value, depth + 1);
        }
    }
    json_array_foreach(parent, i, value) {
        if (t->n < FUZZ_NODES_MAX) {
            t->v[t->n].parent = parent, t->v[t->n].value = value, t->v[t->n].key = NULL, t->v[t->n++].index = i;
            fuzz_collect(t, value, depth + 1);
        }
    }
}

/* Another scalar of the same kind; a string that is no UTF-8 any more is cut where it stops being some. */
static inline json_t *fuzz_scalar(struct fuzz_nodes *t, const json_t *old)
{
    uint8_t text[512];
    size_t n = json_string_length(old);
    json_t *string = NULL;

    if (json_is_boolean(old))
        return json_boolean(!json_is_true(old));
    if (json_is_integer(old))
        return json_integer(fuzz_random(t, 2) ? json_integer_value(old) + (json_int_t)fuzz_random(t, 3) - 1 : (json_int_t)fuzz_random(t, 1u << 24) - 2);
    if (!json_is_string(old))
        return json_integer(fuzz_random(t, 256));
    n = n < sizeof text ? n : sizeof text;
    memcpy(text, json_string_value(old), n);
    n = LLVMFuzzerMutate(text, n, sizeof text);
    while (!string && n > 0)
        string = json_stringn((const char *)text, n--);
    return string ? string : json_string("");
}

static inline void fuzz_put(struct fuzz_nodes *t, size_t at, json_t *value)
{
    if (t->v[at].key)
        (void)json_object_set_new(t->v[at].parent, t->v[at].key, value);
    else
        (void)json_array_set_new(t->v[at].parent, t->v[at].index, value);
}

static inline void fuzz_change(struct fuzz_nodes *t)
{
    size_t at = fuzz_random(t, t->n), other = fuzz_random(t, t->n);
    json_t *parent = t->v[at].parent;

    switch (fuzz_random(t, 6)) {
    case 0:
        if (t->v[at].key)
            (void)json_object_del(parent, t->v[at].key);
        else
            (void)json_array_remove(parent, t->v[at].index);
        break;
    case 1:
        if (t->v[at].key && t->v[other].key)
            (void)json_object_set_new(parent, t->v[other].key, json_deep_copy(t->v[at].value));
        else
            (void)json_array_insert_new(parent, fuzz_random(t, json_array_size(parent) + 1), json_deep_copy(t->v[at].value));
        break;
    case 2:
        fuzz_put(t, at, json_deep_copy(t->v[other].value));
        break;
    default:
        fuzz_put(t, at, fuzz_scalar(t, t->v[at].value));
    }
}

/* Changes the JSON text in place; its new length. What is no JSON, and one in eight of the rest, is left to libFuzzer. */
static inline size_t fuzz_json_mutate(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static struct fuzz_nodes t;
    json_t *json = json_loadb((const char *)data, size, 0, NULL);
    char *text = NULL;
    size_t n;

    t.n = 0;
    t.seed = seed;
    if (json && fuzz_random(&t, 8) != 0)
        fuzz_collect(&t, json, 0);
    if (t.n > 0) {
        fuzz_change(&t);
        text = json_dumps(json, JSON_COMPACT);
    }
    json_decref(json);
    n = text ? strlen(text) : 0;
    if (n > 0 && n <= max)
        memcpy(data, text, n);
    else
        n = LLVMFuzzerMutate(data, size, max);
    free(text);
    return n;
}

#endif

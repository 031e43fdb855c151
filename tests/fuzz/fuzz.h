/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzzers share. Each tests/fuzz/fuzz_<name>.c is one of them; run.sh finds, builds and runs them. A fuzzer says what has
 * to hold for every input, and not only that nothing crashes: MUST() ends it with the condition, and libFuzzer keeps the input.
 */
#ifndef CHSM_TESTS_FUZZ_H
#define CHSM_TESTS_FUZZ_H

#include "util/compat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                             \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                                \
        }                                                                                           \
    } while (0)

/* The rest of an input that is taken apart byte by byte; past its end there are zeros. */
struct fuzz_input {
    const uint8_t *p;
    size_t n;
};

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

/* Lends the next n bytes, or what is left of them. */
static inline const uint8_t *fuzz_take(struct fuzz_input *in, size_t n, size_t *ret_n)
{
    const uint8_t *at = in->p;

    *ret_n = n < in->n ? n : in->n;
    in->p += *ret_n;
    in->n -= *ret_n;
    return at;
}

/* A copy with a NUL behind it. strndup() may only be given strings where the sanitizer checks those strictly. */
static inline char *fuzz_text(const uint8_t *p, size_t n)
{
    char *s = malloc(n + 1);

    if (s) {
        memcpy(s, p, n);
        s[n] = '\0';
    }
    return s;
}

#endif

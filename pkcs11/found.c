/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/found.h"

#define FIRST_SIZE 1024u

void chsm_found_done(struct chsm_found *f)
{
    free(f->v);
    free(f->table);
    *f = (struct chsm_found){ 0 };
}

static size_t place(const struct chsm_found *f, CK_OBJECT_HANDLE handle)
{
    /* Fibonacci hashing: handles are often consecutive, or equal in their low bits. */
    size_t i = (size_t)(((uint64_t)handle * 0x9e3779b97f4a7c15u) >> 32) & (f->size - 1);

    while (f->table[i] != 0 && f->v[f->table[i] - 1].handle != handle)
        i = (i + 1) & (f->size - 1);
    return i;
}

/* Room for one more, the table at most half full. */
static int grow(struct chsm_found *f, struct chsm_err *err)
{
    size_t size = f->size > 0 ? f->size * 2 : FIRST_SIZE;
    struct chsm_found_one *v;
    size_t *table;

    if (f->n < f->size / 2)
        return 0;
    v = realloc(f->v, size / 2 * sizeof *v);
    if (!v)
        return chsm_oom(err);
    f->v = v;
    table = calloc(size, sizeof *table);
    if (!table)
        return chsm_oom(err);
    free(f->table);
    f->table = table;
    f->size = size;
    for (size_t i = 0; i < f->n; i++)
        f->table[place(f, f->v[i].handle)] = i + 1;
    return 0;
}

int chsm_found_add(struct chsm_found *f, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS cls, struct chsm_err *err)
{
    unsigned bit = 1u << cls;
    struct chsm_found_one *one;
    size_t at;

    if (grow(f, err) < 0)
        return -1;
    at = place(f, handle);
    if (f->table[at] == 0) {
        f->v[f->n++] = (struct chsm_found_one){ handle, bit, cls };
        f->table[at] = f->n;
        return 1;
    }
    one = &f->v[f->table[at] - 1];
    if (one->classes & bit)
        return 0;
    if (cls != CHSM_FOUND_CLASSES && !(one->classes & (one->classes - 1)))
        f->shared++;
    one->classes |= bit;
    return 1;
}

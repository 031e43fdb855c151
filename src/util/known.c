/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <pthread.h>

#include "util/known.h"
#include "util/secret.h"

#define RUN CHSM_KNOWN_RUN

#define TEXT_MAX 8192

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct known { const char *p; size_t n; } *list;
static size_t used, room;

/* All runs of RUN bytes of all secrets, as numbers in a hash set; 0 is an empty slot. Built when needed. */
static struct runs { uint64_t *slot; size_t size; } runs;

static void runs_forget(void)
{
    if (runs.slot)
        chsm_wipe(runs.slot, runs.size * sizeof *runs.slot);
    free(runs.slot);
    runs.slot = NULL;
}

int chsm_known_add(const char *p, size_t n)
{
    struct known *more;
    int rc = 0;

    if (n < CHSM_KNOWN_MIN)
        return 0;
    pthread_mutex_lock(&lock);
    if (used == room) {
        more = realloc(list, (2 * room + 8) * sizeof *list);
        if (more) {
            list = more;
            room = 2 * room + 8;
        } else {
            rc = -1;
        }
    }
    if (rc == 0)
        list[used++] = (struct known){ p, n };
    runs_forget();
    pthread_mutex_unlock(&lock);
    return rc;
}

void chsm_known_forget(const char *p)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < used; i++)
        if (list[i].p == p) {
            list[i] = list[--used];
            runs_forget();
            break;
        }
    if (used == 0) {
        free(list);
        list = NULL;
        room = 0;
    }
    pthread_mutex_unlock(&lock);
}

static uint64_t run_at(const char *p)
{
    uint64_t v;

    memcpy(&v, p, RUN);
    return v;
}

static uint64_t *slot_of(uint64_t v)
{
    size_t i = (size_t)((v * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & (runs.size - 1);

    while (runs.slot[i] && runs.slot[i] != v)
        i = (i + 1) & (runs.size - 1);
    return &runs.slot[i];
}

static int runs_build(void)
{
    size_t total = 1;

    if (runs.slot)
        return 0;
    for (size_t i = 0; i < used; i++)
        total += list[i].n;
    for (runs.size = 64; runs.size < 2 * total; runs.size *= 2)
        ;
    runs.slot = calloc(runs.size, sizeof *runs.slot);
    if (!runs.slot)
        return -1;
    for (size_t i = 0; i < used; i++)
        for (size_t k = 0; k + RUN <= list[i].n; k++) {
            uint64_t v = run_at(list[i].p + k);

            *slot_of(v) = v;
        }
    return 0;
}

/* The text as a reader of that notation sees it, and where each byte of it came from. */
enum notation { PLAIN, PERCENT, FORM, JSON, NOTATIONS };
struct view { char *p; size_t *from, *to; size_t n; };

static void view_done(struct view *v)
{
    if (v->p)
        chsm_wipe(v->p, v->n);
    free(v->p);
    free(v->from);
    free(v->to);
}

static int hex(const char *p, size_t digits, size_t left, unsigned *ret)
{
    *ret = 0;
    if (left < digits)
        return -1;
    for (size_t i = 0; i < digits; i++) {
        int c = tolower((unsigned char)p[i]);

        if (!isxdigit(c))
            return -1;
        *ret = *ret * 16 + (unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    return 0;
}

static size_t utf8(unsigned u, char *out)
{
    if (u < 0x80) {
        out[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | u >> 6);
        out[1] = (char)(0x80 | (u & 0x3f));
        return 2;
    }
    if (u < 0x10000) {
        out[0] = (char)(0xe0 | u >> 12);
        out[1] = (char)(0x80 | (u >> 6 & 0x3f));
        out[2] = (char)(0x80 | (u & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | u >> 18);
    out[1] = (char)(0x80 | (u >> 12 & 0x3f));
    out[2] = (char)(0x80 | (u >> 6 & 0x3f));
    out[3] = (char)(0x80 | (u & 0x3f));
    return 4;
}

/* One JSON escape at p (left bytes, p[0] is '\\'): bytes taken, 0 when it is none. *ret_n bytes go to out. */
static size_t json_escape(const char *p, size_t left, char *out, size_t *ret_n)
{
    static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char *l = left > 1 && p[1] ? strchr(letters, p[1]) : NULL;
    unsigned u, low;

    if (l) {
        out[0] = means[l - letters];
        *ret_n = 1;
        return 2;
    }
    if (left < 6 || p[1] != 'u' || hex(p + 2, 4, left - 2, &u) < 0)
        return 0;
    if (u >= 0xd800 && u < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u' && hex(p + 8, 4, left - 8, &low) == 0 &&
        low >= 0xdc00 && low < 0xe000) {
        *ret_n = utf8(0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00), out);
        return 12;
    }
    *ret_n = utf8(u, out);
    return 6;
}

/* The next character in this notation: bytes taken; *ret_n (1..4) bytes go to out. */
static size_t decode(enum notation how, const char *p, size_t left, char *out, size_t *ret_n)
{
    unsigned byte;
    size_t took;

    *ret_n = 1;
    if (how == JSON && *p == '\\') {
        took = json_escape(p, left, out, ret_n);
        if (took)
            return took;
        *ret_n = 1;
    }
    if ((how == PERCENT || how == FORM) && *p == '%' && hex(p + 1, 2, left - 1, &byte) == 0) {
        *out = (char)byte;
        return 3;
    }
    *out = how == FORM && *p == '+' ? ' ' : *p;
    return 1;
}

static int view_build(struct view *v, enum notation how, const char *text, size_t n)
{
    /* No notation has more bytes than its text: six characters give three bytes at the most, twelve four. */
    v->p = malloc(n + 4);
    v->from = malloc((n + 4) * sizeof *v->from);
    v->to = malloc((n + 4) * sizeof *v->to);
    if (!v->p || !v->from || !v->to)
        return -1;
    for (size_t i = 0, got, took; i < n; i += took) {
        took = decode(how, text + i, n - i, v->p + v->n, &got);
        for (size_t k = 0; k < got; k++, v->n++) {
            v->from[v->n] = i;
            v->to[v->n] = i + took;
        }
    }
    return 0;
}

static void mark_view(const struct view *v, unsigned char *mark)
{
    for (size_t i = 0; i + CHSM_KNOWN_MIN <= v->n; i++) {
        uint64_t run = i + RUN <= v->n ? run_at(v->p + i) : 0;

        if (run && *slot_of(run))
            memset(mark + v->from[i], 1, v->to[i + RUN - 1] - v->from[i]);
        for (size_t k = 0; k < used; k++)
            if (list[k].n < RUN && i + list[k].n <= v->n && memcmp(v->p + i, list[k].p, list[k].n) == 0)
                memset(mark + v->from[i], 1, v->to[i + list[k].n - 1] - v->from[i]);
    }
}

static bool differs(enum notation how, const char *text, size_t n)
{
    switch (how) {
    case PERCENT: return memchr(text, '%', n);
    case FORM: return memchr(text, '+', n);
    case JSON: return memchr(text, '\\', n);
    default: return true;
    }
}

static int mark_all(const char *text, size_t n, unsigned char *mark)
{
    int rc = runs_build();

    for (int how = PLAIN; how < NOTATIONS && rc == 0; how++) {
        struct view v = { 0 };

        if (!differs((enum notation)how, text, n))
            continue;
        rc = view_build(&v, (enum notation)how, text, n);
        if (rc == 0)
            mark_view(&v, mark);
        view_done(&v);
    }
    return rc;
}

int chsm_known_mark(const char *text, size_t n, unsigned char *mark)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = used && n ? mark_all(text, n, mark) : 0;
    pthread_mutex_unlock(&lock);
    return rc;
}

void chsm_known_cover(char *text)
{
    unsigned char mark[TEXT_MAX] = { 0 };
    size_t n = strnlen(text, TEXT_MAX);

    if (n == TEXT_MAX || chsm_known_mark(text, n, mark) < 0)
        *text = '\0';
    for (size_t i = 0; text[i]; i++)
        if (mark[i])
            text[i] = '*';
}

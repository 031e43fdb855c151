/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <limits.h>

#include "drill/ask.h"
#include "client/guard.h"
#include "drill/count.h"
#include "drill/reader.h"
#include "pkcs11/evp.h"
#include "util/buf.h"
#include "util/log.h"

void chsm_logins_free(struct chsm_login *logins, size_t n)
{
    for (size_t i = 0; logins && i < n; i++) {
        free(logins[i].name);
        chsm_secret_done(&logins[i].pin);
    }
    free(logins);
}

static bool asks(const struct chsm_reader *r)
{
    return r->proofs.mode != CHSM_PROOF_NONE;
}

bool chsm_reader_wants(const struct chsm_reader *r, const struct chsm_record *key)
{
    size_t i = 0;

    if (r->keys_only && key->cls != CHSM_CLASS_PRIVATE && key->cls != CHSM_CLASS_SECRET)
        return false;
    while (i < r->n_ids && !chsm_bytes_eq(&r->ids[i], &key->id))
        i++;
    return r->n_ids == 0 || i < r->n_ids;
}

static bool finding_wanted(const struct chsm_finding *f, const void *reader)
{
    return chsm_reader_wants(reader, f->source ? f->source : f->destination);
}

static void progress(const struct chsm_reader *r, const char *what, const char *login, size_t done, size_t total)
{
    if (r->progress)
        r->progress(r->ctx, what, login, done, total);
}

/* The head of an inventory: where and with what it was read. */
static int begin(const struct chsm_reader *r, struct chsm_inventory *inv, struct chsm_err *err)
{
    char when[CHSM_TIME_LEN], digest[65];
    AUTO_FREE char *path = realpath(r->target.module, NULL);

    if (!path)
        return chsm_fail_errno(err, CHSM_PKCS11, "PKCS#11 module %s", r->target.module);
    if (chsm_sha256_file(path, digest, err) < 0 || chsm_client_endpoint(r->target.directory, &inv->endpoint, err) < 0 ||
        (inv->endpoint && chsm_client_guard(NULL, inv->endpoint, err) < 0))
        return -1;
    chsm_time_format(chsm_now(), false, when);
    inv->created = strdup(when);
    inv->tool = strdup("chsmctl " PACKAGE_VERSION);
    inv->module = strdup(path);
    inv->module_sha256 = strdup(digest);
    inv->cluster = r->cluster ? strdup(r->cluster) : NULL;
    if (!inv->created || !inv->tool || !inv->module || !inv->module_sha256 || (r->cluster && !inv->cluster))
        return chsm_oom(err);
    return 0;
}

/* Opens the HSM as one login and lists what it sees into a new section of *inv. */
static int list(const struct chsm_reader *r, const struct chsm_login *login, struct chsm_inventory *inv, struct chsm_hsm **ret,
                struct chsm_section **ret_section, struct chsm_err *err)
{
    AUTO_HSM struct chsm_hsm *hsm = NULL;
    struct chsm_section *s;

    progress(r, "listing", login->name, 0, 0);
    if (chsm_hsm_open(&r->target, &login->pin, &hsm, err) < 0)
        return chsm_err_prefix(err, "login %s", login->name);
    s = chsm_inventory_add(inv);
    if (!s)
        return chsm_oom(err);
    if (chsm_hsm_list(hsm, login->name, s, err) < 0)
        return chsm_err_prefix(err, "login %s", login->name);
    /* An HSM lists in any order; reports should not. */
    chsm_section_sort(s);
    if (chsm_section_link(s, err) < 0)
        return chsm_err_prefix(err, "login %s", login->name);
    if (asks(r) && chsm_reader_halves(r, hsm, s, err) < 0)
        return chsm_err_prefix(err, "login %s", login->name);
    if (!s->complete)
        chsm_log(CHSM_LOG_WARN, "login %s: the list is not complete: %s", login->name, s->why ? s->why : "no reason given");
    progress(r, "listing", login->name, s->n, s->n);
    *ret = TAKE(hsm);
    *ret_section = s;
    return 0;
}

/* Many keys being asked, with progress. */
struct asking {
    const struct chsm_reader *r;
    const char *what, *login;
    struct chsm_asking *v;
    size_t n, done, total;
};

static void asking_free(struct asking *a)
{
    for (size_t i = 0; a->v && i < a->n; i++)
        chsm_asked_done(&a->v[i].asked);
    free(a->v);
}

static int asking_add(struct asking *a, size_t index, const struct chsm_record *key, chsm_question_fn *question, void *user, struct chsm_err *err)
{
    if (!a->v)
        a->v = calloc(a->total + 1, sizeof *a->v);
    if (!a->v)
        return chsm_oom(err);
    a->v[a->n++] = (struct chsm_asking){ .index = index, .key = key, .question = question, .user = user };
    return 0;
}

/* Records the digest of a secret key's answer, or why there is none. */
static int record_one(void *ctx, struct chsm_asking *one, struct chsm_err *err)
{
    struct asking *all = ctx;
    struct chsm_record *key = one->user;
    AUTO_FREE char *name = NULL;
    int rc = 0;

    if (one->rc == 0) {
        rc = chsm_challenge_keep(key, &one->asked.c, &one->asked.answer, err);
    } else {
        name = chsm_record_describe(key);
        chsm_log(one->asked.refused ? CHSM_LOG_WARN : CHSM_LOG_INFO, "%s: no challenge recorded: %s", name ? name : "a key", one->asked.why);
        free(key->recorded.why);
        key->recorded.why = TAKE(one->asked.why);
    }
    chsm_asked_done(&one->asked);
    progress(all->r, all->what, all->login, ++all->done, all->n);
    return rc;
}

static int record_all(const struct chsm_reader *r, struct chsm_hsm *hsm, struct chsm_section *s, struct chsm_err *err)
{
    AUTO(asking_free) struct asking all = { .r = r, .what = "recording", .login = s->login, .total = s->n };
    struct chsm_count count = { 0 };

    for (size_t i = 0; i < s->n; i++) {
        struct chsm_record *key = &s->records[i];

        if (key->cls == CHSM_CLASS_SECRET && chsm_reader_wants(r, key) && asking_add(&all, key->index, key, chsm_challenge_record, key, err) < 0)
            return -1;
    }
    if (all.n == 0)
        return 0;
    chsm_count_before(hsm, &count);
    if (chsm_ask_all(hsm, all.v, all.n, record_one, &all, err) < 0)
        return chsm_err_prefix(err, "login %s", s->login);
    /* A source is in use: there other programs make session keys all the time. */
    if (!chsm_count_after(hsm, &count))
        chsm_log(CHSM_LOG_WARN, "login %s: %s", s->login, count.why);
    return 0;
}

int chsm_reader_inventory(const struct chsm_reader *reader, struct chsm_inventory *ret, struct chsm_err *err)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };

    if (begin(reader, &inv, err) < 0)
        return -1;
    for (size_t i = 0; i < reader->n; i++) {
        AUTO_HSM struct chsm_hsm *hsm = NULL;
        struct chsm_section *s;

        if (list(reader, &reader->logins[i], &inv, &hsm, &s, err) < 0)
            return -1;
        if (asks(reader) && record_all(reader, hsm, s, err) < 0)
            return -1;
    }
    chsm_inventory_done(ret);
    *ret = inv;
    inv = (struct chsm_inventory){ 0 };
    return 0;
}

/* Checks one answer on the host. */
static int prove_one(void *ctx, struct chsm_asking *one, struct chsm_err *err)
{
    struct asking *all = ctx;
    struct chsm_finding *f = one->user;
    struct chsm_asked *a = &one->asked;
    struct chsm_err why = { 0 };
    int rc;

    if (one->rc == 0) {
        rc = chsm_challenge_check(f->source, &a->c, &a->answer, &why);
        rc = chsm_finding_prove(f, &a->c, &a->answer, rc, why.text, err);
    } else if (a->refused) {
        rc = chsm_finding_prove(f, &a->c, &a->answer, -1, a->why, err);
    } else {
        rc = chsm_finding_excuse(f, a->possible, a->why, err);
    }
    chsm_asked_done(a);
    progress(all->r, all->what, all->login, ++all->done, all->n);
    return rc;
}

/* Notes what could have been proven and was not asked. */
static int note_unasked(const struct chsm_reader *r, struct chsm_finding *f, struct chsm_err *err)
{
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };

    if (chsm_challenge_make(f->source, 0, chsm_random, &c, err) < 0)
        return -1;
    return chsm_finding_excuse(f, c.kind || c.possible, !c.kind ? c.reason : asks(r) ? "not in the sample" : "not asked for", err);
}

/* All findings from `first` on, which are those of one login. */
static int prove_all(const struct chsm_reader *r, struct chsm_hsm *hsm, const char *login, struct chsm_comparison *c, size_t first, struct chsm_err *err)
{
    AUTO(asking_free) struct asking all = { .r = r, .what = "proving", .login = login };
    struct chsm_count count = { 0 };
    AUTO_FREE char *text = NULL;

    if (asks(r))
        chsm_count_before(hsm, &count);
    if (asks(r) && chsm_reader_resolve(r, hsm, c, first, err) < 0)
        return chsm_err_prefix(err, "login %s", login);
    all.total = c->n - first;
    for (size_t i = first; i < c->n; i++) {
        struct chsm_finding *f = &c->findings[i];

        if (chsm_finding_wants_proof(f) &&
            (chsm_proofs_take(&r->proofs, login, f->source) ? asking_add(&all, f->destination->index, f->source, chsm_challenge_make, f, err)
                                                            : note_unasked(r, f, err)) < 0)
            return chsm_err_prefix(err, "login %s", login);
    }
    if (chsm_ask_all(hsm, all.v, all.n, prove_one, &all, err) < 0)
        return chsm_err_prefix(err, "login %s", login);
    if (!asks(r) || chsm_count_after(hsm, &count))
        return 0;
    text = chsm_strf("login %s: %s", login, count.why);
    return text ? chsm_comparison_note(c, text, err) : chsm_oom(err);
}

/* A proven signing key once more, through the second stack. It names keys by their ID and so needs one. */
static int cross_check_one(const struct chsm_reader *r, const struct chsm_login *login, struct chsm_finding *f, struct chsm_err *err)
{
    AUTO_CHALLENGE struct chsm_challenge c = { 0 };
    AUTO_BYTES struct chsm_bytes answer = { 0 };
    struct chsm_err why = { 0 };
    int checked;

    if (f->verdict != CHSM_V_PROVEN || !f->source || !chsm_record_flag(f->source, "sign", false) || f->source->cls != CHSM_CLASS_PRIVATE)
        return 0;
    if (f->destination->id.len == 0)
        return chsm_finding_cross_check(f, &c, &answer, -1, "it has no ID", err);
    if (chsm_challenge_make(f->source, 0, chsm_random, &c, err) < 0)
        return -1;
    if (!chsm_streq(c.kind, CHSM_KIND_RSA_SIGN) && !chsm_streq(c.kind, CHSM_KIND_ECDSA_SIGN))
        return chsm_finding_cross_check(f, &c, &answer, -1, "libp11 does not sign with such a key", err);
    checked = chsm_evp_sign(&r->target, &login->pin, &f->destination->id, &c.input, &answer, &why) < 0
                  ? -1
                  : chsm_challenge_check(f->source, &c, &answer, &why);
    return chsm_finding_cross_check(f, &c, &answer, checked, why.text, err);
}

static int cross_check_all(const struct chsm_reader *r, const struct chsm_login *login, struct chsm_finding *f, size_t n, struct chsm_err *err)
{
    for (size_t i = 0; r->cross_check && i < n; i++) {
        if (cross_check_one(r, login, &f[i], err) < 0)
            return chsm_err_prefix(err, "login %s", login->name);
        progress(r, "cross-checking", login->name, i + 1, n);
    }
    return 0;
}

static int verify_login(const struct chsm_reader *r, const struct chsm_login *login, const struct chsm_inventory *source,
                        struct chsm_inventory *destination, struct chsm_comparison *c, struct chsm_err *err)
{
    AUTO_HSM struct chsm_hsm *hsm = NULL;
    struct chsm_section *s;
    size_t before = c->n;

    if (list(r, login, destination, &hsm, &s, err) < 0)
        return -1;
    if (chsm_compare_section(c, chsm_inventory_section(source, login->name), s, err) < 0)
        return -1;
    chsm_comparison_keep(c, before, finding_wanted, r);
    if (prove_all(r, hsm, login->name, c, before, err) < 0)
        return -1;
    /* One login at a time: the second stack brings its own. */
    chsm_hsm_close(TAKE(hsm));
    return cross_check_all(r, login, c->findings + before, c->n - before, err);
}

int chsm_reader_verify(const struct chsm_reader *reader, const struct chsm_inventory *source, struct chsm_inventory *ret_destination,
                       struct chsm_comparison *ret_comparison, struct chsm_err *err)
{
    AUTO_INVENTORY struct chsm_inventory destination = { 0 };
    AUTO_COMPARISON struct chsm_comparison c = { .ignore = reader->ignore };
    struct chsm_proofs proofs = reader->proofs;
    struct chsm_reader drawn = *reader;

    for (size_t i = 0; i < reader->n; i++)
        if (!chsm_inventory_section(source, reader->logins[i].name))
            return chsm_fail(err, CHSM_USAGE, "login %s is not in the source's inventory", reader->logins[i].name);
    if (begin(reader, &destination, err) < 0 || chsm_proofs_draw(&proofs, source, err) < 0)
        return -1;
    drawn.proofs = proofs;
    for (size_t i = 0; i < reader->n; i++)
        if (verify_login(&drawn, &reader->logins[i], source, &destination, &c, err) < 0)
            return -1;
    /* Who asks for some keys only is not told of the logins that were left out. */
    if (!reader->keys_only && chsm_compare_rest(&c, source, &destination, err) < 0)
        return -1;
    *ret_destination = destination;
    *ret_comparison = c;
    destination = (struct chsm_inventory){ 0 };
    c = (struct chsm_comparison){ 0 };
    return 0;
}

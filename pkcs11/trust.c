/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/trust.h"

#define EQUAL_ENOUGH 3u             /* objects of a kind that are read twice */
#define FAILED_ENOUGH 8u            /* one-call reads of a class that failed, where single ones did not */

void chsm_reads_init(struct chsm_reads *reads, unsigned retries, bool class_known)
{
    memset(reads, 0, sizeof *reads);
    (void)pthread_mutex_init(&reads->lock, NULL);
    reads->retries_left = retries;
    reads->class_known = class_known;
}

void chsm_reads_done(struct chsm_reads *reads)
{
    (void)pthread_mutex_destroy(&reads->lock);
}

struct chsm_calibration *chsm_reads_kind(struct chsm_reads *reads, CK_OBJECT_CLASS cls, CK_KEY_TYPE type, uint64_t have,
                                         enum chsm_trust *ret_trust)
{
    struct chsm_calibration *c = NULL;

    (void)pthread_mutex_lock(&reads->lock);
    for (size_t i = 0; i < reads->nknown && !c; i++)
        if (reads->known[i].cls == cls && reads->known[i].type == type && reads->known[i].have == have)
            c = &reads->known[i];
    if (!c && reads->nknown < ARRAY_LEN(reads->known)) {
        c = &reads->known[reads->nknown++];
        *c = (struct chsm_calibration){ cls, type, have, CHSM_TRUST_NONE, 0 };
    }
    *ret_trust = c ? c->trust : CHSM_TRUST_BROKEN;
    if (c && c->trust == CHSM_TRUST_NONE)
        c->trust = CHSM_TRUST_PENDING;
    (void)pthread_mutex_unlock(&reads->lock);
    return c;
}

void chsm_reads_judge(struct chsm_reads *reads, struct chsm_calibration *c, bool equal)
{
    (void)pthread_mutex_lock(&reads->lock);
    if (!equal) {
        c->trust = CHSM_TRUST_BROKEN;
        reads->one_by_one[chsm_attr_row(c->cls)] = true;
    } else if (c->trust != CHSM_TRUST_BROKEN) {
        c->trust = ++c->equal >= EQUAL_ENOUGH ? CHSM_TRUST_FULL : CHSM_TRUST_PARTLY;
    }
    (void)pthread_mutex_unlock(&reads->lock);
}

void chsm_reads_give_back(struct chsm_reads *reads, struct chsm_calibration *c)
{
    (void)pthread_mutex_lock(&reads->lock);
    if (c->trust == CHSM_TRUST_PENDING)
        c->trust = CHSM_TRUST_NONE;
    (void)pthread_mutex_unlock(&reads->lock);
}

enum chsm_trust chsm_reads_trust(struct chsm_reads *reads, const struct chsm_calibration *kind)
{
    enum chsm_trust trust;

    (void)pthread_mutex_lock(&reads->lock);
    trust = kind->trust;
    (void)pthread_mutex_unlock(&reads->lock);
    return trust;
}

bool chsm_reads_singly(struct chsm_reads *reads, CK_OBJECT_CLASS cls)
{
    bool singly;

    (void)pthread_mutex_lock(&reads->lock);
    singly = reads->one_by_one[chsm_attr_row(cls)];
    (void)pthread_mutex_unlock(&reads->lock);
    return singly;
}

void chsm_reads_failed(struct chsm_reads *reads, CK_OBJECT_CLASS cls)
{
    (void)pthread_mutex_lock(&reads->lock);
    if (++reads->failed[chsm_attr_row(cls)] >= FAILED_ENOUGH)
        reads->one_by_one[chsm_attr_row(cls)] = true;
    (void)pthread_mutex_unlock(&reads->lock);
}

bool chsm_reads_may_retry(struct chsm_reads *reads, const struct chsm_err *e)
{
    bool may = false;

    if (!chsm_ck_transient(e->ck_rv))
        return false;
    (void)pthread_mutex_lock(&reads->lock);
    if (reads->retries_left > 0) {
        reads->retries_left--;
        may = true;
    }
    (void)pthread_mutex_unlock(&reads->lock);
    return may;
}


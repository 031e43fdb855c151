/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pkcs11/found.h"
#include "pkcs11/leftovers.h"
#include "pkcs11/wire.h"

#define BATCH 256u

/* 1 go on, 0 end of the search, -1 */
static int take_batch(struct chsm_session *s, CK_OBJECT_CLASS cls, struct chsm_found *found, struct chsm_err *err)
{
    CK_OBJECT_HANDLE batch[BATCH];
    CK_ULONG n = 0;
    CK_RV rv = CHSM_CK(&s->ck, C_FindObjects, s->main, batch, BATCH, &n);
    int fresh = 0;

    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_FindObjects", rv);
    if (n > BATCH || found->n > CHSM_WIRE_OBJECTS_MAX)
        return chsm_fail(err, CHSM_PKCS11, "the search gives too many objects");
    for (CK_ULONG i = 0; i < n; i++) {
        int rc = chsm_found_add(found, batch[i], cls, err);

        if (rc < 0)
            return -1;
        fresh += rc;
    }
    if (n > 0 && fresh == 0)
        return chsm_fail(err, CHSM_PKCS11, "the search repeats itself");
    return n > 0;
}

static int count_class(struct chsm_session *s, CK_OBJECT_CLASS cls, struct chsm_found *found, struct chsm_err *err)
{
    CK_ATTRIBUTE t = { CKA_CLASS, &cls, sizeof cls };
    CK_RV rv = CHSM_CK(&s->ck, C_FindObjectsInit, s->main, &t, 1);
    int rc;

    if (rv != CKR_OK)
        return chsm_ck_fail(err, "C_FindObjectsInit", rv);
    do {
        rc = take_batch(s, cls, found, err);
    } while (rc > 0);
    (void)CHSM_CK(&s->ck, C_FindObjectsFinal, s->main);
    return rc;
}

int chsm_leftovers_count(struct chsm_session *s, size_t *ret, struct chsm_err *err)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY };
    struct chsm_found found = { 0 };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(classes); i++)
        rc = count_class(s, classes[i], &found, err);
    if (rc == 0)
        *ret = found.n;
    chsm_found_done(&found);
    return rc;
}

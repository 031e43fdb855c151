/* SPDX-License-Identifier: Apache-2.0 */
/* General purpose, slot and token functions (PKCS#11 v2.40 §5.4, §5.5). */
#include "config.h"

#include <stdio.h>

#include "sim/keystore_softhsm.h"
#include "sim/p11/cluster.h"
#include "sim/p11/gate.h"
#include "sim/p11/state.h"

#define SESSIONS_MAX 1024               /* per application (facts: service limits of the client family) */
#define PIN_MIN 10                      /* "u:" and a password of 8 */
#define PIN_MAX 64

/* Blank-padded, without a NUL: how PKCS#11 keeps texts. */
static void put_text(CK_UTF8CHAR *to, size_t size, const char *text)
{
    size_t n = strlen(text);

    memset(to, ' ', size);
    memcpy(to, text, n < size ? n : size);
}

static CK_RV start(void)
{
    AUTO_FREE char *cluster = NULL;
    struct chsm_err err = { .code = CHSM_OK };

    if (sim_state()->fl)
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    sim_noise(true, "azcloudhsm_application.cfg is not present\n");
    sim_noise(true, "azcloudhsm_application.cfg is not present\n");
    sim_noise(false, "SDK Version: 2.0.2.5\n");
    if (sim_quirks()->daemon_down) {
        (void)fprintf(stderr, "Failed to connect socket\n");
        return CKR_GENERAL_ERROR;
    }
    if (sim_cluster_locate(&cluster, &err) < 0 || sim_state_open(cluster, &err) < 0) {
        (void)fprintf(stderr, "Failed to connect socket (chsm-sim: %s)\n", err.text);
        return CKR_GENERAL_ERROR;
    }
    return CKR_OK;
}

static bool args_ok(const CK_C_INITIALIZE_ARGS *args)
{
    size_t given;

    if (!args)
        return true;
    given = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) + (args->LockMutex != NULL) + (args->UnlockMutex != NULL);
    return args->pReserved == NULL && (given == 0 || given == 4);
}

CK_RV C_Initialize(void *init_args)
{
    struct chsm_err err = { .code = CHSM_OK };
    CK_RV rv;

    /* Not while another thread is inside: an application that initialises twice keeps the quirks of the first time. */
    if (!sim_state()->fl && sim_gate_open(&err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return CKR_ARGUMENTS_BAD;
    }
    rv = sim_enter(FN_C_Initialize, SIM_CHANGES);
    if (rv != CKR_OK)
        return rv;
    return sim_leave(args_ok(init_args) ? start() : CKR_ARGUMENTS_BAD);
}

CK_RV C_Finalize(void *reserved)
{
    ENTER(C_Finalize);
    if (reserved)
        return sim_leave(CKR_ARGUMENTS_BAD);
    sim_state_close();
    sim_calls_write();
    return sim_leave(CKR_OK);
}

CK_RV C_GetInfo(CK_INFO *info)
{
    ENTER(C_GetInfo);
    if (!info)
        return sim_leave(CKR_ARGUMENTS_BAD);
    memset(info, 0, sizeof *info);
    info->cryptokiVersion = (CK_VERSION){ 2, 40 };
    info->libraryVersion = (CK_VERSION){ 2, 0 };
    put_text(info->manufacturerID, sizeof info->manufacturerID, "Marvell Semiconductors, Inc.");
    put_text(info->libraryDescription, sizeof info->libraryDescription, "PKCS#11 (chsm-sim)");
    return sim_leave(CKR_OK);
}

static CK_ULONG slots(void)
{
    return sim_quirks()->slots ? sim_quirks()->slots : 1;
}

/* Quirk slots: the others have tokens that nobody has initialised. */
static bool is_spare(CK_SLOT_ID slot)
{
    return slot > SIM_SLOT && slot < SIM_SLOT + slots();
}

CK_RV C_GetSlotList(CK_BBOOL token_present, CK_SLOT_ID *list, CK_ULONG *count)
{
    CK_ULONG n;
    bool fits;

    (void)token_present;
    ENTER(C_GetSlotList);
    if (!count)
        return sim_leave(CKR_ARGUMENTS_BAD);
    n = slots();
    fits = !list || *count >= n;
    for (CK_ULONG i = 0; list && fits && i < n; i++)
        list[i] = SIM_SLOT + i;
    *count = n;
    return sim_leave(fits ? CKR_OK : CKR_BUFFER_TOO_SMALL);
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    ENTER(C_GetSlotInfo);
    if (!info)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (slot != SIM_SLOT && !is_spare(slot))
        return sim_leave(CKR_SLOT_ID_INVALID);
    memset(info, 0, sizeof *info);
    put_text(info->slotDescription, sizeof info->slotDescription, "Simulated Azure Cloud HSM cluster");
    put_text(info->manufacturerID, sizeof info->manufacturerID, "Marvell Semiconductors, Inc.");
    info->flags = CKF_TOKEN_PRESENT | CKF_HW_SLOT;
    if (sim_quirks()->garbage_info)
        memset(info->slotDescription, 0x1b, sizeof info->slotDescription);
    return sim_leave(CKR_OK);
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    ENTER(C_GetTokenInfo);
    if (!info)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (slot != SIM_SLOT && !is_spare(slot))
        return sim_leave(CKR_SLOT_ID_INVALID);
    memset(info, 0, sizeof *info);
    put_text(info->label, sizeof info->label, sim_quirks()->no_label || is_spare(slot) ? "" : "cavium");
    put_text(info->manufacturerID, sizeof info->manufacturerID, "Marvell Semiconductors, Inc.");
    put_text(info->model, sizeof info->model, "LiquidSecurity");
    put_text(info->serialNumber, sizeof info->serialNumber, sim_state()->serial);
    put_text(info->utcTime, sizeof info->utcTime, "");
    info->flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED;
    if (is_spare(slot))
        info->flags = CKF_RNG | CKF_LOGIN_REQUIRED;
    if (sim_quirks()->pin_state != SIM_PIN_FINE)
        info->flags |= sim_quirks()->pin_state == SIM_PIN_LOCKED ? CKF_USER_PIN_LOCKED : CKF_USER_PIN_FINAL_TRY;
    info->ulMaxSessionCount = SESSIONS_MAX;
    info->ulSessionCount = CK_UNAVAILABLE_INFORMATION;
    info->ulMaxRwSessionCount = SESSIONS_MAX;
    info->ulRwSessionCount = CK_UNAVAILABLE_INFORMATION;
    info->ulMinPinLen = PIN_MIN;
    info->ulMaxPinLen = PIN_MAX;
    info->ulTotalPublicMemory = info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
    info->ulTotalPrivateMemory = info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    if (sim_quirks()->garbage_info) {
        memset(info->label, 0x1b, sizeof info->label);
        memset(info->model, 0xff, sizeof info->model);
        memset(info->serialNumber, 0, sizeof info->serialNumber);
        memset(info->utcTime, 0x80, sizeof info->utcTime);
    }
    return sim_leave(CKR_OK);
}

/* What the integration guide lists (facts: cloudhsm-client.md §11); SoftHSM's CMAC, raw RSA, DSA, DH, MD5 are not there. */
bool sim_mechanism_known(CK_MECHANISM_TYPE type)
{
    static const CK_MECHANISM_TYPE known[] = {
        CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN, CKM_AES_KEY_GEN, CKM_DES3_KEY_GEN, CKM_GENERIC_SECRET_KEY_GEN,
        CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKM_SHA1_RSA_PKCS, CKM_SHA224_RSA_PKCS, CKM_SHA256_RSA_PKCS,
        CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_SHA224_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS,
        CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512_RSA_PKCS_PSS, CKM_ECDSA, CKM_ECDH1_DERIVE, CKM_SHA_1_HMAC, CKM_SHA224_HMAC,
        CKM_SHA256_HMAC, CKM_SHA384_HMAC, CKM_SHA512_HMAC, CKM_SHA_1, CKM_SHA224, CKM_SHA256, CKM_SHA384, CKM_SHA512,
        CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_GCM, CKM_AES_KEY_WRAP, CKM_AES_KEY_WRAP_PAD,
        CKM_DES3_ECB, CKM_DES3_CBC,
    };
    size_t i;

    if (sim_quirks()->all_mechanisms)
        return true;
    for (i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == type)
            return true;
    return false;
}

static CK_RV list_mechanisms(CK_MECHANISM_TYPE **ret, CK_ULONG *ret_n)
{
    CK_FUNCTION_LIST *fl = sim_state()->fl;
    AUTO_FREE CK_MECHANISM_TYPE *all = NULL;
    CK_ULONG n = 0, kept = 0, i;
    CK_SLOT_ID slot;
    CK_RV rv;

    if (sim_softhsm_any_slot(fl, &slot, NULL) < 0)
        return CKR_DEVICE_ERROR;
    rv = fl->C_GetMechanismList(slot, NULL, &n);
    if (rv != CKR_OK)
        return rv;
    all = calloc(n + 1, sizeof *all);
    if (!all)
        return CKR_HOST_MEMORY;
    rv = fl->C_GetMechanismList(slot, all, &n);
    if (rv != CKR_OK)
        return rv;
    for (i = 0; i < n; i++)
        if (sim_mechanism_known(all[i]))
            all[kept++] = all[i];
    *ret = TAKE(all);
    *ret_n = kept;
    return CKR_OK;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
    AUTO_FREE CK_MECHANISM_TYPE *known = NULL;
    CK_ULONG n = 0;
    CK_RV rv;

    ENTER(C_GetMechanismList);
    if (!count)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (slot != SIM_SLOT)
        return sim_leave(CKR_SLOT_ID_INVALID);
    rv = list_mechanisms(&known, &n);
    if (rv != CKR_OK)
        return sim_leave(rv);
    if (list && *count < n)
        rv = CKR_BUFFER_TOO_SMALL;
    else if (list && n > 0)
        memcpy(list, known, n * sizeof *known);
    *count = n;
    return sim_leave(rv);
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    CK_SLOT_ID inner;

    ENTER(C_GetMechanismInfo);
    if (!info)
        return sim_leave(CKR_ARGUMENTS_BAD);
    if (slot != SIM_SLOT)
        return sim_leave(CKR_SLOT_ID_INVALID);
    if (!sim_mechanism_known(type))
        return sim_leave(CKR_MECHANISM_INVALID);
    if (sim_softhsm_any_slot(sim_state()->fl, &inner, NULL) < 0)
        return sim_leave(CKR_DEVICE_ERROR);
    return sim_leave(sim_state()->fl->C_GetMechanismInfo(inner, type, info));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/keystore_softhsm.h"
#include "sim/keystore_users.h"
#include "sim/p11/gate.h"
#include "sim/p11/listing.h"
#include "sim/p11/state.h"
#include "util/json.h"
#include "util/path.h"

#define ID_MAX 1024

static struct sim_state state = { .me = SIM_NOBODY };

struct sim_state *sim_state(void)
{
    return &state;
}

static int open_token(struct sim_cu *cu, const json_t *user, struct chsm_err *err)
{
    const char *label = chsm_json_str(user, "label");
    CK_RV rv;

    cu->name = chsm_json_str(user, "name");
    if (!cu->name || !label)
        return chsm_fail(err, CHSM_CONFIG, "users.json: a user without a name or label");
    if (sim_softhsm_slot(state.fl, label, &cu->slot, err) < 0)
        return -1;
    rv = state.fl->C_OpenSession(cu->slot, CKF_SERIAL_SESSION, NULL, NULL, &cu->anchor);
    return rv == CKR_OK ? 0 : sim_ck_fail(err, "C_OpenSession", rv);
}

static int open_tokens(const char *keys, struct chsm_err *err)
{
    if (sim_users_load(keys, &state.users, err) < 0 || sim_shares_load(keys, &state.shares, err) < 0 ||
        sim_overlay_load(keys, &state.overlay, err) < 0)
        return -1;
    state.tokens = calloc(json_array_size(state.users) + 1, sizeof *state.tokens);
    if (!state.tokens)
        return chsm_oom(err);
    if (sim_softhsm_start(keys, &state.fl, err) < 0 || sim_listing_open(keys, json_array_size(state.users), err) < 0)
        return -1;
    for (state.n = 0; state.n < json_array_size(state.users); state.n++)
        if (open_token(&state.tokens[state.n], json_array_get(state.users, state.n), err) < 0)
            return -1;
    return 0;
}

int sim_state_open(const char *cluster, struct chsm_err *err)
{
    AUTO_FREE char *keys = chsm_path_join(cluster, "keys");
    const char *name = strrchr(cluster, '/');
    char digest[65];

    if (!keys)
        return chsm_oom(err);
    if (open_tokens(keys, err) < 0) {
        sim_state_close();
        return -1;
    }
    /* Another cluster is another device: its serial number differs, whatever was restored into it. */
    chsm_sha256_hex(name ? name : cluster, strlen(name ? name : cluster), digest);
    memcpy(state.serial, digest, sizeof state.serial - 1);
    return 0;
}

void sim_state_close(void)
{
    while (state.sessions)
        sim_session_close(state.sessions);
    sim_handles_clear();
    sim_softhsm_stop(state.fl);
    sim_listing_close();
    free(state.tokens);
    json_decref(state.users);
    json_decref(state.shares);
    sim_overlay_done(&state.overlay);
    state = (struct sim_state){ .me = SIM_NOBODY };
}

CK_RV sim_state_login(size_t who)
{
    size_t i;

    for (i = 0; i < state.n; i++) {
        struct sim_cu *cu = &state.tokens[i];
        const char *pin = chsm_json_str(json_array_get(state.users, i), "pin");
        CK_RV rv;

        if (i != who && !sim_shares_any(state.shares, cu->name, state.tokens[who].name))
            continue;
        rv = pin ? state.fl->C_Login(cu->anchor, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) : CKR_DEVICE_ERROR;
        if (rv != CKR_OK) {
            sim_state_logout();
            return CKR_DEVICE_ERROR;
        }
        cu->logged_in = true;
    }
    state.me = who;
    sim_listing_forget();
    return CKR_OK;
}

void sim_state_logout(void)
{
    size_t i;

    for (i = 0; i < state.n; i++)
        if (state.tokens[i].logged_in) {
            (void)state.fl->C_Logout(state.tokens[i].anchor);
            state.tokens[i].logged_in = false;
        }
    state.me = SIM_NOBODY;
    sim_listing_forget();
}

struct sim_session *sim_session_find(CK_SESSION_HANDLE handle)
{
    struct sim_session *s = state.sessions;

    while (s && s->handle != handle)
        s = s->next;
    return s;
}

struct sim_session *sim_session_hold(CK_SESSION_HANDLE handle)
{
    struct sim_session *s = sim_session_find(handle);

    if (s)
        (void)pthread_mutex_lock(&s->busy);
    return s;
}

CK_RV sim_session_leave(struct sim_session *session, CK_RV rv)
{
    if (session)
        (void)pthread_mutex_unlock(&session->busy);
    return sim_leave(rv);
}

CK_RV sim_session_open(CK_FLAGS flags, struct sim_session **ret)
{
    struct sim_session *s = calloc(1, sizeof *s), *other;
    size_t i;

    if (s)
        s->inner = calloc(state.n + 1, sizeof *s->inner);
    if (!s || !s->inner) {
        free(s);
        return CKR_HOST_MEMORY;
    }
    if (sim_quirks()->sessions_max) {
        for (i = 0, other = state.sessions; other; other = other->next)
            i++;
        if (i >= sim_quirks()->sessions_max) {
            free(s->inner);
            free(s);
            return CKR_SESSION_COUNT;
        }
    }
    (void)pthread_mutex_init(&s->busy, NULL);
    s->handle = ++state.last_session;
    s->flags = flags & (CKF_SERIAL_SESSION | CKF_RW_SESSION);
    for (i = 0; i < SIM_OP_COUNT; i++)
        s->op_token[i] = SIM_NOBODY;
    s->next = state.sessions;
    state.sessions = s;
    *ret = s;
    return CKR_OK;
}

void sim_session_close(struct sim_session *session)
{
    struct sim_session **at = &state.sessions;
    size_t i;

    while (*at && *at != session)
        at = &(*at)->next;
    if (*at)
        *at = session->next;
    for (i = 0; i < state.n; i++)
        if (session->inner[i])
            (void)state.fl->C_CloseSession(session->inner[i]);
    if (session->searching)
        sim_gate_searches(-1);
    sim_listing_forget();       /* its session objects are gone */
    (void)pthread_mutex_destroy(&session->busy);
    free(session->inner);
    free(session->found);
    free(session);
    if (!state.sessions)
        sim_state_logout();     /* PKCS#11 §5.6: with the last session the login ends */
}

void sim_state_forget_sessions(void)
{
    while (state.sessions)
        sim_session_close(state.sessions);
}

CK_RV sim_session_inner(struct sim_session *session, size_t token, CK_SESSION_HANDLE *ret)
{
    CK_RV rv = CKR_OK;

    if (!session->inner[token])
        rv = state.fl->C_OpenSession(state.tokens[token].slot, session->flags, NULL, NULL, &session->inner[token]);
    if (rv == CKR_OK)
        *ret = session->inner[token];
    return rv;
}

CK_RV sim_session_own(struct sim_session *session, CK_SESSION_HANDLE *ret)
{
    return state.me == SIM_NOBODY ? CKR_USER_NOT_LOGGED_IN : sim_session_inner(session, state.me, ret);
}

CK_RV sim_object_find(struct sim_session *session, CK_OBJECT_HANDLE seen, CK_RV bad, struct sim_object *ret)
{
    const struct sim_handle *h = sim_handle_find(seen);

    if (!h || h->vanished || (state.me == SIM_NOBODY && h->cls != CKO_PUBLIC_KEY))
        return bad;
    *ret = (struct sim_object){ .token = h->token, .object = h->inner, .cls = h->cls, .type = h->type,
                                 .overlay = h->overlay };
    return sim_session_inner(session, h->token, &ret->session);
}

bool sim_object_visible(const struct sim_object *o)
{
    unsigned char id[ID_MAX];
    CK_ATTRIBUTE a = { CKA_ID, id, sizeof id };
    struct chsm_bytes bytes = { .p = id };

    if (o->token == state.me || o->cls == CKO_PUBLIC_KEY)
        return true;
    if (state.me == SIM_NOBODY || state.fl->C_GetAttributeValue(o->session, o->object, &a, 1) != CKR_OK)
        return false;
    bytes.len = a.ulValueLen;
    return sim_shares_allow(state.shares, state.tokens[o->token].name, o->cls, &bytes, state.tokens[state.me].name);
}

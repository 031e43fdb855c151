/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small files of the client, each input as every one of them:
 *   - azcloudhsm_resource.cfg: what is changed means the same but for its host names, which are those that were asked for; before the
 *     first of them and after the last nothing is touched; a second change changes nothing; what is refused gives no text;
 *   - settings: keys of letters and digits, values without control characters;
 *   - learned addresses: addresses and names of nodes, each once, and reading them again gives the same;
 *   - private keys: only a fake has a handle, and of what libFuzzer makes nothing else is certain; what it says does not change;
 *   - units and certificates: nothing but what was promised.
 */
#include "config.h"

#include "client/endpoint.h"
#include "client/learned.h"
#include "client/pem.h"
#include "client/service.h"
#include "client/settings.h"
#include "fuzz.h"
#include "fuzz_json.h"

#define HOST        "hsm1.chsm-new-x.privatelink.cloudhsm.azure.net"
#define LEARNED_MAX 256u

/* The value without the host names of its servers. */
static json_t *without_hosts(const char *text, size_t n)
{
    json_t *cfg = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL), *server;
    size_t i;

    MUST(cfg);
    json_array_foreach(json_object_get(cfg, "servers"), i, server)
        MUST(json_object_set_new(server, "hostname", json_string("")) == 0);
    return cfg;
}

/* How many bytes at the beginning and at the end are equal. */
static void check_untouched(const char *text, size_t n, const char *changed, size_t m)
{
    size_t front = 0, back = 0;

    while (front < n && front < m && text[front] == changed[front])
        front++;
    while (back < n - front && back < m - front && text[n - 1 - back] == changed[m - 1 - back])
        back++;
    /* What differs begins and ends inside of host names: there is one before every difference. */
    MUST(memmem(text, front, "host", 4) || memmem(text, front, "\\u", 2));
}

static void check_resource(const char *text, size_t n)
{
    struct chsm_err err = { 0 };
    char *changed = NULL, *again = NULL;
    json_t *cfg = NULL, *before, *after;

    if (chsm_resource_point(text, n, "cfg", HOST, &changed, &err) < 0) {
        MUST(err.code == CHSM_CONFIG && err.text[0] && !changed);
        return;
    }
    if (!changed)
        return;
    MUST(chsm_resource_parse(changed, strlen(changed), "cfg", &cfg, &err) == 0);
    MUST(strcmp(chsm_resource_host(cfg, 0), HOST) == 0);
    for (size_t i = 1; chsm_resource_host(cfg, i); i++)
        MUST(chsm_endpoint_siblings(chsm_resource_host(cfg, i), HOST));
    before = without_hosts(text, n);
    after = without_hosts(changed, strlen(changed));
    MUST(json_equal(before, after));
    check_untouched(text, n, changed, strlen(changed));
    MUST(chsm_resource_point(changed, strlen(changed), "cfg", HOST, &again, &err) == 0 && !again);
    json_decref(before);
    json_decref(after);
    json_decref(cfg);
    free(changed);
}

static void check_settings(const char *text, size_t n)
{
    struct chsm_err err = { 0 };
    json_t *settings = NULL, *value;
    const char *key;

    if (chsm_settings_parse(text, n, "app", &settings, &err) < 0) {
        MUST(err.code == CHSM_CONFIG && !settings);
        return;
    }
    json_object_foreach(settings, key, value) {
        MUST(*key && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") == strlen(key));
        for (const char *p = json_string_value(value); *p; p++)
            MUST((unsigned char)*p >= ' ');
    }
    json_decref(settings);
}

static void check_learned(const char *text, size_t n)
{
    struct chsm_paths one = { 0 }, two = { 0 };
    struct chsm_buf joined = CHSM_BUF(1u << 20);
    struct chsm_err err = { 0 };
    const char *which;

    if (chsm_learned_parse(text, n, &one, &err) < 0) {
        MUST(err.code == CHSM_CONFIG && one.n == 0);
        return;
    }
    MUST(one.n <= LEARNED_MAX);
    for (size_t i = 0; i < one.n; i++) {
        MUST(chsm_endpoint_is_address(one.v[i]) || chsm_endpoint_check(one.v[i], &err) == 0);
        MUST(chsm_buf_addf(&joined, &err, "%s\n", one.v[i]) == 0);
    }
    MUST(chsm_learned_parse(chsm_buf_str(&joined), joined.len, &two, &err) == 0 && two.n == one.n);
    for (size_t i = 0; i < one.n; i++)
        MUST(strcmp(one.v[i], two.v[i]) == 0);
    /* With all their own addresses known, none is foreign or unknown. */
    MUST(chsm_learned_judge(&one, HOST, &one, &which) == CHSM_LEARNED_OWN);
    chsm_paths_done(&one);
    chsm_paths_done(&two);
    chsm_buf_done(&joined);
}

static void check_pem(const char *text, size_t n)
{
    uint32_t handle = 0, again = 0;
    enum chsm_pem is = chsm_pem_judge(text, n, &handle);

    MUST(is == CHSM_PEM_FAKE || handle == 0);
    MUST(chsm_pem_judge(text, n, &again) == is && again == handle);
}

static void check_rest(const char *text, size_t n)
{
    struct chsm_paths words = { 0 };
    struct chsm_err err = { 0 };
    json_t *cert = NULL, *cfg = NULL;

    if (chsm_service_parse(text, n, &words, &err) < 0)
        MUST(err.code == CHSM_CONFIG);
    chsm_paths_done(&words);
    if (chsm_settings_certificate(text, n, "crt", &cert, &err) == 0)
        MUST(strlen(chsm_json_str(cert, "sha256")) == 64 && chsm_json_str(cert, "subject") && chsm_json_str(cert, "not_after"));
    else
        MUST(err.code == CHSM_CONFIG && !cert);
    if (chsm_settings_daemon(text, n, "cfg", &cfg, &err) == 0)
        MUST(json_is_array(json_object_get(cfg, "hosts")) && json_is_array(json_object_get(cfg, "certificates")));
    json_decref(cert);
    json_decref(cfg);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return fuzz_json_mutate(data, size, max, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    check_resource(text, size);
    check_settings(text, size);
    check_learned(text, size);
    check_pem(text, size);
    check_rest(text, size);
    return 0;
}

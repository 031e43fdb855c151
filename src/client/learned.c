/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "client/endpoint.h"
#include "client/learned.h"

#define WORD_MAX 254u

/* A name that only a node can have; anything else with dots in it may be a version or a file. */
static bool is_node_name(const char *word)
{
    return strcasestr(word, ".cloudhsm.") != NULL && chsm_endpoint_check(word, NULL) == 0;
}

static int note(struct chsm_paths *list, const char *word, struct chsm_err *err)
{
    if (!chsm_endpoint_is_address(word) && !is_node_name(word))
        return 0;
    for (size_t i = 0; i < list->n; i++)
        if (strcasecmp(list->v[i], word) == 0)
            return 0;
    return chsm_paths_add(list, word, err);
}

/* A word, and where it is "10.0.2.4:2225" also what stands before the port. */
static int note_word(struct chsm_paths *list, char *word, struct chsm_err *err)
{
    char *colon;
    size_t n = strlen(word);

    while (n > 0 && (word[n - 1] == '.' || word[n - 1] == ':'))
        word[--n] = '\0';
    colon = strchr(word, ':');
    if (note(list, word, err) < 0)
        return -1;
    if (!colon || strchr(colon + 1, ':'))
        return 0;
    *colon = '\0';
    return note(list, word, err);
}

int chsm_learned_parse(const char *text, size_t n, struct chsm_paths *ret, struct chsm_err *err)
{
    AUTO_PATHS struct chsm_paths list = { 0 };
    char word[WORD_MAX + 1];
    size_t len = 0;

    for (size_t i = 0; i <= n; i++) {
        if (i < n && (isalnum((unsigned char)text[i]) || (text[i] && strchr(".:-", text[i])))) {
            if (len < WORD_MAX)
                word[len] = text[i];
            len++;
            continue;
        }
        word[len <= WORD_MAX ? len : 0] = '\0';
        if (len > 0 && note_word(&list, word, err) < 0)
            return -1;
        len = 0;
    }
    *ret = list;
    list = (struct chsm_paths){ 0 };
    return 0;
}

static bool among(const struct chsm_paths *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcasecmp(list->v[i], text) == 0)
            return true;
    return false;
}

static enum chsm_learned judge_one(const char *one, const char *host, const struct chsm_paths *addresses)
{
    if (chsm_endpoint_same_cluster(one, host) || among(addresses, one))
        return CHSM_LEARNED_OWN;
    if (chsm_endpoint_is_address(one))
        return addresses->n == 0 ? CHSM_LEARNED_UNKNOWN : CHSM_LEARNED_FOREIGN;
    return chsm_endpoint_number(host) ? CHSM_LEARNED_FOREIGN : CHSM_LEARNED_UNKNOWN;
}

enum chsm_learned chsm_learned_judge(const struct chsm_paths *learned, const char *host, const struct chsm_paths *addresses,
                                     const char **ret_which)
{
    enum chsm_learned worst = CHSM_LEARNED_OWN;

    *ret_which = NULL;
    for (size_t i = 0; i < learned->n; i++) {
        enum chsm_learned one = judge_one(learned->v[i], host, addresses);

        if (one <= worst)
            continue;
        worst = one;
        *ret_which = learned->v[i];
    }
    return worst;
}

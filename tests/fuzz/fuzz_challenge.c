/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service says in WWW-Authenticate. Whatever it says: a token is never due to a resource in whose domain the host does not lie, claims are
 * a JSON object, and schemes and names are in lower case.
 */
#include "config.h"

#include <ctype.h>
#include <jansson.h>
#include <strings.h>

#include "azure/challenge.h"
#include "fuzz.h"

#define HOST "mine.managedhsm.azure.net"

static void check_parts(const char *header)
{
    AUTO_CHALLENGES struct chsm_challenges all = { .n = 0 };

    if (chsm_challenges_parse(header, &all, NULL) < 0)
        return;
    MUST(all.n <= CHSM_CHALLENGES_MAX);
    for (size_t i = 0; i < all.n; i++) {
        const struct chsm_challenge *c = &all.one[i];

        MUST(c->scheme && *c->scheme && c->params <= CHSM_CHALLENGE_PARAMS_MAX);
        for (const char *s = c->scheme; *s; s++)
            MUST(!isupper((unsigned char)*s));
        for (size_t k = 0; k < c->params; k++)
            MUST(c->param[k].value && *c->param[k].name && chsm_challenge_get(c, c->param[k].name));
    }
}

static void check_claims(const char *header)
{
    AUTO_FREE char *text = NULL;
    int rc = chsm_challenge_claims(header, &text);
    json_auto_t *claims = NULL;

    MUST((rc == 0) == (text != NULL));
    if (!text)
        return;
    claims = json_loads(text, 0, NULL);
    MUST(json_is_object(claims));
}

/* Told again from the text alone: "https://", then a host, and HOST ends in "." and that host. */
static void check_vault(const char *header)
{
    AUTO_FREE char *resource = NULL;
    AUTO_FREE char *tenant = NULL;
    size_t n;

    if (chsm_challenge_vault(header, "https://" HOST "/keys", &resource, &tenant, NULL) != 0) {
        MUST(!resource && !tenant);
        return;
    }
    MUST(strncasecmp(resource, "https://", 8) == 0 && *tenant && !strpbrk(tenant, "/?#"));
    n = strcspn(resource + 8, ":/?#");
    MUST(n > 0 && n + 1 < strlen(HOST) && HOST[strlen(HOST) - n - 1] == '.');
    MUST(strncasecmp(HOST + strlen(HOST) - n, resource + 8, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *header = fuzz_text(data, size);
    AUTO_FREE char *realm = NULL;

    MUST(header);
    check_parts(header);
    check_claims(header);
    check_vault(header);
    realm = chsm_challenge_basic_realm(header);
    MUST(!realm || strlen(realm) <= strlen(header));
    return 0;
}

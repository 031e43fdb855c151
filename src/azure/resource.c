/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "azure/http.h"
#include "azure/resource.h"
#include "util/redact.h"
#include "util/safety.h"

#define ALNUM "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

bool chsm_is_guid(const char *s)
{
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    }
    return true;
}

int chsm_name_subscription(const char *s, struct chsm_err *err)
{
    if (!s || !chsm_is_guid(s) || s[36])
        return chsm_fail(err, CHSM_USAGE, "subscription \"%s\" is no subscription id (a GUID)", s ? s : "");
    return 0;
}

/* Letters of any script are allowed, so bytes above ASCII pass; they are encoded on the way. */
int chsm_name_group(const char *s, struct chsm_err *err)
{
    size_t n = s ? strlen(s) : 0, letters = 0;
    bool ok = n > 0 && s[n - 1] != '.';

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];

        ok = ok && (c >= 0x80 || strchr(ALNUM "_-.()", c));
        letters += (c & 0xc0) != 0x80;
    }
    if (!ok || letters > 90)
        return chsm_fail(err, CHSM_USAGE,
                         "resource group \"%s\": 1 to 90 letters, digits, '_', '-', '.', '(' or ')', not ending in '.'",
                         s ? s : "");
    return 0;
}

int chsm_name_cluster(const char *s, struct chsm_err *err)
{
    size_t n = s ? strlen(s) : 0;

    if (n < 3 || n > 23 || strspn(s, ALNUM "-") != n)
        return chsm_fail(err, CHSM_USAGE, "cluster \"%s\": 3 to 23 letters, digits or '-'", s ? s : "");
    return 0;
}

/* The next segment of a path, which must equal `word` unless that is NULL; NULL when it does not. */
static char *segment(const char **p, const char *word)
{
    size_t n;
    char *s;

    if (**p != '/')
        return NULL;
    n = strcspn(*p + 1, "/");
    s = strndup(*p + 1, n);
    *p += 1 + n;
    if (s && word && strcasecmp(s, word) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

static bool skip(const char **p, const char *word)
{
    AUTO_FREE char *s = segment(p, word);

    return s;
}

bool chsm_identity_name_ok(const char *s)
{
    size_t n = s ? strlen(s) : 0;

    return n >= 3 && n <= 128 && strspn(s, ALNUM "-_") == n && isalnum((unsigned char)*s);
}

int chsm_name_identity(const char *id, struct chsm_err *err)
{
    AUTO_FREE char *subscription = NULL;
    AUTO_FREE char *group = NULL;
    AUTO_FREE char *name = NULL;
    const char *p = id ? id : "";
    bool ok = skip(&p, "subscriptions") && (subscription = segment(&p, NULL)) && skip(&p, "resourceGroups") &&
              (group = segment(&p, NULL)) && skip(&p, "providers") && skip(&p, "Microsoft.ManagedIdentity") &&
              skip(&p, "userAssignedIdentities") && (name = segment(&p, NULL)) && *p == '\0';

    if (ok && chsm_name_subscription(subscription, NULL) == 0 && chsm_name_group(group, NULL) == 0 && chsm_identity_name_ok(name))
        return 0;
    (void)chsm_fail(err, CHSM_USAGE, "\"%s\" is no id of a user-assigned identity", id ? id : "");
    return chsm_err_hint(err, "it looks like /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.ManagedIdentity/"
                              "userAssignedIdentities/NAME");
}

/* Where a query begins, also one that was encoded when the address was copied; the length when there is none. */
static size_t query_at(const char *uri)
{
    const char *encoded = strcasestr(uri, "%3f");
    size_t n = strcspn(uri, "?");

    return encoded && (size_t)(encoded - uri) < n ? (size_t)(encoded - uri) : n;
}

int chsm_container_check(const char *uri, struct chsm_err *err)
{
    AUTO_FREE char *origin = NULL;
    AUTO_FREE char *shown = uri ? chsm_redact_url(uri) : NULL;
    const char *path;

    if (!uri || !*uri)
        return chsm_fail(err, CHSM_USAGE, "no storage container was given");
    if (!shown)
        return chsm_oom(err);
    if (uri[query_at(uri)]) {
        (void)chsm_refuse(err, CHSM_RULE_SAS, "the container address %.*s?... carries one", (int)query_at(shown), shown);
        return chsm_err_hint(err, "give the bare address; "
                                  "access comes from the cluster's managed identity (`chsmctl identity apply`)");
    }
    origin = chsm_url_origin(uri);
    path = origin ? strchr(uri + strlen("https://"), '/') : NULL;
    if (!origin || strncmp(origin, "https://", 8) != 0 || !path || strspn(path, "/") == strlen(path) || strchr(uri, '#')) {
        (void)chsm_fail(err, CHSM_USAGE, "\"%s\" is no https address of a storage container", shown);
        return chsm_err_hint(err, "it looks like https://ACCOUNT.blob.core.windows.net/CONTAINER");
    }
    return 0;
}

char *chsm_resource_path(const char *id, const char *suffix, const char *api)
{
    struct chsm_buf out = CHSM_BUF(65536);
    bool bad = false;

    for (const char *p = id; *p && !bad; p++) {
        if (strchr(ALNUM "/-._~()", *p))
            bad = chsm_buf_add(&out, p, 1, NULL) < 0;
        else
            bad = chsm_buf_addf(&out, NULL, "%%%02X", (unsigned char)*p) < 0;
    }
    if (bad || chsm_buf_addf(&out, NULL, "%s?api-version=%s", suffix ? suffix : "", api) < 0) {
        chsm_buf_done(&out);
        return NULL;
    }
    return chsm_buf_take(&out);
}

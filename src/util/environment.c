/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <strings.h>

#include "util/environment.h"

/* True when the first n bytes of an environment string name a variable that a vendor's library has no business with. */
static bool private_name(const char *s, size_t n)
{
    static const char *const prefixes[] = { "AZURE_", "ARM_", "IDENTITY_", "MSI_" };
    static const char *const parts[] = { "TOKEN", "SECRET", "PASSWORD" };

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (n >= strlen(prefixes[i]) && strncasecmp(s, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        for (size_t at = 0; at + strlen(parts[i]) <= n; at++)
            if (strncasecmp(s + at, parts[i], strlen(parts[i])) == 0)
                return true;
    return false;
}

static bool replaced(const char *s, size_t n, const char *const *additions)
{
    for (size_t i = 0; additions && additions[i]; i++)
        if (strncmp(additions[i], s, n) == 0 && additions[i][n] == '=')
            return true;
    return false;
}

char **chsm_child_environment(const char *const *inherited, const char *const *additions, struct chsm_err *err)
{
    size_t n = 0, at = 0;
    char **env;

    for (size_t i = 0; inherited && inherited[i]; i++)
        n++;
    for (size_t i = 0; additions && additions[i]; i++)
        n++;
    env = calloc(n + 1, sizeof *env);
    if (!env) {
        (void)chsm_oom(err);
        return NULL;
    }
    for (size_t i = 0; inherited && inherited[i]; i++) {
        const char *end = strchr(inherited[i], '=');
        size_t len = end ? (size_t)(end - inherited[i]) : strlen(inherited[i]);

        if (!private_name(inherited[i], len) && !replaced(inherited[i], len, additions))
            env[at++] = (char *)(uintptr_t)inherited[i];
    }
    for (size_t i = 0; additions && additions[i]; i++)
        env[at++] = (char *)(uintptr_t)additions[i];
    return env;
}

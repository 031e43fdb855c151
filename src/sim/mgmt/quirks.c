/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/mgmt/quirks.h"

/* "N" or "N:M" with N a server; *ret_more is untouched without M. */
static bool read_numbers(const char *value, unsigned long *ret, unsigned long *ret_more)
{
    char *end;

    if (!value || *value < '0' || *value > '9')
        return false;
    *ret = strtoul(value, &end, 10);
    if (*end == ':' && ret_more && end[1] >= '0' && end[1] <= '9')
        *ret_more = strtoul(end + 1, &end, 10);
    return *end == '\0' && *ret < SIM_MGMT_SERVERS;
}

static bool set_flag(const char *word, struct sim_mgmt_quirks *q)
{
    const struct { const char *name; bool *flag;
    } flags[] = {
        { "aws", &q->aws },           { "findkey", &q->findkey }, { "no-hash", &q->no_hash },
        { "no-hpswd", &q->no_hpswd }, { "echo", &q->echo },
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(flags[i].name, word) == 0) {
            *flags[i].flag = true;
            return true;
        }
    if (strcmp(word, "count-less") == 0)
        q->count = -1;
    else if (strcmp(word, "count-more") == 0)
        q->count = 1;
    else
        return false;
    return true;
}

static bool set_server(const char *word, const char *value, struct sim_mgmt_quirks *q)
{
    const struct { const char *name; bool *flags; } servers[] = {
        { "down", q->down }, { "unencrypted", q->unencrypted }, { "login-fails", q->login_fails }, { "lost-user", q->lost_user },
        { "other-hash", q->other_hash },
    };
    unsigned long n, more = 1;

    for (size_t i = 0; i < ARRAY_LEN(servers); i++)
        if (strcmp(servers[i].name, word) == 0) {
            if (!read_numbers(value, &n, NULL))
                return false;
            servers[i].flags[n] = true;
            return true;
        }
    if (!read_numbers(value, &n, &more))
        return false;
    if (strcmp(word, "lost-keys") == 0)
        q->lost_keys[n] = (unsigned)more;
    else if (strcmp(word, "number") == 0)
        q->number[n] = (int)more;
    else
        return false;
    return true;
}

static bool set_word(const char *word, const char *value, struct sim_mgmt_quirks *q)
{
    const struct { const char *name; char *at;
    } words[] = {
        { "hang", q->hang },       { "die", q->die },     { "endless", q->endless },
        { "garbage", q->garbage }, { "empty", q->empty }, { "ask", q->ask },
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].name, word) == 0 && *value && strlen(value) < sizeof q->hang) {
            (void)snprintf(words[i].at, sizeof q->hang, "%s", value);
            return true;
        }
    return false;
}

int sim_mgmt_quirks_parse(const char *list, struct sim_mgmt_quirks *ret, struct chsm_err *err)
{
    AUTO_FREE char *copy = strdup(list ? list : "");
    struct sim_mgmt_quirks q = { .count = 0 };
    char *rest = copy, *word;

    if (!copy)
        return chsm_oom(err);
    for (int i = 0; i < SIM_MGMT_SERVERS; i++)
        q.number[i] = i;
    while ((word = strsep(&rest, ",")) != NULL) {
        char *value = strchr(word, '=');

        if (!*word)
            continue;
        if (value)
            *value++ = '\0';
        if (value ? !set_server(word, value, &q) && !set_word(word, value, &q) : !set_flag(word, &q))
            return chsm_fail(err, CHSM_USAGE, "CHSM_SIM_MGMT: '%s' is not known, or not with this value", word);
    }
    *ret = q;
    return 0;
}

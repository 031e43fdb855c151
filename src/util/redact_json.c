/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <ctype.h>
#include <strings.h>

#include "util/redact.h"

enum mode { NAMED, STRICT, ALL };       /* what to replace: by name; all but harmless names; everything */

static json_t *copy(const json_t *v, const char *name, enum mode mode);

/* The name in small letters without '_', '-' and '.'. */
static void flatten(const char *name, char *out, size_t size)
{
    size_t n = 0;

    for (; *name && n + 1 < size; name++)
        if (!strchr("_-.", *name))
            out[n++] = (char)tolower((unsigned char)*name);
    out[n] = '\0';
}

static bool one_of(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static bool harmless(const char *name)
{
    static const char *const names[] = {
        "tokentype", "expiresin", "extexpiresin", "expireson", "notbefore", "resource", "scope", "error", "errordescription",
        "errorcodes", "timestamp", "traceid", "correlationid", "suberror", "erroruri", "code", "message", "keyname",
        "permissions", "creationtime", "clientid", "type", "id", NULL
    };

    return one_of(names, name);
}

static bool names_a_secret(const char *name)
{
    static const char *const whole[] = {
        "key", "key1", "key2", "primarykey", "secondarykey", "sig", "sas", "pin", "k", "d", "p", "q", "dp", "dq", "qi", NULL
    };
    static const char *const parts[] = {
        "token", "secret", "password", "passwd", "pwd", "assertion", "signature", "connectionstring", "privatekey", "accountkey",
        "sharedkey", "devicecode", "usercode", "verifier", "cookie", "authorization", "clientinfo", NULL
    };

    if (one_of(whole, name))
        return true;
    for (size_t i = 0; parts[i]; i++)
        if (strstr(name, parts[i]))
            return strcmp(name, "tokentype") != 0;
    return false;
}

static json_t *show_string(const char *s)
{
    bool url = strncasecmp(s, "http", 4) == 0 && strstr(s, "://") && !strpbrk(s, " \r\n\t");
    AUTO_FREE char *shown = url ? chsm_redact_url(s) : chsm_redact_text(s, NULL);

    return shown ? json_string(shown) : NULL;
}

/* {"keyName": "key1", "value": "..."}: the answer to a question for account keys. */
static bool holds_key(const json_t *object)
{
    return json_object_get(object, "keyName") || json_object_get(object, "permissions");
}

/* Members whose own names do not tell: the value of a key, and the sentence with the code of a device's sign-in. */
static bool is_hidden_here(const json_t *object, const char *key)
{
    return (strcasecmp(key, "value") == 0 && holds_key(object)) ||
           (strcasecmp(key, "message") == 0 && json_object_get(object, "device_code"));
}

static json_t *copy_object(const json_t *v, enum mode mode)
{
    json_t *out = json_object();
    const char *key;
    json_t *each;

    json_object_foreach((json_t *)(uintptr_t)v, key, each) {
        enum mode below = is_hidden_here(v, key) && json_is_string(each) ? ALL : mode;
        AUTO_FREE char *shown = chsm_redact_text(key, NULL);

        if (!out || !shown || json_object_set_new(out, shown, copy(each, key, below)) < 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *copy_array(const json_t *v, const char *name, enum mode mode)
{
    json_t *out = json_array();
    const json_t *each;
    size_t i;

    json_array_foreach(v, i, each)
        if (!out || json_array_append_new(out, copy(each, name, mode)) < 0) {
            json_decref(out);
            return NULL;
        }
    return out;
}

static json_t *copy(const json_t *v, const char *name, enum mode mode)
{
    char flat[64];

    flatten(name, flat, sizeof flat);
    if (names_a_secret(flat))
        mode = ALL;
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return copy_object(v, mode);
    case JSON_ARRAY:
        return copy_array(v, name, mode);
    case JSON_STRING:
        if (mode == ALL || (mode == STRICT && !harmless(flat)))
            return json_string(CHSM_REDACTED);
        return show_string(json_string_value(v));
    case JSON_INTEGER:
    case JSON_REAL:
        return mode == ALL ? json_string(CHSM_REDACTED) : json_deep_copy(v);
    default:
        return json_deep_copy(v);
    }
}

json_t *chsm_redact_json(const json_t *value, bool strict)
{
    return copy(value, "", strict ? STRICT : NAMED);
}

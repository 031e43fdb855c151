/* SPDX-License-Identifier: Apache-2.0 */
/* The table of requests, held against the published examples and the OpenAPI file of Cloud HSM. */
#include "config.h"

#include <strings.h>

#include "tests/unit/check.h"

#include "tests/unit/azure_requests.h"

/* What openapi.json takes from the common types of Azure Resource Manager, version 6, by the end of the reference. */
static const struct {
    const char *name, *schema;
} common[] = {
    { "TrackedResource", "{\"required\":[\"location\"],\"properties\":{\"location\":{\"type\":\"string\"},"
                         "\"tags\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},\"id\":{\"type\":"
                         "\"string\",\"readOnly\":true},"
                         "\"name\":{\"type\":\"string\",\"readOnly\":true},\"type\":{\"type\":\"string\",\"readOnly\":true},"
                         "\"systemData\":{\"type\":\"object\",\"readOnly\":true}}}" },
    { "ManagedServiceIdentity", "{\"required\":[\"type\"],\"properties\":{\"type\":{\"type\":\"string\",\"enum\":[\"None\","
                                "\"SystemAssigned\",\"UserAssigned\","
                                "\"SystemAssigned,UserAssigned\"]},\"principalId\":{\"type\":\"string\",\"readOnly\":true},"
                                "\"tenantId\":{\"type\":\"string\",\"readOnly\":true},\"userAssignedIdentities\":{\"type\":"
                                "\"object\",\"additionalProperties\":"
                                "{\"properties\":{\"principalId\":{\"type\":\"string\",\"readOnly\":true},\"clientId\":{\"type\":"
                                "\"string\",\"readOnly\":true}}}}}}" },
};

json_t *request_data(const char *name)
{
    const char *top = getenv("abs_top_srcdir");
    AUTO_FREE char *file = chsm_strf("%s/tests/data/azure/%s", top ? top : ".", name);
    struct chsm_err err;
    json_t *data = NULL;

    assert_ok(chsm_json_load(file, 1u << 20, &data, &err), err);
    return data;
}

static json_t *openapi(void)
{
    static json_t *spec;

    if (!spec)
        spec = request_data("openapi.json");
    return spec;
}

static void add_leaves(const json_t *value, const char *path, json_t *out)
{
    const char *key;
    json_t *each;
    size_t i;

    if ((!json_is_object(value) || json_object_size(value) == 0) && (!json_is_array(value) || json_array_size(value) == 0)) {
        assert_int_equal(json_array_append_new(out, json_string(path)), 0);
        return;
    }
    json_object_foreach ((json_t *)(uintptr_t)value, key, each) {
        AUTO_FREE char *below = chsm_strf("%s%s%s", path, *path ? "." : "", key);

        add_leaves(each, below, out);
    }
    json_array_foreach (value, i, each) {
        AUTO_FREE char *below = chsm_strf("%s[]", path);

        add_leaves(each, below, out);
    }
}

json_t *request_leaves(const json_t *value)
{
    json_t *out = json_array();

    add_leaves(value, "", out);
    return out;
}

/* A "*" at the end is any name, with whatever characters: ids of resources are names of members, too. */
bool request_member_fits(const char *pattern, const char *leaf)
{
    size_t n = strlen(pattern);

    if (n > 1 && pattern[n - 1] == '*')
        return strncmp(pattern, leaf, n - 1) == 0 && leaf[n - 1];
    return strcmp(pattern, leaf) == 0;
}

/* The schema that a schema refers to; a new reference. */
static json_t *resolve(json_t *schema)
{
    const char *ref = chsm_json_str(schema, "$ref"), *name = ref ? strrchr(ref, '/') + 1 : NULL;
    json_t *found;

    if (!ref)
        return json_incref(schema);
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (strcmp(name, common[i].name) == 0)
            return json_loads(common[i].schema, 0, NULL);
    found = json_object_get(json_object_get(openapi(), "definitions"), name);
    if (!found)
        fail_msg("openapi.json has no definition %s", name);
    return json_incref(found);
}

static bool fits(const json_t *value, json_t *schema, const char *path, char **ret_why);

/* Collects properties and required members of a schema and of all that it is made of. */
static void gather(json_t *schema, json_t *properties, json_t *required)
{
    json_auto_t *whole = resolve(schema);
    json_t *each;
    size_t i;

    json_array_foreach (json_object_get(whole, "allOf"), i, each)
        gather(each, properties, required);
    if (json_object_get(whole, "properties"))
        assert_int_equal(json_object_update(properties, json_object_get(whole, "properties")), 0);
    if (json_object_get(whole, "required"))
        assert_int_equal(json_array_extend(required, json_object_get(whole, "required")), 0);
}

static bool is_read_only(json_t *schema)
{
    json_auto_t *whole = resolve(schema);

    return json_is_true(json_object_get(schema, "readOnly")) || json_is_true(json_object_get(whole, "readOnly"));
}

static bool members_fit(const json_t *value, json_t *whole, const char *path, char **ret_why)
{
    json_auto_t *properties = json_object();
    json_auto_t *required = json_array();
    json_t *more = json_object_get(whole, "additionalProperties"), *each;
    const char *key;
    size_t i;

    gather(whole, properties, required);
    json_array_foreach (required, i, each)
        if (!json_object_get(value, json_string_value(each))) {
            *ret_why =
                chsm_strf("%s lacks %s, which the OpenAPI file requires", *path ? path : "the body", json_string_value(each));
            return false;
        }
    json_object_foreach ((json_t *)(uintptr_t)value, key, each) {
        json_t *schema = json_object_get(properties, key) ? json_object_get(properties, key) : more;
        AUTO_FREE char *below = chsm_strf("%s%s%s", path, *path ? "." : "", key);

        if (!schema || is_read_only(schema)) {
            *ret_why = chsm_strf("%s is %s", below, schema ? "read-only" : "unknown to the OpenAPI file");
            return false;
        }
        if (!fits(each, schema, below, ret_why))
            return false;
    }
    return true;
}

static bool fits(const json_t *value, json_t *schema, const char *path, char **ret_why)
{
    json_auto_t *whole = resolve(schema);
    json_t *words = json_object_get(whole, "enum"), *word;
    bool known = !words;
    size_t i;

    json_array_foreach (words, i, word)
        known = known || json_equal(word, value);
    if (!known || (chsm_streq(chsm_json_str(whole, "type"), "string") && !json_is_string(value))) {
        AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY);

        *ret_why = chsm_strf("%s is %s, which the OpenAPI file does not allow", path, text);
        return false;
    }
    return !json_is_object(value) || members_fit(value, whole, path, ret_why);
}

bool request_fits_schema(const json_t *body, const char *definition, char **ret_why)
{
    json_t *schema = json_object_get(json_object_get(openapi(), "definitions"), definition);

    if (!schema)
        fail_msg("openapi.json has no definition %s", definition);
    return fits(body, schema, "", ret_why);
}

/* Whether the definition has such a member that may be written: "sku.name", "tags.*". */
static bool schema_knows(const char *definition, const char *pattern)
{
    json_auto_t *reference = json_pack("{s:o}", "$ref", json_sprintf("#/definitions/%s", definition));
    json_t *schema = json_incref(reference);
    const char *p = pattern;
    bool ok = true;

    while (ok && *p) {
        size_t n = strcspn(p, ".");
        AUTO_FREE char *name = strndup(p, n);
        json_auto_t *whole = resolve(schema);
        json_auto_t *properties = json_object();
        json_auto_t *required = json_array();
        json_t *next;

        gather(whole, properties, required);
        next = *name == '*' ? json_object_get(whole, "additionalProperties") : json_object_get(properties, name);
        ok = next && !is_read_only(next);
        json_decref(schema);
        schema = json_incref(ok ? next : reference);
        p += n + (p[n] == '.');
    }
    json_decref(schema);
    return ok;
}

/* The names in braces of a path are those that the example gives values to. */
static void names_are_the_examples(const struct request_row *row, const json_t *example)
{
    for (const char *p = strchr(row->path, '{'); p; p = strchr(p + 1, '{')) {
        size_t n = strcspn(p + 1, "}");
        AUTO_FREE char *name = p[1] == '+' ? strndup(p + 2, n - 1) : strndup(p + 1, n);

        if (!json_object_get(json_object_get(example, "parameters"), name))
            fail_msg("%s: the example %s gives no %s", row->what, row->example, name);
    }
}

/* Ours is the version of the example, or an older one: what is published later may have more. */
static void version_is_not_newer(const struct request_row *row, const json_t *example)
{
    const char *published = json_string_value(chsm_json_get(example, "parameters.api-version"));
    const char *ours = row->query ? strstr(row->query, "api-version=") : NULL;

    if (!ours || ours[12] == '*')
        return;
    if (!published || strncmp(ours + 12, published, 10) > 0)
        fail_msg("%s: %s is newer than the example's %s", row->what, ours, published ? published : "(none)");
}

static void members_are_published(const struct request_row *row, const char *list, const json_t *example)
{
    const json_t *body = row->part ? chsm_json_get(example, row->part) : NULL;
    json_auto_t *leaves = body ? request_leaves(body) : json_array();
    const json_t *leaf;
    size_t i;

    for (const char *p = list; p && *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        AUTO_FREE char *pattern = strndup(p, n);
        bool known = (row->schema && schema_knows(row->schema, pattern)) || request_among(row->beyond, pattern);

        json_array_foreach (leaves, i, leaf)
            known = known || request_member_fits(pattern, json_string_value(leaf));
        if (!known)
            fail_msg("%s: neither the example nor the OpenAPI file has %s as something to write", row->what, pattern);
        p += n;
    }
}

/* The path and the method are those of the OpenAPI file, for what it is about. */
static void path_is_published(const struct request_row *row)
{
    AUTO_FREE char *method = strdup(row->method);
    json_t *operation;

    if (row->unpublished && strcmp(row->method, "GET") != 0)
        fail_msg("%s: what is in no specification may only read", row->what);
    if (row->unpublished || !strstr(row->path, "/cloudHsmClusters"))
        return;
    for (char *p = method; *p; p++)
        *p = (char)(*p | 0x20);
    operation = json_object_get(json_object_get(json_object_get(openapi(), "paths"), row->path), method);
    if (!operation)
        fail_msg("%s: openapi.json has no %s %s", row->what, row->method, row->path);
    if (row->query && strncmp(row->query, "api-version=*", 13) != 0 &&
        !strstr(row->query, json_string_value(chsm_json_get(openapi(), "info.version"))))
        fail_msg("%s: the OpenAPI file is of %s", row->what, json_string_value(chsm_json_get(openapi(), "info.version")));
}

/* What may never be sent by any row. */
static void nothing_forbidden(const struct request_row *row)
{
    static const char *const never[] = { "token",
                                         "systemData",
                                         "provisioningState",
                                         "activationState",
                                         "hsms",
                                         "statusMessage",
                                         "privateEndpointConnections",
                                         "identity.principalId",
                                         "identity.tenantId",
                                         "etag" };

    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if ((row->body && strstr(row->body, never[i])) || (row->may && strstr(row->may, never[i])))
            fail_msg("%s: %s is never sent", row->what, never[i]);
}

void requests_agree_with_the_specification(void **state)
{
    (void)state;
    for (const struct request_row *row = request_rows; row->what; row++) {
        json_auto_t *example = row->example ? request_data(row->example) : json_object();

        for (const struct request_row *other = request_rows; other != row; other++)
            assert_string_not_equal(other->what, row->what);
        path_is_published(row);
        nothing_forbidden(row);
        if (row->example) {
            names_are_the_examples(row, example);
            version_is_not_newer(row, example);
        }
        if (row->part || row->schema) {
            members_are_published(row, row->body, example);
            members_are_published(row, row->may, example);
        }
    }
}

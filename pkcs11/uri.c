/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <p11-kit/uri.h>

#include "pkcs11/uri.h"
#include "util/buf.h"
#include "util/enc.h"

void chsm_uri_done(struct chsm_uri *u)
{
    free(u->module_path);
    free(u->pin_source);
    free(u->object);
    free(u->id_hex);
    *u = (struct chsm_uri){ 0 };
}

static void uri_free(P11KitUri **u)
{
    p11_kit_uri_free(*u);
}

/* RFC 7512 §2.4: a path, a file: URI, or a program after "|". */
static int pin_source(const char *text, char **ret, struct chsm_err *err)
{
    static const char host[] = "file://";

    if (strncmp(text, host, strlen(host)) == 0)
        text += strlen(host);
    if (text[0] == '/')
        *ret = chsm_strf("file:%s", text);
    else if (text[0] == '|' && text[1])
        *ret = chsm_strf("cmd:%s", text + 1);
    else if (strncmp(text, "file:/", strlen("file:/")) == 0)
        *ret = strdup(text);
    else
        return chsm_fail(err, CHSM_USAGE, "the URI's pin-source is neither a file with its full path nor a program after \"|\"");
    return *ret ? 0 : chsm_oom(err);
}

static int check(P11KitUri *u, bool key, struct chsm_err *err)
{
    CK_ULONG n = 0;

    if (p11_kit_uri_any_unrecognized(u))
        return chsm_fail(err, CHSM_USAGE, "the URI has a part that is not known, or a value that is too long");
    if (!key && p11_kit_uri_get_attributes(u, &n) && n > 0)
        return chsm_fail(err, CHSM_USAGE, "the URI names an object (id, object, type); here it chooses a token, all of which is read");
    if (p11_kit_uri_get_module_name(u))
        return chsm_fail(err, CHSM_USAGE, "the URI's module-name cannot be used; give module-path%s", key ? "" : ", or --module");
    if (p11_kit_uri_get_pin_value(u)) {
        (void)chsm_fail(err, CHSM_USAGE, "a PIN does not belong into a URI (pin-value)");
        return chsm_err_hint(err, key ? "use pin-source, or AZURE_CLIENT_CERTIFICATE_PASSWORD" : "use pin-source, or --login NAME=SOURCE");
    }
    return 0;
}

/* Label and ID of a key, and that it is a private one. */
static int key_parts(P11KitUri *u, struct chsm_uri *ret, struct chsm_err *err)
{
    CK_ATTRIBUTE_PTR label = p11_kit_uri_get_attribute(u, CKA_LABEL), id = p11_kit_uri_get_attribute(u, CKA_ID);
    CK_ATTRIBUTE_PTR type = p11_kit_uri_get_attribute(u, CKA_CLASS);
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;

    if (type && type->ulValueLen == sizeof class)
        memcpy(&class, type->pValue, sizeof class);
    if (class != CKO_PRIVATE_KEY)
        return chsm_fail(err, CHSM_USAGE, "the URI names no private key (its type is another one)");
    if (label && !(ret->object = strndup(label->pValue, label->ulValueLen)))
        return chsm_oom(err);
    if (id && !(ret->id_hex = chsm_hex(id->pValue, id->ulValueLen)))
        return chsm_oom(err);
    return 0;
}

static int parse(const char *text, bool key, struct chsm_uri *ret, struct chsm_err *err)
{
    AUTO(uri_free) P11KitUri *u = p11_kit_uri_new();
    AUTO_URI struct chsm_uri got = { 0 };
    const char *path, *source;

    if (!u)
        return chsm_oom(err);
    if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, u) != P11_KIT_URI_OK)
        return chsm_fail(err, CHSM_USAGE, "%s no PKCS#11 URI (RFC 7512)", key ? "it is" : "--uri is");
    if (check(u, key, err) < 0 || (key && key_parts(u, &got, err) < 0))
        return -1;
    path = p11_kit_uri_get_module_path(u);
    source = p11_kit_uri_get_pin_source(u);
    if (path && !(got.module_path = strdup(path)))
        return chsm_oom(err);
    if (source && pin_source(source, &got.pin_source, err) < 0)
        return -1;
    *ret = got;
    got = (struct chsm_uri){ 0 };
    return 0;
}

int chsm_uri_parse(const char *text, struct chsm_uri *ret, struct chsm_err *err)
{
    return parse(text, false, ret, err);
}

int chsm_uri_parse_key(const char *text, struct chsm_uri *ret, struct chsm_err *err)
{
    return parse(text, true, ret, err);
}

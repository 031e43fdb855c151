/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <p11-kit/uri.h>

#include "pkcs11/uri.h"
#include "util/buf.h"

void chsm_uri_done(struct chsm_uri *u)
{
    free(u->module_path);
    free(u->pin_source);
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

static int check(P11KitUri *u, struct chsm_err *err)
{
    CK_ULONG n = 0;

    if (p11_kit_uri_any_unrecognized(u))
        return chsm_fail(err, CHSM_USAGE, "the URI has a part that is not known, or a value that is too long");
    if (p11_kit_uri_get_attributes(u, &n) && n > 0)
        return chsm_fail(err, CHSM_USAGE, "the URI names an object (id, object, type); here it chooses a token, all of which is read");
    if (p11_kit_uri_get_module_name(u))
        return chsm_fail(err, CHSM_USAGE, "the URI's module-name cannot be used; give module-path, or --module");
    if (p11_kit_uri_get_pin_value(u)) {
        (void)chsm_fail(err, CHSM_USAGE, "a PIN does not belong into a URI on the command line (pin-value)");
        return chsm_err_hint(err, "use pin-source, or --login NAME=SOURCE");
    }
    return 0;
}

int chsm_uri_parse(const char *text, struct chsm_uri *ret, struct chsm_err *err)
{
    AUTO(uri_free) P11KitUri *u = p11_kit_uri_new();
    AUTO_URI struct chsm_uri got = { 0 };
    const char *path, *source;

    if (!u)
        return chsm_oom(err);
    if (p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, u) != P11_KIT_URI_OK)
        return chsm_fail(err, CHSM_USAGE, "--uri is no PKCS#11 URI (RFC 7512)");
    if (check(u, err) < 0)
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

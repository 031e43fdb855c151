/* SPDX-License-Identifier: Apache-2.0 */
/* What the blob service answers: listings and errors, both XML (storage.md §2). */
#include "config.h"

#include <expat.h>
#include <strings.h>

#include "azure/blob.h"
#include "util/log.h"

#define DEPTH_MAX    16
#define TEXT_MAX     8192  /* of one element: a blob's name has 1,024 characters at the most */
#define PREFIXES_MAX 20000 /* of one page; the service sends up to 5,000 */
#define PATH_SIZE    512

struct reading { /* one document being read */
    XML_Parser parser;
    char path[PATH_SIZE]; /* "/EnumerationResults/Blobs/BlobPrefix/Name" */
    unsigned depth;
    struct chsm_buf text; /* of the element that is open */
    json_t *prefixes;
    char *next, *code, *message;
    bool listing;               /* it has the element that every listing has */
    const char *trouble; /* why the reading was stopped; static */
};

static void reading_done(struct reading *r)
{
    if (r->parser)
        XML_ParserFree(r->parser);
    chsm_buf_done(&r->text);
    json_decref(r->prefixes);
    free(r->next);
    free(r->code);
    free(r->message);
    *r = (struct reading){ 0 };
}

static void stop(struct reading *r, const char *why)
{
    if (!r->trouble)
        r->trouble = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = ctx;
    size_t n = strlen(r->path);

    (void)attributes;
    chsm_buf_clear(&r->text);
    if (++r->depth > DEPTH_MAX || n + strlen(name) + 2 > sizeof r->path)
        stop(r, "it is nested too deep");
    else
        (void)snprintf(r->path + n, sizeof r->path - n, "/%s", name);
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int n)
{
    struct reading *r = ctx;

    if (chsm_buf_add(&r->text, text, (size_t)n, NULL) < 0)
        stop(r, "an element is too long");
}

static void keep(struct reading *r, char **at)
{
    free(*at);
    *at = strdup(chsm_buf_str(&r->text));
    if (!*at)
        stop(r, "out of memory");
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct reading *r = ctx;
    char *slash = strrchr(r->path, '/');

    (void)name;
    if (strcmp(r->path, "/EnumerationResults/Blobs/BlobPrefix/Name") == 0) {
        if (json_array_size(r->prefixes) == PREFIXES_MAX)
            stop(r, "a page has too many entries");
        else if (json_array_append_new(r->prefixes, json_string(chsm_buf_str(&r->text))) < 0)
            stop(r, "out of memory");
    } else if (strcmp(r->path, "/EnumerationResults/Blobs") == 0) {
        r->listing = true;
    } else if (strcmp(r->path, "/EnumerationResults/NextMarker") == 0 && r->text.len > 0) {
        keep(r, &r->next);
    } else if (strcmp(r->path, "/Error/Code") == 0) {
        keep(r, &r->code);
    } else if (strcmp(r->path, "/Error/Message") == 0) {
        keep(r, &r->message);
    }
    chsm_buf_clear(&r->text);
    r->depth--;
    if (slash)
        *slash = '\0';
}

/* Entities can only be declared in a document type; none of these answers has one. */
static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)subset;
    stop(ctx, "it declares a document type");
}

/* Reads the whole document into *r, which the caller ends by reading_done() in any case. */
static int read_xml(struct reading *r, const char *xml, size_t n, struct chsm_err *err)
{
    *r = (struct reading){ .text = CHSM_BUF(TEXT_MAX), .parser = XML_ParserCreate(NULL), .prefixes = json_array() };
    if (!r->parser || !r->prefixes)
        return chsm_oom(err);
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
    if (n > CHSM_HTTP_BODY_MAX)
        return chsm_fail(err, CHSM_SERVICE, "the XML of the blob service is too long");
    if (XML_Parse(r->parser, xml, (int)n, XML_TRUE) == XML_STATUS_OK)
        return 0;
    return chsm_fail(err, CHSM_SERVICE, "the XML of the blob service cannot be read, line %lu: %s",
                     (unsigned long)XML_GetCurrentLineNumber(r->parser),
                     r->trouble ? r->trouble : XML_ErrorString(XML_GetErrorCode(r->parser)));
}

void chsm_blob_page_done(struct chsm_blob_page *p)
{
    json_decref(p->prefixes);
    free(p->next);
    *p = (struct chsm_blob_page){ 0 };
}

int chsm_blob_page_parse(const char *xml, size_t n, struct chsm_blob_page *ret, struct chsm_err *err)
{
    AUTO(reading_done) struct reading r = { 0 };

    if (read_xml(&r, xml, n, err) < 0)
        return -1;
    if (r.code)
        return chsm_fail(err, CHSM_SERVICE, "the blob service answered an error where a listing was asked for: %s", r.code);
    /* A gateway's page may be good XML, too; it is no empty container. */
    if (!r.listing)
        return chsm_fail(err, CHSM_SERVICE, "the answer of the blob service is no listing");
    *ret = (struct chsm_blob_page){ .prefixes = TAKE(r.prefixes), .next = TAKE(r.next) };
    return 0;
}

/* What the codes of the blob service mean for somebody who looks for a backup. */
static const struct {
    const char *code, *hint;
} hints[] = {
    { "AuthorizationPermissionMismatch",
      "the identity that signs in needs the role Storage Blob Data Reader (or Contributor) on this container; a new assignment "
      "takes up to 10 minutes" },
    { "AuthorizationFailure",
      "the account's firewall does not let this machine in: allow its address, or run where the private endpoint is "
      "(`chsmctl storage show` tells what the account allows)" },
    { "PublicAccessNotPermitted",
      "the request came without a valid token, and the account serves nobody anonymously: sign in again" },
    { "NoAuthenticationInformation", "the request came without a token: something on the way takes it out; check the proxy" },
    { "KeyBasedAuthenticationNotPermitted",
      "the account takes no shared keys and no SAS made with them: leave the SAS out, the sign-in's token is enough" },
    { "InvalidAuthenticationInfo", "the token is not one for storage, or has expired: sign in again" },
    { "AuthenticationFailed", "the token was refused: check the tenant of the account, and this machine's clock" },
    { "ContainerNotFound", "check the container's name; `chsmctl storage prepare` makes it" },
    { "ContainerBeingDeleted", "the container is being deleted: use another name, or wait" },
    { "AccountIsDisabled", "the storage account is disabled: ask who runs the subscription" },
    { "InvalidHeaderValue", "this service does not know x-ms-version " CHSM_BLOB_VERSION ": it is older than 2023" },
    { "OutOfRangeInput", "a container's name has 3 to 63 lower-case letters, digits and single hyphens" },
    { "InvalidResourceName", "a container's name has 3 to 63 lower-case letters, digits and single hyphens" },
    { "ServerBusy", "the service is throttling: try again later" },
};

/* Line breaks and other control characters of a foreign text have no place in ours. */
static void flatten(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
}

/* A code is a word; anything else in its place is not repeated. */
static const char *word(const char *code)
{
    size_t n = code ? strlen(code) : 0;

    return n > 0 && n < 64 && strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == n ? code : "";
}

int chsm_blob_error(const struct chsm_response *r, const char *method, const char *url, struct chsm_err *err)
{
    AUTO(reading_done) struct reading x = { 0 };
    AUTO_FREE char *shown = chsm_redact_url(url);
    AUTO_FREE char *message = NULL;
    const char *code;

    (void)read_xml(&x, chsm_buf_str(&r->body), r->body.len, NULL);
    code = word(x.code ? x.code : r->error_code);
    message = chsm_redact_text(x.message ? x.message : "the answer says no more", NULL);
    if (!shown || !message)
        return chsm_oom(err);
    (void)chsm_fail(err, r->status == 401 ? CHSM_AUTH : CHSM_SERVICE, "%s %s: HTTP %ld%s%s: %.500s%s%s%s", method, shown,
                    r->status, *code ? " " : "", code, message, r->request_id ? " (request id " : "",
                    r->request_id ? r->request_id : "", r->request_id ? ")" : "");
    if (!err)
        return -1;
    flatten(err->text);
    err->http = r->status;
    (void)snprintf(err->service_code, sizeof err->service_code, "%s", code);
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (strcasecmp(hints[i].code, code) == 0)
            (void)chsm_err_hint(err, "%s", hints[i].hint);
    return -1;
}

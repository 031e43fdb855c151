/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the blob service, or somebody in its place, answers. Whatever it says: a listing has strings and no more text than was sent (no
 * entities), a document that declares a type is none, and an error is one line.
 */
#include "config.h"

#include "azure/blob.h"
#include "fuzz.h"

static void check_page(const char *text, size_t n)
{
    AUTO(chsm_blob_page_done) struct chsm_blob_page page = { 0 };
    struct chsm_err err = { 0 };
    size_t total = 0, i;
    json_t *each;

    if (chsm_blob_page_parse(text, n, &page, &err) < 0) {
        MUST(err.code == CHSM_SERVICE && err.text[0] && !page.prefixes && !page.next);
        return;
    }
    MUST(json_is_array(page.prefixes) && (!page.next || *page.next));
    json_array_foreach (page.prefixes, i, each) {
        MUST(json_is_string(each));
        total += json_string_length(each);
    }
    /* Latin-1 doubles on its way to UTF-8; nothing else grows. */
    MUST(total + (page.next ? strlen(page.next) : 0) <= 2 * n);
    MUST(n < strlen("<!DOCTYPE") || memcmp(text, "<!DOCTYPE", strlen("<!DOCTYPE")) != 0);
}

static void check_error(const char *text, size_t n)
{
    struct chsm_response r = { .status = 403, .body = CHSM_BUF(CHSM_HTTP_BODY_MAX), .retry_after = -1 };
    struct chsm_err err = { 0 };

    MUST(chsm_buf_add(&r.body, text, n, NULL) == 0);
    MUST(chsm_blob_error(&r, "GET", "https://a.blob.core.windows.net/c?restype=container&comp=list", &err) == -1);
    MUST(err.code == CHSM_SERVICE && err.http == 403 && strstr(err.text, "HTTP 403"));
    for (const char *p = err.text; *p; p++)
        MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
    chsm_buf_done(&r.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_page((const char *)data, size);
    check_error((const char *)data, size);
    return 0;
}

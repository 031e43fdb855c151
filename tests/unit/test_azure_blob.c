/* SPDX-License-Identifier: Apache-2.0 */
/* The blob service: which folders are backups, in what order, over how many pages; and answers that want to do harm. */
#include "config.h"

#include "azure/blob.h"
#include "tests/unit/azure_world.h"

#define UUID_A "0e35c989-c582-4b3c-958d-596e4c4fe133"
#define UUID_B "11111111-2222-4333-8444-555555555555"
#define HEAD   "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define LIST(blobs, marker)                                                                                                      \
    HEAD "<EnumerationResults ServiceEndpoint=\"https://x/\" ContainerName=\"backups\"><Prefix>cloudhsm-</Prefix>"               \
         "<Blobs>" blobs "</Blobs>" marker "</EnumerationResults>"
#define FOLDER(name) "<BlobPrefix><Name>" name "/</Name></BlobPrefix>"
#define ERROR(code)  HEAD "<Error><Code>" code "</Code><Message>This request is not authorized.\nRequestId:1</Message></Error>"

static char *container_of(const struct arm_world *w)
{
    char *uri = chsm_strf("%s/account1/backups", server_url(w->server));

    assert_non_null(uri);
    return uri;
}

static const char *name_at(const json_t *list, size_t i)
{
    return chsm_json_str(json_array_get(list, i), "name");
}

static void newest_first_over_pages(void **state)
{
    static const char *const script[] = {
        ANSWER("200 OK", "",
               LIST("<Blob><Name>readme.txt</Name></Blob>" FOLDER("cloudhsm-" UUID_A "-2025061314364592") FOLDER("cloudhsm-notes")
                        FOLDER("cloudhsm-" UUID_A "-202506131436459"),
                    "<NextMarker>2!76!a&amp;b/=</NextMarker>")),
        ANSWER("200 OK", "",
               LIST(FOLDER("cloudhsm-" UUID_B "-2026010203040506") FOLDER("cloudhsm-" UUID_A "-2025061314364593"),
                    "<NextMarker />")),
        NULL
    };
    json_auto_t *list = NULL;
    struct arm_world w;
    AUTO_FREE char *uri = NULL;

    (void)state;
    arm_world_open(&w, "token", script);
    uri = container_of(&w);
    assert_ok(chsm_blob_folders(&w.arm, uri, NULL, 0, &list, &w.err), w.err);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(name_at(list, 0), "cloudhsm-" UUID_B "-2026010203040506");
    assert_string_equal(name_at(list, 1), "cloudhsm-" UUID_A "-2025061314364593");
    assert_string_equal(name_at(list, 2), "cloudhsm-" UUID_A "-2025061314364592");
    assert_string_equal(chsm_json_str(json_array_get(list, 2), "time"), "2025-06-13T14:36:45.920Z");
    assert_string_equal(chsm_json_str(json_array_get(list, 2), "source"), UUID_A);
    assert_contains(server_request(w.server, 0),
                    "GET /account1/backups?restype=container&comp=list&prefix=cloudhsm-&delimiter=%2F"
                    "&maxresults=5000 HTTP/1.1\r\n");
    assert_contains(server_request(w.server, 0), "\r\nx-ms-version: 2022-11-02\r\n");
    assert_contains(server_request(w.server, 0), " GMT\r\n");
    assert_contains(server_request(w.server, 0), "\r\nAuthorization: Bearer s3cret\r\n");
    assert_contains(server_request(w.server, 1), "&marker=2%2176%21a%26b%2F%3D HTTP/1.1\r\n");
    assert_int_equal(server_count(w.server), 2);
    arm_world_close(&w);
}

static void a_folder_behind_the_container(void **state)
{
    static const char *const script[] = {
        ANSWER("200 OK", "",
               LIST(FOLDER("site/cloudhsm-" UUID_A "-2025061314364592") FOLDER("cloudhsm-" UUID_B "-2026010203040506"), "")),
        NULL
    };
    json_auto_t *list = NULL;
    struct arm_world w;
    AUTO_FREE char *base = NULL;
    AUTO_FREE char *uri = NULL;

    (void)state;
    arm_world_open(&w, "token", script);
    base = container_of(&w);
    uri = chsm_strf("%s/site", base);
    assert_ok(chsm_blob_folders(&w.arm, uri, "cloudhsm-" UUID_A "-", 0, &list, &w.err), w.err);
    assert_contains(server_request(w.server, 0), "GET /account1/backups?");
    assert_contains(server_request(w.server, 0), "&prefix=site%2Fcloudhsm-" UUID_A "-&");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(name_at(list, 0), "cloudhsm-" UUID_A "-2025061314364592");
    arm_world_close(&w);
}

static void refusals_say_what_to_do(void **state)
{
    static const struct {
        const char *answer, *code, *hint;
    } cases[] = {
        { ANSWER("403 Forbidden", "x-ms-request-id: r-1\r\n", ERROR("AuthorizationPermissionMismatch")),
          "AuthorizationPermissionMismatch", "Storage Blob Data Reader" },
        { ANSWER("403 Forbidden", "", ERROR("AuthorizationFailure")), "AuthorizationFailure", "firewall" },
        { ANSWER("409 Conflict", "", ERROR("PublicAccessNotPermitted")), "PublicAccessNotPermitted", "anonymously" },
        { ANSWER("403 Forbidden", "", ERROR("KeyBasedAuthenticationNotPermitted")), "KeyBasedAuthenticationNotPermitted", "SAS" },
        { ANSWER("404 Not Found", "", ERROR("ContainerNotFound")), "ContainerNotFound", "storage prepare" },
        { ANSWER("404 Not Found", "x-ms-error-code: ContainerNotFound\r\n", "<html>gateway"), "ContainerNotFound",
          "storage prepare" },
        { ANSWER("400 Bad Request", "", ERROR("InvalidHeaderValue")), "InvalidHeaderValue", "2022-11-02" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const script[] = { cases[i].answer, NULL };
        json_t *list = NULL;
        struct arm_world w;
        AUTO_FREE char *uri = NULL;

        arm_world_open(&w, "token", script);
        uri = container_of(&w);
        assert_fails(chsm_blob_folders(&w.arm, uri, NULL, 0, &list, &w.err), CHSM_SERVICE, w.err);
        assert_null(list);
        assert_string_equal(w.err.service_code, cases[i].code);
        assert_contains(w.err.text, cases[i].code);
        assert_contains(w.err.hint, cases[i].hint);
        assert_lacks(w.err.text, "\n");
        assert_int_equal(server_count(w.server), 1);
        arm_world_close(&w);
    }
}

static void xml_that_wants_harm(void **state)
{
    static const char *const bad[] = {
        "",
        "{}",
        "<EnumerationResults>",
        LIST(FOLDER("a"), "") "<x/>",
        "<Blobs>\xff\xfe</Blobs>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><EnumerationResults><Blobs>" FOLDER("&a;") "</Blobs></EnumerationResults>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><EnumerationResults/>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>",
        ERROR("ServerBusy"),
        "<html><body>Sign in</body></html>",
        "<EnumerationResults><NextMarker/></EnumerationResults>",
    };
    struct chsm_blob_page page = { 0 };
    struct chsm_err err = { 0 };
    AUTO_BUF struct chsm_buf big = CHSM_BUF(1u << 20);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(chsm_blob_page_parse(bad[i], strlen(bad[i]), &page, &err), CHSM_SERVICE, err);
    assert_ok(chsm_buf_adds(&big, "<EnumerationResults><NextMarker>", &err), err);
    for (unsigned i = 0; i < 900; i++)
        assert_ok(chsm_buf_adds(&big, "0123456789", &err), err);
    assert_ok(chsm_buf_adds(&big, "</NextMarker></EnumerationResults>", &err), err);
    assert_fails(chsm_blob_page_parse(big.p, big.len, &page, &err), CHSM_SERVICE, err);
    assert_contains(err.text, "too long");
    assert_null(page.prefixes);
}

static void a_listing_in_circles(void **state)
{
    static const char again[] = ANSWER("200 OK", "", LIST("", "<NextMarker>same</NextMarker>"));
    static const char *const script[] = { again, again, again, NULL };
    json_t *list = NULL;
    struct arm_world w;
    AUTO_FREE char *uri = NULL;

    (void)state;
    arm_world_open(&w, "token", script);
    uri = container_of(&w);
    assert_fails(chsm_blob_folders(&w.arm, uri, NULL, 0, &list, &w.err), CHSM_SERVICE, w.err);
    assert_contains(w.err.text, "circles");
    assert_int_equal(server_count(w.server), 2);
    arm_world_close(&w);
}

static void addresses_that_are_none(void **state)
{
    static const struct {
        const char *uri;
        enum chsm_code code;
    } cases[] = {
        { "https://127.0.0.1:1/account", CHSM_USAGE },         { "https://a.blob.core.windows.net/", CHSM_USAGE },
        { "http://a.blob.core.windows.net/c", CHSM_USAGE },    { "https://a.blob.core.windows.net/c?sig=x", CHSM_REFUSED },
        { "https://a.blob.core.windows.net/c", CHSM_REFUSED }, /* another cloud than this test's */
        { "https://blob.core.test/c", CHSM_REFUSED },          { "https://a.blob.core.test.example/c", CHSM_REFUSED },
        { "https://127.0.0.1.example/a/c", CHSM_REFUSED },     { "", CHSM_USAGE },
    };
    static const char *const script[] = { NULL };
    struct arm_world w;

    (void)state;
    arm_world_open(&w, "token", script);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *list = NULL;

        assert_fails(chsm_blob_folders(&w.arm, cases[i].uri, NULL, 0, &list, &w.err), cases[i].code, w.err);
    }
    assert_int_equal(server_count(w.server), 0);
    arm_world_close(&w);
}

static void folder_names(void **state)
{
    static const char *const none[] = { "",
                                        "cloudhsm-",
                                        "mhsm-x-20250613143645",
                                        "cloudhsm-" UUID_A,
                                        "cloudhsm-" UUID_A "-",
                                        "cloudhsm-" UUID_A "-20250613143645921",
                                        "cloudhsm-" UUID_A "-2025061314364592.partial" };
    json_auto_t *odd = chsm_blob_folder_parse("cloudhsm-" UUID_A "-2025991314364592");
    json_auto_t *upper = chsm_blob_folder_parse("cloudhsm-0E35C989-C582-4B3C-958D-596E4C4FE133-2024022923595999");

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(chsm_blob_folder_parse(none[i]));
    assert_non_null(odd);
    assert_null(chsm_json_str(odd, "time"));
    assert_string_equal(chsm_json_str(upper, "source"), UUID_A);
    assert_string_equal(chsm_json_str(upper, "time"), "2024-02-29T23:59:59.990Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first_over_pages),
        cmocka_unit_test(a_folder_behind_the_container),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(xml_that_wants_harm),
        cmocka_unit_test(a_listing_in_circles),
        cmocka_unit_test(addresses_that_are_none),
        cmocka_unit_test(folder_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

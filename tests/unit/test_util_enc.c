/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/unit/check.h"

#include "util/enc.h"
#include "util/path.h"

static void hex_both_ways(void **state)
{
    static const unsigned char raw[] = { 0x00, 0x0f, 0xf0, 0xab, 0xff };
    AUTO_BYTES struct chsm_bytes b = { 0 };
    AUTO_FREE char *hex = chsm_hex(raw, sizeof raw);
    AUTO_FREE char *none = chsm_hex(NULL, 0);
    struct chsm_err err = { 0 };

    (void)state;
    assert_string_equal(hex, "000ff0abff");
    assert_string_equal(none, "");
    assert_ok(chsm_unhex("000FF0aBff", &b, &err), err);
    assert_int_equal(b.len, sizeof raw);
    assert_memory_equal(b.p, raw, sizeof raw);
    assert_ok(chsm_unhex("", &b, &err), err);
    assert_int_equal(b.len, 0);
    assert_null(b.p);
}

static void wrong_hex_is_refused(void **state)
{
    static const char *const wrong[] = { "0", "abc", "0g", "g0", " 00", "00 ", "0x00", "00:11", "\xc3\xa9", "--" };
    AUTO_BYTES struct chsm_bytes b = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_unhex("aa", &b, &err), err);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_fails(chsm_unhex(wrong[i], &b, &err), CHSM_CONFIG, err);
    assert_int_equal(b.len, 1);
    assert_int_equal(b.p[0], 0xaa);
}

/* RFC 4648 §10. */
static void base64_vectors(void **state)
{
    static const struct { const char *raw, *text, *url; } v[] = {
        { "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/", "-_-_" },
    };
    struct chsm_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        AUTO_FREE char *text = chsm_base64(v[i].raw, strlen(v[i].raw));
        AUTO_FREE char *url = chsm_base64url(v[i].raw, strlen(v[i].raw));
        AUTO_BYTES struct chsm_bytes b = { 0 };

        assert_string_equal(text, v[i].text);
        assert_string_equal(url, v[i].url);
        assert_ok(chsm_unbase64(v[i].text, &b, &err), err);
        assert_int_equal(b.len, strlen(v[i].raw));
        assert_memory_equal(b.len ? (const char *)b.p : "", v[i].raw, b.len);
    }
}

static void wrong_base64_is_refused(void **state)
{
    static const char *const wrong[] = { "Z", "Zg", "Zg=", "Zg===", "====", "=Zg=", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9v Zm9v", "-_-_", "Zm=v", "Zg==Zg==" };
    AUTO_BYTES struct chsm_bytes b = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_unhex("aa", &b, &err), err);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_fails(chsm_unbase64(wrong[i], &b, &err), CHSM_CONFIG, err);
    assert_int_equal(b.len, 1);
}

static void zero_bytes_survive(void **state)
{
    static const unsigned char zeros[7] = { 0 };
    AUTO_FREE char *text = chsm_base64(zeros, sizeof zeros);
    AUTO_BYTES struct chsm_bytes b = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_unbase64(text, &b, &err), err);
    assert_int_equal(b.len, sizeof zeros);
    assert_memory_equal(b.p, zeros, sizeof zeros);
}

static void bytes_compare_by_length_and_content(void **state)
{
    struct chsm_bytes a = { (unsigned char *)"abc", 3 }, b = { (unsigned char *)"abd", 3 }, c = { (unsigned char *)"abcd", 4 }, none = { 0 };

    (void)state;
    assert_true(chsm_bytes_eq(&a, &a));
    assert_true(chsm_bytes_eq(&none, &none));
    assert_false(chsm_bytes_eq(&a, &b));
    assert_false(chsm_bytes_eq(&a, &c));
    assert_false(chsm_bytes_eq(&a, &none));
}

static void bytes_set_replaces(void **state)
{
    AUTO_BYTES struct chsm_bytes b = { 0 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_bytes_set(&b, "abc", 3, &err), err);
    assert_ok(chsm_bytes_set(&b, b.p + 1, 2, &err), err);
    assert_int_equal(b.len, 2);
    assert_memory_equal(b.p, "bc", 2);
    assert_ok(chsm_bytes_set(&b, "x", 0, &err), err);
    assert_null(b.p);
}

/* FIPS 180-2, appendix B. */
static void sha256_vectors(void **state)
{
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    char path[] = "/tmp/chsm-enc-XXXXXX", hex[65];
    struct chsm_err err = { 0 };
    int fd;

    (void)state;
    chsm_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, abc);
    chsm_sha256_hex(NULL, 0, hex);
    assert_string_equal(hex, nothing);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_ok(chsm_sha256_file(path, hex, &err), err);
    assert_string_equal(hex, nothing);
    assert_ok(chsm_fd_write(fd, "abc", 3, &err), err);
    (void)close(fd);
    assert_ok(chsm_sha256_file(path, hex, &err), err);
    assert_string_equal(hex, abc);
    (void)unlink(path);
    assert_fails(chsm_sha256_file(path, hex, &err), CHSM_CONFIG, err);
    assert_fails(chsm_sha256_file("/tmp", hex, &err), CHSM_CONFIG, err);
}

static void uuid_has_its_form(void **state)
{
    char a[37], b[37];
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_uuid(a, &err), err);
    assert_ok(chsm_uuid(b, &err), err);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    for (int i = 0; i < 36; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(a[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", a[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_both_ways),
        cmocka_unit_test(wrong_hex_is_refused),
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(wrong_base64_is_refused),
        cmocka_unit_test(zero_bytes_survive),
        cmocka_unit_test(bytes_compare_by_length_and_content),
        cmocka_unit_test(bytes_set_replaces),
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(uuid_has_its_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

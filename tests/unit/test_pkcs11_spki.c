/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as PKCS#11 tells them, against published key material and check values; codes as text; the wire. */
#include "config.h"

#include <openssl/evp.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "check.h"
#include "pkcs11/curve.h"
#include "pkcs11/hsm.h"
#include "pkcs11/spki.h"
#include "pkcs11/wire.h"
#include "util/buf.h"

/* Modulus, point and check values of the vendors' published attribute dumps; KCV = first 3 bytes of SHA-1 over the SPKI. */
static const char rsa_modulus[] =
    "bb9301cc362c1d9724eb93da8adab0364296bde7124a241087d9436b9be57e4f7780040df03c2c1c0fe6e3b61aa83c205280119452868f66541bbb"
    "ffacbbe787b8284fc81deaeef2b8ec0ba25a077d6983c77a1de7b17cbe8e15b203868704c6452c2810344a7f2736012424cf0703cf15a37183a1d2"
    "d097240829f8f90b063dd3a41171402b162578d581980976653935431da0c1260bfe756d85dca63857d9f27a541676cb9c7def0ef6a2a89c9b9304"
    "bcac16fdf8183c0a555421f9ad5dfeb534cf26b65873970cdf1a07484f1c128b53e10209cc6f7ac308669112968c81a5de408e7f644fe58b1a9ae1"
    "286fecb3e4203294a96fae06f8f0db7982cb5d7f";
static const char ec_point[] =
    "044a0f9d01d10f7437d9fa20995f0cc742552e5ba16d3d7e9a65a33e20ad3e569e68eb62477a9960a87911e6121d112b698e469a0329a665eba74e"
    "e5ac55eae9f5";
static const char ec_spki[] =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200044a0f9d01d10f7437d9fa20995f0cc742552e5ba16d3d7e9a65a33e20ad3e569e"
    "68eb62477a9960a87911e6121d112b698e469a0329a665eba74ee5ac55eae9f5";
static const char p256_oid[] = "06082a8648ce3d030107";

static struct chsm_bytes bytes(const char *hex)
{
    struct chsm_bytes b = { 0 };
    struct chsm_err e = { 0 };

    assert_ok(chsm_unhex(hex, &b, &e), e);
    return b;
}

static void check_value_is(const struct chsm_bytes *spki, const char *kcv)
{
    unsigned char digest[20];
    AUTO_FREE char *hex = NULL;

    assert_true(EVP_Q_digest(NULL, "SHA1", NULL, spki->p, spki->len, digest, NULL) > 0);
    hex = chsm_hex(digest, 3);
    assert_string_equal(hex, kcv);
}

static void rsa_key_as_published(void **state)
{
    struct chsm_bytes n = bytes(rsa_modulus), e3 = bytes("010001"), spki = { 0 };
    AUTO_FREE char *hex = NULL;
    struct chsm_err e = { 0 };

    (void)state;
    assert_ok(chsm_spki_rsa(&n, &e3, &spki, &e), e);
    hex = chsm_hex(spki.p, spki.len);
    /* With the NULL parameter, and a zero before the modulus' top bit. */
    assert_int_equal(strncmp(hex, "30820122300d06092a864886f70d01010105000382010f003082010a0282010100bb9301cc", 74), 0);
    assert_string_equal(hex + strlen(hex) - 10, "0203010001");
    check_value_is(&spki, "c51c18");
    chsm_bytes_done(&n);
    chsm_bytes_done(&e3);
    chsm_bytes_done(&spki);
}

/* One key has one encoding: bare, wrapped in an OCTET STRING, compressed. */
static void ec_key_as_published_in_every_form(void **state)
{
    static const char *const before[] = { "", "0441", "" };
    struct chsm_bytes oid = bytes(p256_oid);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        AUTO_FREE char *text = i < 2 ? chsm_strf("%s%s", before[i], ec_point) : chsm_strf("03%.64s", ec_point + 2);
        struct chsm_bytes point = bytes(text), spki = { 0 };
        AUTO_FREE char *hex = NULL;
        struct chsm_err e = { 0 };

        assert_ok(chsm_spki_ec(&oid, &point, &spki, &e), e);
        hex = chsm_hex(spki.p, spki.len);
        assert_string_equal(hex, ec_spki);
        check_value_is(&spki, "bbb32a");
        chsm_bytes_done(&point);
        chsm_bytes_done(&spki);
    }
    chsm_bytes_done(&oid);
}

/* The quick way for common curves gives byte for byte what OpenSSL's own encoder gives. */
static void common_curves_are_encoded_as_by_openssl(void **state)
{
    static const int curves[] = { NID_X9_62_prime192v1, NID_secp224r1, NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1, NID_secp256k1 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", OBJ_nid2sn(curves[i]));
        unsigned char *der = NULL, room[133];
        struct chsm_bytes point = { room, 0 }, spki = { 0 };
        int n;

        assert_non_null(key);
        assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, room, sizeof room, &point.len), 1);
        n = i2d_PUBKEY(key, &der);
        assert_int_equal(chsm_curve_spki(curves[i], &point, &spki, NULL), 1);
        assert_int_equal(spki.len, n);
        assert_memory_equal(spki.p, der, (size_t)n);
        room[point.len - 1] ^= 1;
        assert_int_equal(chsm_curve_spki(curves[i], &point, &spki, NULL), 0);
        OPENSSL_free(der);
        EVP_PKEY_free(key);
        chsm_bytes_done(&spki);
    }
}

/* Edwards and Montgomery keys by OID and by name, their points bare and in either string: one encoding. */
static void keys_with_curves_of_their_own(void **state)
{
    static const struct { const char *type, *name, *oid, *printable; } curves[] = {
        { "ED25519", "Ed25519", "06032b6570", "130c656477617264733235353139" }, { "ED448", "Ed448", "06032b6571", "130a65647761726473343438" },
        { "X25519", "X25519", "06032b656e", "130a63757276653235353139" },       { "X448", "X448", "06032b656f", "13086375727665343438" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, curves[i].type);
        unsigned char *der = NULL, room[3 + 64] = { 0 };
        size_t len = 64;
        int n = i2d_PUBKEY(key, &der);

        assert_int_equal(EVP_PKEY_get_raw_public_key(key, room + 3, &len), 1);
        for (int form = 0; form < 6; form++) {
            struct chsm_bytes params = bytes(form % 2 ? curves[i].printable : curves[i].oid), spki = { 0 };
            size_t head = form / 2 == 2 ? 3 : (size_t)form / 2 * 2;
            struct chsm_bytes point = { room + 3 - head, len + head };
            AUTO_FREE char *name = NULL;
            struct chsm_err e = { 0 };
            unsigned bits = 0;

            if (head == 3)
                memcpy(room, (unsigned char[]){ V_ASN1_BIT_STRING, (unsigned char)(len + 1), 0 }, 3);
            if (head == 2)
                memcpy(room + 1, (unsigned char[]){ V_ASN1_OCTET_STRING, (unsigned char)len }, 2);
            assert_ok(chsm_spki_curve(&params, &name, &bits, &e), e);
            assert_string_equal(name, curves[i].name);
            assert_ok(chsm_spki_ec(&params, &point, &spki, &e), e);
            assert_int_equal(spki.len, n);
            assert_memory_equal(spki.p, der, (size_t)n);
            point.len--;
            assert_fails(chsm_spki_ec(&params, &point, &spki, &e), CHSM_PKCS11, e);
            chsm_bytes_done(&params);
            chsm_bytes_done(&spki);
        }
        OPENSSL_free(der);
        EVP_PKEY_free(key);
    }
}

static void keys_that_are_none(void **state)
{
    /* One bit off the curve; infinity; too short; empty. */
    static const char *const points[] = {
        ("044a0f9d01d10f7437d9fa20995f0cc742552e5ba16d3d7e9a65a33e20ad3e569e68eb62477a9960a87911e6121d112b698e469a0329a665eba74ee5"
         "ac55eae9f4"), "00", "0401", "" };
    struct chsm_bytes oid = bytes(p256_oid), one = bytes("01"), even = bytes("02"), n = bytes(rsa_modulus), spki = { 0 };
    struct chsm_err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct chsm_bytes point = bytes(points[i]);

        assert_fails(chsm_spki_ec(&oid, &point, &spki, &e), CHSM_PKCS11, e);
        chsm_bytes_done(&point);
    }
    assert_fails(chsm_spki_rsa(&n, &one, &spki, &e), CHSM_PKCS11, e);
    assert_fails(chsm_spki_rsa(&n, &even, &spki, &e), CHSM_PKCS11, e);
    assert_fails(chsm_spki_rsa(&one, &one, &spki, &e), CHSM_PKCS11, e);
    assert_fails(chsm_spki_certificate(&oid, &spki, &e), CHSM_PKCS11, e);
    assert_null(spki.p);
    chsm_bytes_done(&oid);
    chsm_bytes_done(&one);
    chsm_bytes_done(&even);
    chsm_bytes_done(&n);
}

static void curves_by_name(void **state)
{
    static const struct { const char *params, *curve; unsigned bits; } cases[] = {
        { "06082a8648ce3d030107", "P-256", 256 },     { "06052b81040022", "P-384", 384 },
        { "06052b81040023", "P-521", 521 },           { "06052b8104000a", "secp256k1", 256 },
        { "06092b2403030208010107", "brainpoolP256r1", 256 },
        { "06032b6570", "Ed25519", 255 },             { "130c656477617264733235353139", "Ed25519", 255 },
        { "06042a030405", "1.2.3.4.5", 0 },           { "3003020101", "explicit", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chsm_bytes params = bytes(cases[i].params);
        AUTO_FREE char *curve = NULL;
        struct chsm_err e = { 0 };
        unsigned bits = 1;

        assert_ok(chsm_spki_curve(&params, &curve, &bits, &e), e);
        assert_string_equal(curve, cases[i].curve);
        assert_int_equal(bits, cases[i].bits);
        chsm_bytes_done(&params);
    }
}

static void firmware_codes_have_both_readings(void **state)
{
    char text[256];

    (void)state;
    assert_string_equal(chsm_ckr_text(0x0a0, text, sizeof text), "CKR_PIN_INCORRECT (0xa0)");
    assert_contains(chsm_ckr_text(0xa3, text, sizeof text), "CKR_PIN_EXPIRED (0xa3)");
    assert_contains(text, "163");
    assert_contains(text, "RET_USER_LOGIN_FAILURE");
    assert_contains(chsm_ckr_text(0x12345, text, sizeof text), "0x12345");
}

/* The other end of the wire is a process with a foreign library in it. */
static void records_of_a_hostile_worker_are_refused(void **state)
{
    static const char good[] = "{\"class\":\"0x3\",\"type\":\"0x3\",\"id\":\"01\",\"label\":\"\",\"bits\":256,\"spki\":\"\","
                               "\"check-value\":\"\",\"attributes\":{\"sign\":true}}";
    static const struct { const char *from, *to; } bad[] = {
        { "\"0x3\",\"type\"", "\"0x5\",\"type\"" },    { "\"type\":\"0x3\"", "\"type\":\"0xffffffffffffffff\"" },
        { "\"type\":\"0x3\"", "\"type\":\"0x11111111111111111\"" }, { "\"type\":\"0x3\"", "\"type\":3" },
        { "\"01\"", "\"0g\"" },                        { "\"01\"", "\"012\"" },
        { "256", "-1" },                               { "256", "99999999999" },
        { "true", "1" },                               { "\"sign\"", "\"proven\"" },
        { "\"sign\":true", "\"value-sha256\":\"00\"" }, { "{\"sign\":true}", "[]" },
    };

    (void)state;
    for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
        const char *at = i > 0 ? strstr(good, bad[i - 1].from) : good;
        AUTO_FREE char *text = i > 0 ? chsm_strf("%.*s%s%s", (int)(at - good), good, bad[i - 1].to,
                                                 at + strlen(bad[i - 1].from)) : strdup(good);
        struct chsm_record r = { 0 };
        struct chsm_err e = { 0 };
        json_t *body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(body);
        if (i == 0) {
            assert_ok(chsm_wire_record_read(body, &r, &e), e);
            assert_int_equal(r.bits, 256);
            chsm_record_done(&r);
        } else {
            assert_fails(chsm_wire_record_read(body, &r, &e), CHSM_PKCS11, e);
        }
        json_decref(body);
    }
}

static void a_worker_cannot_claim_another_exit_code(void **state)
{
    struct chsm_err e = { 0 };
    json_t *body = json_pack("{s:i, s:s, s:s, s:s}", "code", CHSM_OK, "ck-rv", "0x0", "text", "fine", "hint", "");

    (void)state;
    chsm_wire_error_read(body, &e);
    assert_int_equal(e.code, CHSM_PKCS11);
    assert_int_equal(json_object_set_new(body, "code", json_integer(CHSM_INTERRUPTED)), 0);
    chsm_wire_error_read(body, &e);
    assert_int_equal(e.code, CHSM_PKCS11);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_key_as_published),
        cmocka_unit_test(ec_key_as_published_in_every_form),
        cmocka_unit_test(common_curves_are_encoded_as_by_openssl), cmocka_unit_test(keys_with_curves_of_their_own),
        cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(curves_by_name),
        cmocka_unit_test(firmware_codes_have_both_readings),
        cmocka_unit_test(records_of_a_hostile_worker_are_refused),
        cmocka_unit_test(a_worker_cannot_claim_another_exit_code),
    };

    return cmocka_run_group_tests_name("pkcs11_spki", tests, NULL, NULL);
}

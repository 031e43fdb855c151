/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to secret keys: recorded at the source, asked again at the destination. */
#include "config.h"

#include "tests/unit/keys_build.h"

/* Frozen randomness: counts up, so that two questions differ. */
static int counting(void *p, size_t n, struct chsm_err *err)
{
    static unsigned char next;

    (void)err;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)p)[i] = next++;
    return 0;
}

static struct chsm_record aes(const char *usage)
{
    struct chsm_record r = { .cls = CHSM_CLASS_SECRET, .type = CHSM_TYPE_AES };

    set_flag(&r, usage, true);
    return r;
}

static void a_secret_key_answers_the_recorded_question_alone(void **state)
{
    struct chsm_record r = aes("encrypt");
    AUTO_CHALLENGE struct chsm_challenge asked = { 0 };
    AUTO_CHALLENGE struct chsm_challenge again = { 0 };
    struct chsm_bytes right = { (unsigned char *)"thirty-two bytes of cipher text. and sixteen more", 48 };
    struct chsm_bytes wrong = { (unsigned char *)"thirty-two bytes of cipher text! and sixteen more", 48 };
    struct chsm_bytes cut = { right.p, 32 };
    struct chsm_err err = { 0 };

    (void)state;
    assert_ok(chsm_challenge_make(&r, 0, counting, &again, &err), err);
    assert_null(again.kind);
    assert_non_null(again.reason);
    /* It could have been asked at the source, and was not. */
    assert_true(again.possible);
    assert_ok(chsm_challenge_record(&r, 0, counting, &asked, &err), err);
    assert_string_equal(asked.kind, CHSM_KIND_AES_ENCRYPT);
    assert_int_equal(asked.input.len, CHSM_CHALLENGE_LEN);
    assert_memory_equal(asked.input.p, CHSM_CHALLENGE_PREFIX, CHSM_CHALLENGE_PREFIX_LEN);
    assert_ok(chsm_challenge_keep(&r, &asked, &right, &err), err);
    assert_ok(chsm_challenge_make(&r, 0, counting, &again, &err), err);
    assert_true(chsm_bytes_eq(&again.input, &asked.input));
    assert_int_equal(chsm_challenge_check(&r, &again, &right, &err), 1);
    assert_int_equal(chsm_challenge_check(&r, &again, &wrong, &err), 0);
    assert_int_equal(chsm_challenge_check(&r, &again, &cut, &err), 0);
    again.input.p[20] ^= 1;
    assert_int_equal(chsm_challenge_check(&r, &again, &right, &err), -1);
    chsm_record_done(&r);
}

static void the_next_question_is_another_one(void **state)
{
    static const struct { const char *flag; unsigned n; const char *first; } usages[] = {
        { "encrypt", 4, CHSM_KIND_AES_ENCRYPT }, { "decrypt", 3, CHSM_KIND_AES_DECRYPT }, { "sign", 1, CHSM_KIND_AES_CMAC },
        { "wrap", 6, CHSM_KIND_AES_KW_WRAP }, { "unwrap", 2, CHSM_KIND_AES_CBC_UNWRAP }, { "derive", 1, CHSM_KIND_AES_DERIVE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
        struct chsm_record r = aes(usages[i].flag);
        const char *last = "";

        for (unsigned k = 0; k <= usages[i].n; k++) {
            AUTO_CHALLENGE struct chsm_challenge c = { 0 };
            struct chsm_err err = { 0 };

            assert_ok(chsm_challenge_record(&r, k, counting, &c, &err), err);
            if (k == 0)
                assert_string_equal(c.kind, usages[i].first);
            if (k == usages[i].n)
                assert_null(c.kind);
            else
                assert_string_not_equal(c.kind, last);
            last = c.kind;
        }
        chsm_record_done(&r);
    }
}

/* Any HSM, or none at all, gives these: recorded at both ends they would prove what is not so. */
static void an_answer_that_says_nothing_is_not_recorded(void **state)
{
    unsigned char room[64] = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct chsm_record r = aes("encrypt");
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        AUTO_CHALLENGE struct chsm_challenge later = { 0 };
        struct chsm_bytes answer = { room, i == 0 ? 0 : i == 1 ? 16 : i == 2 ? 64 : 48 };
        struct chsm_err err = { 0 };

        assert_ok(chsm_challenge_record(&r, 0, counting, &c, &err), err);
        for (size_t k = 0; k < sizeof room; k++)
            room[k] = i == 3 ? 0x5a : (unsigned char)k;
        if (i == 4)
            memcpy(room, c.input.p, 48);
        assert_ok(chsm_challenge_keep(&r, &c, &answer, &err), err);
        assert_null(r.recorded.kind);
        assert_non_null(r.recorded.why);
        assert_ok(chsm_challenge_make(&r, 0, counting, &later, &err), err);
        assert_null(later.kind);
        assert_false(later.possible);
        chsm_record_done(&r);
    }
}

/* Who edits an inventory must not choose what the HSM is asked. */
static void a_recorded_question_of_somebody_else_is_not_asked(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct chsm_record r = aes("encrypt");
        AUTO_CHALLENGE struct chsm_challenge asked = { 0 };
        AUTO_CHALLENGE struct chsm_challenge c = { 0 };
        struct chsm_bytes answer = { (unsigned char *)"thirty-two bytes of cipher text. and sixteen more", 48 };
        struct chsm_err err = { 0 };

        assert_ok(chsm_challenge_record(&r, 0, counting, &asked, &err), err);
        assert_ok(chsm_challenge_keep(&r, &asked, &answer, &err), err);
        if (i == 0)
            r.recorded.input.p[3] ^= 1;
        if (i == 1)
            r.recorded.input.len = 32;
        if (i == 2)
            memcpy(r.recorded.kind, "hmac-sha256\0", 12);
        if (i == 3)
            memcpy(r.recorded.kind, "rsa-decrypt\0", 12);
        assert_ok(chsm_challenge_make(&r, 0, counting, &c, &err), err);
        assert_null(c.kind);
        assert_true(strlen(c.reason) > 10);
        chsm_record_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_key_answers_the_recorded_question_alone),
        cmocka_unit_test(the_next_question_is_another_one),
        cmocka_unit_test(an_answer_that_says_nothing_is_not_recorded),
        cmocka_unit_test(a_recorded_question_of_somebody_else_is_not_asked),
    };

    return cmocka_run_group_tests_name("keys_recorded", tests, NULL, NULL);
}

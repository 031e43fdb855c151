/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile module answers, on its way into a record. The first byte chooses:
 *   0  attribute values, as read.c lets them through, to chsm_object_record()
 *   1  a frame of the worker to chsm_wire_record_read()
 *   2  parameters, points, numbers and certificates to the SPKI encoders
 * A record that comes out survives both of its JSON forms, and its public key is the DER that OpenSSL itself would write.
 */
#include "config.h"

#include <openssl/x509.h>

#include "fuzz.h"
#include "keys/inventory.h"
#include "pkcs11/object.h"
#include "pkcs11/spki.h"
#include "pkcs11/wire.h"

#define SET_MAX 64u

static void check_spki(const struct chsm_bytes *spki)
{
    const unsigned char *at = spki->p;
    unsigned char *again = NULL;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki->len);
    int n;

    MUST(key && at == spki->p + spki->len);
    n = i2d_PUBKEY(key, &again);
    MUST(n > 0 && (size_t)n == spki->len && memcmp(again, spki->p, spki->len) == 0);
    OPENSSL_free(again);
    EVP_PKEY_free(key);
}

static char *text_of(const struct chsm_record *r)
{
    json_auto_t *json = chsm_record_to_json(r);
    char *text = chsm_json_canonical(json);

    MUST(json && text);
    return text;
}

/* From worker to parent nothing is lost, nothing is added. */
static void check_wire(const struct chsm_record *r)
{
    struct chsm_record again = { 0 };
    json_auto_t *frame = chsm_wire_record(r);
    AUTO_FREE char *before = text_of(r);
    struct chsm_err err = { 0 };
    AUTO_FREE char *after = NULL;

    MUST(frame && chsm_wire_record_read(frame, &again, &err) == 0);
    after = text_of(&again);
    MUST(strcmp(before, after) == 0);
    chsm_record_done(&again);
}

static void check_file(const struct chsm_record *r)
{
    struct chsm_record again = { 0 };
    json_auto_t *json = chsm_record_to_json(r);
    AUTO_FREE char *before = text_of(r);
    struct chsm_err err = { 0 };
    AUTO_FREE char *after = NULL;

    MUST(json && chsm_record_from_json(json, NULL, &again, &err) == 0);
    after = text_of(&again);
    MUST(strcmp(before, after) == 0);
    MUST(chsm_bytes_eq(&r->label, &again.label) && chsm_bytes_eq(&r->id, &again.id) && chsm_bytes_eq(&r->spki, &again.spki));
    chsm_record_done(&again);
}

static void check_record(const struct chsm_record *r)
{
    AUTO_FREE char *name = chsm_record_describe(r);

    MUST(name);
    check_wire(r);
    check_file(r);
}

/* Two bytes name the attribute by its PKCS#11 number, so that seeds outlive a change of the table. */
static enum chsm_attr which(struct fuzz_input *in)
{
    unsigned number = (unsigned)fuzz_byte(in) << 8;

    number |= fuzz_byte(in);
    for (enum chsm_attr a = 0; a < CHSM_A_COUNT; a++)
        if (chsm_attrs[a].type == number)
            return a;
    return number % CHSM_A_COUNT;
}

static int by_number(const void *x, const void *y)
{
    const CK_ULONG *a = x, *b = y;

    return (*a > *b) - (*a < *b);
}

/* Numbers of 32 bits, sorted: four bytes of the input each. */
static size_t set_of(const uint8_t *p, size_t n, unsigned char *out)
{
    CK_ULONG v[SET_MAX] = { 0 };
    size_t count = n / 4 < SET_MAX ? n / 4 : SET_MAX;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 4; k++)
            v[i] = v[i] << 8 | p[4 * i + k];
    qsort(v, count, sizeof *v, by_number);
    memcpy(out, v, count * sizeof *v);
    return count * sizeof *v;
}

/* One attribute with the input as its value, as attrs.h keeps templates. */
static size_t template_of(const uint8_t *p, size_t n, unsigned char *out)
{
    static const unsigned char type[8] = { 0, 0, 0, 0, 0x40, 0, 2, 0x11 };

    memcpy(out, type, sizeof type);
    memset(out + 8, 0, 4);
    out[10] = (unsigned char)(n >> 8);
    out[11] = (unsigned char)n;
    memcpy(out + 12, p, n);
    return n + 12;
}

/*
 * One or two bytes of length, and the value. What is no string of bytes has its form by the time it gets here; nothing at all is how
 * read.c says that a limit cannot be read.
 */
static void fill(struct fuzz_input *in, struct chsm_object *o)
{
    unsigned char room[0x8000] = { 0 };
    enum chsm_attr a = which(in);
    size_t n = fuzz_byte(in);
    const uint8_t *p;

    if (n >= 0x80)
        n = (n & 0x7f) << 8 | fuzz_byte(in);
    p = fuzz_take(in, n, &n);
    switch (chsm_attrs[a].kind) {
    case CHSM_ATTR_BYTES:
        break;
    case CHSM_ATTR_SET:
        n = set_of(p, n, room);
        p = room;
        break;
    case CHSM_ATTR_TEMPLATE:
        n = n > 0 ? template_of(p, n, room) : 0;
        p = room;
        break;
    default:
        memcpy(room, p, n < sizeof(CK_ULONG) ? n : sizeof(CK_ULONG));
        n = chsm_attrs[a].kind == CHSM_ATTR_FLAG ? sizeof(CK_BBOOL) : sizeof(CK_ULONG);
        p = room;
    }
    MUST(chsm_bytes_set(&o->v[a], p, n, NULL) == 0);
    o->have[a] = true;
}

static void object(struct fuzz_input *in)
{
    AUTO_OBJECT struct chsm_object o = { 0 };
    CK_OBJECT_CLASS cls = fuzz_byte(in);
    struct chsm_record r = { .index = 77 };
    struct chsm_err err = { 0 };

    cls = cls < 0x80 ? cls : CKO_VENDOR_DEFINED | cls;
    while (in->n > 0)
        fill(in, &o);
    if (chsm_object_record(&o, cls, &r, &err) < 0) {
        MUST(err.code == CHSM_PKCS11 && r.index == 77 && !r.id.p && !r.spki.p);
        return;
    }
    MUST(r.cls == cls && chsm_bytes_eq(&r.id, &o.v[CHSM_A_ID]) && chsm_bytes_eq(&r.label, &o.v[CHSM_A_LABEL]));
    if (r.spki.len > 0)
        check_spki(&r.spki);
    check_record(&r);
    chsm_record_done(&r);
}

/* The parent's side; what it takes is at least no nonsense in the program's own terms. */
static void frame(struct fuzz_input *in)
{
    struct chsm_record r = { 0 };
    json_auto_t *json = NULL;
    struct chsm_err err = { 0 }, told = { 0 };

    if (chsm_json_parse((const char *)in->p, in->n, "frame", CHSM_PKCS11, &json, &err) < 0)
        return;
    chsm_wire_error_read(json, &told);
    MUST(told.code == CHSM_PKCS11 || told.code == CHSM_CONFIG || told.code == CHSM_REFUSED);
    if (chsm_wire_record_read(json, &r, &err) < 0) {
        MUST(err.code == CHSM_PKCS11);
        return;
    }
    MUST(!r.recorded.kind && !r.unknown);
    check_record(&r);
    chsm_record_done(&r);
}

static void encoders(struct fuzz_input *in)
{
    AUTO_BYTES struct chsm_bytes a = { 0 };
    AUTO_BYTES struct chsm_bytes b = { 0 };
    AUTO_BYTES struct chsm_bytes spki = { 0 };
    AUTO_FREE char *curve = NULL;
    uint8_t which = fuzz_byte(in);
    size_t n = 0;
    const uint8_t *p = fuzz_take(in, fuzz_byte(in), &n);
    struct chsm_err err = { 0 };
    unsigned bits = 0;
    int rc;

    MUST(chsm_bytes_set(&a, p, n, NULL) == 0 && chsm_bytes_set(&b, in->p, in->n, NULL) == 0);
    if (chsm_spki_curve(&a, &curve, &bits, &err) == 0)
        MUST(curve && *curve);
    else
        MUST(!curve && bits == 0 && err.code == CHSM_PKCS11);
    rc = which % 3 == 0 ? chsm_spki_rsa(&a, &b, &spki, &err) : which % 3 == 1 ? chsm_spki_ec(&a, &b, &spki, &err)
                                                                             : chsm_spki_certificate(&b, &spki, &err);
    if (rc < 0)
        MUST(!spki.p && err.code == CHSM_PKCS11);
    else
        check_spki(&spki);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };

    switch (fuzz_byte(&in) % 3) {
    case 0:
        object(&in);
        break;
    case 1:
        frame(&in);
        break;
    default:
        encoders(&in);
    }
    return 0;
}

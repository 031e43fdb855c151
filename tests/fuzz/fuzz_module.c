/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing of a module that fails and lies. The input makes some objects, then tells call by call how the module behaves: honest
 * (also in short batches), failing with a return value that is no answer, or answering nonsense. Then:
 *   - honest to the end: the list is complete and has every object exactly as it is;
 *   - failures only: a list that is called complete is just as good, and a record is never wrong;
 *   - nonsense: nothing crashes, hangs or grows beyond what was found.
 */
#include "config.h"

#include "fuzz.h"
#include "pkcs11/list.h"

#define OBJECTS_MAX 7u
#define VALUES_MAX 10u
#define FLAGS_MAX 4u

struct value {
    CK_ATTRIBUTE_TYPE type;
    CK_ULONG n;
    unsigned char p[320];
};

struct thing {
    CK_OBJECT_CLASS cls;
    bool token;
    CK_ULONG n;
    struct value v[VALUES_MAX];
    unsigned seen;
};

static struct {
    struct thing thing[OBJECTS_MAX];
    CK_ULONG n;
    CK_OBJECT_HANDLE hits[OBJECTS_MAX];
    CK_ULONG nhits, at;
    struct fuzz_input manners;
    bool failed, lied;
    unsigned records;
} module;

/* Not a moment is waited between two tries. */
int usleep(useconds_t us)
{
    (void)us;
    return 0;
}

enum manner { HONEST, SHORT, FAIL, LIE };

static enum manner manner(uint8_t *ret_how)
{
    uint8_t b = fuzz_byte(&module.manners);

    *ret_how = b;
    if (b < 0xa0)
        return b < 0x80 ? HONEST : SHORT;
    module.failed = module.failed || b < 0xd0;
    module.lied = module.lied || b >= 0xd0;
    return b < 0xd0 ? FAIL : LIE;
}

static CK_RV failure(uint8_t how)
{
    static const CK_RV codes[] = {
        CKR_GENERAL_ERROR, CKR_DEVICE_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_REMOVED, CKR_OBJECT_HANDLE_INVALID, CKR_SESSION_HANDLE_INVALID,
        CKR_USER_NOT_LOGGED_IN, CKR_HOST_MEMORY, CKR_ARGUMENTS_BAD, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_DEVICE_MEMORY,
        CKR_SESSION_CLOSED, CKR_FUNCTION_NOT_SUPPORTED, 0xa3, CKR_VENDOR_DEFINED | 7,
    };

    return codes[how % ARRAY_LEN(codes)];
}

static const struct value *value_of(const struct thing *o, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < o->n; i++)
        if (o->v[i].type == type)
            return &o->v[i];
    return NULL;
}

/* One attribute, as PKCS#11 v2.40 §5.7.5 has it. */
static CK_RV answer(const struct thing *o, CK_ATTRIBUTE *t)
{
    const struct value *v = value_of(o, t->type);
    CK_ULONG room = t->ulValueLen;

    t->ulValueLen = v && (!t->pValue || room >= v->n) ? v->n : CK_UNAVAILABLE_INFORMATION;
    if (!v)
        return CKR_ATTRIBUTE_TYPE_INVALID;
    if (!t->pValue)
        return CKR_OK;
    if (room < v->n)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(t->pValue, v->p, v->n);
    return CKR_OK;
}

/* Nonsense within the buffers: a module that writes beyond them could do anything. */
static void lie(CK_ATTRIBUTE *t, CK_ULONG room, uint8_t how)
{
    switch (how % 5) {
    case 0:
        t->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        break;
    case 1:
        t->ulValueLen = room + 1;
        break;
    case 2:
        t->ulValueLen = (CK_ULONG)1 << how % 64;
        break;
    case 3:
        t->ulValueLen = room / 2;
        break;
    default:
        if (t->pValue && room > 0)
            *(unsigned char *)t->pValue ^= how;
    }
}

static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *t, CK_ULONG n)
{
    uint8_t how;
    enum manner m = manner(&how);
    CK_RV rv = CKR_OK;

    (void)session;
    if (m == FAIL)
        return failure(how);
    if (handle == 0 || handle > module.n)
        return CKR_OBJECT_HANDLE_INVALID;
    for (CK_ULONG i = 0; i < n; i++) {
        CK_ULONG room = t[i].ulValueLen;
        CK_RV one = answer(&module.thing[handle - 1], &t[i]);

        rv = one != CKR_OK ? one : rv;
        if (m == LIE && (i == how % n || how % 7 == 0))
            lie(&t[i], room, how);
    }
    return m == LIE && how % 3 == 0 ? CKR_OK : rv;
}

static CK_RV find_begin(CK_SESSION_HANDLE session, CK_ATTRIBUTE *t, CK_ULONG n)
{
    uint8_t how;
    enum manner m = manner(&how);
    CK_OBJECT_CLASS cls;

    (void)session;
    if (m == FAIL)
        return failure(how);
    module.nhits = module.at = 0;
    for (CK_ULONG i = 0; i < module.n; i++) {
        if (n > 0 && m != LIE) {
            MUST(n == 1 && t->type == CKA_CLASS && t->ulValueLen == sizeof cls);
            memcpy(&cls, t->pValue, sizeof cls);
            if (module.thing[i].cls != cls)
                continue;
        }
        module.hits[module.nhits++] = i + 1;
    }
    return CKR_OK;
}

static CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *ret_n)
{
    uint8_t how;
    enum manner m = manner(&how);
    CK_ULONG left = module.nhits - module.at, n = left < max ? left : max;

    (void)session;
    if (m == FAIL)
        return failure(how);
    if (m == SHORT && n > 1)
        n = 1;
    memcpy(out, module.hits + module.at, n * sizeof *out);
    module.at += n;
    *ret_n = n;
    if (m == LIE && how % 3 == 0)
        *ret_n = max + how;
    if (m == LIE && how % 3 == 1)
        module.at = 0;
    if (m == LIE && how % 3 == 2 && n > 0)
        out[0] = how;
    return CKR_OK;
}

static CK_RV find_end(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

static CK_RV session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    uint8_t how;
    enum manner m = manner(&how);

    (void)session;
    if (m == FAIL)
        return failure(how);
    *info = (CK_SESSION_INFO){ .state = m == LIE ? how : CKS_RO_USER_FUNCTIONS };
    return CKR_OK;
}

static bool is_key(const struct thing *o)
{
    return o->cls == CKO_PUBLIC_KEY || o->cls == CKO_PRIVATE_KEY || o->cls == CKO_SECRET_KEY;
}

static void add(struct thing *o, CK_ATTRIBUTE_TYPE type, const void *p, size_t n)
{
    struct value *v = &o->v[o->n++];

    v->type = type;
    v->n = n;
    memcpy(v->p, p, n);
}

static void add_number(struct thing *o, CK_ATTRIBUTE_TYPE type, CK_ULONG number)
{
    add(o, type, &number, sizeof number);
}

/* The ID begins with the object's number, so that each record can be told; the rest is the input's. */
static void make(struct fuzz_input *in, struct thing *o)
{
    static const CK_ATTRIBUTE_TYPE flags[] = { CKA_PRIVATE, CKA_LOCAL, CKA_DERIVE, CKA_DESTROYABLE };
    uint8_t what = fuzz_byte(in);
    unsigned char id[300] = { (unsigned char)(o - module.thing) };
    size_t n = 0;
    const uint8_t *p;

    o->cls = what % 6 < 5 ? what % 6 : CKO_VENDOR_DEFINED | 1;
    o->token = what < 0xe0;
    add_number(o, CKA_CLASS, o->cls);
    add(o, CKA_TOKEN, &(CK_BBOOL){ o->token }, sizeof(CK_BBOOL));
    p = fuzz_take(in, fuzz_byte(in) + (size_t)(what & 0x20), &n);
    memcpy(id + 1, p, n);
    if (o->cls != CKO_DATA)
        add(o, CKA_ID, id, n + 1);
    else
        add(o, CKA_LABEL, id, n + 1);
    if (is_key(o))
        add_number(o, CKA_KEY_TYPE, o->cls == CKO_SECRET_KEY ? CKK_AES : CKK_DSA);
    if (o->cls == CKO_SECRET_KEY)
        add_number(o, CKA_VALUE_LEN, 16 + 8 * (what & 1));
    for (unsigned i = 0; i < FLAGS_MAX; i++)
        if (what & 1u << i)
            add(o, flags[i], &(CK_BBOOL){ what >> 4 & 1 }, sizeof(CK_BBOOL));
}

/* Exactly the object: nothing wrong, nothing left out, nothing made up. */
static void check_exact(const struct thing *o, const struct chsm_record *r)
{
    static const struct { CK_ATTRIBUTE_TYPE type; const char *name; } flags[FLAGS_MAX] = {
        { CKA_PRIVATE, "private" }, { CKA_LOCAL, "local" }, { CKA_DERIVE, "derive" }, { CKA_DESTROYABLE, "destroyable" },
    };
    const struct value *id = value_of(o, CKA_ID), *label = value_of(o, CKA_LABEL), *len = value_of(o, CKA_VALUE_LEN);
    CK_ULONG bytes = 0;

    MUST(r->cls == o->cls);
    MUST(id ? r->id.len == id->n && memcmp(r->id.p, id->p, id->n) == 0 : r->id.len == 0);
    MUST(label ? r->label.len == label->n && memcmp(r->label.p, label->p, label->n) == 0 : r->label.len == 0);
    if (len)
        memcpy(&bytes, len->p, sizeof bytes);
    MUST(r->bits == bytes * 8);
    for (unsigned i = 0; i < FLAGS_MAX; i++) {
        const struct value *v = value_of(o, flags[i].type);
        bool asked = is_key(o) || flags[i].type == CKA_PRIVATE;

        MUST(chsm_record_flag(r, flags[i].name, false) == (v && asked && v->p[0]));
        MUST(chsm_record_flag(r, flags[i].name, true) == (!v || !asked || v->p[0]));
    }
}

static int on_record(void *ctx, const struct chsm_record *r, unsigned char digest[CHSM_SHA256_LEN], struct chsm_err *err)
{
    const struct chsm_bytes *name = r->cls == CKO_DATA ? &r->label : &r->id;

    (void)ctx;
    (void)err;
    memset(digest, 0, CHSM_SHA256_LEN);
    module.records++;
    if (module.lied)
        return 0;
    MUST(name->len > 0 && name->p[0] < module.n && module.thing[name->p[0]].token);
    module.thing[name->p[0]].seen++;
    check_exact(&module.thing[name->p[0]], r);
    return 0;
}

static int on_tick(void *ctx, struct chsm_err *err)
{
    (void)ctx;
    (void)err;
    return 0;
}

static void check_complete(const struct chsm_listing *l)
{
    size_t session_objects = 0, others = 0;

    /* What is of none of the five classes has a search of its own, which a token may refuse: such objects are no keys. */
    for (CK_ULONG i = 0; i < module.n; i++) {
        bool other = module.thing[i].cls > CKO_SECRET_KEY;

        MUST(module.thing[i].seen == module.thing[i].token || (other && module.failed && module.thing[i].seen == 0));
        session_objects += !module.thing[i].token && !other;
        others += !module.thing[i].token && other;
    }
    MUST(l->session_objects >= session_objects && l->session_objects <= session_objects + others);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static CK_FUNCTION_LIST table = { .C_GetAttributeValue = get_attributes, .C_FindObjectsInit = find_begin, .C_FindObjects = find_next,
                                      .C_FindObjectsFinal = find_end, .C_GetSessionInfo = session_info };
    static const struct chsm_list_sink sink = { on_record, on_tick, NULL };
    static struct chsm_crew crew;
    struct chsm_session s = { .ck = { .fl = &table }, .main = 1, .login = true };
    struct chsm_listing l = { 0 };
    struct fuzz_input in = { data, size };
    struct chsm_err err = { 0 };

    memset(&module, 0, sizeof module);
    module.n = fuzz_byte(&in) % (OBJECTS_MAX + 1);
    for (CK_ULONG i = 0; i < module.n; i++)
        make(&in, &module.thing[i]);
    module.manners = in;
    chsm_crew_init(&crew, &s, 1);
    MUST(chsm_list(&crew, &sink, &l, &err) == 0);
    chsm_crew_close(&crew);
    MUST(l.n == module.records);
    if (!module.failed && !module.lied)
        MUST(l.problems == 0);
    if (!module.lied && l.problems == 0)
        check_complete(&l);
    MUST(l.problems == 0 || l.why[0]);
    chsm_listing_done(&l);
    return 0;
}

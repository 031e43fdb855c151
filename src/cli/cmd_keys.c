/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/keys_common.h"
#include "cli/output.h"
#include "util/path.h"

const struct chsm_opt chsm_opts_keys_inventory[] = {
    CHSM_OPTS_HSM,
    CHSM_OPTS_PROOF,
    { "file", NULL, 'f', CHSM_OPT_TEXT, offsetof(struct chsm_args, file), "FILE", "where the inventory goes (default: stdout)" },
    { 0 },
};
const struct chsm_opt chsm_opts_keys_list[] = {
    CHSM_OPTS_HSM,
    { "inventory", NULL, 'i', CHSM_OPT_TEXT, offsetof(struct chsm_args, inventory), "FILE", "list this inventory instead of an HSM" },
    { 0 },
};

static void on_progress(void *ctx, const char *what, const char *login, size_t done, size_t total)
{
    char text[256];

    (void)ctx;
    if (!isatty(STDERR_FILENO) && total && done != total)
        return;
    if (total)
        (void)snprintf(text, sizeof text, "%s: %s %zu/%zu", login, what, done, total);
    else
        (void)snprintf(text, sizeof text, "%s: %s", login, what);
    chsm_out_progress(text);
}

static int read_proofs(const struct chsm_args *args, struct chsm_proofs *ret, struct chsm_err *err)
{
    if (args->proof && args->no_proofs)
        return chsm_fail(err, CHSM_USAGE, "--proof and --no-proofs are both given");
    if (chsm_proofs_parse(args->no_proofs ? "none" : args->proof ? args->proof : "all", chsm_random, ret, err) < 0)
        return chsm_err_prefix(err, "--proof");
    return 0;
}

int chsm_keys_reader(const struct chsm_args *args, struct chsm_reader *ret, struct chsm_login **ret_logins, struct chsm_err *err)
{
    *ret = (struct chsm_reader){ .n = args->logins.n, .cluster = args->cluster_id, .cross_check = args->cross_check,
                                 .ignore = args->ignore.n ? args->ignore.item : NULL, .progress = on_progress };
    if (read_proofs(args, &ret->proofs, err) < 0 || chsm_hsm_options_target(args, &ret->target, err) < 0 ||
        chsm_hsm_options_logins(&args->logins, ret_logins, err) < 0)
        return -1;
    ret->logins = *ret_logins;
    return 0;
}

int chsm_keys_load(const char *path, struct chsm_inventory *ret, struct chsm_err *err)
{
    json_auto_t *json = NULL;

    if (chsm_json_load(path, CHSM_INVENTORY_MAX, &json, err) < 0)
        return -1;
    if (chsm_inventory_from_json(json, ret, err) < 0)
        return chsm_err_prefix(err, "%s", path);
    return 0;
}

static int print_inventory(const struct chsm_args *args, const struct chsm_inventory *inv, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF(CHSM_INVENTORY_MAX);
    struct chsm_inventory_sums sums;

    if (chsm_inventory_write(inv, &text, &sums, err) < 0)
        return -1;
    if (!args->file || strcmp(args->file, "-") == 0) {
        fputs(chsm_buf_str(&text), stdout);
        return 0;
    }
    if (chsm_file_write(args->file, chsm_buf_str(&text), text.len, 0600, err) < 0)
        return -1;
    chsm_out_note("%s: %zu objects, fingerprint %s", args->file, chsm_inventory_count(inv), sums.fingerprint);
    return 0;
}

int chsm_cmd_keys_inventory(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };
    struct chsm_login *logins = NULL;
    struct chsm_reader r;
    int rc;

    if (chsm_keys_reader(args, &r, &logins, err) < 0)
        return -1;
    rc = chsm_reader_inventory(&r, &inv, err);
    chsm_logins_free(logins, args->logins.n);
    if (rc < 0 || print_inventory(args, &inv, err) < 0)
        return -1;
    if (!chsm_inventory_complete(&inv))
        *ret_code = CHSM_INCONCLUSIVE;
    return 0;
}

/* What a key may do: the usage flags that are set, in the order of their numbers. */
static char *usage_text(const struct chsm_record *r)
{
    static const char *const usage[] = { "encrypt", "decrypt", "sign", "verify", "wrap", "unwrap", "derive" };
    AUTO_BUF struct chsm_buf b = CHSM_BUF(256);

    for (size_t i = 0; i < ARRAY_LEN(usage); i++)
        if (chsm_record_flag(r, usage[i], false) && chsm_buf_addf(&b, NULL, "%s%s", b.len ? " " : "", usage[i]) < 0)
            return NULL;
    return chsm_buf_take(&b);
}

static json_t *row_of(const char *login, const struct chsm_record *r)
{
    AUTO_FREE char *id = chsm_hex(r->id.p, r->id.len), *id_text = chsm_bytes_text(&r->id), *label = chsm_bytes_text(&r->label);
    AUTO_FREE char *kcv = chsm_hex(r->check_value.p, r->check_value.len), *usage = usage_text(r);
    char cls[24], type[24], fp[65] = "";

    if (!id || !id_text || !label || !kcv || !usage)
        return NULL;
    (void)chsm_record_fingerprint(r, fp);
    return json_pack("{s:s, s:s, s:s*, s:s, s:s, s:s, s:s*, s:o*, s:s*, s:s*, s:s}", "login", login, "class", chsm_class_name(r->cls, cls, sizeof cls),
                     "type", r->type == CHSM_TYPE_NONE ? NULL : chsm_type_name(r->type, type, sizeof type), "id", id, "id_text", id_text, "label", label,
                     "curve", r->curve, "bits", r->bits ? json_integer(r->bits) : NULL, "fingerprint", *fp ? fp : NULL, "check_value",
                     *kcv ? kcv : NULL, "usage", usage);
}

static int print_list(const struct chsm_inventory *inv, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "LOGIN", "login" }, { "CLASS", "class" }, { "TYPE", "type" }, { "BITS", "bits" }, { "CURVE", "curve" }, { "ID", "id" }, { "ID AS TEXT", "id_text" },
        { "LABEL", "label" }, { "CHECK VALUE", "check_value" }, { "USAGE", "usage" }, { "FINGERPRINT", "fingerprint" }, { 0 },
    };
    json_auto_t *rows = json_array();

    for (size_t i = 0; i < inv->n; i++)
        for (size_t k = 0; k < inv->sections[i].n; k++)
            if (json_array_append_new(rows, row_of(inv->sections[i].login, &inv->sections[i].records[k])) < 0)
                return chsm_oom(err);
    return chsm_out_resource(rows, columns, err);
}

static int list_hsm(const struct chsm_args *args, struct chsm_inventory *inv, struct chsm_err *err)
{
    struct chsm_login *logins = NULL;
    struct chsm_reader r;
    int rc = chsm_keys_reader(args, &r, &logins, err);

    if (rc == 0) {
        r.proofs.mode = CHSM_PROOF_NONE;
        rc = chsm_reader_inventory(&r, inv, err);
        chsm_logins_free(logins, args->logins.n);
    }
    return rc;
}

int chsm_cmd_keys_list(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    AUTO_INVENTORY struct chsm_inventory inv = { 0 };

    if (args->inventory && args->logins.n)
        return chsm_fail(err, CHSM_USAGE, "--inventory and --login are both given: list a file, or an HSM");
    if ((args->inventory ? chsm_keys_load(args->inventory, &inv, err) : list_hsm(args, &inv, err)) < 0 || print_list(&inv, err) < 0)
        return -1;
    for (size_t i = 0; i < inv.n; i++)
        if (!inv.sections[i].complete)
            chsm_out_note("login %s: the list is not complete: %s", inv.sections[i].login, inv.sections[i].why ? inv.sections[i].why : "no reason given");
    if (!chsm_inventory_complete(&inv))
        *ret_code = CHSM_INCONCLUSIVE;
    return 0;
}

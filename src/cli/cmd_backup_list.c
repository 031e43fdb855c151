/* SPDX-License-Identifier: Apache-2.0 */
/* backup list: what lies in a container, newest first. */
#include "config.h"

#include <ctype.h>

#include "azure/blob.h"
#include "azure/resource.h"
#include "cli/commands.h"
#include "cli/connect.h"

const struct chsm_opt chsm_opts_backup_list[] = {
    { "blob-container-uri", "container-uri", 'u', CHSM_OPT_TEXT, offsetof(struct chsm_args, container), "URI",
      "https URI of the container, no SAS" },
    { "source-uuid", NULL, 0, CHSM_OPT_TEXT, offsetof(struct chsm_args, source_uuid), "UUID", "only backups of this source" },
    { 0 },
};

/* How old each is, as seconds and for people. */
static int add_ages(json_t *folders, int64_t now, struct chsm_err *err)
{
    json_t *each;
    size_t i;

    json_array_foreach (folders, i, each) {
        const char *time = chsm_json_str(each, "time");
        char age[32];
        int64_t when;

        if (!time || chsm_time_parse(time, &when, NULL) < 0)
            continue;
        chsm_duration_format(now > when ? now - when : 0, age, sizeof age);
        if (json_object_set_new(each, "ageSeconds", json_integer((now - when) / 1000)) < 0 ||
            json_object_set_new(each, "age", json_string(age)) < 0)
            return chsm_oom(err);
    }
    return 0;
}

int chsm_cmd_backup_list(const struct chsm_args *args, enum chsm_code *ret_code, struct chsm_err *err)
{
    static const struct chsm_column columns[] = {
        { "NAME", "name" }, { "TIME", "time" }, { "AGE", "age" }, { "SOURCE", "source" }, { 0 }
    };
    AUTO_CONNECTION struct chsm_connection c = { 0 };
    AUTO_FREE char *prefix = NULL;
    json_auto_t *folders = NULL;

    (void)ret_code;
    if (chsm_args_need(args->container, "--blob-container-uri", err) < 0)
        return -1;
    if (args->source_uuid) {
        if (!chsm_is_guid(args->source_uuid) || args->source_uuid[36])
            return chsm_fail(err, CHSM_USAGE, "--source-uuid %s is no uuid", args->source_uuid);
        prefix = chsm_strf("cloudhsm-%s-", args->source_uuid);
        if (!prefix)
            return chsm_oom(err);
        for (char *p = prefix; *p; p++) /* blob names are told apart by case; the service writes small letters */
            *p = (char)tolower((unsigned char)*p);
    }
    if (chsm_connect_bare(args, &c, err) < 0 ||
        chsm_blob_folders(c.arm, args->container, prefix, c.deadline, &folders, err) < 0 ||
        add_ages(folders, chsm_now(), err) < 0)
        return -1;
    if (json_array_size(folders) == 0)
        chsm_out_note("there is no backup%s%s in %s", args->source_uuid ? " of " : "", args->source_uuid ? args->source_uuid : "",
                      args->container);
    return chsm_out_resource(folders, columns, err);
}

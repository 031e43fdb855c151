/* SPDX-License-Identifier: Apache-2.0 */
/* How the requests to an account were signed: Azure Monitor's metric "Transactions" by its dimension "Authentication". */
#include "config.h"

#include <strings.h>

#include "sim/arm.h"
#include "util/clock.h"

/* One line of the metric, all of it in the last hour. */
static json_t *series(const struct sim_call *c, const char *kind, int64_t total)
{
    return json_pack("{s:[{s:{s:s},s:s}],s:[{s:o,s:f}]}", "metadatavalues", "name", "value", "authentication", "value", kind,
                     "data", "timeStamp", sim_time(c->now - 3600000), "total", (double)total);
}

int sim_arm_metrics(struct sim_call *c, struct chsm_err *err)
{
    AUTO_FREE char *id =
        chsm_strf("/subscriptions/%s/resourceGroups/%s/providers/" SIM_ACCOUNT_TYPE "/%s", c->arg[0], c->arg[1], c->arg[2]);
    const json_t *account = id ? sim_resource(c->root, id) : NULL;
    const char *filter = sim_query(c->rq, "$filter"), *name = sim_query(c->rq, "metricnames"),
               *span = sim_query(c->rq, "timespan");
    int64_t keyed = sim_when(json_object_get(account, "sim"), "keyRequests");

    if (!id)
        return chsm_oom(err);
    if (!account)
        return sim_arm_fail(c, err, 404, "ResourceNotFound", "The Resource '%s' was not found.", id);
    if (!chsm_streq(name, "Transactions") || !filter || strncasecmp(filter, "Authentication eq ", 18) != 0 || !span ||
        !strchr(span, '/'))
        return sim_arm_fail(c, err, 400, "BadRequest", "The metric, its time span or its filter is not understood.");
    return sim_answer_json(
        c->an, 200,
        json_pack("{s:s,s:s,s:[{s:{s:s},s:s,s:[o,o]}]}", "timespan", span, "interval", "PT1H", "value", "name", "value",
                  "Transactions", "unit", "Count", "timeseries", series(c, "OAuth", 3), series(c, "AccountKey", keyed)),
        err);
}

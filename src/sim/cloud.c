/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "sim/cloud.h"
#include "sim/jobs.h"
#include "util/clock.h"

static int (*const services[SIM_SERVICES])(struct sim_call *, struct chsm_err *) = {
    [SIM_ARM] = sim_arm, [SIM_LOGIN] = sim_login, [SIM_IMDS] = sim_imds, [SIM_BLOB] = sim_blob,
};

const char *sim_root_str(const json_t *root, const char *key)
{
    const char *s = chsm_json_str(root, key);

    return s ? s : "";
}

static int answer(struct sim_call *c, struct chsm_err *err)
{
    if (sim_jobs_advance(c->state, c->now, err) < 0)
        return -1;
    if (services[c->rq->service](c, err) < 0)
        return -1;
    return sim_state_save(c->state, err);
}

int sim_cloud_handle(const struct sim_cloud *cloud, const struct sim_request *rq, struct sim_answer *an, struct chsm_err *err)
{
    AUTO_STATE struct sim_state state = { .lock = -1 };
    struct sim_call c = { .cloud = cloud, .rq = rq, .an = an, .state = &state };
    int rc = sim_state_open(cloud->dir, &state, err);

    if (rc == 0) {
        c.root = state.root;
        c.now = chsm_now();
        rc = answer(&c, err);
        json_decref(c.body);
    }
    if (rc < 0 && sim_answer_text(an, 500, "application/json; charset=utf-8",
                                  "{\"error\":{\"code\":\"InternalServerError\",\"message\":\"The simulator failed; see its stderr.\"}}",
                                  NULL) < 0)
        sim_answer_empty(an, 500);
    return rc;
}

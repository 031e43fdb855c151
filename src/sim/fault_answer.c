/* SPDX-License-Identifier: Apache-2.0 */
/* The answers that fault rules make, and what they do to answers that others made. */
#include "config.h"

#include "sim/fault.h"
#include "util/enc.h"

/* The blob service writes XML, and its code once more in a header. */
static int refuse_blob(const struct sim_fault *f, const char *code, const char *message, struct sim_answer *an, struct chsm_err *err)
{
    AUTO_FREE char *body =
        chsm_strf("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message);

    if (!body)
        return chsm_oom(err);
    if (sim_answer_text(an, f->status, "application/xml", body, err) < 0)
        return -1;
    return sim_answer_header(an, err, "x-ms-error-code", "%s", code);
}

/* An error in the form that the service's errors have. */
static int refuse(const struct sim_fault *f, enum sim_service service, struct sim_answer *an, struct chsm_err *err)
{
    const char *code = f->code ? f->code : "SimulatedFault", *message = "A fault rule of the simulator answered this request.";

    if (service == SIM_ARM)
        return sim_answer_json(an, f->status, json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message), err);
    if (service == SIM_BLOB)
        return refuse_blob(f, code, message, an, err);
    return sim_answer_json(an, f->status, json_pack("{s:s,s:s}", "error", code, "error_description", message), err);
}

/* What ARM and the data planes say with 401 (RFC 6750 §3); claims stand there in base64 (continuous access evaluation). */
static int challenge(const struct sim_fault *f, struct sim_answer *an, struct chsm_err *err)
{
    AUTO_FREE char *claims = f->claims ? chsm_base64(f->claims, strlen(f->claims)) : NULL;

    if (f->claims && !claims)
        return chsm_oom(err);
    if (claims)
        return sim_answer_header(an, err, "WWW-Authenticate",
                                 "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"%s\"", claims);
    return sim_answer_header(an, err, "WWW-Authenticate", "Bearer error=\"invalid_token\", error_description=\"%s\"",
                             f->code ? f->code : "SimulatedFault");
}

int sim_fault_answer(const struct sim_fault *f, enum sim_service service, struct sim_answer *an, struct chsm_err *err)
{
    int rc;

    if (f->kind == SIM_FAULT_BODY)
        rc = sim_answer_text(an, f->status ? f->status : 200, f->type ? f->type : "application/json; charset=utf-8", f->body, err);
    else
        rc = refuse(f, service, an, err);
    if (rc == 0 && f->retry_after >= 0)
        rc = sim_answer_header(an, err, "Retry-After", "%lld", (long long)f->retry_after);
    if (rc == 0 && f->status == 401 && (service == SIM_ARM || service == SIM_BLOB))
        rc = challenge(f, an, err);
    return rc;
}

int sim_fault_spoil(const struct sim_fault *f, struct sim_answer *an, struct chsm_err *err)
{
    AUTO_FREE char *filler = NULL;

    if (f->kind == SIM_FAULT_TYPE)
        an->type = f->type;
    if (f->kind != SIM_FAULT_HEADER)
        return 0;
    filler = malloc(f->size + 1);
    if (!filler)
        return chsm_oom(err);
    memset(filler, 'x', f->size);
    filler[f->size] = '\0';
    return sim_answer_header(an, err, "x-ms-filler", "%s", filler);
}

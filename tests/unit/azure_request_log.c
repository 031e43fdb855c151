/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the simulator's log of requests and holds each against the table: azure_request_log LOG. Prints what fits no row, and how
 * many of the rows were seen; exit status 1 when anything fits none. tests/integration/requests.bats runs it.
 */
#include "config.h"

#include "tests/unit/check.h"

#include "azure/http.h"
#include "tests/unit/azure_requests.h"

static char *query_text(const json_t *query)
{
    struct chsm_buf out = CHSM_BUF(65536);
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)query, key, value) {
        AUTO_FREE char *encoded = chsm_url_encode(json_string_value(value));

        if (chsm_buf_addf(&out, NULL, "%s%s=%s", out.len ? "&" : "", key, encoded) < 0)
            abort();
    }
    return chsm_buf_take(&out);
}

static void from_log(const json_t *line, struct request *ret)
{
    json_t *body = json_object_get(line, "body");

    *ret = (struct request){
        .method = strdup(chsm_json_str(line, "method")), .path = strdup(chsm_json_str(line, "path")),
        .query = query_text(json_object_get(line, "query")), .authorization = strdup(chsm_json_str(line, "authorization")),
        .form = strcmp(chsm_json_str(line, "service"), "login") == 0 || strcmp(chsm_json_str(line, "service"), "imds") == 0,
    };
    if (json_is_object(body)) {
        ret->body = json_incref(body);
        ret->text = json_dumps(body, JSON_COMPACT);
    }
}

/* How many of the log's lines fit no row; rows that were seen are marked. */
static unsigned check(FILE *log, bool *seen, unsigned *ret_lines)
{
    unsigned wrong = 0;
    char *text = NULL;
    size_t size = 0;

    while (getline(&text, &size, log) > 0) {
        json_auto_t *line = json_loads(text, 0, NULL);
        AUTO_FREE char *why = NULL;
        const struct request_row *row;
        struct request q;

        from_log(line, &q);
        row = request_row_of(&q, chsm_json_str(line, "service"), &why);
        if (row)
            seen[row - request_rows] = true;
        else
            printf("%s %s %s?%s: %s\n", chsm_json_str(line, "service"), q.method, q.path, q.query ? q.query : "", why);
        wrong += !row;
        *ret_lines += 1;
        request_done(&q);
    }
    free(text);
    return wrong;
}

int main(int argc, char **argv)
{
    FILE *log = argc == 2 ? fopen(argv[1], "re") : NULL;
    unsigned lines = 0, wrong, rows = 0, met = 0;
    bool seen[256] = { false };

    if (!log) {
        perror(argc == 2 ? argv[1] : "usage: azure_request_log LOG");
        return 2;
    }
    wrong = check(log, seen, &lines);
    (void)fclose(log);
    for (const struct request_row *row = request_rows; row->what; row++, rows++) {
        met += seen[row - request_rows];
        if (!seen[row - request_rows])
            printf("not met: %s: %s\n", row->service, row->what);
    }
    printf("requests: %u sent, %u of %u rows, %u in no row\n", lines, met, rows, wrong);
    return wrong ? 1 : 0;
}

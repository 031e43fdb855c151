/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "azure/challenge.h"
#include "azure/credential_managed.h"
#include "util/path.h"

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".key") == 0 && !strstr(name, "..");
}

/* The directory as it is written, byte for byte: nothing that has to be resolved first is good. */
static int check_path(const char *path, const char *directory, struct chsm_err *err)
{
    size_t n = strlen(directory);

    if (strncmp(path, directory, n) == 0 && path[n] == '/' && !strchr(path + n + 1, '/') && name_ok(path + n + 1))
        return 0;
    (void)chsm_fail(err, CHSM_AUTH, "the Azure Arc agent names a key file that is not %s/*.key; nothing was read", directory);
    return chsm_err_hint(err, "something else than the agent may be answering at IDENTITY_ENDPOINT");
}

static int open_key(const char *path, struct chsm_err *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int why = errno;

    if (fd >= 0)
        return fd;
    if (why == ELOOP)
        return chsm_fail(err, CHSM_AUTH, "the Azure Arc key file %s is a link; nothing was read", path);
    errno = why;
    (void)chsm_fail_errno(err, CHSM_AUTH, "the Azure Arc key file %s", path);
    if (why == EACCES)
        return chsm_err_hint(err, "the user has to be in the group himds (usermod -a -G himds USER, then a new login), or be root");
    return -1;
}

int chsm_arc_key(const char *challenge, const char *directory, struct chsm_secret *ret, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf text = CHSM_BUF_SECRET(CHSM_ARC_KEY_MAX);
    AUTO_FREE char *path = chsm_challenge_basic_realm(challenge);
    AUTO_CLOSE int fd = -1;
    struct stat st;

    if (!path)
        return chsm_fail(err, CHSM_AUTH, "the Azure Arc agent's challenge names no key file");
    if (check_path(path, directory, err) < 0)
        return -1;
    fd = open_key(path, err);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0)
        return chsm_fail_errno(err, CHSM_AUTH, "the Azure Arc key file %s", path);
    if (!S_ISREG(st.st_mode))
        return chsm_fail(err, CHSM_AUTH, "the Azure Arc key file %s is no regular file; nothing was read", path);
    if (st.st_size > CHSM_ARC_KEY_MAX)
        return chsm_fail(err, CHSM_AUTH, "the Azure Arc key file %s is larger than %d bytes; nothing was read", path, CHSM_ARC_KEY_MAX);
    if (chsm_fd_read(fd, CHSM_ARC_KEY_MAX, &text, err) < 0)
        return chsm_err_prefix(err, "the Azure Arc key file %s", path);
    if (text.len == 0 || memchr(text.p, '\0', text.len))
        return chsm_fail(err, CHSM_AUTH, "the Azure Arc key file %s holds no key", path);
    return chsm_secret_set(ret, text.p, text.len, err);
}

static int ask(struct chsm_link *l, const char *url, const struct chsm_secret *key, struct chsm_response *r, struct chsm_err *err)
{
    AUTO_BUF struct chsm_buf line = CHSM_BUF_SECRET(CHSM_ARC_KEY_MAX + 64);
    const char *headers[] = { "Metadata: true", "Accept: application/json", NULL, NULL };
    struct chsm_request rq = { .method = "GET", .url = url, .headers = headers, .plain_ok = true, .body_secret = true };

    if (key) {
        if (chsm_buf_addf(&line, err, "Authorization: Basic %s", key->p) < 0)
            return -1;
        headers[2] = chsm_buf_str(&line);
    }
    return chsm_http_do(l->http, &rq, r, err);
}

int chsm_arc_exchange(struct chsm_link *l, const char *url, const char *directory, struct chsm_response *r, struct chsm_err *err)
{
    AUTO_SECRET struct chsm_secret key = { 0 };

    if (ask(l, url, NULL, r, err) < 0)
        return -1;
    if (r->status != 401)
        return 0;
    if (!chsm_url_loopback(url)) {
        (void)chsm_fail(err, CHSM_AUTH, "the Azure Arc agent runs on this machine, and IDENTITY_ENDPOINT names another one; its key was not sent");
        return chsm_err_hint(err, "unset IDENTITY_ENDPOINT, or correct it: http://localhost:40342/metadata/identity/oauth2/token");
    }
    if (chsm_arc_key(r->www_authenticate ? r->www_authenticate : "", directory, &key, err) < 0)
        return -1;
    chsm_response_done(r);
    return ask(l, url, &key, r, err);
}

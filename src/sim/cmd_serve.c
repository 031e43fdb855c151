/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>

#include "sim/opts.h"
#include "sim/server.h"
#include "util/path.h"

#define METADATA "/metadata/endpoints?api-version=2022-09-01"

/* Two servers on one folder would answer from two sets of ports: the second one is refused. */
static int take_pidfile(const char *path, int *ret_fd, struct chsm_err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    AUTO_FREE char *pid = chsm_strf("%ld\n", (long)getpid());

    if (!pid)
        return chsm_oom(err);
    if (fd < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return chsm_fail(err, CHSM_CONFIG, "another chsm-sim serves this folder (%s)", path);
    if (ftruncate(fd, 0) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", path);
    if (chsm_fd_write(fd, pid, strlen(pid), err) < 0)
        return -1;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int write_endpoints(const char *dir, const struct sim_server *s, struct chsm_err *err)
{
    AUTO_FREE char *path = chsm_path_join(dir, "endpoints.json");
    json_auto_t *all = json_object();

    for (int i = 0; i < SIM_SERVICES; i++)
        if (json_object_set_new(all, sim_service_name((enum sim_service)i), json_string(sim_server_url(s, (enum sim_service)i))) < 0)
            return chsm_oom(err);
    return path ? chsm_json_save(path, all, err) : chsm_oom(err);
}

/* export NAME='value', safe for every value in a POSIX shell. */
static int add_export(struct chsm_buf *out, const char *name, const char *value, struct chsm_err *err)
{
    if (chsm_buf_addf(out, err, "export %s='", name) < 0)
        return -1;
    for (; *value; value++)
        if ((*value == '\'' ? chsm_buf_adds(out, "'\\''", err) : chsm_buf_add(out, value, 1, err)) < 0)
            return -1;
    return chsm_buf_adds(out, "'\n", err);
}

/* Everything that a client needs to find this cloud, as shell variables. */
static int write_env(const char *dir, const struct sim_server *s, bool imds, struct chsm_err *err)
{
    AUTO_STATE struct sim_state state = { .lock = -1 };
    AUTO_BUF struct chsm_buf out = CHSM_BUF_SECRET(65536);
    AUTO_FREE char *path = chsm_path_join(dir, "env");
    AUTO_FREE char *full = realpath(dir, NULL);
    AUTO_FREE char *ca = full ? chsm_path_join(full, "ca.pem") : NULL;
    AUTO_FREE char *metadata = chsm_strf("%s%s", sim_server_url(s, SIM_ARM), METADATA);
    const json_t *first;

    if (!path || !ca || !metadata)
        return chsm_oom(err);
    if (sim_state_open(dir, &state, err) < 0)
        return -1;
    first = json_array_get(json_object_get(state.root, "principals"), 0);
    if (add_export(&out, "CHSM_SIM_DIR", full, err) < 0 || add_export(&out, "ARM_CLOUD_METADATA_URL", metadata, err) < 0 ||
        add_export(&out, "SSL_CERT_FILE", ca, err) < 0 ||
        add_export(&out, "AZURE_TENANT_ID", sim_root_str(state.root, "tenant"), err) < 0 ||
        add_export(&out, "AZURE_CLIENT_ID", sim_root_str(first, "clientId"), err) < 0 ||
        add_export(&out, "AZURE_CLIENT_SECRET", sim_root_str(first, "secret"), err) < 0 ||
        (imds && add_export(&out, "AZURE_POD_IDENTITY_AUTHORITY_HOST", sim_server_url(s, SIM_IMDS), err) < 0))
        return -1;
    return chsm_file_write(path, out.p, out.len, 0600, err);
}

static int say_ready(const char *text, struct chsm_err *err)
{
    long fd;
    int rc;

    if (!text)
        return 0;
    if (sim_number(text, "--ready-fd", 1, 65535, &fd, err) < 0)
        return -1;
    rc = chsm_fd_write((int)fd, "ready\n", 6, err);
    (void)close((int)fd);
    return rc;
}

static void wait_for_end(const sigset_t *ends)
{
    int got;

    while (sigwait(ends, &got) != 0)
        continue;
}

int sim_cmd_serve(int argc, char **argv, struct chsm_err *err)
{
    const char *dir = NULL, *base_text = NULL, *ready = NULL;
    bool imds = false;
    const struct sim_opt opts[] = { { "dir", &dir, NULL }, { "port-base", &base_text, NULL }, { "ready-fd", &ready, NULL }, { "imds", NULL, &imds } };
    struct sim_server *s = NULL;
    AUTO_FREE char *pidfile = NULL;
    AUTO_CLOSE int pid_fd = -1;
    long base = 0;
    sigset_t ends;
    int rc;

    if (sim_opts_parse(argc, argv, opts, ARRAY_LEN(opts), NULL, 0, err) < 0)
        return -1;
    if (!dir)
        return chsm_fail(err, CHSM_USAGE, "serve needs --dir");
    if (base_text && sim_number(base_text, "--port-base", 1, 65532, &base, err) < 0)
        return -1;
    if (access(dir, F_OK) < 0)
        return chsm_fail_errno(err, CHSM_CONFIG, "%s", dir);
    pidfile = chsm_path_join(dir, "serve.pid");
    if (!pidfile)
        return chsm_oom(err);
    /* Blocked before the threads start, so that only wait_for_end() sees them. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &ends, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return chsm_fail_errno(err, CHSM_CONFIG, "signals");
    if (take_pidfile(pidfile, &pid_fd, err) < 0)
        return -1;
    rc = sim_server_start(dir, base, &s, err);
    if (rc == 0 && (rc = write_endpoints(dir, s, err)) == 0 && (rc = write_env(dir, s, imds, err)) == 0 && (rc = say_ready(ready, err)) == 0)
        wait_for_end(&ends);
    sim_server_stop(s);
    (void)unlink(pidfile);
    return rc;
}

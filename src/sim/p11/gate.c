/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "sim/p11/gate.h"
#include "sim/p11/state.h"
#include "util/buf.h"
#include "util/path.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_ulong calls[FN_COUNT];
static struct sim_quirks quirks;

const struct sim_quirks *sim_quirks(void)
{
    return &quirks;
}

int sim_gate_open(struct chsm_err *err)
{
    return sim_quirks_parse(getenv("CHSM_SIM_QUIRKS"), &quirks, err);
}

/* Outside the lock: several threads wait at the same time, as they would for a network. */
static void wait_ms(unsigned ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    while (ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

CK_RV sim_enter(enum sim_fn fn, enum sim_access access)
{
    unsigned long nth = atomic_fetch_add(&calls[fn], 1) + 1;

    wait_ms(quirks.latency_ms);
    if (quirks.fn[fn].crash)
        abort();
    while (quirks.fn[fn].hang)
        (void)pause();
    if (quirks.fn[fn].fail && (quirks.fn[fn].nth == 0 || quirks.fn[fn].nth == nth))
        return quirks.fn[fn].error;
    (void)(access == SIM_USES ? pthread_rwlock_rdlock(&lock) : pthread_rwlock_wrlock(&lock));
    return CKR_OK;
}

CK_RV sim_enter_initialised(enum sim_fn fn, enum sim_access access)
{
    CK_RV rv = sim_enter(fn, access);

    if (rv == CKR_OK && !sim_state()->fl)
        rv = sim_leave(CKR_CRYPTOKI_NOT_INITIALIZED);
    return rv;
}

CK_RV sim_leave(CK_RV rv)
{
    (void)pthread_rwlock_unlock(&lock);
    return rv;
}

void sim_noise(bool to_stderr, const char *fmt, ...)
{
    va_list args;

    if (!quirks.noise)
        return;
    va_start(args, fmt);
    (void)vfprintf(to_stderr ? stderr : stdout, fmt, args);
    va_end(args);
    (void)fflush(stdout);
}

static int format_calls(struct chsm_buf *line)
{
    unsigned long n;
    size_t i;

    for (i = 0; i < FN_COUNT; i++) {
        n = atomic_exchange(&calls[i], 0);
        if (n > 0 && chsm_buf_addf(line, NULL, "%s\"%s\": %lu", line->len ? ", " : "{", sim_fn_names[i], n) < 0)
            return -1;
    }
    return line->len ? chsm_buf_adds(line, "}\n", NULL) : -1;
}

__attribute__((destructor)) void sim_calls_write(void)
{
    AUTO_BUF struct chsm_buf line = CHSM_BUF(8192);
    const char *path = getenv("CHSM_SIM_CALLS");
    AUTO_CLOSE int fd = -1;

    if (!path || !*path || format_calls(&line) < 0)
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || chsm_fd_write(fd, chsm_buf_str(&line), line.len, NULL) < 0)
        (void)fprintf(stderr, "CHSM_SIM_CALLS: cannot write %s\n", path);
}

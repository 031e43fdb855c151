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
static atomic_ulong all_calls;          /* since C_Initialize */
static atomic_uint inside;              /* calls that run now */
static atomic_int searches;             /* that are open */
static struct sim_quirks quirks;

const struct sim_quirks *sim_quirks(void)
{
    return &quirks;
}

int sim_gate_open(struct chsm_err *err)
{
    atomic_store(&all_calls, 0);
    atomic_store(&searches, 0);
    return sim_quirks_parse(getenv("CHSM_SIM_QUIRKS"), &quirks, err);
}

/* Outside the lock: several threads wait at the same time, as they would for a network. */
static void wait_ms(unsigned ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    while (ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static void hang(void)
{
    for (;;)
        (void)pause();
}

static bool is_search(enum sim_fn fn)
{
    return fn == FN_C_FindObjects || fn == FN_C_FindObjectsFinal;
}

/* What quirks answer instead of the call itself; CKR_OK = nothing. `others` calls run beside this one. */
static CK_RV refusal(enum sim_fn fn, unsigned long nth, unsigned long total, unsigned others)
{
    bool busy = atomic_load(&searches) > 0 && !is_search(fn) && fn != FN_C_Finalize;

    if (quirks.fn[fn].crash)
        abort();
    if (quirks.fn[fn].hang || (busy && quirks.search_busy_hangs))
        hang();
    if (quirks.fn[fn].fail && (quirks.fn[fn].nth == 0 || quirks.fn[fn].nth == nth))
        return quirks.fn[fn].error;
    if (quirks.device_removed && total >= quirks.device_removed && fn != FN_C_Finalize)
        return CKR_DEVICE_REMOVED;
    if (quirks.threads_break && others > 0)
        return quirks.threads_break;
    return busy ? quirks.search_busy : CKR_OK;
}

/* What happens to the state at a certain call. */
static void upset(unsigned long total)
{
    if (total == quirks.session_lost)
        sim_state_forget_sessions();
    if (total == quirks.logged_out && sim_state()->fl)
        sim_state_logout();
}

void sim_gate_searches(int more)
{
    atomic_fetch_add(&searches, more);
}

CK_RV sim_enter(enum sim_fn fn, enum sim_access access)
{
    unsigned long nth = atomic_fetch_add(&calls[fn], 1) + 1, total = atomic_fetch_add(&all_calls, 1) + 1;
    unsigned others = atomic_fetch_add(&inside, 1);
    CK_RV rv;

    wait_ms(quirks.latency_ms + quirks.fn[fn].slow_ms);
    rv = refusal(fn, nth, total, others);
    if (rv != CKR_OK) {
        atomic_fetch_sub(&inside, 1);
        return rv;
    }
    if (total == quirks.session_lost || total == quirks.logged_out)
        access = SIM_CHANGES;
    (void)(access == SIM_USES ? pthread_rwlock_rdlock(&lock) : pthread_rwlock_wrlock(&lock));
    upset(total);
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
    atomic_fetch_sub(&inside, 1);
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

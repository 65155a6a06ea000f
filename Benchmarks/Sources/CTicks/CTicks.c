#include "CTicks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static int ends[2] = {-1, -1};
static uint32_t held;

int ticks_open(void) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

void ticks_write(void) {
    static char bytes[4096];
    if (write(ends[1], bytes, 1) == 1 && ++held == sizeof bytes && read(ends[0], bytes, sizeof bytes) > 0) held = 0;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int compare(const void *left, const void *right) {
    uint64_t first = *(const uint64_t *)left, second = *(const uint64_t *)right;
    return first < second ? -1 : first > second;
}

struct ticks_lag ticks_run(uint32_t count, uint64_t interval) {
    struct ticks_lag lag = {0, 0};
    uint64_t *lags = calloc(count, sizeof *lags);
    if (lags == NULL || count == 0) return lag;
    prctl(PR_SET_TIMERSLACK, 1UL);
    uint64_t start = now() + interval;
    for (uint32_t tick = 0; tick < count; tick++) {
        uint64_t due = start + tick * interval;
        struct timespec at = {.tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        ticks_write();
        lags[tick] = now() - due;
    }
    qsort(lags, count, sizeof *lags, compare);
    lag.p50 = lags[(uint64_t)(count - 1) * 50 / 100];
    lag.p99 = lags[(uint64_t)(count - 1) * 99 / 100];
    free(lags);
    return lag;
}

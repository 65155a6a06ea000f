// The least that a program can do to send at given times: what a replay's engine is measured against.
#ifndef CTICKS_H
#define CTICKS_H

#include <stdint.h>

// A pipe that one byte a tick is written to. Emptied by the writer itself from time to time, so that it never blocks.
// 0, or an errno.
int ticks_open(void);
// One byte into the pipe.
void ticks_write(void);
struct ticks_lag {
    // Nanoseconds from a tick to behind its write that half of all ticks, and 99 % of them, do not exceed.
    uint64_t p50;
    uint64_t p99;
};

// Sleeps until each of so many ticks, at least 1, `interval` nanoseconds apart, writes a byte, and reads the clock.
// Timers of the calling thread run out within a nanosecond of when they are asked to. All 0: there is no memory.
struct ticks_lag ticks_run(uint32_t count, uint64_t interval);

#endif

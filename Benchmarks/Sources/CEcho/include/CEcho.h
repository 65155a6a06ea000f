// The least that a program can do with datagrams: what a node is measured against.
#ifndef CECHO_H
#define CECHO_H

#include <stdint.h>

struct echo_result {
    uint64_t datagrams;
    uint64_t batches;
    // Nanoseconds of processor time of the thread.
    uint64_t processor_time;
    // 0, or the errno that ended it.
    int error;
};

// A socket bound to the address and a port of the system's choice, with as large a buffer as a node's; its port is in
// `port`. Below 0: an errno, negated.
int echo_open(uint32_t address, int receive_bytes, uint16_t *port);
// Answers every datagram with `reply_bytes` bytes, `batch` at a time (at most 1024), until one of a single byte comes.
struct echo_result echo_run(int socket, uint32_t batch, uint32_t reply_bytes);

// Timers of the calling thread run out when they are asked to, not up to 50 us later.
void bench_precise_timers(void);

#endif

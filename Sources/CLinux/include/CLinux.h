// The system calls of chains and local stores that Swift does not show: batches of datagrams, streams, processes,
// waiting, clocks, cores.
// Addresses and ports are in host order. A result below 0 is an errno, negated.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>

// A datagram in a batch's memory, valid until the batch receives again.
struct clinux_datagram {
    const uint8_t *bytes;
    uint32_t length;
    uint32_t address;
    uint16_t port;
    // Not 0: it was longer than the memory for it, and is cut.
    uint16_t is_cut;
};

// Memory for datagrams to receive and for headers of datagrams to send.
struct clinux_batch;

// A datagram socket that does not block, bound to the address; port 0 is the system's choice. Its descriptor.
int clinux_socket_open(uint32_t address, uint16_t port, int receive_bytes);
// The port it is bound to.
int clinux_socket_port(int socket);
// Datagrams that the system dropped since the socket was full.
int64_t clinux_socket_drops(int socket);
void clinux_close(int descriptor);

// Nil: no memory.
struct clinux_batch *clinux_batch_create(uint32_t capacity, uint32_t datagram_bytes);
void clinux_batch_destroy(struct clinux_batch *batch);
const struct clinux_datagram *clinux_batch_datagrams(const struct clinux_batch *batch);
// Takes what waits at the socket, as many as there is room for; 0: nothing waits.
int clinux_batch_receive(struct clinux_batch *batch, int socket);
// Sets the datagram to send at `index`. The bytes are the caller's until they are sent.
void clinux_batch_set(
    struct clinux_batch *batch, uint32_t index, const uint8_t *bytes, uint32_t length, uint32_t address,
    uint16_t port);
// Sends `count` datagrams from `first` on; how many went.
int clinux_batch_send(struct clinux_batch *batch, int socket, uint32_t first, uint32_t count);

// An event that wakes up who waits for it.
int clinux_event_open(void);
void clinux_event_set(int event);
void clinux_event_clear(int event);

// Waits until one of three descriptors (-1: none) can be read, at most so many nanoseconds (UINT64_MAX: for ever).
// Bits 0, 1 and 2 of the result say which.
int clinux_wait_readable(int first, int second, int third, uint64_t nanoseconds);
// Waits until datagrams can be sent, at most so many nanoseconds.
int clinux_wait_writable(int socket, uint64_t nanoseconds);

// A descriptor to wait for. What it is ready for stands in `is_readable` (the other side's end and errors too) and
// `is_writable`.
struct clinux_poll_request {
    int descriptor;
    uint8_t wants_write;
    uint8_t is_readable;
    uint8_t is_writable;
};

// Waits until one of them is ready, at most so many nanoseconds (UINT64_MAX: for ever). 0 or more: went well.
int clinux_poll(struct clinux_poll_request *requests, uint32_t count, uint64_t nanoseconds);

// Streams of TCP over IPv4 that do not block and send small pieces at once.
// One that takes connections at the address; port 0 is the system's choice. Its descriptor.
int clinux_stream_listen(uint32_t address, uint16_t port);
// The next connection; -EAGAIN: there is none.
int clinux_stream_accept(int listener);
// A connection to the address, when it stands.
int clinux_stream_connect(uint32_t address, uint16_t port);
// Bytes that came; 0: the other side has ended; -EAGAIN: none now.
int64_t clinux_stream_receive(int stream, uint8_t *bytes, uint32_t count);
// Bytes that were taken; -EAGAIN: none now.
int64_t clinux_stream_send(int stream, const uint8_t *bytes, uint32_t count);

// Both sides see the end; the descriptor stays.
void clinux_stream_shut_down(int stream);

// Runs the program with the arguments (a row of strings, each ended by 0, and a 0) in a process group of its own, with
// `input` (at most 4096 bytes) as standard input and none of the caller's signal mask. Its process id.
int clinux_process_start(const char *path, const char *arguments, const char *input);
// Waits until a child has ended; it keeps its id until it is reaped.
int clinux_process_wait(int process);
// Its exit status, or 256 and more: the signal that ended it.
int clinux_process_reap(int process);
void clinux_process_signal(int process, int number);
int clinux_process_own(void);
// Runs another's program with the arguments (a row as above) in a process group of its own: nothing on standard input,
// what it prints appended to the file `output`, without the environment's variables that begin with `hidden`. It is
// killed when the calling thread ends. Its process id.
int clinux_process_start_bound(const char *path, const char *arguments, const char *hidden, const char *output);
// Ends the calling process when the thread that started it ends; fails if `parent` is not its parent any more.
int clinux_process_end_with(int parent);

// Nanoseconds of the monotonic clock, and of processor time of the calling thread.
uint64_t clinux_monotonic_time(void);
// Sleeps until that time of the monotonic clock; a signal may end it before.
void clinux_sleep_until(uint64_t time);
// Lets timers of the calling thread end within a nanosecond, as far as the clock allows, not within 50 us.
void clinux_timers_precise(void);
uint64_t clinux_thread_time(void);
#define CLINUX_LARGE_PAGE (2u << 20)
// Puts what lies in memory there, at a multiple of CLINUX_LARGE_PAGE, into one page of that size (madvise(2),
// MADV_COLLAPSE, Linux 6.1).
int clinux_collapse_page(uint64_t address);
// Keeps the calling thread on the `index`-th of the cores that it may use, counted round.
int clinux_pin_thread(uint32_t index);

const char *clinux_error_text(int error);

#endif

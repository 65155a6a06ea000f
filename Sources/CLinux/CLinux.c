#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct clinux_batch {
    uint32_t capacity;
    struct clinux_datagram *datagrams;
    struct mmsghdr *incoming;
    struct iovec *incoming_parts;
    struct sockaddr_in *sources;
    uint8_t *bytes;
    struct mmsghdr *outgoing;
    struct iovec *outgoing_parts;
    struct sockaddr_in *destinations;
};

int clinux_socket_open(uint32_t address, uint16_t port, int receive_bytes) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    // Beyond the system's limit only with the privilege for it; else what the limit allows.
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes) != 0)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    if (bind(descriptor, (struct sockaddr *)&own, sizeof own) != 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

int clinux_socket_port(int socket) {
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    return getsockname(socket, (struct sockaddr *)&own, &size) == 0 ? ntohs(own.sin_port) : -errno;
}

int64_t clinux_socket_drops(int socket) {
    uint32_t facts[SK_MEMINFO_VARS];
    socklen_t size = sizeof facts;
    if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, facts, &size) != 0) return -errno;
    return size > SK_MEMINFO_DROPS * sizeof facts[0] ? facts[SK_MEMINFO_DROPS] : 0;
}

void clinux_close(int descriptor) { close(descriptor); }

struct clinux_batch *clinux_batch_create(uint32_t capacity, uint32_t datagram_bytes) {
    struct clinux_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) return NULL;
    batch->capacity = capacity;
    batch->datagrams = calloc(capacity, sizeof *batch->datagrams);
    batch->incoming = calloc(capacity, sizeof *batch->incoming);
    batch->incoming_parts = calloc(capacity, sizeof *batch->incoming_parts);
    batch->sources = calloc(capacity, sizeof *batch->sources);
    batch->bytes = calloc(capacity, datagram_bytes);
    batch->outgoing = calloc(capacity, sizeof *batch->outgoing);
    batch->outgoing_parts = calloc(capacity, sizeof *batch->outgoing_parts);
    batch->destinations = calloc(capacity, sizeof *batch->destinations);
    if (!batch->datagrams || !batch->incoming || !batch->incoming_parts || !batch->sources || !batch->bytes ||
        !batch->outgoing || !batch->outgoing_parts || !batch->destinations) {
        clinux_batch_destroy(batch);
        return NULL;
    }
    for (uint32_t index = 0; index < capacity; index++) {
        uint8_t *bytes = batch->bytes + (size_t)index * datagram_bytes;
        batch->datagrams[index].bytes = bytes;
        batch->incoming_parts[index] = (struct iovec){.iov_base = bytes, .iov_len = datagram_bytes};
        batch->incoming[index].msg_hdr = (struct msghdr){
            .msg_name = &batch->sources[index], .msg_iov = &batch->incoming_parts[index], .msg_iovlen = 1};
        batch->destinations[index].sin_family = AF_INET;
        batch->outgoing[index].msg_hdr = (struct msghdr){
            .msg_name = &batch->destinations[index], .msg_namelen = sizeof batch->destinations[index],
            .msg_iov = &batch->outgoing_parts[index], .msg_iovlen = 1};
    }
    return batch;
}

void clinux_batch_destroy(struct clinux_batch *batch) {
    free(batch->datagrams);
    free(batch->incoming);
    free(batch->incoming_parts);
    free(batch->sources);
    free(batch->bytes);
    free(batch->outgoing);
    free(batch->outgoing_parts);
    free(batch->destinations);
    free(batch);
}

const struct clinux_datagram *clinux_batch_datagrams(const struct clinux_batch *batch) { return batch->datagrams; }

int clinux_batch_receive(struct clinux_batch *batch, int socket) {
    // The system wrote the lengths of the names that it stored.
    for (uint32_t index = 0; index < batch->capacity; index++)
        batch->incoming[index].msg_hdr.msg_namelen = sizeof batch->sources[index];
    int count = recvmmsg(socket, batch->incoming, batch->capacity, MSG_DONTWAIT, NULL);
    if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        struct clinux_datagram *datagram = &batch->datagrams[index];
        datagram->length = batch->incoming[index].msg_len;
        datagram->address = ntohl(batch->sources[index].sin_addr.s_addr);
        datagram->port = ntohs(batch->sources[index].sin_port);
        datagram->is_cut = (batch->incoming[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }
    return count;
}

void clinux_batch_set(
    struct clinux_batch *batch, uint32_t index, const uint8_t *bytes, uint32_t length, uint32_t address,
    uint16_t port) {
    batch->destinations[index].sin_addr.s_addr = htonl(address);
    batch->destinations[index].sin_port = htons(port);
    batch->outgoing_parts[index] = (struct iovec){.iov_base = (void *)bytes, .iov_len = length};
}

int clinux_batch_send(struct clinux_batch *batch, int socket, uint32_t first, uint32_t count) {
    int sent;
    do sent = sendmmsg(socket, batch->outgoing + first, count, MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int clinux_event_open(void) {
    int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return event < 0 ? -errno : event;
}

void clinux_event_set(int event) {
    uint64_t one = 1;
    // Fails only when so many are set already that nobody can miss it.
    if (write(event, &one, sizeof one) < 0) return;
}

void clinux_event_clear(int event) {
    uint64_t count;
    if (read(event, &count, sizeof count) < 0) return;
}

static int wait_for(struct pollfd *requests, nfds_t count, uint64_t nanoseconds) {
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(requests, count, nanoseconds == UINT64_MAX ? NULL : &time, NULL);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    int mask = 0;
    // An error on a socket is for whoever reads it to find.
    for (nfds_t index = 0; index < count; index++) mask |= (requests[index].revents != 0) << index;
    return mask;
}

int clinux_wait_readable(int first, int second, int third, uint64_t nanoseconds) {
    struct pollfd requests[3] = {
        {.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}, {.fd = third, .events = POLLIN}};
    return wait_for(requests, 3, nanoseconds);
}

int clinux_wait_writable(int socket, uint64_t nanoseconds) {
    struct pollfd request = {.fd = socket, .events = POLLOUT};
    return wait_for(&request, 1, nanoseconds);
}

int clinux_set_open(void) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    return set < 0 ? -errno : set;
}

int clinux_set_add(int set, int descriptor, uint32_t index) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index & 63};
    return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

uint64_t clinux_set_ready(int set) {
    struct epoll_event events[64];
    int count = epoll_wait(set, events, 64, 0);
    uint64_t ready = 0;
    for (int i = 0; i < count; i++) ready |= (uint64_t)1 << events[i].data.u32;
    return ready;
}

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t clinux_monotonic_time(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t clinux_thread_time(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

int clinux_pin_thread(uint32_t index) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -errno;
    uint32_t skip = index % (uint32_t)CPU_COUNT(&allowed);
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, &allowed) || skip-- > 0) continue;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0 ? 0 : -errno;
    }
    return -EINVAL;
}

const char *clinux_error_text(int error) { return strerror(error); }

#include "CLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

int clinux_poll(struct clinux_poll_request *requests, uint32_t count, uint64_t nanoseconds) {
    struct pollfd polled[count + 1];
    for (uint32_t index = 0; index < count; index++)
        polled[index] = (struct pollfd){
            .fd = requests[index].descriptor, .events = POLLIN | (requests[index].wants_write ? POLLOUT : 0)};
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(polled, count, nanoseconds == UINT64_MAX ? NULL : &time, NULL);
    if (ready < 0 && errno != EINTR) return -errno;
    for (uint32_t index = 0; index < count; index++) {
        int events = ready < 0 ? 0 : polled[index].revents;
        requests[index].is_readable = (events & ~POLLOUT) != 0;
        requests[index].is_writable = (events & POLLOUT) != 0;
    }
    return 0;
}

static int stream_open(void) {
    int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return stream < 0 ? -errno : stream;
}

static int closed_for(int stream) {
    int error = errno;
    close(stream);
    return -error;
}

// Small messages go at once; nothing blocks.
static int made_ready(int stream) {
    int one = 1;
    int flags = fcntl(stream, F_GETFL);
    if (flags < 0 || fcntl(stream, F_SETFL, flags | O_NONBLOCK) != 0) return closed_for(stream);
    if (setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) return closed_for(stream);
    return stream;
}

int clinux_stream_listen(uint32_t address, uint16_t port) {
    int listener = stream_open();
    if (listener < 0) return listener;
    int one = 1;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, SOMAXCONN) != 0)
        return closed_for(listener);
    return made_ready(listener);
}

int clinux_stream_accept(int listener) {
    int stream;
    // A connection that ended before it was taken is none.
    do stream = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (stream < 0 && (errno == EINTR || errno == ECONNABORTED));
    return stream < 0 ? -errno : made_ready(stream);
}

int clinux_stream_connect(uint32_t address, uint16_t port) {
    int stream = stream_open();
    if (stream < 0) return stream;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
    int result;
    do result = connect(stream, (struct sockaddr *)&peer, sizeof peer);
    while (result != 0 && errno == EINTR);
    // A signal came while it was on its way, and it stands by now.
    if (result != 0 && errno != EISCONN) return closed_for(stream);
    return made_ready(stream);
}

int64_t clinux_stream_receive(int stream, uint8_t *bytes, uint32_t count) {
    ssize_t result;
    do result = recv(stream, bytes, count, MSG_DONTWAIT);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

int64_t clinux_stream_send(int stream, const uint8_t *bytes, uint32_t count) {
    ssize_t result;
    do result = send(stream, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

void clinux_stream_shut_down(int stream) { shutdown(stream, SHUT_RDWR); }

int clinux_process_start(const char *path, const char *arguments, const char *input) {
    char *list[64];
    size_t count = 0;
    for (const char *word = arguments; *word != 0 && count < 63; word += strlen(word) + 1) list[count++] = (char *)word;
    list[count] = NULL;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    // A pipe holds so little without a reader.
    ssize_t written = write(ends[1], input, strlen(input));
    int error = written < 0 ? errno : 0;
    close(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    pid_t process = -1;
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (error == 0) error = posix_spawnattr_setpgroup(&attributes, 0);
    if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    if (error == 0) error = posix_spawn(&process, path, &actions, &attributes, list, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    return error != 0 ? -error : process;
}

int clinux_process_wait(int process) {
    siginfo_t facts;
    int result;
    do result = waitid(P_PID, (id_t)process, &facts, WEXITED | WNOWAIT);
    while (result != 0 && errno == EINTR);
    return result != 0 ? -errno : 0;
}

int clinux_process_reap(int process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

// What a child does between its start and the program: memory is shared with the parent, which waits.
static int become(const char *path, char **list, char **variables, int input, int output, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    // The parent may have ended before it was asked for.
    if (getppid() != parent) return ESRCH;
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        return errno;
    // Who reads a pipe that another's program handed to this process must not wait for the child too.
    close_range(STDERR_FILENO + 1, ~0U, 0);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, list, variables);
    return errno;
}

int clinux_process_start_bound(const char *path, const char *arguments, const char *hidden, const char *output) {
    char *list[64];
    size_t count = 0;
    for (const char *word = arguments; *word != 0 && count < 63; word += strlen(word) + 1) list[count++] = (char *)word;
    list[count] = NULL;
    size_t all = 0, kept = 0;
    while (environ[all] != NULL) all++;
    char **variables = malloc((all + 1) * sizeof *variables);
    if (variables == NULL) return -ENOMEM;
    for (size_t index = 0; index < all; index++)
        if (strncmp(environ[index], hidden, strlen(hidden)) != 0) variables[kept++] = environ[index];
    variables[kept] = NULL;
    volatile int error = 0;
    pid_t process = -1;
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (in < 0 || out < 0) {
        error = errno;
    } else {
        // No handler of this process may run in the child while both share their memory.
        sigset_t every, before;
        sigfillset(&every);
        pthread_sigmask(SIG_SETMASK, &every, &before);
        pid_t parent = getpid();
        process = vfork();
        if (process == 0) {
            error = become(path, list, variables, in, out, parent);
            _exit(127);
        }
        if (process < 0) error = errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (process > 0 && error != 0) clinux_process_reap(process);
    }
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    free(variables);
    return error != 0 ? -error : process;
}

void clinux_process_signal(int process, int number) { kill(process, number); }

int clinux_process_own(void) { return getpid(); }

int clinux_process_end_with(int parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t clinux_monotonic_time(void) { return read_clock(CLOCK_MONOTONIC); }

void clinux_sleep_until(uint64_t time) {
    struct timespec at = {.tv_sec = (time_t)(time / 1000000000), .tv_nsec = (long)(time % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

void clinux_timers_precise(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

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

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

int clinux_collapse_page(uint64_t address) {
    return madvise((void *)(uintptr_t)address, CLINUX_LARGE_PAGE, MADV_COLLAPSE) == 0 ? 0 : -errno;
}

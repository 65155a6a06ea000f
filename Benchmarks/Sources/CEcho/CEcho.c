#include "CEcho.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most = 1024, datagram_bytes = 2048 };

static uint8_t memory[most][datagram_bytes];
static struct mmsghdr messages[most];
static struct iovec parts[most];
static struct sockaddr_in names[most];

int echo_open(uint32_t address, int receive_bytes, uint16_t *port) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof receive_bytes) != 0)
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    socklen_t size = sizeof own;
    if (bind(descriptor, (struct sockaddr *)&own, size) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&own, &size) != 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    *port = ntohs(own.sin_port);
    return descriptor;
}

static uint64_t thread_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

struct echo_result echo_run(int socket, uint32_t batch, uint32_t reply_bytes) {
    struct echo_result result = {0};
    if (batch > most) batch = most;
    uint64_t start = thread_time();
    int is_over = 0;
    while (!is_over) {
        for (uint32_t index = 0; index < batch; index++) {
            parts[index] = (struct iovec){.iov_base = memory[index], .iov_len = datagram_bytes};
            messages[index].msg_hdr = (struct msghdr){
                .msg_name = &names[index], .msg_namelen = sizeof names[index], .msg_iov = &parts[index],
                .msg_iovlen = 1};
        }
        int count = recvmmsg(socket, messages, batch, MSG_WAITFORONE, NULL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            result.error = errno;
            break;
        }
        result.datagrams += (uint64_t)count;
        result.batches++;
        for (int index = 0; index < count; index++) {
            is_over |= messages[index].msg_len == 1;
            parts[index].iov_len = reply_bytes;
        }
        for (int sent = 0; sent < count;) {
            int now = sendmmsg(socket, messages + sent, (unsigned)(count - sent), 0);
            // One that cannot be sent is left out.
            sent += now > 0 ? now : 1;
        }
    }
    result.processor_time = thread_time() - start;
    close(socket);
    return result;
}

void bench_precise_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

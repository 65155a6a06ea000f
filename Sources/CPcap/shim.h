#include <pcap/pcap.h>

// sock_fprog of linux/filter.h, which cannot be included beside libpcap's header: both define the same macros.
struct socket_filter {
    unsigned short length;
    struct bpf_insn *instructions;
};

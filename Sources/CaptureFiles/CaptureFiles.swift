// CaptureFiles: packets from capture files, from a pipe, and from a live interface.
//
// In     pcap and pcapng files (plain, zstd, gzip), "-" for standard input, an interface's name
// Out    PacketBatch: the bytes as read, and a CapturedPacket (time, range, link type) for each packet in them;
//        TLS secrets that a pcapng file carries
// Meet   CaptureReader (files in order), ReadAhead (the same on a thread of its own), PacketTaker (an interface, on a
//        thread of its own); below them CaptureParser, the pure machine, LiveCapture (libpcap), and PacketRing, where
//        taken packets wait to be decoded
// Holds  one buffer of about 1 MiB, owned by the caller, and three more where it is read ahead; one decompressor;
//        bounds and reasons in CaptureLimits
// Rules  pcap: draft-ietf-opsawg-pcap, pcapng: draft-ietf-opsawg-pcapng; search for "pcap §" and "pcapng §".
//        C is met in FileBytes (libc), ZstdStream, GzipStream and PcapHandle only

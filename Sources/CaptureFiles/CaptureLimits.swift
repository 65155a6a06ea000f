/// How much a capture file may make its reader hold.
package struct CaptureLimits: Sendable {
    /// Bytes of one packet, captured or original. A longer length is damage. Linux builds packets of up to 512 KiB
    /// (BIG TCP, `GSO_MAX_SIZE`), libpcap writes at most 256 KiB of one; nothing real comes near 1 MiB.
    package var packetBytes = 1 << 20

    /// Bytes of one pcapng block that is read whole (all but unknown ones, which are skipped without being held): a
    /// packet with long comments, or the secrets of some ten thousand TLS connections.
    package var blockBytes = 16 << 20

    /// Interfaces of one pcapng section. A node has a virtual interface a pod, some hundreds; further ones are not
    /// remembered, and their packets are counted as damage.
    package var interfaces = 4096

    /// Bytes of TLS secrets in one file, about 1 KiB a connection; further ones are counted as damage.
    package var secretsBytes = 32 << 20

    /// Bytes that are read at a time. Small enough for a second-level cache, large enough that a system call is cheap.
    package var chunkBytes = 1 << 20

    /// Binary logarithm of the largest zstd window that is accepted: 128 MiB, what `zstd --long` (27) makes, and half
    /// of what a decode may hold.
    package var zstdWindowLog: Int32 = 27

    /// Bytes of a live packet that are kept, unless another number is asked for: whole packets (see `packetBytes`).
    package static let snapLength = 262_144

    /// Bytes of live packets that the kernel holds until they are taken, unless another number is asked for: half a
    /// second at a gigabit a second, in which the taking thread gets a processor even on a busy machine.
    package static let kernelBytes = 64 << 20

    /// Bytes of live packets that wait to be decoded, unless another number is asked for: as many again, for the time
    /// in which a block is compressed or the disk is slow.
    package static let ringBytes = 64 << 20

    package init() {}
}

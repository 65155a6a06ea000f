/// Bounds of a `ConnectionTracker`; reaching one is counted, never an error.
package struct TrackerLimits: Sendable {
    /// Connections at a time. An API server has some hundred; beyond this the longest idle one is evicted.
    package var connections = 16_384
    /// Closed connections that wait for late packets; beyond this the first closed is dropped.
    package var lingering = 1024
    /// Nanoseconds of capture time that a closed connection waits for late packets. Recorders that merge queues were
    /// seen 2 s late.
    package var lingerTime: Int64 = 10_000_000_000

    /// Bytes of out-of-order data held, bookkeeping included, all connections together. A small part of 256 MiB.
    package var heldBytesTotal = 32 << 20
    /// The same for one direction: more than a receive window of common size (Linux: 6 MiB at most by default), half
    /// of which may stand behind one lost segment.
    package var heldBytes = 4 << 20
    /// Blocks held for one direction; bounds the cost of keeping them in order.
    package var heldBlocks = 4096

    /// A hole that the receiver acknowledged is given up after so many more packets of the connection,
    package var suspectedPackets = 64
    /// or so many more payload bytes of its direction,
    package var suspectedBytes = 256 << 10
    /// or so many nanoseconds of capture time. Less would lose data of recorders that deliver late.
    package var suspectedTime: Int64 = 5_000_000_000

    /// A hole that nobody acknowledged is given up after so many nanoseconds of capture time without progress;
    package var waitingTime: Int64 = 30_000_000_000
    /// where no acknowledgements are seen, also after so many packets of its direction,
    package var waitingPackets = 512
    /// or with so many bytes held.
    package var waitingBytes = 1 << 20

    /// A direction joined midway waits for so many packets of the recording before its first byte is settled, since
    /// recorders deliver the first packets out of order as well.
    package var settlingPackets = 16
    /// or until so many bytes are held.
    package var settlingBytes = 256 << 10

    /// A segment or acknowledgement further than this from what is expected is stray: twice the largest window that
    /// Linux grants by default, and more than any flow-control window of etcd's gRPC.
    package var windowBytes = 16 << 20
    /// So many stray segments, each at the end of the one before, show that the connection goes on there.
    package var strayRun = 4
    /// A run of strays at most this far ahead is the same connection after a long pause of the recording; further off,
    /// or behind, it is another connection on the same ports whose SYN was not seen.
    package var pauseBytes = 1 << 30

    /// Nanoseconds after its first packet in which a SYN may be a late copy of a connection's own,
    package var youngTime: Int64 = 5_000_000_000
    /// unless nothing came but SYNs, which are repeated for about two minutes.
    package var handshakeTime: Int64 = 130_000_000_000
    /// Packets of the recording in which a SYN may be late by reordering alone.
    package var latePackets = 16
    /// Bytes between a late SYN and the data that came before it.
    package var startBytes = 1 << 20

    /// IP datagrams of which parts are held,
    package var fragmentedDatagrams = 64
    /// their bytes together,
    package var fragmentBytes = 2 << 20
    /// parts of one (65 535 bytes in parts of the smallest common payload, 528 bytes, are 124),
    package var fragmentsPerDatagram = 256
    /// nanoseconds of capture time (RFC 791 §3.2 and RFC 8200 §4.5 ask for 15 to 60 s),
    package var fragmentTime: Int64 = 30_000_000_000
    /// and packets of the recording that they wait.
    package var fragmentPackets = 65_536

    package init() {}
}

package import Etcd
package import HTTP2
package import Packets
package import TLSRecords

/// Bounds of a recording, gathered from the decoders that it joins.
package struct RecordingLimits: Sendable {
    package var tracker = TrackerLimits()
    package var tls = TLSLimits()
    package var http2 = ConnectionLimits()
    package var calls = CallLimits()
    /// A batch is handed on when it holds this many operations: enough that columns compress well, and few enough
    /// that a cut trace loses little.
    package var batchOperations = 32_768
    /// ... or this many bytes in memory, whichever comes first.
    package var batchBytes = 24 << 20

    /// Bytes that the readers of all connections hold together: header tables (some 20 KiB for a busy connection),
    /// bytes in which frame boundaries are looked for (up to 400 KB), and TLS records that are not whole or wait for
    /// their keys (up to 160 KB). Beyond it, those longest without a packet are forgotten: their connections go on as
    /// if joined midway.
    package var readerBytes = 48 << 20

    /// Connections that are over and leave their memory to later ones, and the most that one may leave.
    package var idleConnections = 256
    package var idleReaderBytes = 64 << 10

    /// Nothing of a capture and a key log makes a recording hold more than about 220 MiB; a file compressed with a
    /// window of 128 MiB takes that much besides.
    package init() {
        tracker.heldBytesTotal = 16 << 20
        calls.heldBytes = 32 << 20
        calls.fieldBytes = 16 << 20
    }
}

package import Etcd
package import HTTP2
package import Packets

/// Bounds of a recording, gathered from the decoders that it joins.
package struct RecordingLimits: Sendable {
    package var tracker = TrackerLimits()
    package var http2 = ConnectionLimits()
    package var calls = CallLimits()
    /// A batch is handed on when it holds this many operations: enough that columns compress well, and few enough
    /// that a cut trace loses little.
    package var batchOperations = 65_536
    /// ... or this many bytes in memory, whichever comes first.
    package var batchBytes = 24 << 20

    package init() {}
}

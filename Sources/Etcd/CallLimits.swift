/// What the open calls of a recording may hold. All limits are of all connections together.
package struct CallLimits: Sendable {
    /// Calls open at once. A recording of one direction only never sees a call end; a Kubernetes cluster has a few
    /// hundred streams open. About 1.3 KB each.
    package var openCalls = 32_768
    /// Bytes of memory that open calls hold: unfinished messages, and what was read from whole ones.
    package var heldBytes = 64 << 20
    /// Bytes of memory that calls which have ended leave to later ones.
    package var idleBytes = 8 << 20
    /// Bytes of memory that messages which came in pieces leave to later ones.
    package var spareBytes = 8 << 20
    /// The longest request that is read: it is held until it is whole. etcd refuses more than 1.5 MiB by default
    /// (`--max-request-bytes`). Responses are read field by field and may be of any length.
    package var requestBytes = 16 << 20
    /// The longest field of a response that is held until it is whole: a key-value, an event, a transaction's part.
    package var fieldBytes = 32 << 20
    /// Bytes that a compressed message may inflate to. gzip reaches 1000 : 1.
    package var inflatedBytes = 256 << 20
    /// Operations in a transaction's branches, nested ones too, and compares. etcd's default is 128 a branch
    /// (`--max-txn-ops`).
    package var parts = 65_536
    /// Transactions within transactions.
    package var depth = 32
    /// Key-values of one response or call that are recorded, 48 bytes each, and the bytes of their keys.
    package var keyValues = 262_144
    package var keyBytes = 32 << 20
    /// Response bytes that wait for the requests of their streams, when the recorder delivered the server's side first.
    /// A hole is waited for 256 KiB of its direction at most (`Packets`). Each five of them may become an operation,
    /// all of a stream at once.
    package var deferredBytes = 1 << 20
    /// Requests on a stream that wait for their answer (watch creates and cancels, keep-alives).
    package var unansweredMessages = 4_096
    /// Calls that are over and wait for the name of their method; more are written as ambiguous. About 1.5 KB each.
    package var waitingCalls = 8_192
    /// Messages and bytes kept of one call while its method is not known; later ones are only counted.
    package var collectedMessages = 64
    package var collectedBytes = 4 << 20
    /// Header-table entries of one connection whose names are looked for; a table of 4096 bytes holds 128.
    package var entryNames = 256
    /// Nanoseconds of capture time that a call waits for its name before it is written with what is known.
    package var namingPatience: Int64 = 300_000_000_000
    /// Bytes kept of a `:path` that is none of etcd's, of an error text, of a user agent.
    package var textBytes = 4_096
    /// Nanoseconds of capture time that an ended call waits for the other direction's bytes: the recorder may deliver
    /// the end of one direction before the rest of the other. Longer than any hole is waited for (30 s, `Packets`):
    /// what was lost must be known before the call is judged.
    package var lingering: Int64 = 45_000_000_000

    package init() {}
}

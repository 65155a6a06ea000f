/// How the outcome of a replayed call differs from the recorded one. Stored in traces: numbers are never changed or
/// reused.
package enum Difference: UInt8, Sendable, CaseIterable {
    /// Not at all, or there is nothing to compare with.
    case none = 0
    /// Another gRPC status.
    case status = 1
    /// A transaction took the other branch.
    case succeeded = 2
    /// A key or range held something, or something was deleted, here and not there.
    case found = 3
    /// Not as many keys.
    case count = 4
    /// A lease had ended that had not in the recording, or a key with a lease was missing.
    case leaseExpired = 5
    /// Another outcome, and a revision, lease or watch of the request was sent as recorded, since nothing showed what
    /// it is on the target.
    case unmapped = 6
    /// The connection was lost before an answer came, or there was none.
    case connectionLost = 7
    /// No answer came in time.
    case timedOut = 8
    /// The target has nothing like it.
    case unsupported = 9
    /// The store had ended the stream on which it was to be sent.
    case streamEnded = 10
    /// The answer to a transaction does not fit its operations.
    case malformed = 11
}

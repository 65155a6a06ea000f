package import Etcd

/// What a store says: the answer to a request, or something on a stream that answers none.
///
/// A backend owns one and fills it again for each answer.
package struct StoreAnswer: Sendable {
    package enum Role: UInt8, Sendable {
        /// The answer to the request of that `number`; each request gets one, if only from its backend.
        case answer
        /// Events of a watch, or another message on `stream` that answers no request.
        case event
        /// The stream ended, and not because it was asked to. Where its connection was lost, which the note says, the
        /// next message under its number opens it anew.
        case streamEnd
    }

    /// What the backend did otherwise than asked.
    package enum Note: UInt8, Sendable, CaseIterable {
        case none
        /// A RangeStream was asked as a Range, since the target does not know it.
        case fellBack
        /// The target has nothing like it; nothing was sent.
        case unsupported
        /// The connection was lost, or there was none: whether the store did it is not known.
        case connectionLost
        /// Nothing came within the time that a call may take; the store may still have done it.
        case timedOut
    }

    package var role: Role = .answer
    package var note: Note = .none
    package var number: UInt32 = 0
    package var stream: UInt32 = 0
    /// gRPC status code; 0 for an answered message of a stream.
    package var status: UInt32 = 0
    /// etcd's error text, UTF-8.
    package var errorText: [UInt8] = []
    /// By the backend's clock, nanoseconds: the request's last byte was handed to the system; 0 when nothing was sent.
    package var sent: Int64 = 0
    /// The first byte of the answer was there; 0 when there is none.
    package var firstByte: Int64 = 0
    /// The call had ended.
    package var done: Int64 = 0
    /// Bytes of gRPC messages without their prefixes.
    package var requestBytes: Int64 = 0
    package var responseBytes: Int64 = 0
    /// What the response says: `answer`, `answers` of a transaction's operations that were executed, key-values or
    /// events, the header's revision, lease and watch, and the keys that they name.
    package var details = CallDetails()

    package init() {}

    /// Forgets all, and keeps the memory.
    package mutating func removeAll() {
        role = .answer
        note = .none
        number = 0
        stream = 0
        status = 0
        if !errorText.isEmpty { errorText.removeAll(keepingCapacity: true) }
        sent = 0
        firstByte = 0
        done = 0
        requestBytes = 0
        responseBytes = 0
        details.resetResponse()
    }
}

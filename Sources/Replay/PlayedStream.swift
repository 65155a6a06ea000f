import Etcd

/// A stream of the plan as it goes in the current loop.
package struct PlayedStream: Sendable {
    /// When its first message was sent; nil if none was.
    package internal(set) var opened: Int64?
    /// The call of the plan that opened it.
    var openingCall: UInt32 = ReplayRecord.noCall
    package internal(set) var isEndedByStore = false
    package internal(set) var isEndedByClient = false
    package internal(set) var requests: UInt32 = 0
    package internal(set) var responses: UInt32 = 0
    package internal(set) var requestBytes: Int64 = 0
    package internal(set) var responseBytes: Int64 = 0
    package internal(set) var events: Int64 = 0

    /// Its operation is in the trace.
    var isWritten = false

    var isOpen: Bool { opened != nil && !isEndedByStore && !isEndedByClient }

    init() {}
}

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

    /// Messages of the plan that come before its end by the client, and are not answered yet: the end waits for them.
    var unanswered: UInt32 = 0
    /// The call that ends it and waits so, and when it was due.
    var heldEnd: (call: UInt32, intended: Int64)?
    /// Its operation is in the trace.
    var isWritten = false

    var isOpen: Bool { opened != nil && !isEndedByStore && !isEndedByClient }

    /// - Parameters:
    ///   - messages: that the plan has before the stream's end.
    init(messages: UInt32 = 0) { unanswered = messages }
}

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

    /// Its connection was lost, and nothing was sent on it since.
    var isLost = false
    /// It was opened anew, and nothing was heard on it yet.
    var isOpenedAnew = false
    /// How long behind its loss its watches were or are to be created again.
    private var pause: Int64 = 0
    /// When that is; nil where there is nothing to create.
    var reopening: Int64?
    /// In the order in which their creations were sent.
    var watches: [PlayedWatch] = []
    /// Calls that cancel watches which are just being created again, and when they were due.
    var heldCancels: [(call: UInt32, intended: Int64)] = []

    var isOpen: Bool { opened != nil && !isOver && !isLost }
    var isOver: Bool { isEndedByStore || isEndedByClient }

    /// - Parameters:
    ///   - messages: that the plan has before the stream's end.
    init(messages: UInt32 = 0) { unanswered = messages }

    /// Its connection was lost: with it went its watches.
    mutating func lose(at moment: Int64, _ limits: EngineLimits) {
        pause = isOpenedAnew ? min(2 * pause, limits.reopeningPauseMax) : limits.reopeningPause
        isLost = true
        isOpenedAnew = false
        watches.removeAll { $0.state == .over }
        for place in watches.indices { watches[place].state = .gone }
        reopening = watches.isEmpty ? nil : moment &+ pause
    }

    /// The place of a watch by the number that the store gave it; nil if there is none.
    func place(ofWatch watchID: Int64) -> Int? {
        // etcd numbers the watches of a stream from 0 on, in the order in which they are created.
        if let place = Int(exactly: watchID), watches.indices.contains(place), isWatch(place, watchID) { return place }
        return watches.indices.first { isWatch($0, watchID) }
    }

    private func isWatch(_ place: Int, _ watchID: Int64) -> Bool {
        watches[place].state == .stands && watches[place].watchID == watchID
    }

    /// The place of the watch that a call of the plan creates.
    func place(ofWatchOf call: UInt32) -> Int? { watches.lastIndex { $0.call == call } }
}

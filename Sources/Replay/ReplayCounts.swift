import Etcd

/// What became of a plan's calls and messages, over all loops. That a client ends a stream is neither.
package struct ReplayCounts: Sendable, Equatable {
    /// By kind, as the plan has them for one loop, behind the schedule's offset.
    package internal(set) var planned = Self.zeros
    /// Handed to the store, by kind.
    package internal(set) var sent = Self.zeros
    /// Answered, by kind, whatever the answer was.
    package internal(set) var answered = Self.zeros
    /// Answers with a gRPC status other than 0, or none from the store, by kind.
    package internal(set) var errors = Self.zeros
    /// Answers by what the backend did otherwise than asked (`StoreAnswer.Note`).
    package internal(set) var notes = [Int64](repeating: 0, count: StoreAnswer.Note.allCases.count)
    /// Numbers of requests that were sent as recorded, by what they are (`Patch.Field`).
    package internal(set) var unmapped = [Int64](repeating: 0, count: Patch.Field.count)
    /// Reads of the store's current revision before calls that name one which another shard's answer tells. They are
    /// in no other count, nor in the replay's trace.
    package internal(set) var revisionReads: Int64 = 0
    /// How often calls were due and could not go, since as many were outstanding as may be (open loops).
    package internal(set) var heldBack: Int64 = 0
    /// At the end: requests without an answer, and calls of the last loop that were not sent.
    package internal(set) var outstanding: Int64 = 0
    package internal(set) var unsent: Int64 = 0
    /// Of `unsent`, those that were due and waited for what was never answered.
    package internal(set) var waiting: Int64 = 0
    /// Answers to nothing that is outstanding.
    package internal(set) var unexpected: Int64 = 0
    /// Streams that ended without the client's doing: by the store, or with their connection. Those of them that were
    /// opened anew, which only a lost connection leads to. And messages that could not be sent meanwhile.
    package internal(set) var endedStreams: Int64 = 0
    package internal(set) var reopenedStreams: Int64 = 0
    package internal(set) var streamLosses: Int64 = 0
    /// Requests that create watches again, which are in no other count, nor in the replay's trace.
    package internal(set) var recreatedWatches: Int64 = 0
    /// Events of watches; the recording shows `recordedEvents` of one loop.
    package internal(set) var events: Int64 = 0
    package internal(set) var recordedEvents: Int64 = 0
    /// Of `events`, those that no answered call of the replay caused.
    package internal(set) var unattributedEvents: Int64 = 0
    /// Watches that the store cancelled, or did not create.
    package internal(set) var cancelledWatches: Int64 = 0
    /// Loops that came to their end.
    package internal(set) var loops: UInt32 = 0

    private static let zeros = [Int64](repeating: 0, count: OperationKind.allCases.count)

    package init() {}

    package func total(_ kinds: KeyPath<ReplayCounts, [Int64]>) -> Int64 { self[keyPath: kinds].reduce(0, +) }
}

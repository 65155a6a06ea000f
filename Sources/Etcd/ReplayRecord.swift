/// What a replay knows of an operation beyond what a recorder sees. The operation's `time` is when it was sent.
package struct ReplayRecord: Sendable, Equatable {
    /// Nanoseconds from the operation's `time` back to when it was to be sent by the timetable, and to when all that it
    /// waited for was answered; both are not negative, and `released` is not above `intended`.
    package var intended: Int64 = 0
    package var released: Int64 = 0
    /// Number of the call in the plan, from 0, and how often the plan was begun before. `noCall` for what answers no
    /// call of the plan: events.
    package var call: UInt32 = 0
    package var loop: UInt32 = 0
    /// How the outcome differs from the recorded one: 0 not at all, else a reason of `docs/replay.md`. Stored in
    /// traces: numbers are never changed or reused.
    package var difference: UInt8 = 0
    /// Whether it stands for a call, or a part of one, that the store cannot do as recorded. Stored in traces with
    /// `difference`, as 256 added to it.
    package var isApproximated = false
    /// Whether it is of the warm-up, of which times do not count. Stored in traces with `difference`, as 512 added to
    /// it.
    package var isWarmUp = false
    /// Whether no outcome was compared: the recording holds none, or it is not of the first loop. Stored in traces with
    /// `difference`, as 1024 added to it.
    package var isUncompared = false

    package static let noCall = UInt32.max

    package init() {}
}

/// What the engine of a replay holds at most, and how long it waits.
package struct EngineLimits: Sendable, Equatable {
    /// Calls that are outstanding at once in an open loop; further ones wait, and show it as send lag. A store that
    /// answers nothing at all is given up after that many. About 40 bytes each.
    package var outstanding = 1 << 20
    /// Calls that are outstanding at once with `--max`, for each connection: HTTP/2 servers are advised to allow 100
    /// concurrent streams at least (RFC 9113 §6.5.2).
    package var outstandingPerConnection = 100
    /// Writes of which the time of sending is known by their revision, for the delivery latency of events; a power of
    /// two. 16 bytes each. Events of older revisions are counted, and not measured.
    package var revisions = 65_536
    /// Events that wait for the answer to the call that caused them. 24 bytes each.
    package var waitingEvents = 65_536
    /// Nanoseconds that outstanding calls are waited for after an interrupt.
    package var drain: Int64 = 5_000_000_000
    /// Nanoseconds between the loss of a stream's connection and the first attempt to create its watches again. Each
    /// further attempt comes twice as long behind the loss before it, `reopeningPauseMax` at most: a store that is away
    /// is not asked in a tight loop.
    package var reopeningPause: Int64 = 50_000_000
    package var reopeningPauseMax: Int64 = 2_000_000_000
    /// Calls that are named for each reason for which outcomes differ.
    package var examples = 10

    package init() {}
}

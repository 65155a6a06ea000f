/// A store that can be asked what the calls of a plan ask: etcd, a chain, or nothing at all.
///
/// The backend has the loop, since it knows what there is to wait for: sockets, a clock, or nothing. It asks its driver
/// what to send and tells it what was answered, all on one thread, while the one that called `run` waits:
///
///     while !driver.isDone {
///         driver.turn(at: now)
///         while driver.next(into: &request) { /* hand it to the system */ }
///         // sleep until driver.nextDue, or until something was answered:
///         driver.receive(answer)
///     }
///
/// A backend never sends a request twice, never reorders those of a connection, never waits for one before it takes
/// the next, and gives every request exactly one answer. What a driver that is done leaves open ends with its run, and
/// nobody is told of it. `BackendConformance` holds it to that (`docs/backends.md`).
package protocol Backend: AnyObject {
    /// As reports print it: `etcd:3`, `etcd://10.0.0.1:2379`, `null`.
    var name: String { get }
    /// Nanoseconds since some moment, never going back: the clock of `sent`, `firstByte` and `done`.
    var now: Int64 { get }
    /// Connects, and learns what there is to know of the target. To be called once, before `run`.
    func open(connections: Int) throws(BackendError)
    /// Runs the driver until it is done. May be called again with another driver.
    func run(_ driver: any StoreDriver) throws(BackendError)
    /// Ends all connections, and whatever was started. Never fails; to be called once.
    func close()
    /// Whether of two revisions of a key that it answers the greater one is the later.
    var revisionsAreOrdered: Bool { get }
    /// What it did beside what it was asked, for a report; what did not happen is left out.
    var counters: [BackendCounter] { get }
    /// What it asked the store for itself.
    var ownCalls: OwnCalls { get }
}

extension Backend {
    package var revisionsAreOrdered: Bool { true }
    package var counters: [BackendCounter] { [] }
    package var ownCalls: OwnCalls { OwnCalls() }
}

/// How often a backend did something that its answers do not show.
package struct BackendCounter: Equatable, Sendable {
    /// In the plural: `datagrams sent again`.
    package var words: String
    package var count: Int

    package init(_ words: String, _ count: Int) {
        self.words = words
        self.count = count
    }
}

/// What a backend asks and tells: the engine of a replay, the writer of a preload, a test.
package protocol StoreDriver: AnyObject {
    /// Takes note of the time. To be called before `next` after every sleep.
    func turn(at now: Int64)
    /// Fills in the next request that is due; false when there is none now.
    func next(into request: inout StoreRequest) -> Bool
    /// Takes an answer. What waited for it may be due at once.
    func receive(_ answer: borrowing StoreAnswer)
    /// For a store that answers at once, where each call of the driver counts: has the request answered by `reply`,
    /// takes the answer, and goes on so with the requests that follow. Whether `request` holds one that is not answered
    /// yet: then it is time for `turn`, and for another exchange. False when no request is due.
    func exchange(
        _ request: inout StoreRequest, _ answer: inout StoreAnswer,
        reply: (borrowing StoreRequest, inout StoreAnswer) -> Void
    ) -> Bool
    /// When to call `turn` again at the latest, if nothing is answered before; `Int64.max` for never.
    var nextDue: Int64 { get }
    /// Nothing will be due any more, and nothing is to be waited for.
    var isDone: Bool { get }
}

extension StoreDriver {
    package func exchange(
        _ request: inout StoreRequest, _ answer: inout StoreAnswer,
        reply: (borrowing StoreRequest, inout StoreAnswer) -> Void
    ) -> Bool {
        reply(request, &answer)
        receive(answer)
        return next(into: &request)
    }
}

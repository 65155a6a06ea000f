package import Etcd

/// What is asked of a store beside a replay, by kind: probes, the preload, where shards meet. A store's own metrics
/// count these too.
package struct OwnCalls: Equatable, Sendable {
    private var counts = Array(repeating: 0, count: OperationKind.allCases.count)

    package init() {}

    package subscript(kind: OperationKind) -> Int {
        get { counts[Int(kind.rawValue)] }
        set { counts[Int(kind.rawValue)] = newValue }
    }

    package static func + (left: OwnCalls, right: OwnCalls) -> OwnCalls {
        var sum = left
        for kind in sum.counts.indices { sum.counts[kind] += right.counts[kind] }
        return sum
    }
}

extension ReplayCounts {
    /// What the engine asks beside the plan's calls.
    package var own: OwnCalls {
        var own = OwnCalls()
        own[.range] = Int(clamping: revisionReads)
        own[.watchCreate] = Int(clamping: recreatedWatches)
        return own
    }
}

/// A driver of which the requests are counted.
package final class CountedDriver: StoreDriver {
    package private(set) var calls = OwnCalls()
    private let driver: any StoreDriver

    package init(_ driver: any StoreDriver) { self.driver = driver }

    package func turn(at now: Int64) { driver.turn(at: now) }

    package func next(into request: inout StoreRequest) -> Bool {
        guard driver.next(into: &request) else { return false }
        calls[request.kind] += 1
        return true
    }

    package func receive(_ answer: borrowing StoreAnswer) { driver.receive(answer) }
    package var nextDue: Int64 { driver.nextDue }
    package var isDone: Bool { driver.isDone }
}

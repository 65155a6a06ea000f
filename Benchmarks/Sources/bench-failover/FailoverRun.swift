import ChainRuntime
import Chains
import Consistency
import Foundation
import Synchronization
import Wire

struct BenchFailure: Error, CustomStringConvertible {
    var description: String
}

/// Which node of the present chain is killed.
enum Position: String, CaseIterable {
    case head, middle, tail

    /// Its place in a chain of so many. Of two in the middle they take turns.
    func place(in count: Int, kill: Int) -> Int {
        switch self {
        case .head: 0
        case .middle: (count - 1) / 2 + (count % 2 == 0 ? kill % 2 : 0)
        case .tail: count - 1
        }
    }
}

/// A chain of processes under the load of clients, of which one node is killed and replaced again and again.
struct FailoverRun {
    static let nodes = 4
    static let clients = 4

    /// One kill, in nanoseconds of the monotonic clock.
    struct Kill {
        var killedAt: UInt64
        /// A replacement was started.
        var startedAt: UInt64
        /// The chain had all its nodes again, by the controller's log.
        var wholeAt: UInt64
        /// The next kill, or the end.
        var overAt: UInt64
    }

    private(set) var kills: [Kill] = []
    /// Of each client, in the order of their ends.
    private(set) var operations: [[LoadOperation]] = []
    /// What each key had at the end.
    private(set) var last: [LoadOperation] = []

    private final class Log: Sendable {
        private let wholes = Mutex<[UInt64]>([])

        func note(_ event: ControllerEvent, _ time: UInt64) {
            guard case .activated(_, _, let chain, _) = event, chain.count == FailoverRun.nodes else { return }
            wholes.withLock { $0.append(time) }
        }

        var lastWhole: UInt64 { wholes.withLock { $0.last ?? 0 } }
    }

    init(_ format: ChainFormat, _ position: Position, kills count: Int) throws {
        var configuration = LocalChainConfiguration(format, nodes: Self.nodes)
        configuration.program = NodeProgram(path: "/proc/self/exe", arguments: ["node"])
        configuration.replacement = nil
        let log = Log()
        let chain = try LocalChain(configuration) { log.note($0, $1) }
        defer { chain.stop() }
        guard let control = chain.control?.endpoint else { throw BenchFailure(description: "no control interface") }
        let observer = try ChainConnection(control: control) { $0.patience = 10_000_000_000 }
        try Self.wait(observer, "the chain was not formed") { $0.group(0)?.chain.count == Self.nodes }
        for key in LoadClient.keys { _ = try observer.place(key, width: .bytes16) }
        try Self.wait(observer, "the keys were not placed") { $0.keyCount == LoadClient.keys.count }
        let clients = (0..<Self.clients).map { LoadClient($0, control: control) }
        var numbers = SplitMix64(seed: 7)
        for kill in 0..<count {
            Self.letRun(clients, times: 50)
            // Not always at the same moment between two heartbeats.
            usleep(UInt32(5_000 + numbers.next() % 20_000))
            let present = observer.directory.group(0)?.chain ?? []
            let victim = present[position.place(in: present.count, kill: kill)]
            let index = chain.addresses.firstIndex { $0.address == victim } ?? 0
            let killedAt = SystemClock.monotonic
            if let previous = kills.indices.last { kills[previous].overAt = killedAt }
            chain.kill(index)
            try Self.wait(observer, "the chain did not go on") {
                $0.group(0)?.state == .active && $0.group(0)?.chain.contains(victim) == false
            }
            Self.letRun(clients, times: 20)
            let startedAt = SystemClock.monotonic
            try chain.restart(index)
            try Self.wait(observer, "the replacement was not taken in") {
                $0.group(0)?.state == .active && $0.group(0)?.chain.count == Self.nodes
            }
            kills.append(Kill(killedAt: killedAt, startedAt: startedAt, wholeAt: log.lastWhole, overAt: .max))
        }
        Self.letRun(clients, times: 50)
        operations = try clients.map { try $0.stop() }
        for (number, name) in LoadClient.keys.enumerated() {
            guard let key = observer.directory.key(named: name) else { continue }
            let call = SystemClock.monotonic
            guard let answer = try observer.perform(.read, key) else { continue }
            last.append(
                LoadOperation(
                    isWrite: false, key: number, value: answer.outcome == .ok ? answer.value : nil,
                    outcome: answer.outcome, version: answer.version, call: call, end: SystemClock.monotonic,
                    hasTimedOut: false))
        }
        guard last.count == LoadClient.keys.count else { throw BenchFailure(description: "a key cannot be read") }
    }

    private static func wait(
        _ observer: ChainConnection, _ complaint: String, until condition: (ClientDirectory) -> Bool
    ) throws {
        guard try observer.wait(atMost: 20_000_000_000, until: condition) else {
            throw BenchFailure(description: complaint)
        }
    }

    /// Waits until each client has ended so many more requests.
    private static func letRun(_ clients: [LoadClient], times: Int) {
        let aims = clients.map { $0.count + times }
        while zip(clients, aims).contains(where: { $0.count < $1 }) { usleep(500) }
    }

    /// All that clients did, and what was there at the end.
    var history: History {
        var history = History()
        let keys = LoadClient.keys.map { UInt32(history.keys.number(of: $0.span)) }
        for (client, operations) in (operations + [last]).enumerated() {
            for operation in operations {
                let outcome: HistoryOperation.Outcome =
                    switch operation.outcome {
                    case .ok, .absent: .ok
                    case .refused: .failed
                    case .unknown: .unknown
                    }
                let value = operation.value.map { Int64(history.values.number(of: $0.span)) } ?? 0
                let isOpen = if case .unknown = outcome { true } else { false }
                history.operations.append(
                    HistoryOperation(
                        client: Int64(client), key: keys[operation.key], kind: operation.isWrite ? .write : .read,
                        outcome: outcome, value: value, call: Int64(operation.call),
                        return: isOpen ? HistoryOperation.noReturn : Int64(operation.end)))
            }
        }
        return history
    }
}

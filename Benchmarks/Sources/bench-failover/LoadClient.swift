import ChainRuntime
import Chains
import Synchronization
import Wire

/// An operation of a client, as it saw it.
struct LoadOperation: Sendable {
    var isWrite: Bool
    /// Which of `LoadClient.keys`.
    var key: Int
    /// Written or read; nil: absent.
    var value: [UInt8]?
    var outcome: ClientOutcome
    var version: ChainVersion
    var call: UInt64
    var end: UInt64
    var hasTimedOut: Bool
}

/// A client on a thread, which makes one request after the other until it is told to end: reads and writes in equal
/// shares, of all keys alike, no value twice.
final class LoadClient: Sendable {
    static let keys = (0..<8).map { Array("key\($0)".utf8) }

    private let isOver = Atomic<Bool>(false)
    private let ended = Atomic<Int>(0)
    private let outcome = Answer<Result<[LoadOperation], any Error>>()

    init(_ number: Int, control: Endpoint) {
        let thread = RunningThread("client \(number)") { [self] in
            outcome.give(Result { try run(number, control) })
        }
        _ = thread
    }

    /// Operations that have ended.
    var count: Int { ended.load(ordering: .relaxed) }

    /// Ends it, and answers all that it did.
    func stop() throws -> [LoadOperation] {
        isOver.store(true, ordering: .relaxed)
        return try outcome.wait()?.get() ?? []
    }

    private func run(_ number: Int, _ control: Endpoint) throws -> [LoadOperation] {
        let connection = try ChainConnection(control: control) { $0.patience = 10_000_000_000 }
        _ = try connection.wait(atMost: 10_000_000_000) { $0.keyCount == Self.keys.count }
        let placed = Self.keys.compactMap { connection.directory.key(named: $0) }
        guard placed.count == Self.keys.count else {
            throw BenchFailure(description: "the keys are not in the directory")
        }
        var numbers = SplitMix64(seed: UInt64(number))
        var operations: [LoadOperation] = []
        while !isOver.load(ordering: .relaxed) {
            let choice = numbers.next()
            let key = Int((choice >> 8) % UInt64(placed.count))
            let isWrite = choice & 1 != 0
            let value = Array("\(number).\(operations.count)".utf8)
            let request = ClientRequest(isWrite ? .write : .read, placed[key])
            guard let id = connection.submit(request, value: isWrite ? value : []) else {
                throw BenchFailure(description: "a request cannot begin")
            }
            var isEnded = false
            while !isEnded {
                try connection.collect(until: .max) { result, bytes in
                    guard result.id == id else { return }
                    isEnded = true
                    let read = result.outcome == .ok ? bytes.copied() : nil
                    operations.append(
                        LoadOperation(
                            isWrite: isWrite, key: key, value: isWrite ? value : read, outcome: result.outcome,
                            version: result.version, call: result.submittedAt, end: result.endedAt,
                            hasTimedOut: result.timeouts > 0))
                }
            }
            ended.add(1, ordering: .relaxed)
        }
        return operations
    }
}

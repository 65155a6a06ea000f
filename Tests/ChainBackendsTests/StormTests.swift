import ChainBackends
import ChainRuntime
import Chains
import Etcd
import Replay
import TestSupport
import Testing

@Suite("A chain loses a node during a run", .timeLimit(.minutes(2)))
struct StormTests {
    private static let keys = (0..<20).map { "/key/\($0)" }
    private static let count = 6_000
    private static let inFlight = 300

    @Test(
        "hundreds of calls at once, a node killed and started again: each has one answer, each write its own version",
        arguments: ["netcraq", "netchain"], [0, 1, 3])
    func failOver(_ store: String, _ victim: Int) throws {
        let backend = ChainBackend(.forTests(store, nodes: 4, keys: Self.keys))
        try backend.open(connections: 1)
        defer { backend.close() }
        let chain = try #require(backend.localChain)
        let storm = Storm(
            keys: Self.keys, count: Self.count, inFlight: Self.inFlight, sizes: 8...1_024, seed: UInt64(victim),
            events: [
                (Self.count / 4, { chain.kill(victim) }), (Self.count / 2, { try? chain.restart(victim) }),
            ])
        try backend.run(storm)
        #expect(chain.isRunning.allSatisfy { $0 })
        #expect(storm.strange == 0)
        try #require(storm.calls.count == Self.count && storm.calls.allSatisfy { $0.answers.count == 1 })

        var successes = 0
        for key in Self.keys.indices {
            let calls = storm.calls.filter { $0.key == key }
            let writes = calls.filter(\.hasChanged)
            #expect(writes.count > 10 && Set(writes.map(\.revision)).count == writes.count)
            // The new chain's versions are above the old one's.
            #expect(Set(writes.map { $0.revision >> 40 }).count > 1)
            let winners = writes.filter { $0.kind == .compare && $0.expected != 0 }
            #expect(Set(winners.map(\.expected)).count == winners.count)
            successes += winners.count
            #expect(calls.contains { $0.kind == .compare && !$0.hasChanged && !$0.isUnknown })
            expectWrittenValues(calls)
            expectNothingOlder(calls)
        }
        #expect(successes > 50)
        // The chain changes twice, and each time what is under way may be asked of two heads.
        #expect(storm.calls.count(where: \.isUnknown) <= 2 * Self.inFlight)
        #expect(backend.counters.contains { $0.words.contains("two requests") })
    }

    /// What a read found is what the write of that revision wrote.
    private func expectWrittenValues(_ calls: [Storm.Call]) {
        let written = Dictionary(
            uniqueKeysWithValues: calls.filter { $0.hasChanged && $0.kind != .delete }.map { ($0.revision, $0.size) })
        for call in calls {
            for found in call.answer.details.keyValues {
                // A write whose outcome is not known may be what was found.
                guard let size = written[found.modRevision] else { continue }
                #expect(found.valueSize == size)
            }
        }
    }

    /// A call that began when another had ended sees what that one did or saw, or something later.
    private func expectNothingOlder(_ calls: [Storm.Call]) {
        let known = calls.filter { $0.answer.status == 0 }
        let ended = known.sorted { $0.answer.done < $1.answer.done }
        var next = 0
        var newest: Int64 = 0
        for call in known.sorted(by: { $0.answer.sent < $1.answer.sent }) {
            while next < ended.count, ended[next].answer.done < call.answer.sent {
                newest = max(newest, ended[next].revision)
                next += 1
            }
            #expect(call.revision >= newest, "\(call.kind) at \(call.answer.sent)")
        }
    }

    @Test(
        "as published: each call has one answer, and a read says which write it saw",
        arguments: ["netcraq", "netchain"])
    func published(_ store: String) throws {
        var options = ChainBackendOptions.forTests(store, nodes: 4, keys: Self.keys)
        options.variant =
            store == "netcraq" ? .paperNetCRAQ(NetCRAQPaperOptions()) : .paperNetChain(NetChainPaperOptions())
        let backend = ChainBackend(options)
        try backend.open(connections: 1)
        defer { backend.close() }
        #expect(!backend.revisionsAreOrdered)
        let storm = Storm(keys: Self.keys, count: 1_000, inFlight: 20, sizes: 8...16, seed: 7)
        try backend.run(storm)
        try #require(storm.strange == 0 && storm.calls.allSatisfy { $0.answers.count == 1 })
        for call in storm.calls {
            if call.kind == .compare { #expect(call.answer.note == .unsupported && call.answer.sent == 0) }
            guard call.answer.status == 0 else { continue }
            let isAbsent = call.kind != .put && call.answer.details.answer.count == 0
            #expect(isAbsent ? call.revision == 0 : call.revision > 0)
            // What was read is what one of the calls has written.
            guard call.kind == .read, !isAbsent else { continue }
            let writer = storm.calls[Int(call.revision >> 16) - 1]
            #expect(writer.kind == .put && writer.key == call.key)
            #expect(call.answer.details.keyValues.map(\.valueSize) == [writer.size])
        }
    }
}

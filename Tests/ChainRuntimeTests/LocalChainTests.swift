import ChainRuntime
import Chains
import Synchronization
import Testing
import Wire

@Suite("A chain on the loopback")
struct LocalChainTests {
    /// Long enough for the busiest machine; what is waited for comes in milliseconds.
    private static let patience: UInt64 = 60_000_000_000

    /// What the controller said.
    private final class Log: Sendable {
        private let events = Mutex<[ControllerEvent]>([])
        func add(_ event: ControllerEvent) { events.withLock { $0.append(event) } }
        var all: [ControllerEvent] { events.withLock { $0 } }
    }

    private final class Bench {
        let chain: LocalChain
        let connection: ChainConnection
        let log = Log()

        /// A chain of four that serves `keys`, as a client sees it. A busy machine must not make nodes suspected, so
        /// they may be silent for long; one that ends is seen at once.
        init(
            _ format: ChainFormat, keys: [String] = ["a", "b"], width: WidthClass = .bytes16,
            change: (inout LocalChainConfiguration) -> Void = { _ in }
        ) throws {
            var configuration = LocalChainConfiguration(format, nodes: 4)
            configuration.times.lease = 1_000_000_000
            configuration.times.suspicion = 5_000_000_000
            configuration.times.sealing = 5_000_000_000
            change(&configuration)
            let log = log
            chain = try LocalChain(configuration) { event, _ in log.add(event) }
            connection = try ChainConnection(to: chain) { $0.patience = LocalChainTests.patience }
            try waitForChain([0, 1, 2, 3])
            for key in keys { #expect(chain.controller.place(Array(key.utf8), width: width)) }
            let isServed = try connection.wait(atMost: LocalChainTests.patience) { $0.keyCount == keys.count }
            try #require(isServed)
        }

        /// Waits until the chain is these nodes, head first.
        func waitForChain(_ members: [Int]) throws {
            let addresses = members.map { chain.addresses[$0].address }
            let isThere = try connection.wait(atMost: LocalChainTests.patience) {
                $0.group(0)?.state == .active && $0.group(0)?.chain == addresses
            }
            try #require(isThere, "\(log.all)")
        }

        func ask(
            _ kind: ClientRequest.Kind, _ key: String, _ value: String = "", expected: ChainVersion = .none
        ) throws -> ChainAnswer {
            let placed = try #require(connection.directory.key(named: Array(key.utf8)))
            return try #require(
                try connection.perform(kind, placed, value: Array(value.utf8), expected: expected))
        }

        func text(_ key: String) throws -> String? {
            let answer = try ask(.read, key)
            return answer.outcome == .ok ? String(decoding: answer.value, as: UTF8.self) : nil
        }
    }

    @Test("what is written is read, at every node", arguments: ChainFormat.allCases)
    func writesAndReads(_ format: ChainFormat) throws {
        let bench = try Bench(format)
        #expect(try bench.ask(.read, "a").outcome == .absent)
        for number in 0..<50 {
            #expect(try bench.ask(.write, "a", "value \(number)").outcome == .ok)
            #expect(try bench.text("a") == "value \(number)")
        }
        #expect(try bench.text("b") == nil)
        let reads = bench.chain.statistics().map(\.machine.readsClean)
        // NetCRAQ's reads go round the nodes; NetChain's are the tail's.
        #expect(format == .cqx ? reads.allSatisfy { $0 > 0 } : reads.dropLast().allSatisfy { $0 == 0 })
        let last = bench.chain.stop()
        #expect(last.allSatisfy { $0.machine.malformed == 0 && $0.machine.foreign == 0 && $0.failure == nil })
        #expect(last.allSatisfy { $0.machine.writes >= 50 && $0.sends.failed == 0 && $0.foreignFabric == 0 })
    }

    @Test("a CAS and a delete do what they say", arguments: ChainFormat.allCases)
    func compareAndDelete(_ format: ChainFormat) throws {
        let bench = try Bench(format)
        let created = try bench.ask(.compareAndSet, "a", "one")
        #expect(created.outcome == .ok)
        let again = try bench.ask(.compareAndSet, "a", "two")
        #expect(again.outcome == .refused(.mismatch) && again.version == created.version)
        let second = try bench.ask(.compareAndSet, "a", "two", expected: created.version)
        #expect(second.outcome == .ok && second.version > created.version)
        #expect(try bench.text("a") == "two")
        #expect(try bench.ask(.compareAndDelete, "a", expected: created.version).outcome == .refused(.mismatch))
        #expect(try bench.ask(.delete, "a").outcome == .ok)
        #expect(try bench.ask(.read, "a").outcome == .absent)
        #expect(try bench.ask(.compareAndSet, "a", "three").outcome == .ok)
        bench.chain.stop()
    }

    @Test("values up to their class pass, with ports that the system chose", arguments: ChainFormat.allCases)
    func wideValues(_ format: ChainFormat) throws {
        let bench = try Bench(format, width: .bytes1024) {
            $0.requestPort = 0
            $0.fabricPort = 0
        }
        for count in [0, 1, 16, 17, 1024] {
            let value = String(repeating: "v", count: count)
            #expect(try bench.ask(.write, "a", value).outcome == .ok)
            #expect(try bench.text("a") == value)
        }
        let key = try #require(bench.connection.directory.key(named: Array("a".utf8)))
        #expect(try bench.connection.perform(.write, key, value: [UInt8](repeating: 0, count: 1025)) == nil)
        bench.chain.stop()
    }

    @Test(
        "a node ends: the others go on with what was acknowledged, and it comes back",
        arguments: ChainFormat.allCases, [0, 1, 3])
    func failOver(_ format: ChainFormat, _ victim: Int) throws {
        let bench = try Bench(format)
        #expect(try bench.ask(.write, "a", "before").outcome == .ok)
        bench.chain.kill(victim)
        #expect(bench.chain.isRunning.filter { !$0 }.count == 1)
        // Not waited for: the client finds the new chain by itself.
        #expect(try bench.ask(.write, "b", "during").outcome == .ok)
        try bench.waitForChain([0, 1, 2, 3].filter { $0 != victim })
        #expect(try bench.text("a") == "before")
        #expect(try bench.text("b") == "during")
        let address = bench.chain.addresses[victim].address
        #expect(bench.log.all.contains(.nodeSuspected(address, .streamClosed)))
        try bench.chain.restart(victim)
        try bench.waitForChain([0, 1, 2, 3])
        #expect(bench.chain.isRunning.allSatisfy { $0 })
        // Only the new node and what it was given is left to answer.
        for other in 0..<4 where other != victim { bench.chain.kill(other) }
        try bench.waitForChain([victim])
        #expect(try bench.text("a") == "before")
        #expect(try bench.text("b") == "during")
        bench.chain.stop()
    }

    @Test(
        "a node stands still for longer than its lease: the others go on, and it comes back with what they have",
        arguments: ChainFormat.allCases, [0, 1, 3])
    func standstill(_ format: ChainFormat, _ victim: Int) throws {
        let bench = try Bench(format) {
            $0.times.lease = 400_000_000
            $0.times.suspicion = 1_000_000_000
        }
        #expect(try bench.ask(.write, "a", "before").outcome == .ok)
        bench.chain.pause(victim)
        bench.chain.pause(victim)
        #expect(try bench.ask(.write, "a", "during").outcome == .ok)
        try bench.waitForChain([0, 1, 2, 3].filter { $0 != victim })
        #expect(try bench.text("a") == "during")
        bench.chain.resume(victim)
        try bench.waitForChain([0, 1, 2, 3])
        #expect(bench.log.all.contains(.nodeSuspected(bench.chain.addresses[victim].address, .silent)))
        for other in 0..<4 where other != victim { bench.chain.kill(other) }
        try bench.waitForChain([victim])
        #expect(try bench.text("a") == "during")
        // One that stands still is stopped all the same.
        bench.chain.pause(victim)
        bench.chain.stop()
    }

    @Test("requests of several clients at once are each answered once", arguments: ChainFormat.allCases)
    func manyInFlight(_ format: ChainFormat) throws {
        let bench = try Bench(format)
        let chain = bench.chain
        let threads = (0..<3).map { number in
            let outcome = Answer<String>()
            let thread = RunningThread("client \(number)") { outcome.give(Self.load(chain, number)) }
            return (thread, outcome)
        }
        for (thread, outcome) in threads {
            thread.join()
            #expect(outcome.wait() == "")
        }
        chain.stop()
    }

    /// Four hundred requests, some dozens at a time; what went wrong.
    private static func load(_ chain: LocalChain, _ number: Int) -> String {
        do {
            let connection = try ChainConnection(to: chain) { $0.patience = patience }
            guard try connection.wait(atMost: patience, until: { $0.keyCount == 2 }),
                let key = connection.directory.key(named: Array("a".utf8))
            else { return "no directory" }
            var open: Set<UInt64> = []
            var submitted = 0
            var ended = 0
            while ended < 400 {
                while open.count < 40, submitted < 400 {
                    let kind: ClientRequest.Kind = submitted % 4 == 0 ? .write : .read
                    let value = Array("\(number).\(submitted)".utf8)
                    guard let id = connection.submit(ClientRequest(kind, key), value: kind == .write ? value : [])
                    else { return "refused" }
                    open.insert(id)
                    submitted += 1
                }
                var wrong: String?
                try connection.collect(until: .max) { result, _ in
                    if open.remove(result.id) == nil { wrong = "\(result.id) ended twice" }
                    // Too many writes of the key at once are refused, and nothing else may be.
                    let isFine =
                        result.outcome == .refused(.outOfVersions) || result.outcome == .ok
                        || result.kind.isRead && result.outcome == .absent
                    if !isFine { wrong = "\(result.outcome)" }
                    ended += 1
                }
                if let wrong { return wrong }
            }
            return connection.foreign == 0 ? "" : "foreign replies"
        } catch {
            return "\(error)"
        }
    }

    @Test("garbage at every port changes nothing and is counted", arguments: ChainFormat.allCases)
    func garbage(_ format: ChainFormat) throws {
        let bench = try Bench(format)
        #expect(try bench.ask(.write, "a", "kept").outcome == .ok)
        let stranger = try Peer()
        var numbers = SplitMix64(seed: 9)
        let garbage = (0..<64).map { length in (0..<length).map { _ in UInt8(truncatingIfNeeded: numbers.next()) } }
        for node in bench.chain.addresses {
            #expect(stranger.send(garbage, to: node.request).sent == 64)
            #expect(stranger.send(garbage, to: node.fabric).sent == 64)
        }
        _ = bench.chain.statistics()
        let statistics = bench.chain.statistics()
        #expect(statistics.allSatisfy { $0.foreignFabric == 64 })
        // Random bytes may say another version of the format, which gets an answer that says so.
        let known = statistics.map { $0.machine.malformed + $0.machine.foreign + $0.machine.rejections }
        #expect(known.allSatisfy { $0 >= 64 })
        #expect(try bench.text("a") == "kept")
        bench.chain.stop()
    }

    @Test("a key that is taken out is known no longer", arguments: ChainFormat.allCases)
    func eviction(_ format: ChainFormat) throws {
        let bench = try Bench(format)
        #expect(!bench.chain.controller.place(Array("a".utf8), width: .bytes16))
        bench.chain.controller.evict(Array("a".utf8))
        #expect(try bench.connection.wait(atMost: Self.patience) { $0.key(named: Array("a".utf8)) == nil })
        bench.chain.stop()
        #expect(!bench.chain.controller.place(Array("c".utf8), width: .bytes16))
    }
}

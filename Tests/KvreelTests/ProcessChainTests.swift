import ChainRuntime
import Chains
import Foundation
import Synchronization
import TestSupport
import Testing
import Wire

@Suite("A chain of processes")
struct ProcessChainTests {
    /// Long enough for the busiest machine; what is waited for comes in milliseconds.
    private static let patience: UInt64 = 60_000_000_000

    private final class Log: Sendable {
        private let events = Mutex<[ControllerEvent]>([])
        func add(_ event: ControllerEvent) { events.withLock { $0.append(event) } }
        var all: [ControllerEvent] { events.withLock { $0 } }
    }

    /// A chain of four, and a client that comes to it by TCP as others do. A busy machine must not make nodes
    /// suspected, so they may be silent for long, but for the tests of that.
    private final class Bench {
        let chain: LocalChain
        let connection: ChainConnection
        let log = Log()

        init(_ format: ChainFormat, suspicion: UInt64 = 20_000_000_000, replacement: UInt64? = nil) throws {
            var configuration = LocalChainConfiguration(format, nodes: 4)
            configuration.times.lease = 200_000_000
            configuration.times.suspicion = suspicion
            configuration.times.sealing = suspicion
            configuration.program = NodeProgram(path: Repository.tool.path, arguments: ["serve-node"])
            configuration.replacement = replacement
            let log = log
            chain = try LocalChain(configuration) { event, _ in log.add(event) }
            let control = try #require(chain.control).endpoint
            connection = try ChainConnection(control: control) { $0.patience = ProcessChainTests.patience }
            try waitForChain([0, 1, 2, 3])
            #expect(try connection.place([1], width: .bytes16))
            let isPlaced = try connection.wait(atMost: ProcessChainTests.patience) { $0.keyCount == 1 }
            try #require(isPlaced)
        }

        /// Waits until the chain is these nodes, head first, in a later epoch than `epoch`.
        func waitForChain(_ members: [Int], after epoch: UInt32 = 0) throws {
            let addresses = members.map { chain.addresses[$0].address }
            let isThere = try connection.wait(atMost: ProcessChainTests.patience) {
                guard let group = $0.group(0), group.state == .active else { return false }
                return group.chain == addresses && group.epoch > epoch
            }
            try #require(isThere, "\(log.all)")
        }

        var epoch: UInt32 { connection.directory.group(0)?.epoch ?? 0 }

        func write(_ value: [UInt8]) throws {
            let key = try #require(connection.directory.key(named: [1]))
            #expect(try connection.perform(.write, key, value: value)?.outcome == .ok)
        }

        func read() throws -> [UInt8]? {
            let key = try #require(connection.directory.key(named: [1]))
            return try connection.perform(.read, key)?.value
        }
    }

    @Test("processes serve, and tell their statistics when they end", arguments: ChainFormat.allCases)
    func serves(_ format: ChainFormat) throws {
        let bench = try Bench(format)
        for number in 0..<20 as Range<UInt8> {
            try bench.write([number])
            #expect(try bench.read() == [number])
        }
        let ids = bench.chain.processes.map(\.id)
        #expect(Set(ids).count == 4 && !ids.contains(ProcessInfo.processInfo.processIdentifier))
        let counts = try bench.connection.statistics()
        #expect(counts.allSatisfy { $0.isRunning })
        let last = bench.chain.stop()
        #expect(last.allSatisfy { $0.machine.writes >= 20 && $0.processorTime > 0 && $0.machine.malformed == 0 })
        #expect(bench.chain.isRunning.allSatisfy { !$0 })
    }

    @Test(
        "one that is killed is left out, and the one in its place is given what was acknowledged",
        arguments: ChainFormat.allCases, [0, 2, 3])
    func killed(_ format: ChainFormat, _ victim: Int) throws {
        let bench = try Bench(format)
        try bench.write([1])
        let others = [0, 1, 2, 3].filter { $0 != victim }
        bench.chain.kill(victim)
        try bench.write([2])
        try bench.waitForChain(others)
        #expect(bench.log.all.contains(.nodeSuspected(bench.chain.addresses[victim].address, .streamClosed)))
        try bench.chain.restart(victim)
        try bench.waitForChain([0, 1, 2, 3])
        // What it was given is all that is left.
        for other in others { bench.chain.kill(other) }
        try bench.waitForChain([victim])
        #expect(try bench.read() == [2])
        bench.chain.stop()
    }

    @Test("one that ends unasked is started again", arguments: ChainFormat.allCases)
    func replaced(_ format: ChainFormat) throws {
        let bench = try Bench(format, replacement: 0)
        try bench.write([1])
        for victim in [3, 0] {
            let process = bench.chain.processes[victim]
            let epoch = bench.epoch
            process.signal(SIGKILL)
            // Left out, and taken in again.
            try bench.waitForChain([0, 1, 2, 3], after: epoch + 1)
            #expect(bench.chain.processes[victim].id != process.id && !process.isRunning)
            #expect(try bench.read() == [1])
        }
        bench.chain.stop()
        #expect(bench.chain.isRunning.allSatisfy { !$0 })
    }

    @Test(
        "one that is stopped is left out, and when it goes on it learns that, and joins anew",
        arguments: ChainFormat.allCases, [0, 3])
    func paused(_ format: ChainFormat, _ victim: Int) throws {
        let bench = try Bench(format, suspicion: 1_000_000_000)
        try bench.write([1])
        let process = bench.chain.processes[victim]
        process.signal(SIGSTOP)
        try bench.waitForChain([0, 1, 2, 3].filter { $0 != victim })
        try bench.write([2])
        process.signal(SIGCONT)
        try bench.waitForChain([0, 1, 2, 3])
        #expect(bench.chain.processes[victim].id == process.id && process.isRunning)
        let address = bench.chain.addresses[victim].address
        #expect(bench.log.all.contains(.nodeSuspected(address, .silent)))
        #expect(bench.log.all.contains(.joining(group: 0, node: address)))
        for other in [0, 1, 2, 3] where other != victim { bench.chain.kill(other) }
        try bench.waitForChain([victim])
        #expect(try bench.read() == [2])
        bench.chain.stop()
    }

    @Test("a program that is none, and one that ends at once, make no chain", arguments: ["/nowhere", "/bin/true"])
    func noProgram(_ path: String) throws {
        var configuration = LocalChainConfiguration(.cqx, nodes: 2)
        configuration.program = NodeProgram(path: path, arguments: [])
        #expect(throws: SystemError.self) { try LocalChain(configuration) }
    }

    @Test("a stopped process does not keep the chain from ending")
    func stoppedAtTheEnd() throws {
        let bench = try Bench(.cqx)
        bench.chain.processes[1].signal(SIGSTOP)
        let last = bench.chain.stop()
        #expect(last.count == 4 && bench.chain.isRunning.allSatisfy { !$0 })
    }
}

import ChainRuntime
import Chains
import Testing
import Wire

@Suite("The control interface of a chain")
struct ControlServerTests {
    /// Long enough for the busiest machine; what is waited for comes in milliseconds.
    private static let patience: UInt64 = 60_000_000_000

    /// A chain of three threads with a control interface. A busy machine must not make nodes suspected.
    private static func chain(
        _ format: ChainFormat = .cqx, limits: ControlServerLimits = ControlServerLimits()
    ) throws -> (LocalChain, Endpoint) {
        var configuration = LocalChainConfiguration(format, nodes: 3)
        configuration.times.lease = 1_000_000_000
        configuration.times.suspicion = 5_000_000_000
        configuration.times.sealing = 5_000_000_000
        configuration.control = Endpoint(address: 0x7f00_0001, port: 0)
        configuration.controlLimits = limits
        let chain = try LocalChain(configuration)
        return (chain, try #require(chain.control).endpoint)
    }

    private static func connect(_ control: Endpoint) throws -> ChainConnection {
        try ChainConnection(control: control) { $0.patience = patience }
    }

    private static func key(_ name: String, of connection: ChainConnection) throws -> PlacedKey {
        let bytes = Array(name.utf8)
        let isThere = try connection.wait(atMost: patience) { $0.key(named: bytes) != nil }
        try #require(isThere)
        return try #require(connection.directory.key(named: bytes))
    }

    @Test(
        "a client without the chain's memory places, writes, reads and asks for statistics",
        arguments: ChainFormat.allCases)
    func client(_ format: ChainFormat) throws {
        let (chain, control) = try Self.chain(format)
        let connection = try Self.connect(control)
        #expect(connection.description.nodes == chain.addresses && connection.description.format == format)
        let isActive = try connection.wait(atMost: Self.patience) { $0.group(0)?.state == .active }
        #expect(isActive)
        #expect(try connection.place(Array("a".utf8), width: .bytes128))
        #expect(try !connection.place(Array("a".utf8), width: .bytes128))
        let key = try Self.key("a", of: connection)
        for number in 0..<20 {
            let value = Array("value \(number)".utf8)
            #expect(try connection.perform(.write, key, value: value)?.outcome == .ok)
            #expect(try connection.perform(.read, key)?.value == value)
        }
        var statistics: [NodeStatistics] = []
        var own: [SwitchCounters] = []
        // The last write's acknowledgements are still on their way when its client has the answer.
        for _ in 0..<1000 where own.isEmpty || statistics.map(\.machine) != own {
            let counts = try connection.statistics()
            #expect(counts.map(\.node) == chain.addresses.map(\.address) && counts.allSatisfy(\.isRunning))
            statistics = counts.compactMap { NodeStatistics($0.counts) }
            own = chain.statistics().map(\.machine)
        }
        #expect(statistics.map(\.machine) == own)
        #expect(statistics.allSatisfy { $0.machine.writes >= 20 && $0.processorTime > 0 })
        connection.evict(Array("a".utf8))
        let isGone = try connection.wait(atMost: Self.patience) { $0.keyCount == 0 }
        #expect(isGone)
        chain.stop()
        #expect(chain.control?.counts == ControlCounts(greeted: 1))
    }

    @Test("a new chain is pushed to clients of other processes", arguments: ChainFormat.allCases)
    func push(_ format: ChainFormat) throws {
        let (chain, control) = try Self.chain(format)
        let connection = try Self.connect(control)
        _ = try connection.wait(atMost: Self.patience) { $0.group(0)?.state == .active }
        #expect(try connection.place([1], width: .bytes16))
        let isPlaced = try connection.wait(atMost: Self.patience) { $0.keyCount == 1 }
        #expect(isPlaced)
        let key = try #require(connection.directory.key(named: [1]))
        chain.kill(0)
        #expect(try connection.perform(.write, key, value: [2])?.outcome == .ok)
        let rest = chain.addresses.dropFirst().map(\.address)
        let isShorter = try connection.wait(atMost: Self.patience) { $0.group(0)?.chain == rest }
        #expect(isShorter)
        #expect(try connection.perform(.read, key)?.value == [2])
        chain.stop()
        // The stream has ended, and who waits for the controller is told.
        #expect(throws: SystemError.self) { try connection.statistics() }
    }

    private static func bytes(of frames: [ControlFrame]) -> [UInt8] {
        var bytes: [UInt8] = []
        for frame in frames { frame.append(to: &bytes) }
        return bytes
    }

    @Test(
        "a stream that says what its sender may not say is closed and counted, and the chain goes on",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0, 0, 0, 0], [0, 0, 0, 1, 0x42], [0xff, 0xff, 0xff, 0xff],
            bytes(of: [.node(ticket: 1)]), bytes(of: [.client, .ready]), bytes(of: [.client, .client]),
            bytes(of: [.client, .message(.activated(GroupEpoch(group: 0, epoch: 1)))]),
            bytes(of: [.client, .message(.heartbeat(Heartbeat(node: 0x7f00_000a, clock: 1, active: [])))]),
            bytes(of: [.client, .place(name: [1], .none)]), bytes(of: [.message(.subscribe)]), bytes(of: [.stop]),
        ])
    func foreign(_ bytes: [UInt8]) throws {
        let (chain, control) = try Self.chain()
        let stranger = try RawStream(to: control)
        #expect(stranger.send(bytes))
        stranger.waitForEnd()
        let connection = try Self.connect(control)
        let isActive = try connection.wait(atMost: Self.patience) { $0.group(0)?.state == .active }
        #expect(isActive)
        chain.stop()
        #expect(chain.control?.counts.malformed == 1)
        #expect(chain.isRunning.allSatisfy { !$0 })
    }

    @Test("random bytes from many streams trap nobody", arguments: [1, 2] as [UInt64])
    func garbage(_ seed: UInt64) throws {
        let (chain, control) = try Self.chain()
        var numbers = SplitMix64(seed: seed)
        for _ in 0..<40 {
            let stranger = try RawStream(to: control)
            // A length that is within the limit, so that what follows is looked at.
            var bytes = [0, 0, 0, 40] + (0..<40).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
            if numbers.next() % 2 == 0 { bytes = Self.bytes(of: [.client]) + bytes }
            _ = stranger.send(bytes)
            stranger.waitForEnd()
        }
        chain.stop()
        #expect(chain.control?.counts.malformed == 40)
    }

    @Test("one who does not say who it is makes room for others")
    func silence() throws {
        var limits = ControlServerLimits()
        limits.greeting = 1_000_000
        let (chain, control) = try Self.chain(limits: limits)
        let stranger = try RawStream(to: control)
        stranger.waitForEnd()
        chain.stop()
        #expect(chain.control?.counts == ControlCounts(silent: 1))
    }

    @Test("more streams than there is room for are refused, and those that are there stay")
    func tooMany() throws {
        var limits = ControlServerLimits()
        limits.streams = 2
        let (chain, control) = try Self.chain(limits: limits)
        let first = try Self.connect(control)
        let second = try RawStream(to: control)
        #expect(second.send(.client))
        #expect(!second.receive().isEmpty)
        let third = try RawStream(to: control)
        third.waitForEnd()
        #expect(try first.statistics().count == 3)
        chain.stop()
        #expect(chain.control?.counts == ControlCounts(greeted: 2, refused: 1))
    }

    @Test("a client that does not read is dropped when its queue is full")
    func slow() throws {
        var limits = ControlServerLimits()
        limits.queueBytes = 100_000
        let (chain, control) = try Self.chain(limits: limits)
        let reading = try Self.connect(control)
        _ = try reading.wait(atMost: Self.patience) { $0.group(0)?.state == .active }
        for number in 0..<20 {
            #expect(try reading.place([UInt8](repeating: UInt8(number), count: 4000), width: .bytes16))
        }
        let isPlaced = try reading.wait(atMost: Self.patience) { $0.keyCount == 20 }
        #expect(isPlaced)
        let deaf = try RawStream(to: control)
        #expect(deaf.send(.client))
        // Each asks for 80 KB. What the system holds for the stream is filled first.
        while deaf.send(.message(.subscribe)) {}
        #expect(try reading.statistics().count == 3)
        chain.stop()
        #expect(chain.control?.counts == ControlCounts(greeted: 2, slow: 1))
    }
}

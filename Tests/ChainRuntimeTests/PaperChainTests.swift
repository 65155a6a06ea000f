import ChainRuntime
import Chains
import Testing
import Wire

@Suite("A chain of a paper variant on the loopback")
struct PaperChainTests {
    /// What both variants are asked.
    private final class Bench<Control: PaperControl> where Control.Switch: NodeMachine {
        let chain: LocalPaperChain<Control>
        let connection: PaperConnection

        init(
            _ control: Control.Type, _ options: Control.Options, nodes: Int = 4, ports: Int = PaperConnection.ports,
            change: (inout PaperChainConfiguration<Control>) -> Void = { _ in }
        ) throws {
            var configuration = PaperChainConfiguration<Control>(options, nodes: nodes)
            configuration.keys = 8
            change(&configuration)
            chain = try LocalPaperChain(configuration)
            // A busy machine may take long; nothing is lost on the loopback, unless a test sees to it.
            connection = try PaperConnection(to: chain.addresses, chain.speech, ports: ports) {
                $0.timeout = 2_000_000_000
            }
        }

        func read(_ key: UInt32, at node: Int? = nil) throws -> UInt128? {
            let id = try #require(connection.read(key, at: node))
            let result = try connection.result(of: id)
            return result.isAnswered ? result.value : nil
        }

        func write(_ key: UInt32, _ value: UInt128, at node: Int? = nil) throws -> PaperResult {
            let id = try #require(connection.write(key, value, at: node))
            return try connection.result(of: id)
        }

        /// Reads until all of `nodes` have it: acknowledgements to them may still be under way.
        func settle(_ key: UInt32, _ value: UInt128, at nodes: [Int]) throws {
            for node in nodes { while try read(key, at: node) != value {} }
        }

        /// Datagrams that nodes have sent, and those that came to them from outside and from each other.
        func traffic() -> (out: Int, into: Int) {
            _ = chain.statistics()
            let all = chain.statistics().map(\.machine)
            return (all.map(\.packetsOut).reduce(0, +), all.map(\.packetsIn).reduce(0, +))
        }
    }

    private static func netChain(_ width: SequenceWidth) -> NetChainPaperOptions {
        var options = NetChainPaperOptions()
        options.width = width
        return options
    }

    @Test("what is written is read, at every NetCRAQ node")
    func netCRAQ() throws {
        let bench = try Bench(NetCRAQPaperControl.self, NetCRAQPaperOptions())
        #expect(try bench.read(1) == 0)
        for value in UInt128(1)...50 {
            #expect(try bench.write(8, value).isAnswered)
            try bench.settle(8, value, at: [0, 1, 2, 3])
        }
        #expect(try bench.read(7) == 0)
        let last = bench.chain.stop()
        #expect(last.allSatisfy { $0.machine.malformed == 0 && $0.machine.foreign == 0 && $0.failure == nil })
        #expect(last.allSatisfy { $0.machine.writes == 50 && $0.sends.failed == 0 })
        #expect(last.allSatisfy { $0.machine.readsClean + $0.machine.readsDirty >= 50 })
        #expect(bench.connection.foreign == 0)
    }

    @Test("what is written is read at NetChain's tail", arguments: SequenceWidth.allCases, [1, 4, 9])
    func netChain(_ width: SequenceWidth, _ nodes: Int) throws {
        let bench = try Bench(NetChainPaperControl.self, Self.netChain(width), nodes: nodes)
        for value in UInt128(1)...50 {
            #expect(try bench.write(8, value).isAnswered)
            #expect(try bench.read(8) == value)
        }
        let last = bench.chain.stop()
        #expect(last.map(\.machine.readsClean) == Array(repeating: 0, count: nodes - 1) + [50])
        #expect(last.allSatisfy { $0.machine.malformed == 0 && $0.machine.writes == 50 && $0.failure == nil })
    }

    @Test("a NetChain write is the datagrams that the paper's format has, one of them the answer")
    func datagrams() throws {
        let bench = try Bench(NetChainPaperControl.self, Self.netChain(.bits16))
        let client = try Peer()
        let list = bench.chain.addresses.map(\.address)
        var request: [UInt8] = []
        NetChainPaperPacket(.write, remaining: 5, key: 3, value: 222).append(list: list, to: &request, width: .bits16)
        #expect(request.count == 58)
        #expect(client.send([request], to: bench.chain.addresses[0].request).sent == 1)
        let answers = try client.take(1)
        // The reply's header alone: OP 13, SC 0, SEQ 1, key, value, group.
        var expected: [UInt8] = [13, 0, 0, 1] + [UInt8](repeating: 0, count: 15) + [3]
        expected += [UInt8](repeating: 0, count: 15) + [222, 0, 0]
        #expect(answers.map(\.bytes) == [expected])
        #expect(answers.first?.source == bench.chain.addresses[3].request)
        var read: [UInt8] = []
        NetChainPaperPacket(.read, remaining: 5, key: 3).append(list: list.reversed(), to: &read, width: .bits16)
        #expect(client.send([read], to: bench.chain.addresses[3].request).sent == 1)
        let reply = try client.take(1).map(\.bytes).first
        // The rest of the list stands before it: a word less than the request.
        #expect(reply?.count == read.count - 4 && reply.map { $0[$0.count - 3] } == 222)
        _ = bench.traffic()
        #expect(try client.hasNothing())
        bench.chain.stop()
    }

    @Test("packets of the extended format are malformed at paper nodes, and answered by nobody")
    func otherFormats() throws {
        let chains = (
            try Bench(NetCRAQPaperControl.self, NetCRAQPaperOptions()),
            try Bench(NetChainPaperControl.self, Self.netChain(.bits128))
        )
        let client = try Peer()
        for (format, node) in [
            (ChainFormat.cqx, chains.0.chain.addresses[0]), (.ncx, chains.1.chain.addresses[0]),
        ] {
            for operation in [ChainOperation.hello, .read, .write] {
                let packet = ChainPacket(operation, key: ChainKey(low: 1), group: 0, epoch: 1)
                var bytes = [UInt8](repeating: 0, count: packet.byteCount(format))
                packet.store(in: &bytes, at: 0, format: format)
                #expect(client.send([bytes], to: node.request).sent == 1)
            }
        }
        #expect(chains.0.traffic().out == 0 && chains.1.traffic().out == 0)
        #expect(chains.0.chain.stop()[0].machine.malformed == 3)
        #expect(chains.1.chain.stop()[0].machine.malformed == 3)
        #expect(try client.hasNothing())
    }

    @Test("as many datagrams as the papers count, each sent directly", arguments: [1, 3, 8])
    func directCounts(_ n: Int) throws {
        let craq = try Bench(NetCRAQPaperControl.self, NetCRAQPaperOptions(), nodes: n)
        _ = try craq.write(1, 5)
        try craq.settle(1, 5, at: Array(0..<n))
        var before = craq.traffic()
        _ = try craq.write(2, 5)
        // Acknowledgements are waited for by counting: n - 1 nodes get one.
        while craq.traffic().into - before.into < 2 * n - 1 {}
        #expect(craq.traffic().out - before.out + 1 == 2 * n)
        before = craq.traffic()
        _ = try craq.read(1, at: 0)
        #expect(craq.traffic().out - before.out + 1 == 2)
        craq.chain.stop()

        let chain = try Bench(NetChainPaperControl.self, Self.netChain(.bits128), nodes: n)
        before = chain.traffic()
        _ = try chain.write(1, 5)
        #expect(chain.traffic().out - before.out + 1 == n + 1)
        before = chain.traffic()
        _ = try chain.read(1)
        #expect(chain.traffic().out - before.out + 1 == 2)
        chain.chain.stop()
    }

    @Test("in a line, packets cross every node between client and tail", arguments: [1, 3, 8])
    func lineCounts(_ n: Int) throws {
        for position in [0, n / 2, n - 1] {
            let line = [(client: UInt32(0x7f00_0001), position: position)]
            let chain = try Bench(NetChainPaperControl.self, Self.netChain(.bits128), nodes: n) { $0.line = line }
            _ = try chain.write(1, 5)
            let before = chain.traffic()
            #expect(try chain.read(1, at: position) == 5)
            // One packet a link crossed, the client's two among them: 2(d + 1) at d nodes from the tail.
            let distance = n - 1 - position
            #expect(chain.traffic().out - before.out + 1 == 2 * (distance + 1))
            chain.chain.stop()

            let craq = try Bench(NetCRAQPaperControl.self, NetCRAQPaperOptions(), nodes: n) { $0.line = line }
            _ = try craq.write(1, 5)
            // Acknowledgements cross one link to the tail's neighbour, two to the next node, and so on.
            while craq.traffic().into < n + n * (n - 1) / 2 + distance {}
            let settled = craq.traffic()
            #expect(try craq.read(1, at: position) == 5)
            #expect(craq.traffic().out - settled.out + 1 == 2)
            craq.chain.stop()
        }
    }

    @Test("a node ends: what was acknowledged stays; it comes back and has it", arguments: [0, 1, 3])
    func failOver(_ victim: Int) throws {
        let craq = try Bench(NetCRAQPaperControl.self, NetCRAQPaperOptions())
        try Self.failOver(craq, victim)
        let chain = try Bench(NetChainPaperControl.self, Self.netChain(.bits128))
        try Self.failOver(chain, victim)
    }

    private static func failOver<Control: PaperControl>(_ bench: Bench<Control>, _ victim: Int) throws {
        let others = [0, 1, 2, 3].filter { $0 != victim }
        #expect(try bench.write(1, 7).isAnswered)
        let connection = try PaperConnection(to: bench.chain.addresses, bench.chain.speech)
        bench.chain.kill(victim)
        #expect(bench.chain.isRunning == [0, 1, 2, 3].map { $0 != victim })
        #expect(bench.chain.chain == others.map { bench.chain.addresses[$0].address })
        // The client is told nothing: after 50 ms it asks another node.
        let read = try connection.result(of: try #require(connection.read(1, at: victim)))
        #expect(read.isAnswered && read.value == 7 && read.transmissions > 1)
        let write = try connection.result(of: try #require(connection.write(2, 9, at: victim)))
        #expect(write.isAnswered)
        #expect(try bench.chain.restart(victim))
        #expect(bench.chain.chain == bench.chain.addresses.map(\.address))
        #expect(try bench.read(1, at: victim) == 7)
        #expect(try bench.read(2, at: victim) == 9)
        #expect(try bench.write(2, 10, at: 0).isAnswered)
        // Only the new node, and what it was given, is left.
        for other in others { bench.chain.kill(other) }
        #expect(try bench.read(2, at: victim) == 10)
        bench.chain.kill(victim)
        #expect(try !bench.chain.restart(others[0]))
        bench.chain.stop()
    }

    @Test("a node that returns while another is away passes packets over that one too")
    func twoFailures() throws {
        let bench = try Bench(NetChainPaperControl.self, Self.netChain(.bits128))
        #expect(try bench.write(1, 7).isAnswered)
        bench.chain.kill(2)
        bench.chain.kill(1)
        #expect(try bench.chain.restart(1))
        // The write's list still names node 2, which node 1 was not there to hear of.
        #expect(try bench.write(1, 8, at: 0).isAnswered)
        #expect(try bench.read(1, at: 3) == 8)
        #expect(bench.chain.stop()[1].machine.writes > 0)
    }

    @Test("hundreds of requests of few ports and keys each get their own answer")
    func manyInFlight() throws {
        let bench = try Bench(NetCRAQPaperControl.self, NetCRAQPaperOptions(), ports: 4)
        for key in UInt32(1)...8 { #expect(try bench.write(key, UInt128(key) * 1000).isAnswered) }
        for key in UInt32(1)...8 { try bench.settle(key, UInt128(key) * 1000, at: [0, 1, 2, 3]) }
        var keys: [UInt64: UInt32] = [:]
        for number in 0..<400 {
            let key = UInt32(number % 8 + 1)
            keys[try #require(bench.connection.read(key))] = key
        }
        #expect(bench.connection.waits > 0, "more of a key than there are ports")
        while !keys.isEmpty {
            try bench.connection.collect(until: .max) { result in
                let key = keys.removeValue(forKey: result.id)
                #expect(result.isAnswered && result.key == key && result.value == UInt128(key ?? 0) * 1000)
            }
        }
        bench.chain.stop()
    }

    @Test("writers that enter below the head are dropped, or taken where Algorithm 1 is taken by its letter")
    func entry() throws {
        var options = NetCRAQPaperOptions()
        let strict = try Bench(NetCRAQPaperControl.self, options)
        let connection = try PaperConnection(to: strict.chain.addresses, strict.chain.speech) { $0.timeout = 1_000_000 }
        // The tries go round, so that the head takes it in the end.
        let late = try connection.result(of: try #require(connection.write(1, 5, at: 1)))
        #expect(late.transmissions > 1)
        #expect(strict.chain.stop()[1].machine.rejections > 0)
        options.entry = .any
        let open = try Bench(NetCRAQPaperControl.self, options)
        #expect(try open.write(1, 5, at: 2).transmissions == 1)
        open.chain.stop()
    }
}

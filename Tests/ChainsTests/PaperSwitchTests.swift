import Chains
import Testing
import Wire

@Suite("Paper switches: what they take from whom, and what they say of it")
struct PaperSwitchTests {
    private static let own: UInt32 = 0x7f00_000a
    private static let second: UInt32 = 0x7f00_000b
    private static let tail: UInt32 = 0x7f00_000c
    private static let stranger: UInt32 = 0x0808_0808

    private static func port(_ address: UInt32) -> Endpoint { Endpoint(address: address, port: 8888) }

    /// The head of a chain of three, with key 1.
    private static func netChain(_ options: NetChainPaperOptions = .init()) -> SwitchTable<NetChainPaperSwitch> {
        var machine = NetChainPaperSwitch(
            options, network: ScriptBench<NetChainPaperSwitch>.network(ofNode: 0, of: 3), capacity: 8)
        _ = machine.insert(1, role: .head)
        return SwitchTable(machine)
    }

    private static func netCRAQ(_ options: NetCRAQPaperOptions = .init()) -> SwitchTable<NetCRAQPaperSwitch> {
        var machine = NetCRAQPaperSwitch(
            options, network: ScriptBench<NetCRAQPaperSwitch>.network(ofNode: 0, of: 3), capacity: 8)
        machine.join([own, second, tail])
        _ = machine.insert(1)
        return SwitchTable(machine)
    }

    private static func payload(
        _ operation: NetChainPaperPacket.Operation, key: UInt128 = 1, value: UInt128 = 5, _ list: [UInt32],
        sequence: UInt128 = 0, group: UInt16 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        let packet = NetChainPaperPacket(
            operation, remaining: UInt8(list.count + 1), sequence: sequence, key: key, value: value, group: group)
        packet.append(list: list, to: &bytes, width: .bits128)
        return bytes
    }

    private static func payload(_ operation: NetCRAQPaperPacket.Operation, key: UInt32 = 1, value: UInt128 = 5)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        NetCRAQPaperPacket(operation, key: key, value: value).append(to: &bytes)
        return bytes
    }

    // MARK: Both

    @Test("the first frame of a request has a time to live of 63, and each node takes one")
    func timeToLive() {
        let chain = Self.netChain()
        let entered = chain.request(Self.payload(.write, [Self.own, Self.second, Self.tail]))
        #expect(entered.map(\.frame?.ttl) == [63])
        #expect(entered.first?.frame?.source == chain.client)
        #expect(entered.first?.frame?.destination == Self.port(Self.second))
        #expect(entered.first?.destination == Endpoint(address: Self.second, port: 8890))
        let passed = chain.fabric(Self.payload(.write, [Self.tail]), to: Self.port(Self.tail), ttl: 1)
        #expect(passed.map(\.frame?.ttl) == [0])
        #expect(chain.fabric(Self.payload(.write, [Self.tail]), to: Self.port(Self.tail), ttl: 0).isEmpty)
        #expect(chain.machine.counters.expired == 1)
        let craq = Self.netCRAQ()
        #expect(craq.request(Self.payload(.write)).map(\.frame?.ttl) == [63])
        #expect(craq.fabric(Self.payload(.acknowledge), to: Self.port(Self.own), ttl: 0).isEmpty)
        #expect(craq.machine.counters.expired == 1)
    }

    @Test("strangers get no answer: clients outside the block, switches that are not configured")
    func strangers() {
        let outside = Endpoint(address: 0x7f00_0201, port: 40_001)
        let chain = Self.netChain()
        let write = Self.payload(.write, [Self.own, Self.second, Self.tail])
        var before = chain.machine
        #expect(chain.request(write, from: outside).isEmpty)
        #expect(chain.fabric(write, to: Self.port(Self.own), from: Self.stranger).isEmpty)
        #expect(chain.fabric(write, to: Self.port(Self.own), source: outside).isEmpty)
        #expect(chain.machine.counters.foreign == 3 && chain.machine.counters.packetsIn == 3)
        #expect(chain.machine.hasSameState(as: before))
        let craq = Self.netCRAQ()
        let craqBefore = craq.machine
        #expect(craq.request(Self.payload(.write), from: outside).isEmpty)
        #expect(craq.fabric(Self.payload(.write), to: Self.port(Self.own), from: Self.stranger).isEmpty)
        #expect(craq.fabric(Self.payload(.write), to: Self.port(Self.own), source: outside).isEmpty)
        #expect(craq.fabric(Self.payload(.acknowledge), to: outside).isEmpty)
        #expect(craq.machine.counters.foreign == 4)
        #expect(craq.machine.hasSameState(as: craqBefore))
        // The comparison sees a change where there is one.
        #expect(!chain.request(write).isEmpty && !chain.machine.hasSameState(as: before))
        before = chain.machine
        _ = craq.request(Self.payload(.write))
        #expect(!craq.machine.hasSameState(as: craqBefore))
    }

    @Test("what no client may send, and what no switch may, is malformed and changes nothing")
    func malformed() {
        let chain = Self.netChain()
        let before = chain.machine
        let list = [Self.own, Self.second, Self.tail]
        #expect(chain.request(Self.payload(.readReply, list)).isEmpty)
        #expect(chain.request(Self.payload(.writeReply, list)).isEmpty)
        #expect(chain.request([]).isEmpty)
        #expect(chain.request(Array(Self.payload(.write, list).dropFirst(12))).isEmpty)
        #expect(chain.fabric(datagram: []).isEmpty)
        #expect(chain.fabric(datagram: Self.payload(.write, list)).isEmpty)
        #expect(chain.fabric([], to: Self.port(Self.own)).isEmpty)
        // The frame says one destination, the list another.
        #expect(chain.fabric(Self.payload(.write, list), to: Self.port(Self.tail)).isEmpty)
        #expect(chain.machine.counters.malformed == 8 && chain.machine.counters.packetsOut == 0)
        #expect(chain.machine.hasSameState(as: before))
        let craq = Self.netCRAQ()
        let craqBefore = craq.machine
        #expect(craq.request(Self.payload(.readReply)).isEmpty)
        #expect(craq.request(Self.payload(.acknowledge)).isEmpty)
        #expect(craq.request([]).isEmpty)
        #expect(craq.fabric(datagram: Self.payload(.write)).isEmpty)
        #expect(craq.fabric(Self.payload(.readReply), to: Self.port(Self.own)).isEmpty)
        #expect(craq.fabric(Self.payload(.write), to: craq.client).isEmpty)
        #expect(craq.machine.counters.malformed == 6)
        #expect(craq.machine.hasSameState(as: craqBefore))
    }

    @Test("answers go to the port that a request came from, or to 8889")
    func replyPort() {
        let craq = Self.netCRAQ()
        #expect(craq.request(Self.payload(.read)).map(\.destination) == [craq.client])
        craq.machine.network.replyPort = PaperNetwork.paperReplyPort
        let fixed = craq.request(Self.payload(.read))
        #expect(fixed.map(\.destination) == [Endpoint(address: craq.client.address, port: 8889)])
        #expect(fixed.map(\.road) == [.edge])
        // On a line, the frame keeps the client's port as the answer's source port: the request's tag.
        craq.machine.network.routes = [.init(to: craq.client.address, via: Self.second)]
        let routed = craq.request(Self.payload(.read))
        #expect(routed.map(\.destination) == [Endpoint(address: Self.second, port: 8890)])
        #expect(routed.first?.frame?.source == Endpoint(address: Self.own, port: 40_001))
        #expect(routed.first?.frame?.destination == Endpoint(address: craq.client.address, port: 8889))
    }

    @Test("a key without an entry is not answered, and counted")
    func unknownKeys() {
        let chain = Self.netChain()
        #expect(chain.request(Self.payload(.write, key: 2, [Self.own, Self.second])).isEmpty)
        #expect(chain.request(Self.payload(.read, key: 1 << 64 | 1, [Self.own])).isEmpty)
        #expect(chain.machine.counters.unknownKeys == 2)
        // On its way to another node it passes.
        #expect(chain.request(Self.payload(.write, key: 2, [Self.second, Self.tail])).count == 1)
        let craq = Self.netCRAQ()
        #expect(craq.request(Self.payload(.write, key: 2)).isEmpty)
        #expect(craq.fabric(Self.payload(.acknowledge, key: 2), to: Self.port(Self.own)).isEmpty)
        #expect(craq.machine.counters.unknownKeys == 2)
        #expect(craq.control { $0.remove(1) } && craq.request(Self.payload(.read)).isEmpty)
        #expect(craq.machine.counters.unknownKeys == 3)
    }

    @Test("counters hold what came and went, and each key's reads and writes are counted where they are served")
    func counters() {
        let chain = Self.netChain()
        let write = Self.payload(.write, [Self.own, Self.second, Self.tail])
        let sent = chain.request(write) + chain.request(write)
        #expect(chain.machine.counters.packetsIn == 2 && chain.machine.counters.bytesIn == 2 * write.count)
        #expect(chain.machine.counters.packetsOut == 2)
        #expect(chain.machine.counters.bytesOut == sent.map(\.payload.count).reduce(0, +))
        #expect(chain.machine.counters.writes == 2)
        #expect(chain.machine.hits(of: 1) == .init(reads: 0, writes: 2) && chain.machine.hits(of: 2) == nil)
        let craq = Self.netCRAQ()
        _ = craq.request(Self.payload(.write))
        _ = craq.request(Self.payload(.write, value: 6))
        _ = craq.request(Self.payload(.read))
        _ = craq.fabric(Self.payload(.acknowledge, value: 6), to: Self.port(Self.own))
        _ = craq.request(Self.payload(.read))
        #expect(craq.machine.hits(of: 1) == .init(reads: 2, writes: 2))
        let counters = craq.machine.counters
        #expect(counters.readsDirty == 1 && counters.readsClean == 1 && counters.acknowledgements == 1)
        #expect(counters.packetsIn == 5 && counters.bytesIn == 110 && counters.bytesOut == 88)
        #expect(craq.machine.dirtyWrites == 1)
    }

    // MARK: NetChain

    @Test("a head numbers writes from 1 in its session, from 1 again in a higher one, and on in a lower one")
    func sessions() {
        let chain = Self.netChain()
        // Session and number.
        func sequences(_ count: Int) -> [[UInt64]] {
            (0..<count).map { _ in
                _ = chain.request(Self.payload(.write, [Self.own, Self.second]))
                let sequence = chain.machine.entry(of: 1)?.sequence ?? 0
                return [UInt64(sequence >> 64), UInt64(truncatingIfNeeded: sequence)]
            }
        }
        #expect(sequences(2) == [[1, 1], [1, 2]])
        chain.machine.session = 3
        #expect(sequences(2) == [[3, 1], [3, 2]])
        chain.machine.session = 2
        #expect(sequences(1) == [[3, 3]])
    }

    @Test("serial numbers: newer is less than half the circle ahead")
    func serialNumbers() {
        var options = NetChainPaperOptions()
        options.width = .bits16
        options.rule = .serial
        let rows: [(UInt128, UInt128, Bool)] = [
            (1, 0, true), (0, 65535, true), (5, 65530, true), (0, 0, false), (0, 1, false), (65535, 0, false),
            (32767, 0, true), (32768, 0, false), (0, 32768, false), (32769, 1, false), (40000, 30000, true),
        ]
        for (sequence, stored, isNewer) in rows {
            let table = Self.netChain(options)
            table.machine.setRole(.replica)
            table.machine.restore(.init(sequence: stored, value: 1), of: 1)
            var bytes: [UInt8] = []
            NetChainPaperPacket(.write, remaining: 3, sequence: sequence, key: 1, value: 9)
                .append(list: [Self.own, Self.second], to: &bytes, width: .bits16)
            #expect(table.fabric(bytes, to: Self.port(Self.own)).count == (isNewer ? 1 : 0), "\(sequence), \(stored)")
            #expect(table.machine.entry(of: 1)?.value == (isNewer ? 9 : 1))
        }
    }

    @Test("in the failure table a replacement goes before a stop, a stop before passing over, a later rule before one")
    func priorities() {
        let chain = Self.netChain()
        let write = Self.payload(.write, [Self.second, Self.tail], sequence: 1)
        func targets() -> [UInt32] { chain.request(write).map(\.destination.address) }
        func install(_ action: FailureTable.Action) {
            #expect(chain.control { $0.failures.install(.init(destination: Self.second, action: action)) })
        }
        #expect(targets() == [Self.second])
        install(.failOver)
        #expect(targets() == [Self.tail])
        install(.drop)
        #expect(targets() == [] && chain.machine.counters.stopped == 1)
        install(.redirect(to: Self.tail))
        let redirected = chain.request(write)
        #expect(redirected.map(\.destination.address) == [Self.tail])
        #expect(redirected.map { Array($0.payload.prefix(8)) } == [[0x7f, 0, 0, 12, 0x7f, 0, 0, 12]])
        chain.machine.failures.remove(.init(destination: Self.second, action: .redirect(to: Self.tail)))
        #expect(targets() == [])
        install(.redirect(to: Self.stranger))
        install(.redirect(to: Self.tail))
        #expect(targets() == [Self.tail])
    }

    @Test("a rule is for a group, and for a second word")
    func matching() {
        for quirks in [NetChainPaperOptions.Quirks(), .groupInEightBits] {
            var options = NetChainPaperOptions()
            options.quirks = quirks
            let chain = Self.netChain(options)
            #expect(chain.control { $0.failures.install(.init(destination: Self.second, group: 7, action: .drop)) })
            func passes(_ group: UInt16) -> Bool {
                !chain.request(Self.payload(.write, [Self.second, Self.tail], group: group)).isEmpty
            }
            #expect(!passes(7) && passes(8))
            #expect(passes(7 + 256) != quirks.contains(.groupInEightBits))
        }
        let chain = Self.netChain()
        #expect(chain.control { $0.failures.install(.init(destination: Self.second, next: 0, action: .drop)) })
        #expect(chain.request(Self.payload(.write, [Self.second])).isEmpty)
        #expect(!chain.request(Self.payload(.write, [Self.second, Self.tail])).isEmpty)
    }

    @Test("past a failed last node a write is answered if somebody stored it, and a read never")
    func lastNode() {
        let chain = Self.netChain()
        #expect(chain.control { $0.failures.install(.init(destination: Self.tail, action: .failOver)) })
        let stored = chain.request(Self.payload(.write, [Self.tail], sequence: 4))
        #expect(stored.map(\.road) == [.edge] && stored.map(\.payload.count) == [52])
        #expect(stored.first?.payload.first == 13)
        #expect(chain.request(Self.payload(.write, [Self.tail])).isEmpty)
        #expect(chain.request(Self.payload(.read, [Self.tail])).isEmpty)
        #expect(chain.machine.counters.stopped == 2)
    }

    @Test("rules that send a packet round end it, and a full table takes no more")
    func endless() {
        let chain = Self.netChain()
        for (from, to) in [(Self.second, Self.tail), (Self.tail, Self.second)] {
            #expect(chain.control { $0.failures.install(.init(destination: from, action: .redirect(to: to))) })
        }
        #expect(chain.request(Self.payload(.write, [Self.second])).isEmpty)
        #expect(chain.machine.counters.unroutable == 1)
        var group: UInt16 = 0
        func install() -> Bool {
            chain.control { $0.failures.install(.init(destination: Self.stranger, group: group, action: .drop)) }
        }
        while install() { group += 1 }
        #expect(chain.machine.failures.rules.count == PaperLimits.failureRules)
        #expect(chain.machine.failures.refused == 1)
        group -= 1
        #expect(install(), "one that is there already needs no room")
    }

    @Test("a list that ends before the tail, and one that names a stranger, lead nowhere")
    func nowhere() {
        let chain = Self.netChain()
        #expect(chain.request(Self.payload(.write, [Self.own])).isEmpty)
        #expect(chain.request(Self.payload(.write, [Self.own, Self.stranger])).isEmpty)
        #expect(chain.request(Self.payload(.read, [Self.stranger])).isEmpty)
        #expect(chain.request(Self.payload(.read, [Self.own])).isEmpty)
        #expect(chain.machine.counters.unroutable == 4)
        #expect(chain.machine.counters.writes == 2)
    }

    @Test("roles can be set for one virtual group")
    func groups() {
        let chain = Self.netChain()
        for key in 2...6 { #expect(chain.control { $0.insert(UInt128(key), role: .head) }) }
        chain.machine.setRole(.tail, ofGroup: 1, of: 3)
        #expect((1...6).map { chain.machine.role(of: $0) } == [.tail, .head, .head, .tail, .head, .head])
    }

    // MARK: NetCRAQ

    @Test("a clean node may answer a dirty read that passes it, if it is told to", arguments: [false, true])
    func enRoute(_ answers: Bool) {
        var options = NetCRAQPaperOptions()
        options.answersEnRoute = answers
        let craq = Self.netCRAQ(options)
        _ = craq.fabric(Self.payload(.acknowledge), to: Self.port(Self.own))
        let read = craq.fabric(Self.payload(.read, value: 0), to: Self.port(Self.tail))
        #expect(read.map(\.road) == [answers ? .edge : .fabric])
        #expect(read.map(\.payload) == [Self.payload(answers ? .readReply : .read, value: answers ? 5 : 0)])
        // A write that passes is never applied.
        #expect(craq.fabric(Self.payload(.write, value: 8), to: Self.port(Self.tail)).map(\.road) == [.fabric])
        #expect(craq.machine.entry(of: 1)?.cells.first == 5)
    }

    @Test("registers are copied whole, and nothing else is taken for them")
    func copies() throws {
        let craq = Self.netCRAQ()
        for value in 1...3 { _ = craq.request(Self.payload(.write, value: UInt128(value))) }
        let entry = try #require(craq.machine.entry(of: 1))
        #expect(entry.cells == [1, 2, 3, 0, 0, 0, 0, 0] && entry.readIndex == 2 && entry.writeIndex == 3)
        let other = Self.netCRAQ()
        #expect(other.control { $0.restore(entry, of: 1) } && other.machine.entry(of: 1) == entry)
        #expect(!other.control { $0.restore(entry, of: 2) })
        for change in [\NetCRAQPaperSwitch.Entry.readIndex, \.writeIndex] {
            var bad = entry
            for index in [-1, 9] {
                bad[keyPath: change] = index
                #expect(!other.control { $0.restore(bad, of: 1) })
            }
        }
        var short = entry
        short.cells.removeLast()
        #expect(!other.control { $0.restore(short, of: 1) })
    }

    @Test("a place in a chain is for nodes that it names, and chains have at most 64")
    func places() {
        let craq = Self.netCRAQ()
        let before = craq.machine
        #expect(!craq.control { $0.join([Self.second, Self.tail]) } && !craq.control { $0.join([]) })
        #expect(!craq.control { $0.join((0..<65).map { Self.own + $0 }) })
        #expect(craq.machine.hasSameState(as: before))
        #expect(craq.control { $0.join([Self.own]) } && craq.machine.role == [.head, .tail])
        #expect(craq.machine.multicastGroup.isEmpty && craq.machine.tail == Self.own)
        #expect(craq.request(Self.payload(.write)).map(\.road) == [.edge])
    }
}

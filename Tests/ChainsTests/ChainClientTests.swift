import Chains
import Testing
import Wire

@Suite("Client of the default chains: retries, sessions, what may be concluded")
struct ChainClientTests {
    /// A client whose switches the test plays.
    struct Bench {
        static let nodes: [UInt32] = [0x7f00_000a, 0x7f00_000b, 0x7f00_000c]

        let format: ChainFormat
        var client: ChainClient
        var output = ClientOutput()
        var now: UInt64 = 0
        var epoch: UInt32 = 0
        let key = PlacedKey(name: [1], key: ChainKey(low: 1), group: 0, width: .bytes16)

        init(
            _ format: ChainFormat = .cqx, slots: [UInt32] = [5], change: (inout ClientConfiguration) -> Void = { _ in }
        ) {
            self.format = format
            var configuration = ClientConfiguration(format: format)
            change(&configuration)
            client = ChainClient(configuration)
            publish(epoch: 1)
            for slot in slots { client.receive(control: .slot(slot), at: now, into: &output) }
            output.removeAll()
        }

        mutating func publish(epoch: UInt32, state: GroupEntry.State = .active, chain: [UInt32] = nodes) {
            self.epoch = epoch
            let group = GroupEntry(group: 0, epoch: epoch, state: state, chain: chain, comparesAndSets: true)
            let update = DirectoryUpdate(serial: 1, isWhole: false, groups: [group], keys: [key], removed: [])
            client.receive(control: .directory(update), at: now, into: &output)
        }

        @discardableResult
        mutating func submit(
            _ kind: ClientRequest.Kind, _ value: String = "", key: PlacedKey? = nil, expected: ChainVersion = .none
        ) -> UInt64? {
            let request = ClientRequest(kind, key ?? self.key, expected: expected)
            return client.submit(request, value: Array(value.utf8).span, at: now, into: &output)
        }

        /// What was sent since it was last asked, and to whom.
        mutating func sent() -> [(header: ChainPacket, node: UInt32)] {
            let sent = output.outbox.datagrams.compactMap { datagram in
                ChainPacket(output.outbox.bytes.span.extracting(datagram.bytes), format: format)
                    .map { ($0, datagram.destination.address) }
            }
            output.outbox.removeAll()
            return sent
        }

        mutating func reply(
            _ operation: ChainOperation, _ status: ChainStatus, slot: UInt32 = 5, number: UInt32, epoch: UInt32? = nil,
            value: String = "", from node: UInt32 = nodes[0]
        ) {
            var packet = ChainPacket(operation, key: key.key, group: 0, epoch: epoch ?? self.epoch)
            packet.status = status
            packet.slot = slot
            packet.request = number
            packet.version = ChainVersion(epoch: 1, number: 4)
            if operation == .helloReply { packet.valueLength = 7 }
            if !value.isEmpty {
                packet.width = .bytes16
                packet.valueLength = UInt16(value.utf8.count)
            }
            var bytes = [UInt8](repeating: 0, count: packet.byteCount(format))
            packet.store(in: &bytes, at: 0, format: format)
            bytes.overwrite(from: packet.valueOffset(format), with: Array(value.utf8).span)
            client.receive(bytes.span, from: Endpoint(address: node, port: 8888), at: now, into: &output)
        }

        mutating func pass(_ milliseconds: UInt64) {
            for _ in 0..<milliseconds {
                now += 1_000_000
                client.advance(to: now, into: &output)
            }
        }

        mutating func results() -> [ClientResult] {
            defer { output.results.removeAll() }
            return output.results
        }
    }

    @Test(
        "a write goes to the head, NetChain's with the whole chain; a read of NetChain to the tail",
        arguments: ChainFormat.allCases)
    func addressing(_ format: ChainFormat) {
        var bench = Bench(format)
        bench.submit(.write, "value")
        let write = bench.sent()
        #expect(write.map(\.node) == [Bench.nodes[0]])
        #expect(write[0].header.hops == (format == .ncx ? 3 : 0) && write[0].header.width == .bytes16)
        #expect(write[0].header.slot == 5 && write[0].header.request == 1 && write[0].header.epoch == 1)
        bench.submit(.read)
        let read = bench.sent()
        if format == .ncx { #expect(read.map(\.node) == [Bench.nodes[2]] && read[0].header.hops == 1) }
        bench.reply(.readReply, .ok, slot: 0, number: 1, value: "seen")
        let result = bench.results()
        #expect(result.map(\.outcome) == [.ok] && result[0].version == ChainVersion(epoch: 1, number: 4))
        #expect(Array(bench.output.values[result[0].value]) == Array("seen".utf8))
    }

    @Test("reads follow the policy, and go on to the next node of the chain")
    func policies() {
        func nodes(_ policy: ClientConfiguration.ReadPolicy) -> [Int] {
            var bench = Bench { $0.reads = policy }
            var order: [UInt32] = []
            for _ in 0..<4 {
                bench.submit(.read)
                order += bench.sent().map(\.node)
            }
            return order.map { Int($0 - Bench.nodes[0]) }
        }
        #expect(nodes(.node(Bench.nodes[1])) == [1, 1, 1, 1])
        #expect(nodes(.node(99)) == [2, 2, 2, 2])
        #expect(nodes(.nearest([98, Bench.nodes[1], Bench.nodes[0]])) == [1, 1, 1, 1])
        #expect(nodes(.roundRobin) == [1, 2, 0, 1])
        var bench = Bench { $0.reads = .node(Bench.nodes[1]) }
        bench.submit(.read)
        bench.pass(150)
        #expect(bench.sent().map { Int($0.node - Bench.nodes[0]) } == [1, 2, 0])
    }

    @Test("an unanswered request is sent again after 50, 100, 200, 400, 400 ms with the same number, then given up")
    func timers() {
        var bench = Bench { $0.patience = 1_500_000_000 }
        bench.submit(.write, "a")
        var times: [UInt64] = []
        var numbers: Set<UInt32> = []
        for _ in 0..<1600 {
            for packet in bench.sent() {
                times.append(bench.now / 1_000_000)
                numbers.insert(packet.header.request)
            }
            bench.pass(1)
        }
        #expect(times == [0, 50, 150, 350, 750, 1150] && numbers == [1])
        #expect(bench.output.control.contains(.subscribe))
        #expect(bench.results().map(\.outcome) == [.unknown])
        bench.submit(.write, "b")
        #expect(bench.sent().map(\.header.request) == [2])
        // An answer to what was given up is nobody's.
        bench.reply(.writeReply, .ok, number: 1)
        #expect(bench.results().isEmpty)
    }

    @Test(
        "PAUSED and STALE_EPOCH begin the timer anew and never double it",
        arguments: [ChainStatus.paused, .staleEpoch, .wrongRole])
    func paused(_ status: ChainStatus) {
        var bench = Bench()
        bench.submit(.write, "a")
        bench.pass(60)
        _ = bench.sent()
        for _ in 0..<3 {
            bench.reply(.writeReply, status, number: 1, epoch: 2)
            #expect(bench.results().isEmpty)
            bench.pass(49)
            #expect(bench.sent().isEmpty)
            bench.pass(1)
            #expect(bench.sent().map(\.header.request) == [1])
        }
    }

    @Test("a new epoch sends everything again at once, with the same numbers; a sealed one holds it back")
    func pushes() {
        var bench = Bench(slots: [5, 6])
        bench.submit(.write, "a")
        bench.submit(.read)
        _ = bench.sent()
        bench.publish(epoch: 2, state: .sealed)
        bench.pass(60)
        #expect(bench.sent().isEmpty)
        bench.publish(epoch: 2, chain: Array(Bench.nodes.dropFirst()))
        let again = bench.sent()
        #expect(again.map(\.header.operation) == [.write, .read])
        #expect(again.allSatisfy { $0.header.epoch == 2 && $0.header.request == 1 })
        #expect(again[0].node == Bench.nodes[1])
        bench.publish(epoch: 1)
        #expect(bench.sent().isEmpty)
    }

    @Test(
        "a refusal is the last word only where no other epoch's head can have seen the request",
        arguments: [
            ChainStatus.outOfVersions, .busy, .mismatch, .tooLarge, .notFound, .unsupported,
        ])
    func refusals(_ status: ChainStatus) {
        for mutations in [[], Mutations.believesRejections] {
            var bench = Bench { $0.mutations = mutations }
            bench.submit(.compareAndSet, "a")
            bench.reply(.compareAndSetReply, status, number: 1)
            #expect(bench.results().map(\.outcome) == [.refused(status)])
            bench.submit(.compareAndSet, "a")
            bench.publish(epoch: 2)
            bench.reply(.compareAndSetReply, status, number: 2, epoch: 1)
            // The head of epoch 2 may have done it.
            #expect(bench.results().map(\.outcome) == [mutations.isEmpty ? .unknown : .refused(status)])
            bench.submit(.compareAndSet, "a")
            bench.reply(.compareAndSetReply, status, number: 3, epoch: 1)
            #expect(bench.results().map(\.outcome) == [mutations.isEmpty ? .unknown : .refused(status)])
        }
    }

    @Test("a closed session is not used again, and its write is in doubt")
    func closed() {
        var bench = Bench(slots: [5])
        bench.submit(.write, "a")
        bench.reply(.writeReply, .closed, number: 1)
        #expect(bench.results().map(\.outcome) == [.unknown])
        _ = bench.sent()
        bench.submit(.write, "b")
        #expect(bench.sent().isEmpty && bench.output.control == [.slotRequest])
        bench.client.receive(control: .slot(9), at: bench.now, into: &bench.output)
        #expect(bench.sent().map(\.header.slot) == [9])
    }

    @Test("a session has one write under way; more writes ask for more sessions, up to the limit, and wait")
    func sessions() {
        var bench = Bench(slots: [5]) { $0.limits.slots = 2 }
        for value in ["a", "b", "c"] { bench.submit(.write, value) }
        #expect(bench.sent().map(\.header.slot) == [5])
        #expect(bench.output.control == [.slotRequest])
        bench.client.receive(control: .slot(6), at: bench.now, into: &bench.output)
        #expect(bench.sent().map(\.header.slot) == [6])
        bench.reply(.writeReply, .ok, slot: 5, number: 1)
        let third = bench.sent()
        #expect(third.map(\.header.slot) == [5] && third.map(\.header.request) == [2])
        #expect(bench.client.pendingCount == 2)
    }

    @Test("what is too much or too wide is not taken")
    func limits() {
        var bench = Bench { $0.limits.requests = 2 }
        #expect(bench.submit(.write, String(repeating: "w", count: 17)) == nil)
        #expect(bench.submit(.read) != nil && bench.submit(.read) != nil && bench.submit(.read) == nil)
        bench.reply(.readReply, .notFound, slot: 0, number: 1)
        #expect(bench.results().map(\.outcome) == [.absent])
        #expect(bench.submit(.read) != nil)
    }

    @Test("classes above 16 bytes are used once the node has taken them in a HELLO_REPLY")
    func hello() {
        var bench = Bench()
        let wide = PlacedKey(name: [2], key: ChainKey(low: 1), group: 0, width: .bytes128)
        bench.submit(.write, "a", key: wide)
        let hello = bench.sent()
        #expect(hello.map(\.header.operation) == [.hello] && hello[0].header.valueLength == 7)
        bench.reply(.helloReply, .ok, slot: 0, number: 0)
        let write = bench.sent()
        #expect(write.map(\.header.operation) == [.write] && write[0].header.width == .bytes128)
        // Another node says nothing of this one's classes.
        bench.submit(.read, key: wide)
        #expect(bench.sent().map(\.header.operation) == [.hello])
        bench.reply(.helloReply, .unsupported, slot: 0, number: 0, from: Bench.nodes[1])
        #expect(bench.results().map(\.outcome) == [.refused(.unsupported)])
    }

    @Test("what is no reply, or another request's, changes nothing")
    func strangers() {
        var bench = Bench()
        bench.submit(.write, "a")
        bench.submit(.read)
        bench.reply(.readReply, .ok, number: 1)
        bench.reply(.writeReply, .ok, slot: 0, number: 1)
        bench.reply(.writeReply, .ok, slot: 5, number: 2)
        bench.reply(.compareAndSetReply, .ok, slot: 5, number: 1)
        let noise: [UInt8] = Array(repeating: 1, count: 48)
        for count in 0...48 {
            bench.client.receive(
                noise.span.extracting(0..<count), from: Endpoint(address: Bench.nodes[0], port: 8888), at: 0,
                into: &bench.output)
        }
        #expect(bench.results().isEmpty && bench.client.pendingCount == 2)
    }
}

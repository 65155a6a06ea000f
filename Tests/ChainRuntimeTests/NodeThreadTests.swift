import ChainRuntime
import Chains
import Testing
import Wire

@Suite("A node on its thread")
struct NodeThreadTests {
    private static let everybody = IPv4Network(address: 0x7f00_0000, prefixLength: 8)

    /// A node that is all of its chain and serves key 1, NetCRAQ as published: 22 bytes, no control plane. `others` are
    /// nodes of the same network.
    private func node(
        clients: IPv4Network = everybody, others: [NodeAddress] = [], rate: Int? = nil
    ) throws -> NodeThread {
        let sockets = try LoopbackBlock.bind(1).sockets[0]
        let nodes = [sockets.address] + others
        let network = PaperNetwork(
            own: sockets.address.address, switches: nodes.map(\.address), clients: clients)
        var machine = NetCRAQPaperSwitch(NetCRAQPaperOptions(), network: network)
        let isReady = machine.join([sockets.address.address]) && machine.insert(1)
        try #require(isReady)
        var settings = NodeSettings(nodes: nodes)
        settings.rate = rate
        return try NodeThread(machine, sockets: sockets, settings: settings)
    }

    /// A node that serves nothing; nobody else has its sockets.
    private func emptyNode(
        report: @escaping @Sendable (ControlMessage) -> Void = { _ in }
    ) throws -> (LoopbackBlock, NodeThread) {
        let (block, sockets) = try LoopbackBlock.bind(1)
        let machine = NetCRAQSwitch(
            ReplicaConfiguration(
                address: sockets[0].address.address, clients: IPv4Network(address: 0x7f00_0000, prefixLength: 8)))
        let settings = NodeSettings(nodes: [sockets[0].address])
        return (block, try NodeThread(machine, sockets: sockets[0], settings: settings, report: report))
    }

    private static func packet(
        _ operation: NetCRAQPaperPacket.Operation, value: UInt128 = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        NetCRAQPaperPacket(operation, key: 1, value: value).append(to: &bytes)
        return bytes
    }

    /// What has come to the node's sockets before the call is in the answer: the first look is at a turn that takes it.
    private func settled(_ node: NodeThread) -> NodeStatistics {
        _ = node.statistics()
        return node.statistics()
    }

    @Test("it answers, one datagram to each request, from its request port")
    func answers() throws {
        let node = try node()
        let client = try Peer()
        let count = 500
        #expect(client.send([Self.packet(.write, value: 77)], to: node.address.request).sent == 1)
        // The acknowledgement of the write.
        #expect(try client.take(1).map(\.bytes) == [Self.packet(.acknowledge, value: 77)])
        for _ in 0..<count / 50 {
            let requests = Array(repeating: Self.packet(.read), count: 50)
            #expect(client.send(requests, to: node.address.request).sent == 50)
            let replies = try client.take(50)
            #expect(replies.count == 50)
            #expect(replies.allSatisfy { $0.bytes == Self.packet(.readReply, value: 77) })
            #expect(replies.allSatisfy { $0.source == node.address.request })
        }
        let statistics = node.stop()
        #expect(statistics.machine.packetsIn == count + 1)
        #expect(statistics.machine.readsClean == count)
        #expect(statistics.sends.sent == count + 1)
        #expect(statistics.batches > 0 && statistics.batches <= count + 1)
        #expect(statistics.processorTime > 0)
        #expect(try client.hasNothing())
    }

    @Test("malformed, cut and overlong datagrams are counted, and nothing answers them")
    func malformed() throws {
        let node = try node()
        let client = try Peer()
        let read = Self.packet(.read)
        let bad = (0..<read.count).map { Array(read.prefix($0)) } + [read + [0], Self.packet(.readReply)]
        #expect(client.send(bad, to: node.address.request).sent == bad.count)
        let long = [UInt8](repeating: 0, count: DatagramBatch.datagramBytes + 1)
        #expect(client.send([long, read], to: node.address.request).sent == 2)
        // The only answer is the last datagram's, and it comes behind all others.
        #expect(try client.take(1).map(\.bytes) == [Self.packet(.readReply)])
        let statistics = node.stop()
        #expect(statistics.machine.malformed == bad.count)
        #expect(statistics.tooLong == 1)
        #expect(statistics.sends.sent == 1)
        #expect(try client.hasNothing())
    }

    @Test("who is outside the clients' network gets no answer")
    func foreignClient() throws {
        let node = try node(clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24))
        let stranger = try Peer(address: 0x7f00_0001)
        let client = try Peer(address: 0x7f00_0105)
        #expect(stranger.send([Self.packet(.read)], to: node.address.request).sent == 1)
        #expect(client.send([Self.packet(.read)], to: node.address.request).sent == 1)
        #expect(try client.take(1).count == 1)
        let statistics = node.stop()
        #expect(statistics.machine.foreign == 1)
        #expect(statistics.sends.sent == 1)
        #expect(try stranger.hasNothing())
    }

    @Test("fabric frames are taken from a node's fabric port alone, not from its address")
    func spoofedFrame() throws {
        let neighbour = try Peer(address: 0x7f00_0a0a)
        let other = NodeAddress(
            address: neighbour.socket.endpoint.address, requestPort: 8888,
            fabricPort: neighbour.socket.endpoint.port)
        let node = try node(others: [other])
        let spoofer = try Peer(address: neighbour.socket.endpoint.address)
        let client = try Peer()
        // Counted as received by the machine only when it is handed over.
        let frame = FabricFrame(source: client.socket.endpoint, destination: node.address.request)
        var outbox = Outbox()
        outbox.add(Self.packet(.read).span, behind: frame, toSwitch: node.address.address)
        let datagram = outbox.bytes
        #expect(spoofer.send([datagram], to: node.address.fabric).sent == 1)
        #expect(client.send([datagram], to: node.address.fabric).sent == 1)
        let before = settled(node)
        #expect(before.foreignFabric == 2)
        #expect(before.machine.packetsIn == 0)
        #expect(neighbour.send([datagram], to: node.address.fabric).sent == 1)
        #expect(try client.take(1).map(\.bytes) == [Self.packet(.readReply)])
        let after = node.stop()
        #expect(after.foreignFabric == 2)
        #expect(after.machine.packetsIn == 1)
    }

    @Test("what is beyond the limit of packets a second is dropped and counted")
    func limit() throws {
        let node = try node(rate: 1)
        let client = try Peer()
        let count = 300
        #expect(client.send(Array(repeating: Self.packet(.read), count: count), to: node.address.request).sent == count)
        #expect(try !client.take(1).isEmpty)
        let statistics = settled(node)
        #expect(statistics.overLimit + statistics.machine.packetsIn + statistics.systemDrops <= count)
        #expect(statistics.overLimit > 0)
        let last = node.stop()
        #expect(last.machine.packetsIn == last.sends.sent)
        #expect(last.machine.packetsIn < count / 2)
    }

    @Test("its end closes the sockets, and its last statistics stay")
    func stop() throws {
        let (block, node) = try emptyNode()
        let statistics = node.statistics()
        #expect(node.isRunning)
        let last = node.stop()
        #expect(!node.isRunning)
        #expect(node.statistics() == last)
        #expect(node.stop() == last)
        #expect(!node.receive(control: .subscribe))
        #expect(last.failure == nil && statistics.failure == nil)
        _ = try NodeSockets(address: node.address.address)
        withExtendedLifetime(block) {}
    }

    @Test("messages of the controller go to the machine, and its answers come back")
    func control() throws {
        let reports = try Mailbox<ControlMessage>()
        let (block, node) = try emptyNode { reports.post($0) }
        let ticket = JoinTicket(group: 0, epoch: 1, number: 1)
        node.receive(control: .join(ticket))
        var seen: [ControlMessage] = []
        var hasBeat = false
        while !seen.contains(.joined(ticket)) || !hasBeat {
            let now = SystemClock.monotonic
            let ready = try Readiness.wait(nil, nil, reports.wakeup, until: now + 10_000_000_000, now: now)
            try #require(!ready.isEmpty, "no answer for ten seconds: \(seen)")
            seen += reports.take()
            hasBeat = seen.contains { if case .heartbeat = $0 { true } else { false } }
        }
        node.stop()
        withExtendedLifetime(block) {}
    }
}

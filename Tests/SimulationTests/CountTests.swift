import Chains
import Simulation
import Testing
import Wire

/// Packets and header bytes of one operation, counted by the network, beside the formulas: H = B + 4 (n + 1) with B =
/// 38 or 52 for NetChain, 22 for NetCRAQ at every hop. LINE counts every link crossed, DIRECT every datagram sent.
@Suite("Packets and bytes of an operation")
struct CountTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var nodes: Int
        /// From the tail.
        var distance: Int
        var position: Int { nodes - 1 - distance }
        var testDescription: String { "\(nodes) nodes, distance \(distance)" }

        static let all = (3...8).flatMap { nodes in (0..<nodes).map { Case(nodes: nodes, distance: $0) } }
    }

    private static func model(_ topology: Topology) -> NetworkModel {
        NetworkModel(
            topology: topology, link: LinkModel(delay: 1000), switchService: .instant, clientService: .instant)
    }

    /// What one request of a client at `position` costs, until nothing is under way any more.
    private static func traffic<Switch: SwitchMachine>(
        _ machines: [Switch], _ topology: Topology, at position: Int, to target: Int, _ request: [UInt8],
        replies: Int = 1
    ) -> TrafficCounts {
        var network = Network(model(topology), switches: machines, clients: 1, seed: 1)
        network.attach(client: 0, to: position)
        network.send(request.span, from: 0, port: 40_000, toSwitch: target)
        var answers = 0
        while let happening = network.next(before: 1_000_000) {
            if case .delivery(_, let packet) = happening {
                answers += 1
                network.release(packet)
            }
        }
        #expect(answers == replies)
        return network.traffic
    }

    @Test("NetChain", arguments: Case.all, SequenceWidth.allCases)
    func netChain(_ one: Case, _ width: SequenceWidth) {
        let (n, d) = (one.nodes, one.distance)
        let fixed = width == .bits16 ? 38 : 52
        let header = fixed + 4 * (n + 1)
        var options = NetChainPaperOptions()
        options.width = width
        let machines = PaperChain.netChain(options, chain: n, keys: 1)
        let codec = PaperCodec(.netChain(width), chain: PaperChain.addresses(n))
        var request: [UInt8] = []

        codec.store(false, key: 1, value: 0, in: &request)
        let line = Self.traffic(machines, .line, at: one.position, to: n - 1, request)
        #expect(line.crossings == 2 * (d + 1) && line.crossingBytes == (d + 1) * (2 * header - 4))
        let direct = Self.traffic(machines, .direct, at: one.position, to: n - 1, request)
        #expect(direct.datagrams == 2 && direct.datagramBytes == 2 * header - 4)

        guard one.position == 0 else { return }
        codec.store(true, key: 1, value: 7, in: &request)
        let writeLine = Self.traffic(machines, .line, at: 0, to: 0, request)
        #expect(writeLine.crossings == 2 * n)
        #expect(writeLine.crossingBytes == n * header - 2 * n * (n - 1) + n * fixed)
        let writeDirect = Self.traffic(machines, .direct, at: 0, to: 0, request)
        #expect(writeDirect.datagrams == n + 1)
        #expect(writeDirect.datagramBytes == n * header - 2 * n * (n - 1) + fixed)
    }

    @Test("NetCRAQ", arguments: Case.all)
    func netCRAQ(_ one: Case) {
        let (n, d) = (one.nodes, one.distance)
        let machines = PaperChain.netCRAQ(NetCRAQPaperOptions(), chain: n, keys: 1)
        var dirty = machines
        for index in 0..<n - 1 {
            guard var entry = dirty[index].entry(of: 1) else { continue }
            entry.readIndex = 1
            entry.writeIndex = 2
            _ = dirty[index].restore(entry, of: 1)
        }
        let codec = PaperCodec(.netCRAQ, chain: PaperChain.addresses(n))
        var request: [UInt8] = []
        func check(_ counts: TrafficCounts, line: Int? = nil, direct: Int? = nil) {
            if let line { #expect(counts.crossings == line && counts.crossingBytes == 22 * line) }
            if let direct { #expect(counts.datagrams == direct && counts.datagramBytes == 22 * direct) }
        }

        codec.store(false, key: 1, value: 0, in: &request)
        check(Self.traffic(machines, .line, at: one.position, to: one.position, request), line: 2)
        check(Self.traffic(machines, .direct, at: one.position, to: one.position, request), direct: 2)
        check(Self.traffic(dirty, .line, at: one.position, to: one.position, request), line: 2 * (d + 1))
        check(Self.traffic(dirty, .direct, at: one.position, to: one.position, request), direct: d > 0 ? 3 : 2)

        guard one.position == 0 else { return }
        codec.store(true, key: 1, value: 7, in: &request)
        check(Self.traffic(machines, .line, at: 0, to: 0, request), line: n + n * (n - 1) / 2 + n)
        check(Self.traffic(machines, .direct, at: 0, to: 0, request), direct: 2 * n)
        var silent = NetCRAQPaperOptions()
        silent.acknowledgesClient = false
        let others = PaperChain.netCRAQ(silent, chain: n, keys: 1)
        check(Self.traffic(others, .line, at: 0, to: 0, request, replies: 0), line: n + n * (n - 1) / 2)
        check(Self.traffic(others, .direct, at: 0, to: 0, request, replies: 0), direct: 2 * n - 1)
    }

    // MARK: The extended formats

    private static let group: UInt16 = 0
    private static let key = ChainKey(low: 1)

    /// A chain of default machines that serves one key of 16 bytes.
    private static func replicas<Switch: ReplicaMachine>(_ type: Switch.Type, _ count: Int, comparesAndSets: Bool)
        -> [Switch]
    {
        let chain = PaperChain.addresses(count)
        let target = GroupEpoch(group: group, epoch: 1)
        return chain.map { address in
            var machine = Switch(
                ReplicaConfiguration(
                    address: address, clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24)))
            let entry = KeyEntry(key: key, group: group, epoch: 1, width: .bytes16)
            _ = machine.receive(control: .join(JoinTicket(group: group, epoch: 1, number: 1)), at: 0)
            let activation = Activation(group: group, epoch: 1, chain: chain, comparesAndSets: comparesAndSets)
            #expect(machine.receive(control: .activate(activation), at: 0) == .activated(target))
            #expect(machine.receive(control: .insert(entry), at: 0) == .inserted(entry))
            let lease = Lease(clock: 0, duration: 1_000_000_000, groups: [target])
            _ = machine.receive(control: .lease(lease), at: 0)
            return machine
        }
    }

    private static func request(_ operation: ChainOperation, _ format: ChainFormat, list: [UInt32]) -> [UInt8] {
        var packet = ChainPacket(operation, key: key, group: group, epoch: 1)
        packet.request = 1
        packet.hops = UInt8(list.count)
        if case .write = operation {
            packet.slot = 1
            packet.width = .bytes16
            packet.valueLength = 16
        }
        var bytes = [UInt8](repeating: 0, count: packet.byteCount(format))
        packet.store(in: &bytes, at: 0, format: format)
        for (index, address) in list.enumerated() {
            bytes.storeBigEndian32(address, at: ChainPacket.listOffset(format) + 4 * index)
        }
        return bytes
    }

    @Test("CQX: 48 bytes and the value, at every hop", arguments: Case.all)
    func cqx(_ one: Case) {
        let n = one.nodes
        var machines = Self.replicas(NetCRAQSwitch.self, n, comparesAndSets: true)
        let write = Self.request(.write, .cqx, list: [])
        let written = Self.traffic(machines, .direct, at: 0, to: 0, write)
        // The request and n - 1 CHAIN_WRITEs, n - 1 COMMITs, all with a value, and the reply without.
        #expect(written.datagrams == 2 * n && written.datagramBytes == (48 + 16) * (2 * n - 1) + 48)
        let line = Self.traffic(machines, .line, at: 0, to: 0, write)
        #expect(line.crossings == n + n * (n - 1) / 2 + n)

        // A value to read, which the head's write leaves behind.
        var network = Network(Self.model(.direct), switches: machines, clients: 1, seed: 1)
        network.send(write.span, from: 0, port: 40_000, toSwitch: 0)
        while case .delivery(_, let packet)? = network.next(before: 1_000_000) { network.release(packet) }
        machines = network.switches
        let read = Self.request(.read, .cqx, list: [])
        let clean = Self.traffic(machines, .line, at: one.position, to: one.position, read)
        #expect(clean.crossings == 2 && clean.crossingBytes == 48 + 48 + 16)
    }

    @Test("NCX: 64 bytes, the list and the value", arguments: Case.all, [false, true])
    func ncx(_ one: Case, _ comparesAndSets: Bool) {
        let (n, d) = (one.nodes, one.distance)
        var machines = Self.replicas(NetChainSwitch.self, n, comparesAndSets: comparesAndSets)
        let chain = PaperChain.addresses(n)
        let write = Self.request(.write, .ncx, list: chain)
        let written = Self.traffic(machines, .direct, at: 0, to: 0, write)
        // Lists of n to 1 words on the way; with CAS the tail tells the head.
        let way = (1...n).map { 64 + 4 * $0 + 16 }.reduce(0, +)
        #expect(written.datagrams == n + 1 + (comparesAndSets ? 1 : 0))
        #expect(written.datagramBytes == way + 64 + (comparesAndSets ? 64 + 4 : 0))

        var network = Network(Self.model(.direct), switches: machines, clients: 1, seed: 1)
        network.send(write.span, from: 0, port: 40_000, toSwitch: 0)
        while case .delivery(_, let packet)? = network.next(before: 1_000_000) { network.release(packet) }
        machines = network.switches
        let read = Self.request(.read, .ncx, list: [chain[n - 1]])
        let line = Self.traffic(machines, .line, at: one.position, to: n - 1, read)
        #expect(line.crossings == 2 * (d + 1) && line.crossingBytes == (d + 1) * (64 + 4 + 64 + 16))
    }
}

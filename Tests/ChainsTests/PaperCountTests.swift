import Chains
import Testing
import Wire

/// How packets are counted. LINE: switches in a row, one packet a link crossed, the client's link too, and replies come
/// back along the row. DIRECT: one packet a datagram sent, each node sends to each. Bytes are payload bytes, values
/// included, in both.
enum CountingConvention: CaseIterable {
    case line
    case direct
}

/// Packets and bytes of one operation.
struct Cost: Equatable, CustomStringConvertible {
    var packets: Int
    var bytes: Int

    var description: String { "\(packets) packets, \(bytes) bytes" }
}

@Suite("Paper chains: packets and header bytes of each operation, counted from runs")
struct PaperCountTests {
    private static let key: UInt32 = 2018

    /// A chain of `count` nodes in which the client stands at node `edge`.
    private static func bench<Variant: ChainVariant>(
        _ type: Variant.Type, _ settings: [String: String], _ convention: CountingConvention, count: Int, edge: Int
    ) throws -> Variant {
        let networks = (0..<count).map {
            switch convention {
            case .line: ScriptBench<Variant.Machine>.line(ofNode: $0, of: count, clientsAt: edge, clients: 1)
            case .direct: ScriptBench<Variant.Machine>.network(ofNode: $0, of: count)
            }
        }
        var variant = try #require(Variant(settings: settings, networks: networks, chainCount: count))
        variant.insert(key: key)
        return variant
    }

    /// Sends `payload` to `node` and counts all that comes of it; exactly one datagram must reach the client, with
    /// `value`, unless none is expected.
    private static func cost<Variant: ChainVariant>(
        _ variant: inout Variant, _ payload: [UInt8], to node: Int, answer value: UInt128?
    ) -> Cost {
        variant.bench.resetCounts()
        variant.bench.send(payload, from: 1, to: node, cause: 0)
        let received = variant.bench.settle()
        #expect(received.map { variant.value(of: $0.payload) } == (value.map { [$0] } ?? []))
        #expect(received.allSatisfy { $0.port == 40_001 && $0.target == .client(1) })
        return Cost(packets: variant.bench.sentPackets, bytes: variant.bench.sentBytes)
    }

    // MARK: NetChain

    private static func netChainWrite(_ width: SequenceWidth, _ convention: CountingConvention, _ n: Int) throws -> Cost
    {
        let settings = ["width": width == .bits16 ? "16" : "128"]
        var variant = try bench(NetChainPaperVariant.self, settings, convention, count: n, edge: 0)
        return cost(&variant, variant.write(key: key, value: 222, at: 0), to: 0, answer: 222)
    }

    private static func netChainRead(
        _ width: SequenceWidth, _ convention: CountingConvention, _ n: Int, distance: Int
    ) throws -> Cost {
        let settings = ["width": width == .bits16 ? "16" : "128"]
        let edge = n - 1 - distance
        var variant = try bench(NetChainPaperVariant.self, settings, convention, count: n, edge: edge)
        let target = convention == .line ? edge : n - 1
        return cost(&variant, variant.read(key: key, at: n - 1), to: target, answer: 0)
    }

    @Test(
        "NetChain costs what its lists say, for all lengths its parser takes", arguments: SequenceWidth.allCases,
        1...9)
    func netChain(_ width: SequenceWidth, _ n: Int) throws {
        let base = width == .bits16 ? 38 : 52
        let header = base + 4 * (n + 1)
        let listBytes = n * header - 2 * n * (n - 1)
        #expect(try Self.netChainWrite(width, .line, n) == Cost(packets: 2 * n, bytes: listBytes + n * base))
        #expect(try Self.netChainWrite(width, .direct, n) == Cost(packets: n + 1, bytes: listBytes + base))
        for distance in 0..<n {
            let hops = distance + 1
            let line = try Self.netChainRead(width, .line, n, distance: distance)
            #expect(line == Cost(packets: 2 * hops, bytes: hops * (2 * header - 4)))
            let direct = try Self.netChainRead(width, .direct, n, distance: distance)
            #expect(direct == Cost(packets: 2, bytes: 2 * header - 4))
        }
    }

    @Test(
        "NetChain's costs as numbers",
        arguments: [
            (n: 1, read: [88, 116], direct: [84, 112], line: [84, 112]),
            (n: 3, read: [312, 396], direct: [188, 244], line: [264, 348]),
            (n: 4, read: [448, 560], direct: [246, 316], line: [360, 472]),
            (n: 8, read: [1152, 1376], direct: [518, 644], line: [784, 1008]),
        ])
    func netChainNumbers(_ row: (n: Int, read: [Int], direct: [Int], line: [Int])) throws {
        for (index, width) in SequenceWidth.allCases.enumerated() {
            #expect(try Self.netChainRead(width, .line, row.n, distance: row.n - 1).bytes == row.read[index])
            #expect(try Self.netChainWrite(width, .direct, row.n).bytes == row.direct[index])
            #expect(try Self.netChainWrite(width, .line, row.n).bytes == row.line[index])
        }
    }

    @Test("NetChain with 128 bits, four nodes: reads by distance from the tail")
    func netChainByDistance() throws {
        let costs = try (0..<4).map { try Self.netChainRead(.bits128, .line, 4, distance: $0) }
        #expect(costs.map(\.bytes) == [140, 280, 420, 560])
        #expect(costs.map(\.packets) == [2, 4, 6, 8])
    }

    // MARK: NetCRAQ

    private static func netCRAQWrite(
        _ convention: CountingConvention, _ n: Int, acknowledgesClient: Bool = true
    ) throws -> Cost {
        let settings = ["ack": acknowledgesClient ? "client" : "none"]
        var variant = try bench(NetCRAQPaperVariant.self, settings, convention, count: n, edge: 0)
        let payload = variant.write(key: key, value: 222, at: 0)
        return cost(&variant, payload, to: 0, answer: acknowledgesClient ? 222 : nil)
    }

    /// A read at the node `distance` from the tail of the second of two writes, the first of which is committed. The
    /// second one is too, or has reached all nodes but the tail.
    private static func netCRAQRead(
        _ convention: CountingConvention, _ n: Int, distance: Int, isDirty: Bool
    ) throws -> Cost {
        let edge = n - 1 - distance
        var variant = try bench(NetCRAQPaperVariant.self, ["entry": "any"], convention, count: n, edge: edge)
        _ = cost(&variant, variant.write(key: key, value: 1, at: 0), to: 0, answer: 1)
        if isDirty {
            variant.bench.send(variant.write(key: key, value: 2, at: 0), from: 1, to: 0, cause: 0)
            while variant.bench.flights[0].target != .node(n - 1) { _ = variant.bench.deliver(0) }
            variant.bench.flights = []
        }
        #expect(variant.isDirty(key: key, at: edge) == (isDirty && distance > 0))
        return cost(&variant, variant.read(key: key, at: edge), to: edge, answer: 1)
    }

    @Test("NetCRAQ costs 22 bytes a packet, whatever the length", arguments: 1...9)
    func netCRAQ(_ n: Int) throws {
        func expect(_ cost: Cost, packets: Int, at location: SourceLocation = #_sourceLocation) {
            #expect(cost == Cost(packets: packets, bytes: 22 * packets), sourceLocation: location)
        }
        expect(try Self.netCRAQWrite(.line, n), packets: n + n * (n - 1) / 2 + n)
        expect(try Self.netCRAQWrite(.line, n, acknowledgesClient: false), packets: n + n * (n - 1) / 2)
        expect(try Self.netCRAQWrite(.direct, n), packets: 2 * n)
        expect(try Self.netCRAQWrite(.direct, n, acknowledgesClient: false), packets: 2 * n - 1)
        for distance in 0..<n {
            for convention in CountingConvention.allCases {
                let clean = try Self.netCRAQRead(convention, n, distance: distance, isDirty: false)
                expect(clean, packets: 2)
            }
            let line = try Self.netCRAQRead(.line, n, distance: distance, isDirty: true)
            expect(line, packets: 2 * (distance + 1))
            let direct = try Self.netCRAQRead(.direct, n, distance: distance, isDirty: true)
            expect(direct, packets: distance == 0 ? 2 : 3)
        }
    }

    @Test(
        "NetCRAQ's costs as numbers",
        arguments: [
            (n: 1, direct: 44, line: Cost(packets: 2, bytes: 44)),
            (n: 3, direct: 132, line: Cost(packets: 9, bytes: 198)),
            (n: 4, direct: 176, line: Cost(packets: 14, bytes: 308)),
            (n: 8, direct: 352, line: Cost(packets: 44, bytes: 968)),
        ])
    func netCRAQNumbers(_ row: (n: Int, direct: Int, line: Cost)) throws {
        #expect(try Self.netCRAQWrite(.direct, row.n).bytes == row.direct)
        #expect(try Self.netCRAQWrite(.line, row.n) == row.line)
    }

    @Test("NetCRAQ, four nodes in a line: dirty reads by distance from the tail")
    func netCRAQByDistance() throws {
        let costs = try (0..<4).map { try Self.netCRAQRead(.line, 4, distance: $0, isDirty: true) }
        #expect(costs.map(\.bytes) == [44, 88, 132, 176])
    }
}

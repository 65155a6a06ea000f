import Chains
import Testing

@Suite("Placement: the keys with the most reads a cell")
struct PlacementTests {
    private static func key(_ name: UInt8, _ reads: UInt64, bytes: Int = 16, isEligible: Bool = true)
        -> PlacementPlan.Candidate
    {
        PlacementPlan.Candidate(name: [name], reads: reads, valueBytes: bytes, isEligible: isEligible)
    }

    /// Room for `keys` of 16 bytes.
    private static func plan(_ keys: Int) -> PlacementPlan { PlacementPlan(budget: 8 * keys) }

    @Test("free room goes to the most reads a cell, not to the most reads")
    func readsPerCell() {
        let others = [Self.key(1, 10), Self.key(2, 70, bytes: 128), Self.key(3, 11)]
        let moves = Self.plan(9).moves(placed: [], others: others)
        #expect(moves.placed.map(\.name) == [[3], [1]] && moves.evicted.isEmpty)
        #expect(Self.plan(10).moves(placed: [], others: others).placed.map(\.name) == [[3], [1], [2]])
    }

    @Test("a newcomer replaces others if it has five quarters of their reads")
    func gain() {
        let placed = [Self.key(1, 100), Self.key(2, 80)]
        #expect(Self.plan(2).moves(placed: placed, others: [Self.key(9, 99)]).count == 0)
        let moves = Self.plan(2).moves(placed: placed, others: [Self.key(9, 100)])
        #expect(moves.evicted == [[2]] && moves.placed.map(\.name) == [[9]])
        // A wide one needs the place of several, and their reads together.
        let small = (0..<8).map { Self.key($0, 10) }
        #expect(Self.plan(8).moves(placed: small, others: [Self.key(9, 99, bytes: 128)]).count == 0)
        #expect(Self.plan(8).moves(placed: small, others: [Self.key(9, 100, bytes: 100)]).evicted.count == 8)
    }

    @Test("what is not eligible, too wide or never read stays out, and a plan has 32 moves at most")
    func bounds() {
        let odd = [Self.key(1, 9, isEligible: false), Self.key(2, 9, bytes: 1025), Self.key(3, 0)]
        #expect(Self.plan(100).moves(placed: [], others: odd).count == 0)
        let many = (0..<UInt8(60)).map { Self.key($0, 5) }
        #expect(Self.plan(100).moves(placed: [], others: many).count == 32)
        let worse = (100..<UInt8(160)).map { Self.key($0, 1) }
        let swapped = Self.plan(60).moves(placed: worse, others: many)
        #expect(swapped.placed.count == 16 && swapped.evicted.count == 16)
    }

    @Test("a controller adds up what all nodes were asked")
    func counts() {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1, 2])
        bench.perform { $0.place([1], width: .bytes16, into: &$2) }
        var outbox = Outbox()
        var packet = ChainPacket(.read, key: ChainKey(low: 1), group: 0, epoch: 1)
        packet.request = 1
        var bytes = [UInt8](repeating: 0, count: 48)
        packet.store(in: &bytes, at: 0, format: .cqx)
        bench.beat([0, 1, 2])
        for node in 0..<3 {
            for _ in 0...node {
                bench.switches[node].receive(
                    request: bytes.span, from: Endpoint(address: 0x7f00_0101, port: 9), at: bench.now, into: &outbox)
            }
        }
        for _ in 0..<2 {
            bench.perform { $0.askForCounts(into: &$2) }
            #expect(bench.controller.hits(of: ChainKey(low: 1)).readsClean == 6)
        }
    }
}

import Etcd
import TestSupport
import Testing
import Wire

@Suite("Real recordings: the same bytes in other packets")
struct DisturbanceLaws {
    enum Disturbance: String, CaseIterable, Sendable {
        case merged, duplicated, retransmitted, probed, shuffled, all

        func apply(to packets: [RawPacket], seed: UInt64) -> [RawPacket] {
            var rewriter = PacketRewriter(seed: seed)
            switch self {
            case .merged: return rewriter.merge(packets)
            case .duplicated: return rewriter.duplicate(packets)
            case .retransmitted: return rewriter.retransmit(packets)
            case .probed: return rewriter.probe(packets)
            case .shuffled: return rewriter.shuffle(packets)
            case .all:
                var changed = rewriter.merge(packets)
                changed = rewriter.split(changed)
                changed = rewriter.retransmit(changed)
                changed = rewriter.duplicate(changed)
                changed = rewriter.shuffle(changed)
                // Last: a probe follows data that arrived long before it.
                return rewriter.probe(changed)
            }
        }
    }

    @Test(
        "segments cut at random bytes give the same operations at the same times", arguments: RealCapture.allCases,
        seeds(1, 2))
    func splitting(_ capture: RealCapture, seed: UInt64) throws {
        let packets = try capture.packets()
        var rewriter = PacketRewriter(seed: seed)
        let split = rewriter.split(packets)
        #expect(split.count > packets.count)
        let difference = difference(Decoded(split).operations(.everything), Decoded(packets).operations(.everything))
        #expect(difference == nil)
    }

    @Test("segments of a byte each give the same operations at the same times")
    func singleBytes() throws {
        let packets = try RealCapture.etcdctl.packets().filter { $0.clientPort < 39_880 }
        let expected = Decoded(packets).operations(.everything)
        #expect(expected.count > 4)
        let difference = difference(
            Decoded(PacketRewriter.chop(packets, size: 1)).operations(.everything), expected)
        #expect(difference == nil)
    }

    @Test("what loses no byte changes no operation", arguments: RealCapture.allCases, Disturbance.allCases)
    func disturbing(_ capture: RealCapture, _ disturbance: Disturbance) throws {
        let packets = try capture.packets()
        let expected = Decoded(packets)
        for seed in seeds(1, 2) {
            let changed = disturbance.apply(to: packets, seed: seed)
            let found = Decoded(changed)
            #expect(found.health[.lostBytes] == 0, "seed \(seed)")
            let difference = difference(found.operations(), expected.operations())
            #expect(difference == nil, "seed \(seed)")
        }
    }

    @Test("two segments for one, wherever it is cut", arguments: [RealCapture.etcdctl, .edgesys])
    func everyCut(_ capture: RealCapture) throws {
        let all = try capture.packets()
        let port = capture == .etcdctl ? 39_870 : 60_512
        var bytesOf: [Int: Int] = [:]
        var packets: [RawPacket] = []
        // One connection, until 40 KB are together.
        for packet in all where packet.clientPort == port && bytesOf.values.reduce(0, +) < 40_000 {
            bytesOf[packet.flow, default: 0] += packet.payload.count
            packets.append(packet)
        }
        let expected = Decoded(packets).operations(.everything)
        #expect(expected.count > 1)
        // Decoding all for each cut takes a time that grows with the square, so each run cuts many segments once; all
        // cuts of a segment come in turn, and with them every position of the stream.
        let longest = packets.map(\.payload.count).max() ?? 0
        #expect(longest > 100)
        for place in 1..<max(longest, 2) {
            let cut = packets.flatMap { packet -> [RawPacket] in
                let count = packet.payload.count
                return place < count ? [packet.part(0..<place), packet.part(place..<count)] : [packet]
            }
            let difference = difference(Decoded(cut).operations(.everything), expected)
            #expect(difference == nil, "cut at \(place)")
            if difference != nil { break }
        }
    }
}

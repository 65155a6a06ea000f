import Etcd
import TestSupport
import Testing
import Wire

/// Recordings that begin later than their connections: the packets before a point are taken away, and what is left is
/// held call by call against the whole recording, of which other tests show that it equals the server's own log.
@Suite("Real recordings: joined midway")
struct MidwayTests {
    /// A call's place, and what is known of it.
    private struct Call {
        var method: MethodNumber
        var key: [UInt8]
        var evidence: Operation.Evidence
        var status: UInt32?
        var time: Int64
    }

    private struct Place: Hashable {
        var client: String
        var stream: UInt32
    }

    private func calls(_ decoded: Decoded) -> [Place: Call] {
        let connections = decoded.connections
        var calls: [Place: Call] = [:]
        for batch in decoded.batches {
            for operation in batch.operations
            where operation.role == .call && !operation.completeness.contains(.openedBefore) {
                let place = Place(client: connections[operation.connection]?.client ?? "?", stream: operation.stream)
                #expect(calls[place] == nil, "a call is written once: \(place)")
                calls[place] = Call(
                    method: operation.method, key: batch.keys.string(operation.key), evidence: operation.evidence,
                    status: operation.status, time: operation.time.nanoseconds)
            }
        }
        return calls
    }

    /// What was found, held against the whole recording.
    private struct Score: Equatable {
        /// Calls of the whole that began at or after the cut.
        var wanted = 0
        /// Those of them that were found with their method and key.
        var right = 0
        /// Calls with a name, a key or a status that the whole does not have, or that are no call of it.
        var faults: [String] = []

        init() {}

        init(_ found: [Place: Call], of whole: [Place: Call], since time: Int64) {
            let isWanted = { (call: Call) in call.time >= time }
            wanted = whole.values.count(where: isWanted)
            for (place, call) in found {
                guard let truth = whole[place] else {
                    faults.append("\(place) is no call of the recording")
                    continue
                }
                if let status = call.status, status != truth.status {
                    faults.append("\(place) has status \(status), not \(truth.status.map(String.init) ?? "any")")
                }
                if call.evidence == .ambiguous { continue }
                if call.method != truth.method {
                    faults.append("\(place) is \(truth.method), not \(call.method)")
                } else if call.key == truth.key {
                    right += isWanted(truth) ? 1 : 0
                } else if !call.key.isEmpty {
                    faults.append("\(place) has the key \(String(decoding: call.key, as: UTF8.self))")
                }
            }
        }
    }

    /// Calls after the cut that are not named, of all cuts together. A late cut leaves calls that look alike and none
    /// that would tell them apart.
    private static let unnamed: [RealCapture: Int] = [.etcdctl: 0, .edgesys: 0, .ccore: 5, .netcraq: 0]

    @Test("cut at every 50th packet, every call from then on has its method and key", arguments: RealCapture.allCases)
    func cut(_ capture: RealCapture) throws {
        let packets = try capture.packets()
        let whole = calls(Decoded(packets))
        var total = Score()
        for point in stride(from: 50, to: packets.count, by: 50) {
            let score = Score(calls(Decoded(packets[point...])), of: whole, since: packets[point].time)
            #expect(score.faults == [], "cut at packet \(point)")
            total.wanted += score.wanted
            total.right += score.right
        }
        #expect(total.wanted > 25_000)
        #expect(total.wanted - total.right <= Self.unnamed[capture] ?? 0)
    }

    @Test(
        "beside connections seen from their start, those joined midway have the same calls",
        arguments: [RealCapture.netcraq, .edgesys, .ccore], seeds(7, 8))
    func mixed(_ capture: RealCapture, seed: UInt64) throws {
        let packets = try capture.packets()
        var random = SplitMix64(seed: seed)
        let point = packets.count / 10 + random.below(packets.count / 2)
        let later = Array(packets[point...])
        let whole = calls(Decoded(packets))
        let alone = Score(calls(Decoded(later)), of: whole, since: later[0].time)

        // The other's connections open while those run; none has a client of the same name.
        let ports = Set(packets.map(\.clientPort))
        let others = try RealCapture.etcdctl.packets().filter { !ports.contains($0.clientPort) }
        let othersWhole = calls(Decoded(others))
        try #require(othersWhole.count > 200)
        let shift = later[0].time - others[0].time
        let shifted = others.map { packet in
            var packet = packet
            packet.time += shift
            return packet
        }
        let merged = (later + shifted).enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        let found = calls(Decoded(merged))
        let old = Score(found.filter { othersWhole[$0.key] == nil }, of: whole, since: later[0].time)
        #expect(old == alone, "cut at packet \(point)")
        #expect(old.faults == [], "cut at packet \(point)")
        let new = Score(
            found.filter { othersWhole[$0.key] != nil }, of: othersWhole, since: .min)
        #expect(new.faults == [])
        #expect(new.right == othersWhole.count)
    }

    @Test("one recording behind another: the second's connections were open during the first", arguments: seeds(9))
    func concatenated(seed: UInt64) throws {
        let first = try RealCapture.etcdctl.packets()
        let second = try RealCapture.netcraq.packets()
        var random = SplitMix64(seed: seed)
        let point = random.below(second.count / 2)
        let whole = calls(Decoded(first)).merging(calls(Decoded(second))) { first, _ in first }
        let cut = second[point...]
        let found = calls(Decoded(first + cut))
        let wanted = whole.filter { $0.value.time >= second[point].time || $0.value.time < second[0].time }
        let score = Score(found, of: whole, since: .min)
        #expect(score.faults == [], "cut at packet \(point)")
        #expect(score.right >= wanted.count)
    }

    @Test("packets missing after a cut cost what was in them, and no call gets a wrong name", arguments: seeds(4, 5))
    func cutAndThinned(seed: UInt64) throws {
        for capture in [RealCapture.netcraq, .ccore] {
            let packets = try capture.packets()
            let whole = calls(Decoded(packets))
            var random = SplitMix64(seed: seed)
            let point = random.below(packets.count / 2)
            let kept = packets[point...].filter { _ in !random.chance(0.01) }
            let found = calls(Decoded(kept))
            let score = Score(found, of: whole, since: packets[point].time)
            #expect(score.faults == [], "\(capture), cut at packet \(point)")
            let named = found.values.count { $0.evidence != .ambiguous }
            #expect(
                named * 100 >= score.wanted * 97, "\(capture), cut at packet \(point): \(named) of \(score.wanted)")
        }
    }

    @Test("what a recording joined midway gives does not depend on how segments are cut", arguments: seeds(6))
    func segments(seed: UInt64) throws {
        let packets = try RealCapture.netcraq.packets()
        var rewriter = PacketRewriter(seed: seed)
        let later = Array(packets[(packets.count / 3)...])
        let plain = Decoded(later).operations()
        let split = Decoded(rewriter.split(later)).operations()
        if let difference = difference(split, plain) { Issue.record("\(difference)") }
    }
}

import Etcd
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

    @Test("every call after a cut has its method and key", arguments: RealCapture.allCases, seeds(1, 2, 3))
    func cut(_ capture: RealCapture, seed: UInt64) throws {
        let packets = try capture.packets()
        let whole = calls(Decoded(packets))
        var random = SeededRandom(seed: seed)
        // Not at the very end, so that there are calls.
        let point = random.number(below: packets.count * 9 / 10)
        let found = calls(Decoded(packets[point...]))
        let wanted = whole.filter { $0.value.time >= packets[point].time }
        #expect(!wanted.isEmpty)

        var right = 0
        for (place, call) in found {
            guard let true_ = whole[place] else {
                Issue.record("cut at packet \(point): \(place) is no call of the recording")
                continue
            }
            if let status = call.status { #expect(status == true_.status, "cut at packet \(point): \(place)") }
            if call.evidence == .ambiguous { continue }
            #expect(call.method == true_.method, "cut at packet \(point): \(place) is \(true_.method)")
            if wanted[place] != nil, call.method == true_.method, call.key == true_.key { right += 1 }
        }
        // A handful of calls at the very end of a recording may look alike for want of others.
        #expect(right >= wanted.count - max(8, wanted.count / 1000), "cut at packet \(point)")
    }

    @Test("packets missing after a cut cost what was in them, and no call gets a wrong name", arguments: seeds(4, 5))
    func cutAndThinned(seed: UInt64) throws {
        for capture in [RealCapture.netcraq, .ccore] {
            let packets = try capture.packets()
            let whole = calls(Decoded(packets))
            var random = SeededRandom(seed: seed)
            let point = random.number(below: packets.count / 2)
            let kept = packets[point...].filter { _ in !random.chance(0.01) }
            let found = calls(Decoded(kept))
            var named = 0
            for (place, call) in found {
                guard let true_ = whole[place] else {
                    Issue.record("\(capture), cut at packet \(point): \(place) is no call of the recording")
                    continue
                }
                if call.evidence == .ambiguous { continue }
                named += 1
                #expect(call.method == true_.method, "\(capture), cut at packet \(point): \(place)")
                if !call.key.isEmpty { #expect(call.key == true_.key, "\(capture), \(place)") }
            }
            let wanted = whole.values.filter { $0.time >= packets[point].time }.count
            #expect(named * 100 >= wanted * 97, "\(capture), cut at packet \(point): \(named) of \(wanted)")
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

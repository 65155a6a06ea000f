import Etcd
import TestSupport
import Testing
import Wire

@Suite("Real recordings: packets that are missing")
struct LossLaws {
    /// What a recording misses when some of its packets are taken away, counted from the packets alone.
    struct Loss {
        var kept: [RawPacket] = []
        /// Payload bytes that no packet has any more, by connection, as far as they can be known to be missing: later
        /// bytes of the direction are there, or its end.
        var lostBytes: [Int: Int] = [:]
        /// Connections of which a packet is missing.
        var touched: Set<Int> = []

        /// Drops packets with payload, each with the chance `share`.
        init(_ packets: [RawPacket], share: Double, seed: UInt64) {
            var random = SplitMix64(seed: seed)
            var missing: [RawPacket] = []
            for packet in packets {
                if !packet.payload.isEmpty, random.chance(share) {
                    missing.append(packet)
                    touched.insert(packet.clientPort)
                } else {
                    kept.append(packet)
                }
            }
            count(missing)
        }

        private mutating func count(_ missing: [RawPacket]) {
            struct Flow {
                var base: UInt32
                var present: [Range<Int>] = []
                var end = 0
                var acknowledged = 0
            }
            var flows: [Int: Flow] = [:]
            for packet in kept where packet.has(RawPacket.syn) && flows[packet.flow] == nil {
                flows[packet.flow] = Flow(base: packet.dataSequence)
            }
            func offset(_ number: UInt32, _ flow: Flow) -> Int { Int(Int32(bitPattern: number &- flow.base)) }
            for packet in kept {
                if let flow = flows[packet.flow] {
                    let start = offset(packet.dataSequence, flow)
                    let end = start + packet.payload.count
                    if start < end, start >= 0 { flows[packet.flow]?.present.append(start..<end) }
                    if start >= 0 { flows[packet.flow]?.end = max(flow.end, packet.has(RawPacket.rst) ? 0 : end) }
                }
                if let peer = flows[packet.flow ^ 1], packet.has(RawPacket.ack) {
                    flows[packet.flow ^ 1]?.acknowledged = max(peer.acknowledged, offset(packet.acknowledgement, peer))
                }
            }
            for packet in missing {
                guard let flow = flows[packet.flow] else { continue }
                let start = offset(packet.dataSequence, flow)
                let end = min(start + packet.payload.count, max(flow.end, flow.acknowledged))
                if start >= end { continue }
                // Bytes of it that another packet has as well, or that were counted with another missing one.
                let here = flow.present.filter { $0.overlaps(start..<end) }
                var position = start
                for range in here.sorted(by: { $0.lowerBound < $1.lowerBound }) {
                    if range.lowerBound > position {
                        lostBytes[packet.clientPort, default: 0] += range.lowerBound - position
                    }
                    position = max(position, range.upperBound)
                }
                if position < end { lostBytes[packet.clientPort, default: 0] += end - position }
                flows[packet.flow]?.present.append(start..<end)
            }
        }
    }

    /// A call on the wire: no two of a recording share it, unless a port is used twice.
    struct Place: Hashable {
        var client: String
        var stream: UInt32
    }

    struct Known: Hashable {
        var method: MethodNumber
        var key: [UInt8]
    }

    static func calls(_ operations: [PlainOperation]) -> [Place: Set<Known>] {
        var calls: [Place: Set<Known>] = [:]
        for call in operations where call.role == .call {
            calls[Place(client: call.client, stream: call.stream), default: []]
                .insert(Known(method: call.method, key: call.key))
        }
        return calls
    }

    /// What `found` names that the undamaged recording does not confirm.
    static func wrongNames(_ found: [PlainOperation], _ truth: [Place: Set<Known>]) -> [PlainOperation] {
        found.filter { call in
            guard call.role == .call, call.evidence == .seen else { return false }
            let known = truth[Place(client: call.client, stream: call.stream)] ?? []
            if call.key.isEmpty { return !known.contains { $0.method == call.method } }
            return !known.contains(Known(method: call.method, key: call.key))
        }
    }

    @Test(
        "nothing is named wrongly or counted twice, and what is missing is known to the byte",
        arguments: RealCapture.allCases, [0.005, 0.02, 0.1])
    func dropping(_ capture: RealCapture, share: Double) throws {
        let packets = try capture.packets()
        let expected = Decoded(packets).operations()
        let truth = Self.calls(expected)
        let callsExpected = Dictionary(grouping: expected.filter(\.isRequest), by: \.method)
        for seed in seeds(1, 2) {
            let loss = Loss(packets, share: share, seed: seed)
            let decoded = Decoded(loss.kept)
            let found = decoded.operations()
            #expect(Self.wrongNames(found, truth).first == nil, "seed \(seed)")

            let calls = found.filter(\.isRequest)
            #expect(calls.count <= callsExpected.values.map(\.count).reduce(0, +), "seed \(seed)")
            for (method, calls) in Dictionary(grouping: calls, by: \.method) where method != .unknown {
                #expect(calls.count <= callsExpected[method]?.count ?? 0, "seed \(seed), method \(method.rawValue)")
            }

            let lost = loss.lostBytes.values.reduce(0, +)
            #expect(Int(decoded.health[.lostBytes]) == lost, "seed \(seed)")

            let untouched = { (operation: PlainOperation) in
                !loss.touched.contains(Int(operation.client.split(separator: ":").last ?? "") ?? 0)
            }
            let difference = difference(found.filter(untouched), expected.filter(untouched))
            #expect(difference == nil, "seed \(seed)")
        }
    }

    @Test(
        "a recording that begins midway names nothing wrongly and counts no call that was open before",
        arguments: RealCapture.allCases)
    func midway(_ capture: RealCapture) throws {
        let packets = try capture.packets()
        let expected = Decoded(packets).operations(.everything)
        let truth = Self.calls(expected)
        for step in 1...20 {
            let start = packets.count * step / 21
            let found = Decoded(packets[start...]).operations(.everything)
            #expect(Self.wrongNames(found, truth).first == nil, "from packet \(start)")
            // By connection and stream: the calls whose first frame lies in what is left.
            let beginning = Decoded(packets[..<start]).operations(.everything).filter(\.isRequest)
            let before = Set(beginning.map { Place(client: $0.client, stream: $0.stream) })
            let counted = found.filter { call in
                call.isRequest && before.contains(Place(client: call.client, stream: call.stream))
            }
            // Where a port is used again, the same number names a later call.
            let again = counted.filter { call in
                (expected.filter { $0.isRequest && $0.client == call.client && $0.stream == call.stream }).count == 1
            }
            #expect(again.first == nil, "from packet \(start)")
            #expect(
                found.filter(\.isRequest).count <= expected.filter(\.isRequest).count - before.count + counted.count)
        }
    }
}

extension PlainOperation {
    /// Whether the analysis counts it as a request.
    var isRequest: Bool { role == .call && !completeness.contains(.openedBefore) }
}

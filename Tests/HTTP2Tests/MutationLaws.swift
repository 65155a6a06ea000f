import HTTP2
import TestSupport
import Testing
import Wire

@Suite("Damaged input")
struct MutationLaws {
    @Test("random mutations are survived within the limits", arguments: seeds())
    func mutations(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let connections = (0..<4).map {
            RecordedConnection(seed: seed &+ UInt64($0), .init(requests: 6, isUnusual: $0 % 2 == 0, isCCore: $0 == 3))
        }
        for _ in 0..<5000 {
            let connection = connections[Int.random(in: 0..<connections.count, using: &random)]
            let direction: Direction = Bool.random(using: &random) ? .request : .response
            var bytes = connection.bytes[direction] ?? []
            for _ in 0..<Int.random(in: 1...8, using: &random) { Self.mutate(&bytes, using: &random) }
            var listener = Listener(atStart: Bool.random(using: &random))
            var position = 0
            var given = 0
            while position < bytes.count {
                let end = min(bytes.count, position + Int.random(in: 1...2000, using: &random))
                if Int.random(in: 0..<30, using: &random) == 0 {
                    listener.receiveGap(Int.random(in: 1...100_000, using: &random), direction)
                } else {
                    listener.receive(Array(bytes[position..<end]), direction)
                    given += end - position
                }
                position = end
            }
            listener.finish()
            let health = listener.reader.health
            #expect(health.undecodableBytes >= 0 && health.undecodableBytes <= given, "seed \(seed)")
            #expect(listener.reader.memoryBytes < 1 << 20)
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using random: inout SplitMix64) {
        guard bytes.count > 20 else { return }
        let place = Int.random(in: 0..<bytes.count - 10, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 2: bytes.removeSubrange(place..<place + Int.random(in: 1...10, using: &random))
        case 3: bytes.insert(contentsOf: random.bytes(Int.random(in: 1...20, using: &random)), at: place)
        case 4: bytes.insert(contentsOf: bytes[place..<place + 10], at: Int.random(in: 0..<place + 1, using: &random))
        default: bytes.replaceSubrange(place..<place + 3, with: [0xff, 0xff, 0xff])
        }
    }

    @Test("text of fields is let go once no table needs it")
    func textIsBounded() {
        var listener = Listener()
        var encoder = FieldBlockEncoder()
        encoder.huffman = false
        listener.receive(Frame.preface + Frame.settings())
        let fixed = TextField("te", "trailers")
        for call in 0..<3000 {
            let text = TextField("x", String(repeating: "\(call % 10)", count: 200))
            listener.receive(Frame.headers(encoder.encode([fixed, text]), stream: call * 2 + 1))
            let section = listener.sections(.request).last
            guard section?.value("te") == "trailers", section?.value("x") == text.value else {
                Issue.record("request \(call) reads \(section?.description ?? "nothing")")
                return
            }
        }
        #expect(listener.reader.memoryBytes < 200_000)
    }
}

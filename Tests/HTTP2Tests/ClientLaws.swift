import HTTP2
import TestSupport
import Testing
import Wire

@Suite("The client's side of a connection: laws")
struct ClientLaws {
    @Test("lists of fields are decoded as they were given, whatever tables the server allows", arguments: seeds())
    func encoder(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var encoder = HPACKEncoder()
        var decoder = HPACKDecoder(.request, knownFromStart: true, limits: ConnectionLimits())
        var text = FieldText.prefix
        var used = text.count
        let names = [":path", ":method", "te", "token", "x-one", "user-agent"]
        let lists = (0..<40).map { _ in
            (0..<Int.random(in: 0...6, using: &random)).map { _ in
                let length = Int.random(
                    in: 0...(Int.random(in: 0..<20, using: &random) == 0 ? 900 : 30), using: &random)
                return TextField(
                    names.randomElement(using: &random) ?? "te",
                    Bool.random(using: &random) ? "POST" : String(repeating: "v", count: length))
            }
        }
        for list in lists {
            _ = encoder.add(list.map { HPACKEncoder.Field($0.name, $0.value, isSecret: $0.name == "token") })
        }
        for round in 0..<400 {
            if Int.random(in: 0..<20, using: &random) == 0 {
                encoder.allow(tableSize: Int.random(in: 0...5000, using: &random))
            }
            let list = Int.random(in: 0..<lists.count, using: &random)
            var block: [UInt8] = []
            encoder.append(list, to: &block)
            var fields: [HeaderField] = []
            let isRead = decoder.decode(block.span, stream: 1, into: &fields, text: &text, used: &used)
            let found = fields.map { field in
                TextField(
                    String(decoding: text[field.nameBytes ?? 0..<0], as: UTF8.self),
                    String(decoding: text[field.value ?? 0..<0], as: UTF8.self))
            }
            #expect(isRead && found == lists[list], "round \(round), seed \(seed)")
        }
        #expect(decoder.tablesForgotten == 0 && decoder.oddSizeUpdates == 0)
    }

    @Test("what is secret is never indexed")
    func secrets() {
        var encoder = HPACKEncoder()
        let list = encoder.add([HPACKEncoder.Field("token", "abc", isSecret: true)])
        for _ in 0..<2 {
            var block: [UInt8] = []
            encoder.append(list, to: &block)
            #expect(block == [0x10, 5] + Array("token".utf8) + [3] + Array("abc".utf8))
        }
    }

    /// What a server may say to a client with streams 1, 3, ... 15, and sometimes what it may not.
    private static func script(_ random: inout SplitMix64) -> [UInt8] {
        var encoder = FieldBlockEncoder()
        var bytes = Frame.settings([(3, 100), (4, Int.random(in: 0...100, using: &random))])
        for _ in 0..<60 {
            let stream = Int.random(in: 0..<8, using: &random) * 2 + 1
            switch Int.random(in: 0..<14, using: &random) {
            case 0, 1: bytes += Frame.headers(encoder.encode([TextField(":status", "200")]), stream: stream)
            case 2:
                let block = encoder.encode([TextField("grpc-status", "0"), TextField("x", "\(stream)")])
                bytes += Frame.frame(1, flags: 1, stream: stream, Array(block.prefix(1)))
                bytes += Frame.frame(9, flags: 4, stream: stream, Array(block.dropFirst()))
            case 3, 4, 5:
                let padding = Bool.random(using: &random) ? Int.random(in: 0...255, using: &random) : nil
                let data = random.bytes(Int.random(in: 0...300, using: &random))
                bytes += Frame.data(
                    data, stream: stream, endStream: Int.random(in: 0..<6, using: &random) == 0, padding: padding)
            case 6: bytes += Frame.ping()
            case 7: bytes += Frame.settings([(1, Int.random(in: 0...5000, using: &random)), (4, stream * 10)])
            case 8: bytes += Frame.frame(8, stream: stream, Frame.bigEndian(stream))
            case 9: bytes += Frame.frame(8, Frame.bigEndian(stream))
            case 10: bytes += Frame.frame(3, stream: stream, Frame.bigEndian(8))
            case 11: bytes += Frame.frame(0x77, flags: 0xff, stream: stream, random.bytes(stream))
            case 12: bytes += Frame.frame(2, stream: stream, [0, 0, 0, 0, 9])
            default:
                if Int.random(in: 0..<20, using: &random) == 0 {
                    bytes += Frame.frame(7, Frame.bigEndian(stream) + Frame.bigEndian(0) + [0x61])
                }
            }
        }
        return bytes
    }

    private static func listen(_ bytes: [UInt8], pieces: [Int]) -> ClientTalk {
        var talk = ClientTalk(silent: ClientLimits())
        for tag in 0..<8 {
            talk.open(Array(repeating: UInt8(tag), count: 200), endStream: tag % 3 != 0, tag: UInt32(tag))
        }
        var start = 0
        var index = 0
        while start < bytes.count {
            let end = min(bytes.count, start + (pieces.isEmpty ? bytes.count : pieces[index % pieces.count]))
            talk.receive(Array(bytes[start..<end]))
            start = end
            index += 1
        }
        return talk
    }

    @Test("each stream is answered its own, in whatever order streams end", arguments: seeds())
    func order(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var talk = ClientTalk()
        var open: [UInt32] = []
        for tag in 0..<3_000 {
            open.append(try talk.opened([1], tag: UInt32(tag)))
            // Up to so many at once that the table has grown and has been full.
            while open.count > Int.random(in: 0...100, using: &random) {
                let stream = open.remove(at: Int.random(in: 0..<open.count, using: &random))
                let count = talk.events.count
                talk.receive(Frame.headers([0x88], stream: Int(stream), endStream: true))
                #expect(talk.events.count == count + 1, "stream \(stream), seed \(seed)")
                #expect(talk.events.last?.event.stream == stream && talk.events.last?.event.tag == stream / 2)
            }
            #expect(talk.connection.openStreams == open.count)
        }
    }

    @Test("any split of the server's bytes gives the same events and the same answers", arguments: seeds())
    func splits(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for round in 0..<100 {
            let bytes = Self.script(&random)
            let whole = Self.listen(bytes, pieces: [])
            let pieces = (0..<7).map { _ in Int.random(in: 1...40, using: &random) }
            for split in [[1], pieces] {
                let split = Self.listen(bytes, pieces: split)
                #expect(split.events == whole.events, "round \(round), seed \(seed)")
                #expect(split.said == whole.said, "round \(round), seed \(seed)")
            }
        }
    }

    @Test("damaged bytes end the connection or a stream, never more; after the end nothing is told", arguments: seeds())
    func mutations(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var ends = 0
        for _ in 0..<1_000 {
            var bytes = Self.script(&random)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes.insert(contentsOf: random.bytes(5), at: place)
                default: bytes.remove(at: place)
                }
            }
            let talk = Self.listen(bytes, pieces: [Int.random(in: 1...500, using: &random)])
            let end = talk.events.firstIndex { $0.event.kind == .failed }
            #expect(end == nil || end == talk.events.count - 1)
            #expect(talk.connection.openStreams <= 8)
            if end != nil { ends += 1 }
        }
        #expect(ends > 200)
    }
}

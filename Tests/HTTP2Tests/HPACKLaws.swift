import HTTP2
import TestSupport
import Testing
import Wire

@Suite("HPACK")
struct HPACKLaws {
    /// RFC 7541 Appendix C, each sequence of field sections on one table.
    struct Example: CustomTestStringConvertible {
        var section: String
        var blocks: [String]
        var fields: [[String]]
        var testDescription: String { section }
    }

    static let requests = [
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"],
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com", "cache-control: no-cache"],
        [
            ":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com",
            "custom-key: custom-value",
        ],
    ]
    static let responses = [
        [
            ":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT",
            "location: https://www.example.com",
        ],
        [
            ":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT",
            "location: https://www.example.com",
        ],
        [
            ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT",
            "location: https://www.example.com", "content-encoding: gzip",
            "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
        ],
    ]
    static let examples = [
        Example(
            section: "C.2.1", blocks: ["400a637573746f6d2d6b65790d637573746f6d2d686561646572"],
            fields: [["custom-key: custom-header"]]),
        Example(section: "C.2.2", blocks: ["040c2f73616d706c652f70617468"], fields: [[":path: /sample/path"]]),
        Example(section: "C.2.3", blocks: ["100870617373776f726406736563726574"], fields: [["password: secret"]]),
        Example(section: "C.2.4", blocks: ["82"], fields: [[":method: GET"]]),
        Example(
            section: "C.3",
            blocks: [
                "828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
                "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
            ], fields: requests),
        Example(
            section: "C.4",
            blocks: [
                "828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
                "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
            ], fields: requests),
        Example(
            section: "C.5",
            blocks: [
                "3fe101" + "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
                    + "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                "4803333037c1c0bf",
                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a"
                    + "4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b"
                    + "2076657273696f6e3d31",
            ], fields: responses),
        Example(
            section: "C.6",
            blocks: [
                "3fe101"
                    + "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97"
                    + "c8e9ae82ae43d3",
                "4883640effc1c0bf",
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5"
                    + "af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            ], fields: responses),
    ]

    @Test("the examples of RFC 7541 Appendix C decode to their fields", arguments: examples)
    func appendixC(_ example: Example) {
        var decoder = Decoding(knownFromStart: true)
        for (block, fields) in zip(example.blocks, example.fields) {
            #expect(decoder.decode([UInt8](hex: block)) == fields)
        }
    }

    @Test(
        "the integers of RFC 7541 C.1, and the largest",
        arguments: [
            ("0a", 5, 10), ("1f9a0a", 5, 1337), ("2a", 8, 42), ("1f00", 5, 31), ("1fe0ffff7f", 5, (1 << 28) - 1),
        ] as [(String, UInt8, Int)])
    func integers(_ text: String, prefix: UInt8, value: Int) {
        var offset = 0
        let input = [UInt8](hex: text)
        #expect(FieldLine.integer(in: input.span, at: &offset, prefix: prefix) == value)
        #expect(offset == input.count)
    }

    @Test(
        "an integer beyond 28 bits or without an end is none",
        arguments: ["1f", "1f80", "1fffffffff7f", "1f8080808080808000"])
    func integersRefused(_ text: String) {
        var offset = 0
        #expect(FieldLine.integer(in: [UInt8](hex: text).span, at: &offset, prefix: 5) == nil)
    }

    @Test("random field lists come back as they were, by any representation", arguments: seeds())
    func roundTrip(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var encoder = FieldBlockEncoder()
        var decoder = Decoding(knownFromStart: true)
        for round in 0..<400 {
            encoder.huffman = Bool.random(using: &random)
            if round % 17 == 5 {
                encoder.resize(to: 0)
                encoder.resize(to: [0, 40, 100, 300, 4096, 20_000].randomElement(using: &random) ?? 0)
            }
            let fields = (0..<Int.random(in: 1..<12, using: &random)).map { _ in Self.field(using: &random) }
            let block = encoder.encode(fields) {
                FieldBlockEncoder.Representation.allCases.randomElement(using: &random) ?? .indexed
            }
            let expected = fields.map { "\($0.name): \($0.value)" }
            guard decoder.decode(block) == expected else {
                Issue.record("seed \(seed), round \(round): expected \(expected)")
                return
            }
        }
    }

    /// Out of few names and values, so that entries are met again.
    static func field(using random: inout SplitMix64) -> TextField {
        let names = [":path", "te", "x", "grpc-timeout", "hasleader", "some-longer-name", "content-type", "user-agent"]
        let name = names[Int.random(in: 0..<names.count, using: &random)]
        let count = [0, 1, 5, 30, 200].randomElement(using: &random) ?? 0
        let value = String(
            repeating: ["a", "7", "~", "/Range", "Ω"].randomElement(using: &random) ?? "b", count: count)
        return TextField(name, value)
    }

    @Test(
        "what is no field block is refused", arguments: ["8220", "80", "ff80808010", "40", "4001", "4085ffffffffff00"])
    func refusals(_ block: String) {
        var decoder = Decoding(knownFromStart: true)
        #expect(decoder.decode([UInt8](hex: block)) == nil)
        #expect(decoder.decoder.isInDoubt || decoder.decoder.tablesForgotten == 1)
    }

    @Test(
        "an index beyond what was inserted proves the state wrong: the table is forgotten",
        arguments: ["be", "7f0000", "0f2f0161"])
    func indexBeyondTable(_ block: String) {
        var decoder = Decoding(knownFromStart: true)
        #expect(decoder.decode([UInt8](hex: block))?.first?.hasPrefix("?: ") == true)
        #expect(decoder.decoder.tablesForgotten == 1 && decoder.decoder.epoch == 1)
    }

    @Test("an entry larger than the table empties it and gets no number (RFC 7541 §4.4)")
    func oversizedEntry() {
        var decoder = Decoding(knownFromStart: true)
        var encoder = FieldBlockEncoder()
        let small = TextField("a", "b")
        let large = TextField("big", String(repeating: "x", count: 5000))
        for fields in [[small], [small, large], [small], [small, small]] {
            #expect(decoder.decode(encoder.encode(fields)) == fields.map { "\($0.name): \($0.value)" })
        }
    }

    @Test("every truncation and every flipped bit of a block is survived")
    func damagedBlocks() {
        var encoder = FieldBlockEncoder()
        let first = encoder.encode([
            TextField(":method", "POST"), TextField(":path", "/etcdserverpb.KV/Range"), TextField("te", "trailers"),
            TextField("grpc-timeout", "4999999u"),
        ])
        let second = encoder.encode([
            TextField(":path", "/etcdserverpb.KV/Range"), TextField("te", "trailers"),
            TextField("grpc-timeout", "499u"),
        ])
        var read = 0
        for block in [first, second] {
            for end in 0...block.count {
                var decoder = Decoding(knownFromStart: true)
                _ = decoder.decode(first)
                if decoder.decode(Array(block[..<end])) != nil { read += 1 }
            }
            for bit in 0..<block.count * 8 {
                var damaged = block
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                for knownFromStart in [true, false] {
                    var decoder = Decoding(knownFromStart: knownFromStart)
                    _ = decoder.decode(first)
                    if decoder.decode(damaged) != nil { read += 1 }
                    _ = decoder.decode(second)
                }
            }
        }
        #expect(read > 0)
    }

    @Test("joined midway, an unknown entry keeps its number while others come and go")
    func unknownEntries() {
        var encoder = FieldBlockEncoder()
        let constant = TextField("te", "trailers")
        _ = encoder.encode([constant, TextField("x", "1")])
        var decoder = Decoding(knownFromStart: false)
        var entries: Set<Int64> = []
        for value in 0..<20 {
            _ = decoder.decode(encoder.encode([TextField("y", "\(value)"), constant]))
            let field = decoder.fields[1]
            #expect(field.name == .unknown && field.value == nil)
            if let entry = field.entry { entries.insert(entry) }
        }
        #expect(entries == [-2])
    }
}

/// A decoder with what it needs around it.
struct Decoding {
    var decoder: HPACKDecoder
    private(set) var fields: [HeaderField] = []
    private var text = FieldText.prefix
    private var used = FieldText.prefix.count

    init(knownFromStart: Bool) {
        decoder = HPACKDecoder(.request, knownFromStart: knownFromStart, limits: ConnectionLimits())
    }

    /// The fields as text, `?` for what is not known; nil when the block could not be decoded.
    mutating func decode(_ block: [UInt8], stream: UInt32 = 1) -> [String]? {
        fields = []
        guard decoder.decode(block.span, stream: stream, into: &fields, text: &text, used: &used) else { return nil }
        return fields.map { field in
            let name = field.nameBytes.map { String(decoding: text[$0], as: UTF8.self) } ?? "?"
            let value = field.value.map { String(decoding: text[$0], as: UTF8.self) } ?? "?"
            return "\(name): \(value)"
        }
    }
}

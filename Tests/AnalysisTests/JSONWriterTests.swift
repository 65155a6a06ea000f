import Analysis
import Testing

@Suite("JSON and text of keys")
struct JSONWriterTests {
    private func json(_ style: JSONWriter.Style, _ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter(style: style)
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func document(_ json: inout JSONWriter) {
        json.beginObject()
        json.member("a", Int64.min)
        json.name("empty")
        json.beginArray()
        json.endArray()
        json.name("list")
        json.beginArray()
        json.value(1)
        json.beginCompactObject()
        json.member("share", share: 1.0 / 3)
        json.name("deep")
        json.beginObject()
        json.member("ok", true)
        json.endObject()
        json.endObject()
        json.value("x")
        json.endArray()
        json.member("last", 0)
        json.endObject()
    }

    @Test("one line")
    func line() {
        #expect(
            json(.line, document) == #"{"a":-9223372036854775808,"empty":[],"list":[1,"#
                + #"{"share":0.333333333,"deep":{"ok":true}},"x"],"last":0}"#)
    }

    @Test("pretty, with inner objects on one line")
    func pretty() {
        #expect(
            json(.pretty, document) == """
                {
                  "a": -9223372036854775808,
                  "empty": [],
                  "list": [
                    1,
                    { "share": 0.333333333, "deep": { "ok": true } },
                    "x"
                  ],
                  "last": 0
                }

                """)
    }

    @Test(
        "keys: UTF-8 as text, other bytes as \\xNN, a backslash doubled",
        arguments: [
            (Array("ключ/键".utf8), "ключ/键"),
            (Array("bin/\0".utf8) + [0xff, 0xfe] + Array("\"\\\n".utf8), "bin/\0\\xff\\xfe\"\\\\\n"),
            ([0xc0, 0x80], "\\xc0\\x80"), ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"),
            ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"),
            ([0xe2, 0x82], "\\xe2\\x82"), ([0xf0, 0x9f, 0x98, 0x80], "😀"), ([0xe0, 0x80, 0x80], "\\xe0\\x80\\x80"),
        ] as [([UInt8], String)])
    func keys(_ key: [UInt8], _ text: String) {
        #expect(KeyText.text(of: key) == text)
    }

    @Test("a key takes the standard library's word for what is UTF-8", arguments: [0x5eed, 1, 2])
    func validity(seed: UInt64) {
        var state = seed
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let key = (0..<4).map {
                [0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x9f, 0xa0][Int(state >> (33 + $0 * 7) & 127) % 10]
                    as UInt8
            }
            #expect(KeyText.text(of: key).contains("\\x") == (String(validating: key, as: UTF8.self) == nil), "\(key)")
        }
    }

    @Test("strings are escaped")
    func escapes() {
        #expect(json(.line) { $0.value("a\"\\\n\t\r\u{1}\u{7f}é") } == #""a\"\\\n\t\r\u0001\u007fé""#)
        #expect(json(.line) { $0.value(([0x5c, 0xff] as [UInt8]).span) } == #""\\\\\\xff""#)
    }

    @Test(
        "what other readers take for the end of a line is escaped",
        arguments: [("\u{85}", #"\u0085"#), ("\u{2028}", #"\u2028"#), ("\u{2029}", #"\u2029"#)])
    func lineEnds(_ end: String, _ escape: String) {
        #expect(json(.line) { $0.value("a\(end)b\(end)\(end)") } == "\"a\(escape)b\(escape)\(escape)\"")
        #expect(json(.line) { $0.member(end, Array(end.utf8).span) } == "\"\(escape)\":\"\(escape)\"")
        // Neighbours, whose last bytes are the same.
        #expect(json(.line) { $0.value("Å\u{2128}\u{3029}…\u{2027}") } == "\"Å\u{2128}\u{3029}…\u{2027}\"")
    }

    @Test("a terminal gets no control characters")
    func terminal() {
        #expect(
            KeyText.terminalText(of: Array("a\u{1b}[2J\u{9b}\u{202e}b".utf8)) == "a\\x1b[2J\\xc2\\x9b\\xe2\\x80\\xaeb")
    }
}

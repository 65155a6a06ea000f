import HTTP2
import TestSupport
import Testing
import Wire

@Suite("Huffman code of HPACK")
struct HuffmanLaws {
    /// All 256 bytes in order, as Python's `hpack` 4 encodes them.
    static let allBytes = [UInt8](
        hex: """
            ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfffffeb
            fffffecfffffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdffffffe3f
            ffffe7fffffebfffffed4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50ddbd7f061c58
            f265cd9f469d5af66dddbf871e5f9cff7ff7fffc3ff9ffe45fff4719242cb34e6e9d68a6a3d7dac426defe3cfaf7fffbfe7f
            fbffdffffffcfffe6ffff4bfff9ffffa3fffd3ffff53fffd5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffb
            fffffd9ffffdbfffebffffe0ffffeeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdaff
            feeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fffff5ffffecffff07fff87fffe0fff
            f17fffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff1fffff83ffffe1fffebfffe3ffff3fff
            ff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8fffffb7fff97fff8fffffe6fffffc1fffff87fff
            fe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97fffb3ffffcffffb7fffcdffff4ffff9ff
            ffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffffa7ffffd7fffff9bffffecfffffb7fffff3fffffe8fff
            ffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7ffffff0fffffbbf
            """)

    static func decode(_ code: [UInt8]) -> [UInt8]? {
        var output = Array(repeating: UInt8(0), count: 3 + HuffmanDecoder.bound(of: code.count))
        var span = output.mutableSpan
        guard let end = HuffmanDecoder.decode(code.span, into: &span, at: 3) else { return nil }
        return Array(output[3..<end])
    }

    @Test("every byte has its code")
    func everyByte() {
        #expect(Self.decode(Self.allBytes) == Array(0...255))
        #expect(FieldBlockEncoder.huffmanCode(Array(0...255)) == Self.allBytes)
        for byte in UInt8.min ... .max {
            for text in [[byte], [byte, byte], [0x61, byte, 0x30], [byte, 0xff, byte]] {
                #expect(Self.decode(FieldBlockEncoder.huffmanCode(text)) == text)
            }
        }
    }

    @Test("padding must be the beginning of EOS and shorter than a byte; EOS itself is an error (RFC 7541 §5.2)")
    func padding() {
        #expect(Self.decode([]) == [])
        #expect(Self.decode([0x1f]) == Array("a".utf8))  // 00011 and three ones
        #expect(Self.decode([0x1f, 0xff]) == nil)
        #expect(Self.decode([0x18]) == nil)
        #expect(Self.decode([0x1e]) == nil)
        #expect(Self.decode([0xff]) == nil)
        #expect(Self.decode([0xff, 0xff, 0xff, 0xff]) == nil)
        #expect(Self.decode([0xff, 0xff, 0xff, 0xfc, 0x1f]) == nil)
    }

    @Test("any text comes back, and any bytes are survived", arguments: seeds())
    func roundTrip(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<2000 {
            let text = random.bytes(Int.random(in: 0..<40, using: &random))
            #expect(Self.decode(FieldBlockEncoder.huffmanCode(text)) == text)
            if let decoded = Self.decode(text) { #expect(FieldBlockEncoder.huffmanCode(decoded) == text) }
        }
    }
}

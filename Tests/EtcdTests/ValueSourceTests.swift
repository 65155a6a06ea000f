import Etcd
import TestSupport
import Testing
import Wire

@Suite("Made-up values")
struct ValueSourceTests {
    private static func value(_ source: ValueSource, _ size: Int, id: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        source.append(size, id: id, to: &bytes)
        return bytes
    }

    private static func factor(_ bytes: [UInt8]) -> Double {
        Double(bytes.count) / Double(Gzip.compressed(bytes).count)
    }

    /// How many times as small zlib makes one value: the bounds leave room for another version of zlib. Text of one
    /// letter would become hundreds of times as small, and random bytes not at all.
    static let factors: [(size: Int, bounds: ClosedRange<Double>)] = [
        (1024, 1.5...1.85), (3000, 2.4...2.8), (6000, 3.1...3.6), (10_240, 3.6...4.2), (20_000, 4.2...4.8),
    ]

    @Test(
        "each value compresses as an object of Kubernetes of its size does", arguments: seeds(1, 7, 0x6b76_7265_656c),
        factors)
    func compressibility(seed: UInt64, expected: (size: Int, bounds: ClosedRange<Double>)) {
        let source = ValueSource(seed: seed)
        for id in UInt64(0)..<200 {
            let factor = Self.factor(Self.value(source, expected.size, id: id))
            #expect(expected.bounds.contains(factor), "value \(id)")
        }
    }

    @Test(
        "many values together do not shrink to nothing, as they would if they were the same text",
        arguments: seeds(1, 7))
    func together(seed: UInt64) {
        let source = ValueSource(seed: seed)
        var bytes: [UInt8] = []
        for id in UInt64(0)..<500 { source.append(1024, id: id, to: &bytes) }
        let factor = Self.factor(bytes)
        #expect(4.5...6.2 ~= factor)
    }

    @Test("a value has the size that is asked for, begins with its ID and is the same each time")
    func sizes() {
        let source = ValueSource(seed: 3)
        for size in [-1, 0, 1, 7, 8, 9, 1000, 1 << 18, (1 << 18) + 9, 700_000] {
            let value = Self.value(source, size, id: 0x0102_0304_0506_0708)
            #expect(value.count == max(0, size))
            #expect(value.prefix(8) == [1, 2, 3, 4, 5, 6, 7, 8].prefix(max(0, min(size, 8))))
            #expect(value == Self.value(ValueSource(seed: 3), size, id: 0x0102_0304_0506_0708))
        }
    }

    @Test(
        "two values differ, in their IDs and in what follows; other seeds make others",
        arguments: [8, 64, 1024, 10_240])
    func different(size: Int) {
        let source = ValueSource(seed: 3)
        let values = (UInt64(0)..<1000).map { Self.value(source, size, id: $0) }
        #expect(Set(values).count == values.count)
        if size >= 1024 {
            // They begin at 1 of 262 144 places each.
            #expect(Set(values.map { $0.dropFirst(8) }).count > 990)
            #expect(Self.value(ValueSource(seed: 4), size, id: 5) != values[5])
        }
    }
}

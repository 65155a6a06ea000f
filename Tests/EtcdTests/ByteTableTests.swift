import Etcd
import Testing
import Wire

@Suite("Tables of keys")
struct ByteTableTests {
    /// Two words each, the second chosen so that what the first makes of the hash's state is undone: without a seed all
    /// end in the same state.
    private let crafted: [[UInt8]] = (0..<4096).map { number in
        func bytes(_ word: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
        let first = 0x4b4b_0000_0000_0000 | UInt64(number)
        let state = (16 as UInt64) &* 0x9e37_79b9_7f4a_7c15
        return bytes(first) + bytes(HashSeed.mixed(state ^ first, HashSeed.factor(0)) ^ 0x1234)
    }

    @Test("keys made to meet do so without a seed only")
    func craftedKeys() {
        #expect(Set(crafted.map { $0.span.hash64() }).count == 1)
        for seed in [HashSeed.process, 1, 2, .max] {
            let places = Dictionary(grouping: crafted.map { $0.span.hash64(seed: seed) & 0xfff }, by: { $0 })
            // 4096 balls in 4096 bins: the fullest has about 7.
            #expect((places.values.map(\.count).max() ?? 0) < 20, "seed \(seed)")
        }
    }

    @Test("numbers are those of the first appearance, whatever the hashes are")
    func numbers() {
        var table = ByteTable()
        for round in 0..<2 {
            for (place, key) in crafted.enumerated() {
                #expect(Int(table.number(of: key.span)) == place + 1, "round \(round)")
                #expect(Int(table.existingNumber(of: key.span)) == place + 1)
            }
        }
        #expect(table.count == crafted.count)
    }

    @Test("appended strings have the numbers that they would have got, and are found", arguments: [1, 7, 1_000])
    func appended(every: Int) {
        var other = ByteTable()
        for key in crafted.reversed() { _ = other.number(of: key.span) }
        var table = ByteTable()
        for round in 0..<2 {
            for (place, key) in crafted.enumerated() {
                let number = UInt32(crafted.count - place)
                #expect(table.existingNumber(of: key.span) == 0)
                #expect(Int(table.append(new: number, of: other)) == place + 1, "round \(round)")
                if place % every > 0 { continue }
                #expect(Int(table.existingNumber(of: key.span)) == place + 1)
                #expect(Int(table.number(of: number, in: other)) == place + 1)
            }
            #expect(table.count == crafted.count)
            for (place, key) in crafted.enumerated().suffix(100) {
                #expect(table.string(UInt32(place + 1)) == key)
                #expect(Int(table.number(of: key.span)) == place + 1)
            }
            var again = ByteTable()
            for number in (1...UInt32(table.count)).reversed() { _ = again.number(of: number, in: table) }
            #expect(again.bytes == other.bytes)
            table.removeAll()
            #expect(table.count == 0 && crafted.allSatisfy { table.existingNumber(of: $0.span) == 0 })
        }
    }
}

import Testing
import Wire

@Suite("Seeded numbers")
struct SplitMix64Tests {
    @Test("the numbers are those of the published generator")
    func published() {
        var generator = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test("below stays below, and every number comes")
    func below() {
        var generator = SplitMix64(seed: 7)
        var seen = Set<Int>()
        for _ in 0..<1000 { seen.insert(generator.below(10)) }
        #expect(seen == Set(0..<10))
        #expect(generator.below(0) == 0 && generator.below(1) == 0)
    }
}

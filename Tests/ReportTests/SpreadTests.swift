import Report
import Testing

@Suite("Spread of repeated runs")
struct SpreadTests {
    /// Quartiles as R 4 prints them for `quantile(x, c(.25, .5, .75))`, and as NumPy does.
    @Test(
        "least, quartiles, median, greatest, in whatever order the runs come",
        arguments: [
            ([4.0], [4, 4, 4], nil as ClosedRange<Double>?),
            ([9, 1], [1, 5, 9], nil),
            ([7, 1, 2], [1, 2, 7], nil),
            ([1, 2, 3, 10], [1, 2.5, 10], nil),
            ([5, 3, 1, 4, 2], [1, 3, 5], 2...4),
            ([10, 1, 2, 3, 4, 8], [1, 3.5, 10], 2.25...7),
            ([1, 1, 1, 1, 1], [1, 1, 1], 1...1),
        ])
    func figures(_ values: [Double], _ expected: [Double], _ quartiles: ClosedRange<Double>?) throws {
        for values in [values, values.reversed(), values.sorted()] {
            let spread = try #require(Spread(values))
            #expect([spread.least, spread.median, spread.greatest] == expected)
            #expect(spread.quartiles == quartiles)
            #expect(spread.count == values.count)
        }
    }

    @Test("of no runs there is none")
    func empty() { #expect(Spread([]) == nil) }

    @Test(
        "a difference may be noise where the spreads have values in common",
        arguments: [
            ([1.0, 2, 3], [4.0, 5, 6], false), ([1, 2, 3], [3, 4, 5], true), ([1, 2, 3], [0, 1.5, 9], true),
            ([1, 2, 3], [1, 2, 4], false), ([2], [3], false), ([2], [1, 3, 4], true), ([2], [3, 4], false),
            ([1, 3, 4], [2], true), ([2, 2], [2, 2], false),
        ])
    func noise(_ one: [Double], _ other: [Double], _ expected: Bool) throws {
        let (one, other) = (try #require(Spread(one)), try #require(Spread(other)))
        #expect(one.mayBeNoise(beside: other) == expected)
        #expect(other.mayBeNoise(beside: one) == expected)
    }
}

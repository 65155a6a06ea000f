import Analysis
import Testing

@Suite("Figures")
struct FiguresTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1 000"), (1_204_332, "1 204 332"), (-12_345, "-12 345")])
    func count(_ number: Int, _ text: String) { #expect(Figures.count(number) == text) }

    @Test(arguments: [(0, "0 gaps"), (1, "1 gap"), (2, "2 gaps"), (1_204, "1 204 gaps")])
    func counted(_ number: Int, _ text: String) {
        #expect(Figures.counted(number, "gap") == text)
        #expect(Figures.counted(number, "watch", plural: "watches").hasSuffix(number == 1 ? "watch" : "watches"))
    }

    @Test(
        arguments: [
            (0.05, 1, "0.1"), (12.34, 1, "12.3"), (-0.04, 1, "0.0"), (-1.25, 1, "-1.3"), (1_542.1, 1, "1 542.1"),
            (2.999, 2, "3.00"),
            (.nan, 1, "-"), (.infinity, 1, "-"), (1e300, 1, "-"),
        ])
    func decimal(_ number: Double, _ places: Int, _ text: String) {
        #expect(Figures.decimal(number, places: places) == text)
    }

    @Test(arguments: [(0.0, "0.0"), (0.04, "0.0"), (3.0, "+3.0"), (-3.0, "-3.0")])
    func signed(_ number: Double, _ text: String) { #expect(Figures.signed(number, places: 1) == text) }

    @Test(
        arguments: [
            (97_340_000_000, "97.3 s"), (0, "0.0 s"), (725_000_000_000, "12 min 5 s"),
            (12_000_000_000_000, "3 h 20 min"),
        ] as [(Int64, String)])
    func duration(_ nanoseconds: Int64, _ text: String) { #expect(Figures.duration(nanoseconds: nanoseconds) == text) }
}

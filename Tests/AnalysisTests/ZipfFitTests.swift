import Analysis
import Etcd
import Foundation
import Testing
import Wire

@Suite("Zipf's exponent")
struct ZipfFitTests {
    /// A key each with so many reads.
    private static func fit(_ reads: [Int], times: Int = 1) -> ZipfFit? {
        var workload = Workload()
        for copy in 0..<times {
            for (place, count) in reads.enumerated() {
                for _ in 0..<count { workload.range("/\(copy)/\(place)") }
            }
        }
        var analysis = WorkloadAnalysis()
        analysis.add(workload.batch)
        return analysis.result().readSkew
    }

    @Test("reads by Zipf's law have its exponent", arguments: [0.5, 0.8, 1.0, 1.5])
    func exact(_ exponent: Double) throws {
        let reads = (1...100).map { Int(5_000 * pow(Double($0), -exponent)) }
        let fit = try #require(Self.fit(reads))
        #expect(fit.keys == 100)
        // Ranks less 1/2 are for counts that chance spread; of counts without chance they make a little less of it.
        #expect(fit.exponent < exponent && fit.exponent > exponent * 0.93, "\(fit.exponent)")
    }

    @Test("four keys by hand")
    func byHand() throws {
        // ln(rank − 1/2) over ln(reads) of 8, 4, 2, 1: x = 3, 2, 1, 0 times ln 2, y = ln 0.5, ln 1.5, ln 2.5, ln 3.5.
        let y = [0.5, 1.5, 2.5, 3.5].map { log($0) }
        let slope = (1.5 * y[0] + 0.5 * y[1] - 0.5 * y[2] - 1.5 * y[3]) / (5 * log(2.0))
        let fit = try #require(Self.fit([1, 8, 2, 4]))
        #expect(abs(fit.exponent + 1 / slope) < 1e-12)
    }

    @Test("keys that are all read alike have none, one key has no law")
    func alike() {
        #expect(Self.fit([7, 7, 7])?.exponent == 0)
        #expect(Self.fit([7]) == nil && Self.fit([]) == nil)
    }

    @Test("ten times the keys, each read as often, is the same law to within a few per cent")
    func copies() throws {
        let reads = (1...100).map { Int(300 * pow(Double($0), -0.9)) }
        let (one, ten) = try (#require(Self.fit(reads)), #require(Self.fit(reads, times: 10)))
        #expect(abs(ten.exponent / one.exponent - 1) < 0.03, "\(one.exponent) \(ten.exponent)")
    }

    @Test(
        "logarithm and exponential are those of the C library",
        arguments: [1e-300, 1e-9, 0.5, 0.999_999, 1, 1.000_001, 2, 3, 10, 12_345.678, 1e300])
    func functions(_ x: Double) {
        #expect(abs(ElementaryFunctions.logarithm(x) - log(x)) <= 1e-14 * max(1, abs(log(x))))
        let y = log(x)
        #expect(abs(ElementaryFunctions.exponential(y) / exp(y) - 1) < 1e-13)
    }
}

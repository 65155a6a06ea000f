import Simulation
import Testing

/// The model's predictions beside what it comes to on paper: a read that enters at distance d visits d + 1 switches of
/// NetChain at r each, one of NetCRAQ; NetChain's tail bounds the sum at 1 / r.
@Suite("The published throughput")
struct PublishedTests {
    private static let r = 4.73 / 4

    private static let rows = Dictionary(
        uniqueKeysWithValues: PublishedModel.HeaderBytes.allCases.map { ($0, PublishedFigures.reads($0)) })

    private static func row(_ name: String, _ headers: PublishedModel.HeaderBytes) throws -> Double {
        try #require(rows[headers]?.first { $0.name == name }).predicted
    }

    @Test("the cost of a packet follows from the point of calibration")
    func calibration() {
        let a = Double(PublishedModel.perPacket)
        let b = Double(PublishedModel.perByte) / 1000
        #expect(abs((a + 72 * b) / (a + 22 * b) - Self.r) < 0.0001)
        #expect(abs(a / b - 252) < 0.5)
    }

    /// Visits of NetChain for each of NetCRAQ.
    static let visits: [(name: String, ratio: Double)] = [
        ("fig. 2, clean, head", 4.0), ("fig. 2, dirty, tail", 1.0), ("fig. 2, dirty, head", 1.0),
        // Four over the sum of 1, 1/2, 1/3 and 1/4.
        ("fig. 3, 25 %", 1.92), ("fig. 3, 100 %", 4.0), ("fig. 5, n = 8", 8.0), ("average, other reading", 2.5),
    ]

    @Test("ratios of lone clients are those of visits, times r", arguments: visits)
    func lone(_ name: String, _ visits: Double) throws {
        #expect(abs(try Self.row(name, .fixed) / (visits * Self.r) - 1) < 0.001)
        #expect(abs(try Self.row(name, .equal) / visits - 1) < 0.001)
    }

    @Test("with headers that grow, eight nodes cost 88 bytes")
    func growth() throws {
        #expect(abs(try Self.row("fig. 5, n = 8", .growing) / (8 * (252 + 88.0) / (252 + 22)) - 1) < 0.001)
    }

    @Test("all published ratios of reads are met within 25 %, by the first reading of the average")
    func reads() {
        for row in Self.rows[.growing] ?? [] where row.name != "average, other reading" {
            #expect(abs(row.error) < 0.25, "\(row.name): \(row.predicted)")
        }
    }

    @Test("NetChain keeps 15 % of its reads at 75 % writes, as published")
    func fall() throws {
        let rows = PublishedFigures.writes(.growing)
        #expect(abs(try #require(rows.first { $0.name == "fig. 4, NetChain's fall" }).error) < 0.05)
    }

    @Test("the more cells a key has, the fewer writes are dropped")
    func versions() {
        let curves = PublishedFigures.versions(.growing)
        #expect(curves.map(\.versions) == [2, 4, 8, 16, 32])
        for (fewer, more) in zip(curves, curves.dropFirst()) {
            for (less, more) in zip(fewer.mixes, more.mixes) {
                #expect(more.dropped <= less.dropped * 1.01 + 1, "more cells drop no more writes")
            }
        }
    }
}

import Analysis
import Etcd
import Testing

@Suite("Coverage")
struct CoverageTests {
    @Test("the line of the documentation")
    func line() {
        var coverage = Coverage()
        coverage.seen = 1_204_000
        coverage.inferred = 328
        coverage.ambiguous = 4
        coverage.lost = 31
        coverage.gaps = 12
        coverage.connections = 118
        coverage.encryptedConnections = 3
        #expect(
            coverage.line == "coverage: 99.99 % of 1 204 332 requests decoded (31 lost to 12 gaps, 4 ambiguous, "
                + "328 inferred), 3 of 118 connections encrypted without keys")
    }

    @Test("what is lost without a gap is not put down to gaps")
    func lostWithoutGaps() {
        var coverage = Coverage()
        coverage.seen = 10
        coverage.lost = 2
        coverage.lostBytes = 700
        #expect(
            coverage.line == "coverage: 80.00 % of 10 requests decoded (2 lost to cut or damaged packets, 0 ambiguous)"
                + ", 700 bytes missing, 0 of 0 connections encrypted without keys")
        #expect(Coverage().line == "coverage: no requests, 0 of 0 connections encrypted without keys")
    }

    @Test("it never says 100.00 % when a request is missing", arguments: [1, 2_000_000])
    func rounding(ambiguous: Int) {
        var coverage = Coverage()
        coverage.seen = 100_000_000
        #expect(coverage.line.hasPrefix("coverage: 100.00 % of 100 000 000 requests"))
        coverage.ambiguous = ambiguous
        #expect(!coverage.line.contains("100.00"))
    }

    @Test("without requests it says so, and still what is missing")
    func noRequests() {
        var coverage = Coverage()
        coverage.connections = 3
        coverage.encryptedConnections = 3
        #expect(coverage.line == "coverage: no requests, 3 of 3 connections encrypted without keys")
        coverage.gaps = 1
        coverage.lostBytes = 1_500
        #expect(
            coverage.line
                == "coverage: no requests (1 gap), 1 500 bytes missing, 3 of 3 connections encrypted without keys")
    }

    @Test("one of anything is singular, none and more are plural")
    func numbers() {
        var coverage = Coverage()
        coverage.seen = 1
        coverage.lost = 1
        coverage.gaps = 1
        coverage.lostBytes = 1
        coverage.connections = 1
        #expect(
            coverage.line == "coverage: 0.00 % of 1 request decoded (1 lost to 1 gap, 0 ambiguous), 1 byte missing, "
                + "0 of 1 connection encrypted without keys")
    }

    @Test("answers that are missing are named; streams left open and calls broken off are not")
    func answers() {
        var load = Workload()
        load.range("a") {
            $0.completeness = [.unfinished]
            $0.status = nil
        }
        load.range("a") { $0.completeness.insert(.responseDamaged) }
        load.range("a") { $0.completeness = [.resetByClient] }
        load.call("/etcdserverpb.Watch/Watch") { $0.completeness = [.unfinished] }
        let coverage = load.report.coverage
        #expect(coverage.unanswered == 2)
        #expect(
            coverage.line == "coverage: 100.00 % of 4 requests decoded (0 lost to 0 gaps, 0 ambiguous, "
                + "2 without a whole answer), 0 of 0 connections encrypted without keys")
    }

    @Test("the health of the last batch holds")
    func health() {
        var analysis = WorkloadAnalysis()
        for gaps in [5, 7] as [Int64] {
            var load = Workload()
            load.batch.health[.gaps] = gaps
            load.batch.health[.lostBytes] = gaps * 100
            load.batch.health[.connections] = 4
            load.batch.health[.packetsDroppedByKernel] = gaps * 1000
            load.batch.health[.packetsDroppedByRing] = 3
            // Linux counts there what nobody listens for.
            load.batch.health[.packetsDroppedByInterface] = 50
            analysis.add(load.batch)
        }
        let coverage = analysis.result().coverage
        #expect(coverage.gaps == 7 && coverage.lostBytes == 700 && coverage.connections == 4)
        #expect(coverage.line.contains(", 7 003 packets dropped, "), "\(coverage.line)")
    }
}

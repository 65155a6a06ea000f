import Analysis
import Etcd
import Testing

/// The fixture of ten runs with the totals that the EdgeSys authors' own logs show.
@Suite("EdgeSys Table 1")
struct EdgeTableTests {
    /// `failed`: one guarded update in that many loses its race; nil for none.
    static func runs(failed: Int? = nil) -> [WorkloadReport] {
        func part(_ total: Int, _ run: Int) -> Int { total / 10 + (run < total % 10 ? 1 : 0) }
        var updates = 0
        return (0..<10).map { run in
            var load = Workload()
            for _ in 0..<part(15_421, run) { load.range("/registry/pods/default/a") }
            for _ in 0..<part(4_002, run) {
                load.txn([(.modRevision, .equal, "k", 0)], success: [.put("k", size: 8)], succeeded: true)
            }
            for _ in 0..<part(4_655, run) {
                updates += 1
                load.txn(
                    [(.modRevision, .equal, "k", 5)], success: [.put("k", size: 8)], failure: [.range("k")],
                    succeeded: failed.map { updates % $0 != 0 } ?? true)
            }
            for _ in 0..<(run < 9 ? 12 : 0) {
                load.txn(
                    [(.modRevision, .equal, "k", 5)], success: [.delete("k")], failure: [.range("k")], succeeded: true)
            }
            for _ in 0..<part(670, run) { load.message(.watchCreate, parts: [.hasRequest, .hasResponse]) }
            for _ in 0..<part(123, run) { load.call("/etcdserverpb.Lease/LeaseGrant") }
            return load.report
        }
    }

    @Test("ten runs with the authors' totals give Table 1 exactly")
    func published() {
        let table = EdgeTable(runs: Self.runs())
        #expect(table.rows.map(\.name) == ["Range", "Txn Range", "Txn Put", "Watch create"])
        for row in table.rows {
            #expect(Int(row.requested.rounded()) == row.published?.count, "\(row.name)")
            #expect(
                Figures.decimal(row.requestedPercent, places: 1)
                    == row.published.map { Figures.decimal($0.percent, places: 1) })
        }
        #expect(table.rows.map { Figures.decimal($0.requested, places: 1) } == ["1 542.1", "476.3", "865.7", "67.0"])
        #expect(Int(table.total.requested.rounded()) == 2951)
        #expect(table.omitted.map(\.name) == ["Lease grant", "Txn Delete"])
        #expect(table.omitted.map { Figures.decimal($0.requested, places: 1) } == ["12.3", "10.8"])
        #expect(table.rows.map { Figures.decimal($0.executed, places: 1) } == ["1 542.1", "0.0", "865.7", "67.0"])
    }

    @Test("updates that fail leave the requested view as it is and move the executed one")
    func failures() {
        let without = EdgeTable(runs: Self.runs())
        let with = EdgeTable(runs: Self.runs(failed: 20))
        #expect(with.rows.map(\.requested) == without.rows.map(\.requested))
        // 232 of the 4 655 updates fail: 23.2 a run.
        #expect(Figures.decimal(with.rows[1].executed, places: 1) == "23.2")
        #expect(Figures.decimal(with.rows[2].executed, places: 1) == "842.5")
    }

    @Test("classes of 1 % and more join the total, smaller ones are listed")
    func threshold() {
        var load = Workload()
        for _ in 0..<98 { load.range("a") }
        load.put("a", size: 1)
        load.call("/etcdserverpb.Maintenance/Status")
        var table = EdgeTable(runs: [load.report])
        #expect(table.rows.map(\.name).suffix(2) == ["Maintenance/Status", "Put"] && table.omitted.isEmpty)
        load.range("a")
        table = EdgeTable(runs: [load.report])
        #expect(table.rows.map(\.name) == ["Range", "Txn Range", "Txn Put", "Watch create"])
        #expect(table.omitted.map(\.name) == ["Maintenance/Status", "Put"] && table.total.requested == 99)
    }
}

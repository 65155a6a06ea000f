/// The figures of the NetCRAQ paper (Sagkriotis, Pezaros, *Scalable Data Plane Caching for Kubernetes*, §II.D) for a
/// recording, beside the published ones.
struct ChainTable {
    private let report: WorkloadReport

    init(_ report: WorkloadReport) { self.report = report }

    var table: TextTable {
        let chain = report.chain
        var table = TextTable(columns: [.left("figure"), .right("recorded"), .right("a second"), .right("paper")])
        table.rows = [
            ["single-key reads", Figures.count(chain.singleKeyReads), rate(chain.singleKeyReads), "15 300"],
            ["  of keys that do not exist", Figures.count(chain.emptyReads), rate(chain.emptyReads), "-"],
            ["writes", Figures.count(chain.writes), rate(chain.writes), "2 900"],
            ["write share, %", Figures.percent(chain.writeShare), "", "16"],
            ["share of the 25 hottest keys, %", Figures.percent(chain.hottestShare), "", "55"],
            ["  without health and rv-probe, %", Figures.percent(chain.hottestShareOfObjects), "", "-"],
        ]
        // Where no outcome is known, neither is it known that nothing was proposed.
        let isUnknown = chain.proposals == 0 && chain.unknownOutcomes > 0
        let proposals = isUnknown ? ["-", "-"] : [Figures.count(chain.proposals), rate(chain.proposals)]
        table.rows.append(["proposals (estimated)"] + proposals + ["3 100"])
        if chain.unknownOutcomes > 0 {
            let unknown = [Figures.count(chain.unknownOutcomes), rate(chain.unknownOutcomes)]
            table.rows.append(["  calls of unknown outcome"] + unknown + ["-"])
        }
        return table
    }

    private func rate(_ count: Int) -> String {
        guard let seconds = report.window?.seconds, seconds > 0 else { return "-" }
        return Figures.decimal(Double(count) / seconds, places: 1)
    }
}

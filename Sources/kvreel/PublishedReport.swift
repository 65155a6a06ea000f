import Analysis
import Simulation

/// What was published of NetCRAQ's and NetChain's throughput, beside what the model predicts.
enum PublishedReport {
    /// Share of a published number that a prediction may be off before it counts as unexplained.
    private static let tolerance = 0.25

    static func print(json: Bool) throws {
        var output = StandardOutput()
        if json {
            var writer = JSONWriter(style: .pretty)
            write(to: &writer)
            try output.write(writer.bytes)
        } else {
            try output.write(text())
        }
        try output.flush()
    }

    private static func rows(_ headers: PublishedModel.HeaderBytes) -> [PublishedFigures.Row] {
        PublishedFigures.reads(headers) + PublishedFigures.writes(headers)
    }

    private static func text() -> String {
        var text = "NetCRAQ's throughput over NetChain's, calibrated on fig. 3, 100 %, alone\n"
        for headers in PublishedModel.HeaderBytes.allCases {
            text += "\n\(headers.rawValue)\n"
            for row in rows(headers) {
                let name = row.name + String(repeating: " ", count: max(1, 26 - row.name.count))
                let error = row.isCalibration ? "calibration" : percent(row.error)
                let isFar = abs(row.error) > tolerance ? "  unexplained" : ""
                text += "  \(name)\(number(row.published))  \(number(row.predicted))  \(error)\(isFar)\n"
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String { Terminal.decimal(value, places: 3) }

    private static func percent(_ share: Double) -> String {
        (share < 0 ? "" : "+") + Terminal.decimal(share * 100, places: 1) + " %"
    }

    /// Rates are operations a second of a world whose unit of time is free: only their ratios mean something. They are
    /// written as whole numbers, ratios as millionths.
    private static func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("schema", "kvreel.simulate-published/1")
        json.member("cost_ratio_millionths", Int(PublishedModel.costRatio * 1e6 + 0.5))
        json.name("headers")
        json.beginArray()
        for headers in PublishedModel.HeaderBytes.allCases { write(headers, to: &json) }
        json.endArray()
        json.endObject()
    }

    private static func write(_ headers: PublishedModel.HeaderBytes, to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", headers.rawValue)
        json.name("rows")
        json.beginArray()
        for row in rows(headers) {
            json.beginCompactObject()
            json.member("name", row.name)
            json.member("what", row.what)
            json.member("published_millionths", Int(row.published * 1e6 + 0.5))
            json.member("predicted_millionths", Int(row.predicted * 1e6 + 0.5))
            json.member("calibration", row.isCalibration)
            json.endObject()
        }
        json.endArray()
        json.name("distances")
        json.beginArray()
        for each in PublishedFigures.distances(headers) {
            json.beginCompactObject()
            json.member("distance", each.distance)
            json.member("netchain", Int(each.netChain))
            json.member("netcraq_clean", Int(each.clean))
            json.member("netcraq_dirty", Int(each.dirty))
            json.endObject()
        }
        json.endArray()
        json.name("congestion")
        json.beginArray()
        for each in PublishedFigures.congestion(headers) {
            json.beginCompactObject()
            json.member("loaded", each.loaded)
            json.member("netchain", Int(each.netChain))
            json.member("netcraq", Int(each.netCRAQ))
            json.endObject()
        }
        json.endArray()
        json.name("lengths")
        json.beginArray()
        for each in PublishedFigures.lengths(headers) {
            json.beginCompactObject()
            json.member("nodes", each.nodes)
            json.member("netchain", Int(each.netChain))
            json.member("netcraq", Int(each.netCRAQ))
            json.endObject()
        }
        json.endArray()
        writeMixes(headers, to: &json)
        json.endObject()
    }

    private static func writeMixes(_ headers: PublishedModel.HeaderBytes, to json: inout JSONWriter) {
        json.name("mixes")
        json.beginArray()
        for charged in [false, true] {
            for mix in PublishedFigures.mixes(headers, chargesAcknowledgements: charged) {
                write(mix, to: &json, versions: nil, charged: charged)
            }
        }
        json.endArray()
        json.name("versions")
        json.beginArray()
        for (versions, mixes) in PublishedFigures.versions(headers) {
            for mix in mixes { write(mix, to: &json, versions: versions, charged: false) }
        }
        json.endArray()
    }

    private static func write(
        _ mix: PublishedFigures.Mix, to json: inout JSONWriter, versions: Int?, charged: Bool
    ) {
        json.beginCompactObject()
        if let versions { json.member("versions", versions) }
        json.member("write_percent", Int(mix.writeShare * 100))
        json.member("acknowledgements_cost", charged)
        json.member("netchain_reads", Int(mix.netChainReads))
        json.member("netchain_writes", Int(mix.netChainWrites))
        json.member("netcraq_reads", Int(mix.netCRAQReads))
        json.member("netcraq_writes", Int(mix.netCRAQWrites))
        json.member("dirty_commits", Int(mix.dirtyCommits))
        json.member("dropped", Int(mix.dropped))
        json.member("overflows", Int(mix.overflows))
        json.endObject()
    }
}

import Analysis
import Replay

extension RunComparison {
    /// One document, schema `kvreel.report/1`: all runs, in the order in which they were named, then the columns of the
    /// text as groups of them. Names are those of `kvreel.replay/1`; times are in nanoseconds.
    package func json() -> [UInt8] {
        var json = JSONWriter(style: .pretty)
        json.beginObject()
        json.member("schema", "kvreel.report/1")
        json.name("warnings")
        json.beginArray()
        for warning in warnings { json.value(warning) }
        json.endArray()
        json.name("runs")
        json.beginArray()
        for place in runs.indices {
            json.beginObject()
            json.member("name", runs[place].name)
            runs[place].writeMembers(to: &json)
            if !expressed.isEmpty {
                json.name("expressed")
                expressed[place].writePart(to: &json)
            }
            json.endObject()
        }
        json.endArray()
        json.name("groups")
        json.beginArray()
        for place in columns.indices { writeGroup(place, to: &json) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// Numbers that a run has one of.
    private static let figures: [(name: String, value: @Sendable (RunSummary) -> Double?, unit: Figure.Unit)] = [
        ("answered", { Double($0.total) }, .count), ("lost", { Double($0.lost) }, .count),
        ("per_second", { $0.throughput }, .rate),
        ("errors", { Double($0.errors) }, .count), ("compared", { Double($0.compared) }, .count),
        ("different", { Double($0.different) }, .count), ("duration_ns", { Double($0.nanoseconds) }, .duration),
        ("approximated_compared", { $0.approximated == 0 ? nil : Double($0.approximated) }, .count),
        ("approximated_different", { $0.approximated == 0 ? nil : Double($0.approximatedDifferent) }, .count),
        ("warm_up", { $0.warmUp == 0 ? nil : Double($0.warmUp) }, .count), ("events", { Double($0.events) }, .count),
        ("not_replayed", { $0.notReplayed.map { Double($0.reduce(0) { $0 + $1.count }) } }, .count),
        ("fidelity", { $0.fidelity }, .share), ("busy_percent", { $0.engine?.busy }, .busy),
        ("delivery_p50_ns", { $0.delivery("p50") }, .time), ("delivery_p99_ns", { $0.delivery("p99") }, .time),
    ]

    // MARK: Groups

    private func writeGroup(_ place: Int, to json: inout JSONWriter) {
        json.beginObject()
        json.member("title", titles[place])
        json.name("runs")
        json.beginArray()
        for run in columns[place] { json.value(run) }
        json.endArray()
        for (name, value, unit) in Self.figures { write(name, unit, place, of: runs, value, to: &json) }
        for (name, times) in RunSummary.times { write(name, place, of: runs, times, to: &json) }
        if !expressed.isEmpty {
            json.name("expressed")
            json.beginObject()
            for (name, value, unit) in Self.figures where Self.figuresOfParts.contains(name) {
                write(name, unit, place, of: expressed, value, to: &json)
            }
            for (name, times) in RunSummary.times.prefix(2) { write(name, place, of: expressed, times, to: &json) }
            json.endObject()
        }
        json.endObject()
    }

    /// What is told of the part of a run that a chain does as recorded.
    private static let figuresOfParts = ["answered", "compared", "different"]

    /// A member with the spread of each percentile, and the distribution of all calls.
    private func write(
        _ name: String, _ place: Int, of runs: [RunSummary], _ times: (RunSummary) -> TimeHistogram,
        to json: inout JSONWriter
    ) {
        json.name(name)
        json.beginObject()
        for (label, number) in TimeHistogram.members {
            write(label, .time, place, of: runs, { times($0).count == 0 ? nil : Double(number(times($0))) }, to: &json)
        }
        json.name("all_calls")
        combined(columns[place].map { runs[$0] }, times).write(to: &json)
        json.endObject()
    }

    /// A member with the spread of a figure; none where no run of the column has it.
    private func write(
        _ name: String, _ unit: Figure.Unit, _ place: Int, of runs: [RunSummary], _ value: (RunSummary) -> Double?,
        to json: inout JSONWriter
    ) {
        func spread(of column: [Int]) -> Spread? { Spread(column.compactMap { value(runs[$0]) }) }
        guard let own = spread(of: columns[place]) else { return }
        json.name(name)
        json.beginCompactObject()
        json.member("runs", own.count)
        json.member("median", own.median, unit)
        json.member("least", own.least, unit)
        json.member("greatest", own.greatest, unit)
        if let quartiles = own.quartiles {
            json.member("lower_quartile", quartiles.lowerBound, unit)
            json.member("upper_quartile", quartiles.upperBound, unit)
        }
        if place > 0, let first = spread(of: columns[0]), first.count > 1 || own.count > 1 {
            json.member("may_be_noise", own.mayBeNoise(beside: first))
        }
        json.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ number: Double, _ unit: Figure.Unit) {
        switch unit {
        case .count where number != number.rounded(), .rate, .share, .busy: member(name, decimal: number)
        case .count, .time, .duration: member(name, Int64(number.rounded()))
        }
    }
}

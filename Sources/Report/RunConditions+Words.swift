import Analysis
import Replay
import Trace

extension RunSummary {
    /// Under which it was measured; nil where its trace does not say it.
    var conditions: RunConditions? { meta[.conditions].flatMap { RunConditions(text: $0) } }
}

extension RunConditions {
    /// What reports say of it: first what repeated runs have in common, then what each has of its own.
    var lines: [String] {
        var lines = ["machine: \(machine)", "members: \(data)"]
        if membersExceedCores { lines.append("members exceed cores: processor contention dominates") }
        if let fsync { lines.append(fsync) }
        let busy = [("members", membersBusy), ("kvreel", replayerBusy)].compactMap { name, share in
            share.map { "\(name) \(Figures.percent($0)) %" }
        }
        var own: [String] = []
        if !busy.isEmpty { own.append("processors: \(busy.joined(separator: ", ")) of \(cores)") }
        if let load { own.append("load average before the run \(load)") }
        if !own.isEmpty { lines.append(own.joined(separator: "; ")) }
        if isGeneratorBound {
            lines.append(
                "generator-bound: kvreel took more than \(Figures.decimal(Self.generatorBound * 100, places: 0)) % of "
                    + "the processors")
        }
        return lines
    }

    private var machine: String {
        var words = [Figures.counted(cores, "core") + (processor.map { " of \($0)" } ?? "")]
        if let memoryBytes {
            words.append("\(Figures.decimal(Double(memoryBytes) / Double(1 << 30), places: 1)) GiB of memory")
        }
        if let kernel { words.append(kernel) }
        return words.joined(separator: ", ")
    }

    private var data: String {
        var words = [Figures.count(members) + (store.map { " of \($0)" } ?? "")]
        if let hasTLS { words.append(hasTLS ? "TLS" : "no TLS") }
        if let fileSystem { words.append("data on \(fileSystem)" + (device.map { " of \($0)" } ?? "")) }
        return words.joined(separator: ", ")
    }

    /// `fsync of the log: p50 at most 1.00 ms, p99 at most 2.00 ms .. 4.00 ms`: over all members.
    private var fsync: String? {
        if fsyncs.isEmpty { return nil }
        let parts = [("p50", \Fsync.medianAtMost), ("p99", \Fsync.p99AtMost)].map { name, bound in
            let bounds = fsyncs.map { $0[keyPath: bound] ?? .max }
            guard let least = bounds.min(), let greatest = bounds.max() else { return name }
            let words = least == greatest ? Self.words(least) : "\(Self.words(least)) .. \(Self.words(greatest))"
            return "\(name) at most \(words)"
        }
        return "fsync of the log: " + parts.joined(separator: ", ")
    }

    private static func words(_ bound: UInt64) -> String {
        bound == .max ? "no bound" : Figures.latency(nanoseconds: Int64(clamping: bound))
    }

    /// The member `conditions`.
    func write(to json: inout JSONWriter) {
        json.name("conditions")
        json.beginObject()
        json.member("cores", cores)
        if let processor { json.member("processor", processor) }
        if let memoryBytes { json.member("memory_bytes", memoryBytes) }
        if let kernel { json.member("kernel", kernel) }
        json.member("members", members)
        json.member("members_exceed_cores", membersExceedCores)
        if let store { json.member("store", store) }
        if let hasTLS { json.member("tls", hasTLS) }
        if let fileSystem { json.member("file_system", fileSystem) }
        if let device { json.member("device", device) }
        json.name("fsync")
        json.beginArray()
        for one in fsyncs {
            json.beginCompactObject()
            json.member("member", one.member)
            json.member("count", one.count)
            if let bound = one.medianAtMost { json.member("p50_at_most_ns", Int64(clamping: bound)) }
            if let bound = one.p99AtMost { json.member("p99_at_most_ns", Int64(clamping: bound)) }
            json.endObject()
        }
        json.endArray()
        if let membersBusy { json.member("members_percent", decimal: membersBusy * 100) }
        if let replayerBusy { json.member("kvreel_percent", decimal: replayerBusy * 100) }
        json.member("generator_bound", isGeneratorBound)
        if let load { json.member("load_average", load) }
        json.endObject()
    }
}

/// Under which conditions a run on members of this machine was measured: what decides its figures beside the store.
///
/// What could not be found out is nil, or missing from a list.
package struct RunConditions: Sendable, Equatable {
    /// How long a member waited for its disk when it wrote its log (`etcd_disk_wal_fsync_duration_seconds`). Bounds of
    /// the histogram's buckets, in nanoseconds: the percentile is not above them; nil beyond the last one.
    package struct Fsync: Sendable, Equatable {
        /// From 1.
        package var member: Int
        package var count: Int
        package var medianAtMost: UInt64?
        package var p99AtMost: UInt64?

        package init(member: Int, count: Int, medianAtMost: UInt64?, p99AtMost: UInt64?) {
            self.member = member
            self.count = count
            self.medianAtMost = medianAtMost
            self.p99AtMost = p99AtMost
        }
    }

    /// Processors that this process may use.
    package var cores: Int
    package var members: Int
    /// The model's name.
    package var processor: String?
    package var memoryBytes: Int64?
    package var kernel: String?
    /// Of the members' data.
    package var fileSystem: String?
    package var device: String?
    /// `etcd 3.4.23`.
    package var store: String?
    package var hasTLS: Bool?
    package var fsyncs: [Fsync] = []
    /// Shares of the time of all processors, 0 to 1: of all members, and of the replayer's process.
    package var membersBusy: Double?
    package var replayerBusy: Double?
    /// `0.50 0.40 0.30` before the run: over 1, 5 and 15 minutes (proc_loadavg(5)).
    package var load: String?

    package init(cores: Int, members: Int) {
        self.cores = cores
        self.members = members
    }

    /// Then members wait for each other's processors, and their number costs more than agreement does.
    package var membersExceedCores: Bool { members > cores }

    /// The share of all processors beyond which the replayer takes from the store what it measures.
    package static let generatorBound = 0.3
    package var isGeneratorBound: Bool { replayerBusy.map { $0 > Self.generatorBound } ?? false }
}

// As traces hold it: a line each of what is known.
extension RunConditions {
    /// `cores 2`, `processor AMD EPYC`, `fsync 1 1204 1000000 4000000` (member, count, bounds; `-` for none), ...
    package var text: String {
        var lines = ["cores \(cores)", "members \(members)"]
        func add(_ name: String, _ value: (some CustomStringConvertible)?) {
            guard let value else { return }
            lines.append("\(name) " + value.description.split(whereSeparator: \.isNewline).joined(separator: " "))
        }
        add("processor", processor)
        add("memory", memoryBytes)
        add("kernel", kernel)
        add("file-system", fileSystem)
        add("device", device)
        add("store", store)
        add("tls", hasTLS)
        for one in fsyncs {
            let bounds = [one.medianAtMost, one.p99AtMost].map { $0.map { "\($0)" } ?? "-" }
            lines.append("fsync \(one.member) \(one.count) " + bounds.joined(separator: " "))
        }
        add("members-busy", membersBusy)
        add("replayer-busy", replayerBusy)
        add("load", load)
        return lines.joined(separator: "\n")
    }

    /// Takes a text as above; lines of which a word is not known are passed over. Nil where cores and members are not
    /// among them.
    package init?(text: String) {
        var read = RunConditions(cores: 0, members: 0)
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(parts[1])
            switch parts[0] {
            case "cores": read.cores = Int(value) ?? 0
            case "members": read.members = Int(value) ?? 0
            case "processor": read.processor = value
            case "memory": read.memoryBytes = Int64(value)
            case "kernel": read.kernel = value
            case "file-system": read.fileSystem = value
            case "device": read.device = value
            case "store": read.store = value
            case "tls": read.hasTLS = Bool(value)
            case "fsync": if let one = Fsync(words: value) { read.fsyncs.append(one) }
            case "members-busy": read.membersBusy = Self.share(value)
            case "replayer-busy": read.replayerBusy = Self.share(value)
            case "load": read.load = value
            default: break
            }
        }
        if read.cores <= 0 || read.members <= 0 { return nil }
        self = read
    }

    private static func share(_ text: String) -> Double? {
        Double(text).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
    }
}

extension RunConditions.Fsync {
    fileprivate init?(words: String) {
        let words = words.split(separator: " ")
        guard words.count == 4, let member = Int(words[0]), let count = Int(words[1]), count >= 0 else { return nil }
        self.init(member: member, count: count, medianAtMost: UInt64(words[2]), p99AtMost: UInt64(words[3]))
    }
}

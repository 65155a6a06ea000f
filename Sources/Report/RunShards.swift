import Replay
package import Trace

/// Shards of one replay, made one run: what their traces say of themselves, added up.
package struct RunShards {
    package struct Shard {
        /// The trace's name.
        package var name: String
        package var meta: TraceMeta

        package init(name: String, meta: TraceMeta) {
            self.name = name
            self.meta = meta
        }
    }

    /// What the trace of all shards together says of itself. Where shards are missing, `TraceMeta.shards` names them.
    package let meta: TraceMeta

    /// - Parameter shards: in any order; at least one.
    package init(_ shards: [Shard]) throws(ShardError) {
        let (shards, all) = try Self.inOrder(shards)
        for shard in shards.dropFirst() { try Self.check(shard, beside: shards[0]) }
        let metas = shards.map(\.meta)
        var meta = TraceMeta.merged(metas.map(Self.withoutReplay))
        for (entry, _) in Self.shared { meta[entry] = metas[0][entry] }
        for entry in [TraceMeta.ReplayEntry.traces, .preload] { meta[entry] = metas[0][entry] }
        meta[.shard] = all.text
        meta[.verdict] = Self.verdict(metas)
        meta[.rule] = Self.rule(metas)
        meta[.engine] = Self.engine(metas)
        let faults = metas.compactMap { $0[.faults] }
        meta[.faults] = faults.isEmpty ? nil : faults.joined(separator: "\n")
        let counts = metas.compactMap { $0[.counts] }.reduce(RunCounts()) { $0 + RunCounts(text: $1) }
        if let verdict = Self.worstVerdict(metas) {
            let notChecked = metas.count { $0[.consistency] == nil }
            meta[.consistency] =
                counts.consistency(verdict) + (notChecked > 0 ? "; \(notChecked) of \(metas.count) not checked" : "")
        }
        counts.describe(&meta, examples: RunCounts.examples(of: metas.compactMap { $0[.remarks] }))
        var delivery = TimeHistogram()
        for times in metas.compactMap({ $0[.deliveries].flatMap { TimeHistogram(text: $0) } }) { delivery.add(times) }
        meta.describe(delivery: delivery)
        self.meta = meta
    }

    /// By their numbers; no number twice.
    private static func inOrder(_ shards: [Shard]) throws(ShardError) -> ([Shard], ShardSet) {
        var numbered: [(shard: Shard, set: ShardSet)] = []
        for shard in shards {
            guard let set = shard.meta.shards else {
                throw ShardError(
                    name: shard.name, why: "it is a whole replay, and no shard of one",
                    remedy: "kvreel report sets whole replays side by side.")
            }
            for (other, others) in numbered {
                if set.count != others.count {
                    throw ShardError(
                        name: shard.name, why: "it is of \(set.count) shards, and \(other.name) is of \(others.count)")
                }
                if let number = set.numbers.first(where: { others.numbers.contains($0) }) {
                    throw ShardError(
                        name: shard.name, why: "it is shard \(number), and so is \(other.name)",
                        remedy: "Every call of it would count twice: name the shards of one run.")
                }
            }
            numbered.append((shard, set))
        }
        numbered.sort { $0.set.numbers[0] < $1.set.numbers[0] }
        guard let count = numbered.first?.set.count, let all = ShardSet(numbered.flatMap(\.set.numbers), of: count)
        else { throw ShardError(name: "no trace", why: "there is nothing to merge") }
        return (numbered.map(\.shard), all)
    }

    /// What the shards of a run say alike, with the words for it.
    private static let shared: [(entry: TraceMeta.ReplayEntry, words: String)] = [
        (.backend, "backend"), (.schedule, "schedule"), (.order, "order"), (.coverage, "coverage of the trace"),
        (.run, "run"),
    ]

    private static func check(_ shard: Shard, beside first: Shard) throws(ShardError) {
        func file(_ meta: TraceMeta) -> Substring? { meta[.traces]?.split(separator: "/").last }
        if file(shard.meta) != file(first.meta) {
            throw ShardError(
                name: shard.name,
                why: "it replayed another trace than \(first.name): \(shard.meta[.traces] ?? "none"), not "
                    + (first.meta[.traces] ?? "none"))
        }
        for (entry, words) in shared where shard.meta[entry] != first.meta[entry] {
            // A run that did not come to its end says nothing of what stands there.
            if shard.meta[.verdict] == nil || first.meta[.verdict] == nil,
                shard.meta[entry] == nil || first.meta[entry] == nil
            {
                continue
            }
            throw ShardError(
                name: shard.name,
                why: "another \(words) than of \(first.name): \(shard.meta[entry] ?? "none"), not "
                    + (first.meta[entry] ?? "none"))
        }
    }

    private static func withoutReplay(_ meta: TraceMeta) -> TraceMeta {
        var rest = meta
        for entry in TraceMeta.ReplayEntry.allCases { rest[entry] = nil }
        return rest
    }

    // MARK: Words that are of no sum

    /// The worst; none where one shard has none.
    private static func verdict(_ metas: [TraceMeta]) -> String? {
        let verdicts = metas.map { $0[.verdict] }
        if verdicts.contains(nil) { return nil }
        return verdicts.contains("invalid") ? "invalid" : verdicts[0]
    }

    /// The rule that all name; where they differ, each shard's, a line each.
    private static func rule(_ metas: [TraceMeta]) -> String? {
        let rules = metas.compactMap { $0[.rule] }
        guard let first = rules.first else { return nil }
        if metas.count == 1 || rules.count == metas.count && rules.allSatisfy({ $0 == first }) { return first }
        let lines = metas.flatMap { meta -> [String] in
            guard let rule = meta[.rule], let shards = meta.shards else { return [] }
            if shards.numbers.count > 1 { return rule.split(separator: "\n").map(String.init) }
            return ["shard \(shards.numbers[0]): \(rule)"]
        }
        return lines.joined(separator: "\n")
    }

    /// The engine that was busiest; what is noted of all.
    private static func engine(_ metas: [TraceMeta]) -> String? {
        let engines = metas.compactMap { RunSummary(name: "", meta: $0).engine }
        guard let busiest = engines.max(by: { $0.busy < $1.busy }) else { return nil }
        if metas.count == 1 { return metas[0][.engine] }
        let notes = Set(engines.map { $0.note.hasPrefix(atMost) ? String($0.note.dropFirst(atMost.count)) : $0.note })
        return RunSummary.engineWords(busiest.busy) + atMost + (notes.count == 1 ? notes.first ?? "" : "")
    }

    private static let atMost = " at most"

    private static func worstVerdict(_ metas: [TraceMeta]) -> String? {
        let verdicts = metas.compactMap { $0[.consistency]?.split(separator: ":").first.map(String.init) }
        return ["violation", "unknown"].first { verdicts.contains($0) } ?? verdicts.first
    }
}

extension TraceMeta {
    /// Which shards of a replay it is of; nil of a whole one.
    package var shards: ShardSet? { self[.shard].flatMap { ShardSet($0) } }
}

/// Why traces are not shards of one replay.
package struct ShardError: Error {
    /// The trace.
    package var name: String
    package var why: String
    package var remedy: String?

    init(name: String, why: String, remedy: String? = "Name the shards of one run, each once.") {
        self.name = name
        self.why = why
        self.remedy = remedy
    }
}

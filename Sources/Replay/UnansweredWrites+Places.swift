import Etcd
import Wire

// Which of them were executed.
extension UnansweredWrites {
    /// The candidates, those that were executed with their places.
    func resolved(shown: ShownRevisions, plan: ReplayPlan) -> [Candidate] {
        var places = UnansweredPlaces(self, plan)
        places.takeShown(shown)
        // What a chain is made to do instead leaves other versions, and no leases.
        if !isBlind, plan.expression == nil { places.takeMissing(shown) }
        return places.candidates
    }
}

/// Finds the places of writes without an answer.
private struct UnansweredPlaces {
    /// A key that a candidate may have changed.
    private struct Change {
        var key: UInt32
        var isPut: Bool
        var lease: Int64
    }

    private(set) var candidates: [UnansweredWrites.Candidate]
    private let writes: UnansweredWrites
    private var timelines: [UInt32: KeyTimeline] = [:]
    /// Of each key the changes at revisions that no answered write had.
    private var unexplained: [UInt32: [KeyTimeline.State]] = [:]
    /// Of each key how many of these, from the first on, were given to candidates.
    private var given: [UInt32: Int] = [:]
    /// By candidate.
    private var changes: [[Change]] = []
    /// In the order in which the candidates began.
    private let order: [Int]
    /// Revisions that were given to candidates.
    private var taken: Set<Int64> = []
    /// Keys that ranges may have deleted, without an answer.
    private var mayBeDeleted: Set<UInt32>
    private let hidden: [Int64]

    /// Revisions, or changes, that are looked at to find a free one.
    private static let steps = 1 << 12

    init(_ writes: UnansweredWrites, _ plan: ReplayPlan) {
        self.writes = writes
        candidates = writes.candidates
        mayBeDeleted = writes.contested
        hidden = writes.hidden.sorted()
        let facts = writes.candidates.map(\.facts)
        order = facts.indices.sorted { (facts[$0].time, $0) < (facts[$1].time, $1) }
        var sorted = writes.states
        sorted.sort { $0.key < $1.key }
        var first = 0
        while first < sorted.count {
            var end = first + 1
            while end < sorted.count, sorted[end].key == sorted[first].key { end += 1 }
            let timeline = KeyTimeline(sorted[first..<end])
            timelines[sorted[first].key] = timeline
            unexplained[sorted[first].key] = timeline.changes.filter { !writes.explained.contains($0.revision) }
            first = end
        }
        for candidate in candidates { changes.append(collect(candidate.call, plan)) }
    }

    /// Those of both branches of a transaction: nothing tells which one its compares led to.
    private mutating func collect(_ call: PlannedCall, _ plan: ReplayPlan) -> [Change] {
        let bytes = plan.keys.bytes
        var found: [Change] = []
        for body in [call.body] + plan.parts[call.parts.range] where body.kind == .put || body.kind == .delete {
            let key = bytes.span.extracting(plan.keys.range(of: body.key))
            if body.flags.contains(.hasRangeEnd) {
                let end = bytes.span.extracting(plan.keys.range(of: body.rangeEnd))
                mayBeDeleted.formUnion(writes.numbers(from: key, to: end))
            } else {
                let number = writes.keys.existingNumber(of: key)
                if number != 0 { found.append(Change(key: number, isPut: body.kind == .put, lease: body.lease)) }
            }
        }
        return found
    }

    // MARK: What is shown

    /// A key was changed at a revision that no answered write had. Each revision is given to one candidate, the first
    /// to have begun.
    mutating func takeShown(_ shown: ShownRevisions) {
        for place in order {
            let begun = candidates[place].facts.time
            let after = shown.revision(at: begun)
            var found: Int64?
            for change in changes[place] {
                if let shown = firstShown(change, after: after, begun: begun) { found = min(found ?? .max, shown) }
            }
            if let found { take(found, for: place, isCertain: true) }
        }
    }

    private mutating func firstShown(_ change: Change, after revision: Int64, begun: Int64) -> Int64? {
        guard let states = unexplained[change.key], !writes.contested.contains(change.key) else { return nil }
        var first = given[change.key] ?? 0
        while first < states.count, taken.contains(states[first].revision) { first += 1 }
        given[change.key] = first
        first = max(first, states.partitioningIndex { $0.revision > revision })
        let found = states[first..<min(states.count, first + Self.steps)].first { state in
            guard state.isPresent == change.isPut, state.time >= begun,
                !taken.contains(state.revision)
            else { return false }
            if change.isPut { return true }
            // Or its lease ended.
            return !mayBeDeleted.contains(change.key) && !writes.revoked.contains(state.revision)
                && timelines[change.key]?.lease(before: state.revision) ?? 0 == 0
        }
        return found?.revision
    }

    private mutating func take(_ revision: Int64, for place: Int, isCertain: Bool) {
        taken.insert(revision)
        candidates[place].facts.place = CallFacts.place(revision, hasChanged: true)
        if isCertain { candidates[place].call.headerRevision = revision }
    }

    // MARK: What is missing

    /// A key must have been changed, and just one candidate can have done it. It gets the last revision at which that
    /// may have been; where there are others, none refers to it.
    mutating func takeMissing(_ shown: ShownRevisions) {
        var open: [UInt32: Candidates] = [:]
        var isLeased: Set<UInt32> = []
        for place in order {
            for change in changes[place] {
                if candidates[place].facts.place == 0 {
                    open[change.key, default: Candidates()].add(place, isPut: change.isPut)
                }
                if change.isPut, change.lease != 0 { isLeased.insert(change.key) }
            }
        }
        var gaps: [Int: [(key: UInt32, gap: KeyTimeline.Gap)]] = [:]
        for (key, places) in open where !writes.contested.contains(key) {
            guard let timeline = timelines[key] else { continue }
            let isUncertain = isLeased.contains(key) || mayBeDeleted.contains(key)
            for gap in timeline.gaps(mayBeDeleted: isUncertain || !places.deletes.isEmpty) where isWhole(gap) {
                if !gap.isPut, isUncertain { continue }
                let fitting = (gap.isPut ? places.puts : places.deletes).filter { fits(gap, $0, shown) }
                if fitting.count == 1 { gaps[fitting[0], default: []].append((key, gap)) }
            }
        }
        for place in order {
            guard let found = gaps[place], Set(found.map(\.key)).count == found.count else { continue }
            let begun = shown.revision(at: candidates[place].facts.time)
            let after = found.reduce(begun) { max($0, $1.gap.after) }
            let last = found.reduce(Int64.max) { min($0, $1.gap.last) }
            if let (revision, isOnly) = free(after: after, upTo: last, found.map(\.key)) {
                take(revision, for: place, isCertain: isOnly)
            }
        }
    }

    /// Whether the recording shows all writes of that time, as far as it can.
    private func isWhole(_ gap: KeyTimeline.Gap) -> Bool {
        guard gap.after >= writes.start, gap.after < gap.last else { return false }
        let later = hidden.partitioningIndex { $0 > gap.after }
        return later == hidden.count || hidden[later] > gap.last
    }

    /// The first two candidates that may have changed a key so. Of those that began later none fits what the second one
    /// does not, and two are too many.
    private struct Candidates {
        private(set) var puts: [Int] = []
        private(set) var deletes: [Int] = []

        mutating func add(_ place: Int, isPut: Bool) {
            if isPut { Self.add(place, to: &puts) } else { Self.add(place, to: &deletes) }
        }

        private static func add(_ place: Int, to places: inout [Int]) {
            if places.count < 2, places.last != place { places.append(place) }
        }
    }

    private func fits(_ gap: KeyTimeline.Gap, _ place: Int, _ shown: ShownRevisions) -> Bool {
        let begun = candidates[place].facts.time
        return begun <= gap.time && shown.revision(at: begun) < gap.last
    }

    /// The last revision that no other write had and at which the keys may have changed; whether it is the only one.
    private func free(after: Int64, upTo last: Int64, _ keys: [UInt32]) -> (revision: Int64, isOnly: Bool)? {
        var found: Int64?
        var revision = last
        for _ in 0..<Self.steps {
            if revision <= after { return found.map { ($0, true) } }
            if !writes.explained.contains(revision), !taken.contains(revision),
                keys.allSatisfy({ timelines[$0]?.mayHaveChanged(at: revision) ?? true })
            {
                if let found { return (found, false) }
                found = revision
            }
            revision -= 1
        }
        return found.map { ($0, false) }
    }
}

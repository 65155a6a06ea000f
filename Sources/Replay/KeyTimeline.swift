import Wire

/// The states that a recording shows one key in, by the store's revisions, and what is missing between them.
struct KeyTimeline: Sendable {
    /// A state of the key.
    struct State: Sendable {
        var key: UInt32 = 0
        var isPresent: Bool
        /// Whether it came about at `revision`; else it was seen at that revision, and came about at it or before.
        var isChange: Bool
        var revision: Int64
        /// It lasted until then at least.
        var until: Int64
        /// When it was seen first, nanoseconds since the epoch.
        var time: Int64
        /// 0 where not known.
        var created: Int64 = 0
        var version: Int64 = 0
        /// nil where not known.
        var lease: Int64?

        /// Takes what another sight of the same state shows.
        fileprivate mutating func join(_ other: State) {
            until = max(until, other.until)
            time = min(time, other.time)
            if created == 0 { created = other.created }
            if version == 0 { version = other.version }
            if lease == nil { lease = other.lease }
        }

        /// Takes what another sight shows, if this tells as much of the key's changes; whether it does.
        mutating func absorb(_ other: State) -> Bool {
            if isChange {
                guard isSame(as: other) else { return false }
            } else {
                guard !other.isChange, isPresent == other.isPresent, created == other.created,
                    version == other.version, revision <= other.revision
                else { return false }
                return true
            }
            join(other)
            return true
        }

        fileprivate func isSame(as other: State) -> Bool {
            key == other.key && revision == other.revision && isChange == other.isChange && isPresent == other.isPresent
        }
    }

    /// A change that none of the states shows, but that must have been: after one revision, and no later than another.
    struct Gap: Sendable {
        var isPut: Bool
        var after: Int64
        var last: Int64
        /// When it was seen to be.
        var time: Int64
    }

    /// By revision; of those at the same one, the change first.
    private(set) var states: [State] = []
    private(set) var changes: [State] = []
    /// The lease that the key had before each of the states, and behind the last; nil where that is not known.
    private var leases: [Int64?] = [nil]

    /// - Parameter seen: of one key.
    init(_ seen: some Sequence<State>) {
        var all = Array(seen)
        var creations: [Int64: Int64] = [:]
        for state in all where state.created > 0 {
            creations[state.created] = min(creations[state.created] ?? .max, state.time)
        }
        for (created, time) in creations {
            all.append(
                State(
                    isPresent: true, isChange: true, revision: created, until: 0, time: time, created: created,
                    version: 1))
            if created > 1 {
                all.append(State(isPresent: false, isChange: false, revision: created - 1, until: 0, time: time))
            }
        }
        for place in all.indices {
            all[place].key = 0
            all[place].until = max(all[place].until, all[place].revision)
        }
        all.sort {
            if $0.revision != $1.revision { return $0.revision < $1.revision }
            return $0.isChange == $1.isChange ? $0.time < $1.time : $0.isChange
        }
        for state in all {
            if states.last?.isSame(as: state) == true {
                states[states.count - 1].join(state)
            } else {
                states.append(state)
            }
        }
        changes = states.filter(\.isChange)
        leases.reserveCapacity(states.count + 1)
        var lease: Int64?
        for state in states {
            state.lend(to: &lease)
            leases.append(lease)
        }
    }

    /// Whether the key may have changed at a revision at which no change of it is known.
    func mayHaveChanged(at revision: Int64) -> Bool {
        let later = changes.partitioningIndex { $0.revision > revision }
        return later == 0 || changes[later - 1].until < revision
    }

    /// The lease that the key had below a revision; nil where that is not known.
    func lease(before revision: Int64) -> Int64? {
        leases[states.partitioningIndex { $0.revision >= revision }]
    }

    /// What is missing: changes between presence and absence, and puts by which versions rise more than known ones
    /// explain. A lease may have ended where the key had one, or may have had.
    ///
    /// - Parameter mayBeDeleted: whether something is known that may have deleted it without being seen.
    func gaps(mayBeDeleted: Bool) -> [Gap] {
        var gaps: [Gap] = []
        var lease: Int64?
        var until: Int64 = 0
        var earlier: State?
        /// Since `earlier`.
        var puts: Int64 = 0
        var mayHaveEnded = false
        for (place, state) in states.enumerated() {
            let isOther = place > 0 && states[place - 1].isPresent != state.isPresent
            if isOther, !state.isChange, state.isPresent || lease == 0 {
                gaps.append(Gap(isPut: state.isPresent, after: until, last: state.revision, time: state.time))
            }
            if isOther { lease = nil }
            state.lend(to: &lease)
            until = state.isChange || isOther ? state.until : max(until, state.until)
            if !state.isPresent {
                mayHaveEnded = true
                continue
            }
            if state.isChange { puts += 1 }
            if state.version > 0 {
                let last = state.isChange ? state.revision - 1 : state.revision
                if let earlier, earlier.isOfOneLife(with: state, unless: mayHaveEnded || mayBeDeleted),
                    earlier.version < state.version, state.version - earlier.version - puts == 1
                {
                    gaps.append(Gap(isPut: true, after: earlier.until, last: last, time: state.time))
                }
                earlier = state
                puts = 0
                mayHaveEnded = false
            }
            if lease != 0 { mayHaveEnded = true }
        }
        return gaps
    }
}

extension KeyTimeline.State {
    /// A change leaves the lease that it shows, and no other.
    fileprivate func lend(to lease: inout Int64?) {
        if isChange || !isPresent || self.lease != nil { lease = self.lease }
    }

    /// Whether the key was there all the time from this state to the other.
    fileprivate func isOfOneLife(with other: Self, unless mayHaveEnded: Bool) -> Bool {
        created > 0 && other.created > 0 ? created == other.created : !mayHaveEnded
    }
}

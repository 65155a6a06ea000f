import Etcd
import Replay

/// The obvious key-value store with revisions: every state of every key is kept, ranges look at all keys.
struct ModelStore {
    struct State {
        var created: Int64
        var modified: Int64
        var version: Int64
        var lease: Int64
        /// 0 where the key was deleted at `modified`.
        var exists: Bool
    }

    private(set) var revision: Int64 = 1
    private(set) var states: [[UInt8]: [State]] = [:]
    private var leases: Set<Int64> = []
    private var nextLease: Int64 = 7_000_000_000

    func state(_ key: [UInt8], at revision: Int64) -> State? {
        guard let state = states[key]?.last(where: { $0.modified <= revision }), state.exists else { return nil }
        return state
    }

    func keys(_ key: [UInt8], _ end: [UInt8]?, at revision: Int64) -> [[UInt8]] {
        guard let end else { return state(key, at: revision) == nil ? [] : [key] }
        return states.keys.filter {
            !$0.lexicographicallyPrecedes(key) && (end == [0] || $0.lexicographicallyPrecedes(end))
                && state($0, at: revision) != nil
        }
    }

    /// Whether the latest state of the key is as the compare asks, with `operand` for its own; a key that is not there
    /// has zeros (rpc.proto Compare).
    func holds(_ compare: Compare, of key: [UInt8], operand: Int64) -> Bool {
        let state = state(key, at: revision)
        let value: Int64 =
            switch compare.target {
            case .version: state?.version ?? 0
            case .createRevision: state?.created ?? 0
            case .modRevision: state?.modified ?? 0
            case .lease: state?.lease ?? 0
            case .value: 0
            }
        return switch compare.relation {
        case .equal: value == operand
        case .notEqual: value != operand
        case .greater: value > operand
        case .less: value < operand
        }
    }

    mutating func put(_ key: [UInt8], lease: Int64, at revision: Int64) {
        let old = state(key, at: revision)
        states[key, default: []].append(
            State(
                created: old?.created ?? revision, modified: revision, version: (old?.version ?? 0) + 1, lease: lease,
                exists: true))
    }

    mutating func delete(_ key: [UInt8], at revision: Int64) {
        states[key, default: []].append(State(created: 0, modified: revision, version: 0, lease: 0, exists: false))
    }

    mutating func advance() -> Int64 {
        revision += 1
        return revision
    }

    mutating func grant() -> Int64 {
        nextLease += 1
        leases.insert(nextLease)
        return nextLease
    }

    /// False if there is no such lease.
    mutating func revoke(_ lease: Int64) -> Bool {
        guard leases.remove(lease) != nil else { return false }
        let held = states.keys.filter { state($0, at: revision)?.lease == lease }
        if !held.isEmpty { _ = advance() }
        for key in held { delete(key, at: revision) }
        return true
    }

    /// The first revision that can still be asked for.
    private(set) var compacted: Int64 = 0

    /// False if it was done before, or lies in the future.
    mutating func compact(_ revision: Int64) -> Bool {
        guard revision > compacted, revision <= self.revision else { return false }
        compacted = revision
        return true
    }

    func hasLease(_ lease: Int64) -> Bool { lease == 0 || leases.contains(lease) }
}

package import Replay

/// Holds a backend to what `Backend` says that it owes its driver, by scripts that are run on it.
///
///     let violations = BackendConformance(features: .all, prefix: "/conformance/").run(on: backend)
///
/// Needs no test framework: what is broken comes back as values. A backend that never calls its driver again, though
/// it was told when, makes `run` wait for ever: give it a time limit from outside.
package struct BackendConformance {
    /// What a backend has besides answers.
    package struct Features: OptionSet, Sendable {
        package var rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Keys that were put are there: ranges over several of them, with all that etcd tells of each.
        package static let state = Features(rawValue: 1 << 0)
        /// Transactions on that state.
        package static let transactions = Features(rawValue: 1 << 1)
        /// Leases on that state.
        package static let leases = Features(rawValue: 1 << 2)
        /// Watches of that state.
        package static let watches = Features(rawValue: 1 << 3)
        /// Keys that were put are there, one by one: its size and mod revision.
        package static let keys = Features(rawValue: 1 << 4)
        /// Transactions of one such key: a compare of its mod revision, or that it is absent, and a put or delete.
        package static let comparisons = Features(rawValue: 1 << 5)
        package static let all: Features = [.state, .transactions, .leases, .watches, .keys, .comparisons]
    }

    let features: Features
    let prefix: String
    let patience: Int64

    /// - Parameters:
    ///   - prefix: what all keys begin with that are written; nobody else may write below it.
    ///   - patience: nanoseconds after which a script is given up and what it lacks is a violation.
    package init(features: Features, prefix: String, patience: Int64 = 30_000_000_000) {
        self.features = features
        self.prefix = prefix
        self.patience = patience
    }

    /// The keys that are named where a backend has no more than `.keys` and `.comparisons`, for one that has to be told
    /// of them before.
    package static func keys(below prefix: String) -> [String] { ConformanceRun.names().map { prefix + $0 } }

    /// Opens the backend, runs all that its features allow, and closes it. Without repetitions, in the order of the
    /// scripts.
    package func run(on backend: any Backend) -> [Violation] {
        let run = ConformanceRun(backend, prefix: prefix, patience: patience)
        do throws(BackendError) {
            try backend.open(connections: ConformanceRun.connections)
        } catch {
            return [Violation(rule: .end, seen: "\(error)")]
        }
        run.idle()
        run.timetable()
        run.pace()
        run.burst()
        run.abandoned()
        if features.contains(.keys) { run.keys() }
        if features.contains([.keys, .comparisons]) {
            run.comparisons()
            run.competition()
        }
        if features.contains(.state) { run.store() }
        if features.contains([.state, .transactions]) { run.transactions() }
        if features.contains([.state, .leases]) { run.leases() }
        if features.contains([.state, .watches]) { run.watches() }
        backend.close()
        return run.violations
    }
}

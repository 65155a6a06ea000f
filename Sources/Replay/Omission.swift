package import Etcd

/// Why a call of the trace is not replayed.
package enum Omission: UInt8, Sendable, CaseIterable {
    /// Its method is not known.
    case ambiguous
    /// Its method is none of etcd's.
    case uncatalogued
    /// The request's bytes, or some of them, were not seen.
    case requestLost
    /// It was cancelled before the server read it.
    case withdrawn
    /// No answer was seen, and nothing shows that it was executed.
    case unanswered
    /// The trace does not hold what its request says: revision filters, value compares, users and roles.
    case notRecorded
    /// It would change the target itself: members, alarms, users, defragmentation, downgrade.
    case administrative
    /// It writes a value beyond what a plan holds.
    case tooLarge
    /// A stream that was open before the recording, of which nothing shows what it asked for.
    case openedBefore
}

/// Counts of calls that are not replayed, by kind and reason.
package struct OmissionTable: Sendable, Equatable {
    private var counts = Array(
        repeating: 0, count: OperationKind.allCases.count * Omission.allCases.count)

    package init() {}

    package subscript(kind: OperationKind, reason: Omission) -> Int {
        get { counts[Int(kind.rawValue) * Omission.allCases.count + Int(reason.rawValue)] }
        set { counts[Int(kind.rawValue) * Omission.allCases.count + Int(reason.rawValue)] = newValue }
    }

    mutating func count(_ kind: OperationKind, _ reason: Omission) { self[kind, reason] += 1 }

    package var total: Int { counts.reduce(0, +) }

    package func total(of reason: Omission) -> Int {
        OperationKind.allCases.reduce(0) { $0 + self[$1, reason] }
    }
}

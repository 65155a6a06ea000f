package import Etcd

/// Why a chain cannot do a recorded call as it was recorded. The first that holds, of the call itself or of its keys,
/// is counted.
package enum ChainObstacle: UInt8, Sendable, CaseIterable {
    // Calls that stand for themselves: nothing comes near them.
    case watch
    case leaseCall
    case compaction
    case maintenance
    case lock
    /// It was answered with an error, which a chain would not give.
    case refused
    // Reads of more than a key as it is. Nothing is changed by them: their keys stay what they are.
    case range
    case pastRevision
    // Of keys: what is done to them at some time of the trace.
    /// The key has a lease at some time, and is deleted when that ends.
    case lease
    /// A value of the key does not fit.
    case valueTooLarge
    /// It is changed or compared by a transaction of another form than a chain has: over several keys, or several
    /// operations.
    case transaction
    /// It is compared by something else than its mod revision, or otherwise than for equality.
    case compare
    /// It is compared or deleted, and the paper's chain does not compare.
    case noCompare
    /// It is deleted with others.
    case deletedRange
    /// A put asks for the value before.
    case previousValue
    /// A put keeps the value and changes the rest.
    case keptValue

    /// Whether something comes near it.
    var isApproximable: Bool {
        switch self {
        case .watch, .leaseCall, .compaction, .maintenance, .lock, .refused: false
        default: true
        }
    }

    package var words: String {
        switch self {
        case .watch: "watches"
        case .leaseCall: "calls of leases"
        case .compaction: "compactions"
        case .maintenance: "maintenance"
        case .lock: "locks and elections"
        case .refused: "answered with an error in the recording"
        case .range: "a range over keys"
        case .pastRevision: "a read at a revision"
        case .lease: "key with a lease"
        case .valueTooLarge: "key with a value that does not fit"
        case .transaction: "key in a transaction of another form than a chain has"
        case .compare: "key compared by what a chain does not compare"
        case .noCompare: "key compared or deleted, and the paper's chain does not compare"
        case .deletedRange: "key deleted by a range"
        case .previousValue: "key of which a put asks for the value before"
        case .keptValue: "key of which a put keeps the value"
        }
    }
}

/// Several obstacles.
struct ObstacleSet: OptionSet, Sendable {
    var rawValue: UInt16
    static let lease = ObstacleSet(.lease)
    static let valueTooLarge = ObstacleSet(.valueTooLarge)
    static let transaction = ObstacleSet(.transaction)
    static let compare = ObstacleSet(.compare)
    static let noCompare = ObstacleSet(.noCompare)
    static let deletedRange = ObstacleSet(.deletedRange)
    static let previousValue = ObstacleSet(.previousValue)
    static let keptValue = ObstacleSet(.keptValue)

    /// Those under which each write of the key is still sent, if approximated, so that its versions are compared as
    /// recorded.
    static let ofContent: ObstacleSet = [.valueTooLarge, .previousValue, .keptValue]

    init(rawValue: UInt16) { self.rawValue = rawValue }
    init(_ obstacle: ChainObstacle) { rawValue = 1 << obstacle.rawValue }

    var first: ChainObstacle? {
        rawValue == 0 ? nil : ChainObstacle(rawValue: UInt8(rawValue.trailingZeroBitCount))
    }
}

/// What becomes of an operation of a batch on its way to a chain.
package enum Expressed: Sendable, Equatable {
    case asRecorded
    /// What comes nearest to a call of that kind; the first of those that stand for the call is `counted`.
    case approximated(ChainObstacle, of: OperationKind, counted: Bool)
    case leftOut(ChainObstacle)
    /// Others stand for it, and are counted.
    case replaced
}

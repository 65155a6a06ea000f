import Etcd

/// What a chain does of etcd's operations: reads, writes and deletes a key; and, unless it is a paper's, compares the
/// version of a key before it writes or deletes it.
package struct ChainAbilities: Sendable, Equatable {
    /// Bytes that a value may have.
    package var valueBytes: Int64
    /// Whether it compares. Without, it has no deletion either: that is a write of nothing in place of what was read.
    package var hasCompare: Bool

    /// Bytes of what is written instead of a value that is too large: an identifier of 8 bytes, and as much again.
    package static let digestBytes: Int64 = 16

    /// As traces hold it: `1024 bytes`, `16 bytes, no compare`.
    package var text: String { "\(valueBytes) bytes" + (hasCompare ? "" : Self.noCompare) }
    private static let noCompare = ", no compare"

    /// Nil if the text is none of those.
    package init?(text: String) {
        hasCompare = !text.hasSuffix(Self.noCompare)
        guard let number = text.split(separator: " ").first, let bytes = Int64(number), bytes > 0 else { return nil }
        valueBytes = bytes
        guard self.text == text else { return nil }
    }

    /// What both do.
    package func intersection(_ other: ChainAbilities) -> ChainAbilities {
        ChainAbilities(
            valueBytes: min(valueBytes, other.valueBytes), hasCompare: hasCompare && other.hasCompare)
    }

    package init(valueBytes: Int64, hasCompare: Bool = true) {
        self.valueBytes = valueBytes
        self.hasCompare = hasCompare
    }
}

/// What becomes of calls that a chain cannot express.
package enum UnsupportedPolicy: String, Sendable, CaseIterable {
    /// They are left out.
    case skip
    /// There is no plan.
    case fail
    /// What comes nearest is done instead, where there is something.
    case approximate
}

// What a call needs by itself, whatever else is done to its keys.
extension ChainAbilities {
    /// Why a chain cannot do a recorded call; nil if it can. For calls of which the whole request is known.
    func obstacle(of call: Operation, in batch: borrowing OperationBatch) -> ChainObstacle? {
        switch call.kind {
        case .watch, .watchCreate, .watchCancel, .watchProgress, .watchEvents, .watchNotify, .watchCanceled: .watch
        case .leaseGrant, .leaseRevoke, .leaseKeepAlive, .leaseTimeToLive, .leaseLeases: .leaseCall
        case .compact: .compaction
        case .lock, .election: .lock
        case .other, .alarm, .status, .hashKV, .snapshot, .auth, .cluster, .maintenance: .maintenance
        case .range, .rangeStream, .put, .delete, .txn:
            if call.isRefused { .refused } else { obstacle(ofKeyValue: call, in: batch) }
        }
    }

    private func obstacle(ofKeyValue call: Operation, in batch: borrowing OperationBatch) -> ChainObstacle? {
        if call.kind == .rangeStream { return .range }
        if call.kind == .txn { return obstacle(ofTransaction: call, in: batch) }
        return obstacle(of: call.body)
    }

    /// Of a call of its own, or an operation of a transaction.
    private func obstacle(of body: RequestOp) -> ChainObstacle? {
        switch body.kind {
        case .none, .watchCreate, .txn: return .transaction
        case .range:
            if body.flags.contains(.hasRangeEnd) || body.flags.contains(.revisionFilter) { return .range }
            return body.revision > 0 ? .pastRevision : nil
        case .put: return obstacles(ofPut: body).first
        case .delete:
            if body.flags.contains(.hasRangeEnd) { return .deletedRange }
            return hasCompare ? nil : .noCompare
        }
    }

    /// All that stands against a put.
    func obstacles(ofPut body: RequestOp) -> ObstacleSet {
        var obstacles: ObstacleSet = []
        if body.lease != 0 || body.flags.contains(.ignoreLease) { obstacles.insert(.lease) }
        if body.valueSize > valueBytes { obstacles.insert(.valueTooLarge) }
        if body.flags.contains(.ignoreValue) { obstacles.insert(.keptValue) }
        if body.flags.contains(.prevKv) { obstacles.insert(.previousValue) }
        return obstacles
    }

    /// A chain has one form: a comparison of a key's mod revision, or that it is absent; if so, a put or a delete of
    /// that key; if not, a read of it or nothing.
    private func obstacle(ofTransaction call: Operation, in batch: borrowing OperationBatch) -> ChainObstacle? {
        guard call.body.compares.count == 1, (1...2).contains(call.parts.count) else { return .transaction }
        let compare = batch.compares[Int(call.body.compares.start)]
        let done = batch.parts[Int(call.parts.start)]
        guard compare.rangeEnd == 0, done.branch == .success, done.kind == .put || done.kind == .delete,
            done.key == compare.key, done.key != 0, !done.flags.contains(.hasRangeEnd)
        else { return .transaction }
        if call.parts.count == 2 {
            let otherwise = batch.parts[Int(call.parts.start) + 1]
            guard otherwise.branch == .failure, otherwise.kind == .range, otherwise.key == compare.key,
                obstacle(of: otherwise) == nil
            else { return .transaction }
        }
        if !compare.isOfVersions { return .compare }
        return hasCompare ? obstacle(of: done) : .noCompare
    }
}

extension Compare {
    /// Whether a chain has it: that a key was last written by a certain write, or that it is absent.
    fileprivate var isOfVersions: Bool {
        guard relation == .equal else { return false }
        return switch target {
        case .modRevision: operand >= 0
        case .createRevision, .version: operand == 0
        case .value, .lease: false
        }
    }
}

extension Operation {
    /// Whether the store answered with an error and did nothing.
    var isRefused: Bool { status.map { $0 != 0 } ?? false && !isOutcomeOpen }
}

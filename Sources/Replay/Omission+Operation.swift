import Etcd

extension Omission {
    /// Why a recorded call cannot be replayed, whatever became of it; nil if it can. Not for calls of Watch and
    /// LeaseKeepAlive as a whole.
    init?(_ call: Operation, of batch: borrowing OperationBatch, limits: PlanLimits) {
        if call.evidence == .ambiguous {
            self = .ambiguous
        } else if call.method == .uncatalogued || MethodCatalogue.method(call.method) == nil {
            self = .uncatalogued
        } else if call.completeness.contains(.withdrawn) {
            self = .withdrawn
        } else if !call.completeness.isDisjoint(with: [.requestDamaged, .requestUndecoded, .keyLost]) {
            self = .requestLost
        } else if let reason = Self.reason(call, of: batch, limits: limits) {
            self = reason
        } else {
            return nil
        }
    }

    private static func reason(
        _ call: Operation, of batch: borrowing OperationBatch, limits: PlanLimits
    ) -> Omission? {
        switch call.kind {
        case .range, .rangeStream, .put, .delete: return reason(call.body, limits)
        case .txn:
            if call.body.kind == .none { return .requestLost }
            for place in call.parts.range {
                if let reason = reason(batch.parts[place], limits) { return reason }
                if hasValues(batch.parts[place].compares, of: batch) { return .notRecorded }
            }
            return hasValues(call.body.compares, of: batch) ? .notRecorded : nil
        case .compact, .leaseGrant, .leaseRevoke, .leaseTimeToLive, .leaseLeases, .status, .hashKV, .snapshot:
            return nil
        case .cluster: return call.method.rawValue == MethodNumber.memberList.rawValue ? nil : .administrative
        case .maintenance: return call.method.rawValue == MethodNumber.hash.rawValue ? nil : .administrative
        case .alarm, .auth: return .administrative
        case .lock, .election, .other, .watch, .watchCreate, .watchCancel, .watchProgress, .watchEvents, .watchNotify,
            .watchCanceled, .leaseKeepAlive:
            return .notRecorded
        }
    }

    private static func reason(_ body: RequestOp, _ limits: PlanLimits) -> Omission? {
        switch body.kind {
        case .none: .requestLost
        case .range: body.flags.contains(.revisionFilter) ? .notRecorded : nil
        case .put: body.valueSize > limits.valueBytes || body.valueSize < 0 ? .tooLarge : nil
        case .delete, .txn, .watchCreate: nil
        }
    }

    /// Whether one of them compares values, of which a trace holds the size only.
    private static func hasValues(_ compares: Slice, of batch: borrowing OperationBatch) -> Bool {
        compares.range.contains { batch.compares[$0].target == .value }
    }
}

extension MethodNumber {
    fileprivate static let memberList = MethodNumber(rawValue: 17)
    fileprivate static let hash = MethodNumber(rawValue: 22)
}

import Etcd
import Replay

extension RequestWriter {
    /// Writes the request's message; false if it is nothing that can be asked from what a trace holds.
    mutating func write(_ request: borrowing StoreRequest) -> Bool {
        switch request.kind {
        case .range, .rangeStream, .put, .delete, .txn:
            return writeOperation(
                request.body, parts: request.parts, compares: request.compares, keys: request.keys,
                valueID: request.valueID)
        case .compact: writeCompaction(revision: request.revision)
        case .watchCreate: writeWatchCreate(request.body, keys: request.keys)
        case .watchCancel: writeWatchCancel(request.watchID)
        case .watchProgress: writeWatchProgress()
        case .leaseGrant: writeLeaseGrant(ttl: request.ttl, lease: request.lease)
        case .leaseRevoke, .leaseKeepAlive, .leaseTimeToLive: writeLease(request.lease)
        case .leaseLeases, .status, .alarm, .snapshot: writeEmpty()
        case .hashKV: writeHashKV(revision: request.revision)
        case .cluster, .maintenance, .lock, .election: return writeNamed(request)
        case .other, .watch, .watchEvents, .watchNotify, .watchCanceled, .auth: return false
        }
        return true
    }

    /// Kinds of several methods.
    private mutating func writeNamed(_ request: borrowing StoreRequest) -> Bool {
        switch MethodCatalogue.method(request.method)?.path {
        case "/etcdserverpb.Cluster/MemberList", "/etcdserverpb.Maintenance/Hash",
            "/etcdserverpb.Maintenance/Defragment":
            writeEmpty()
        case "/v3lockpb.Lock/Lock": writeLock(request.key, keys: request.keys, lease: request.lease)
        case "/v3electionpb.Election/Campaign":
            writeLock(
                request.key, keys: request.keys, lease: request.lease, valueSize: Int(request.body.valueSize),
                valueID: request.valueID)
        case "/v3lockpb.Lock/Unlock", "/v3electionpb.Election/Leader", "/v3electionpb.Election/Observe":
            writeName(request.key, keys: request.keys)
        default: return false
        }
        return true
    }
}

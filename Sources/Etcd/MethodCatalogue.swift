/// Number of a gRPC method in the catalogue. Stored in traces: numbers are never changed or reused.
public struct MethodNumber: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The name is not known.
    public static let unknown = MethodNumber(rawValue: 0)
    /// The name is known but is none of etcd's.
    public static let uncatalogued = MethodNumber(rawValue: 1)
}

/// One of etcd's methods: the one place where its name, its kind and its meaning stand.
package struct Method: Sendable {
    package enum Streaming: UInt8, Sendable { case unary, serverStreaming, bidirectional }

    /// What a call does to keys.
    package enum Access: UInt8, Sendable {
        /// Neither reads nor writes keys (or, as locks do, not by a request that names them).
        case none
        case read
        case write
        /// Txn: its operations tell.
        case byContent
    }

    /// The row of `edge_table1` in which a call counts (`docs/analyze.md`).
    package enum Row: UInt8, Sendable {
        case range
        /// The operations in its branches count, as txn_range, txn_put, txn_delete.
        case transaction
        /// Its create requests count.
        case watchCreate
    }

    package var number: MethodNumber
    /// The value of `:path`, for instance `/etcdserverpb.KV/Range`.
    package var path: String
    package var kind: OperationKind
    /// Its messages; of a stream, each of them.
    package var request: MessageSchema
    package var response: MessageSchema
    package var streaming: Streaming = .unary
    package var access: Access = .none
    /// Whether etcd puts every call of it that it accepts to consensus. (Txn: true, but only for those with a put or
    /// delete; `access` is `.byContent`.)
    package var isProposal = false
    package var row: Row?
}

/// The etcd v3 API (etcd 3.6 and main of August 2026: rpc.proto, v3lock.proto, v3election.proto).
package enum MethodCatalogue {
    /// In the order of their numbers, which begin at 2.
    package static let methods: [Method] = [
        make(2, "/etcdserverpb.KV/Range", .range, (.rangeRequest, .rangeResponse), access: .read, row: .range),
        make(
            3, "/etcdserverpb.KV/RangeStream", .rangeStream, (.rangeRequest, .rangeStreamResponse), .serverStreaming,
            access: .read, row: .range),
        make(4, "/etcdserverpb.KV/Put", .put, (.putRequest, .putResponse), access: .write, isProposal: true),
        make(
            5, "/etcdserverpb.KV/DeleteRange", .delete, (.deleteRequest, .deleteResponse), access: .write,
            isProposal: true),
        make(
            6, "/etcdserverpb.KV/Txn", .txn, (.txnRequest, .txnResponse), access: .byContent, isProposal: true,
            row: .transaction),
        make(7, "/etcdserverpb.KV/Compact", .compact, (.compactionRequest, .headerOnly), isProposal: true),
        make(
            8, "/etcdserverpb.Watch/Watch", .watch, (.watchRequest, .watchResponse), .bidirectional, access: .read,
            row: .watchCreate),
        make(
            9, "/etcdserverpb.Lease/LeaseGrant", .leaseGrant, (.leaseGrantRequest, .leaseGrantResponse),
            isProposal: true),
        make(10, "/etcdserverpb.Lease/LeaseRevoke", .leaseRevoke, (.leaseRequest, .headerOnly), isProposal: true),
        make(
            11, "/etcdserverpb.Lease/LeaseKeepAlive", .leaseKeepAlive, (.leaseRequest, .leaseKeepAliveResponse),
            .bidirectional),
        make(
            12, "/etcdserverpb.Lease/LeaseTimeToLive", .leaseTimeToLive,
            (.leaseTimeToLiveRequest, .leaseTimeToLiveResponse)),
        make(13, "/etcdserverpb.Lease/LeaseLeases", .leaseLeases, (.empty, .leaseLeasesResponse)),
        make(14, "/etcdserverpb.Cluster/MemberAdd", .cluster, (.memberAddRequest, .memberAddResponse)),
        make(15, "/etcdserverpb.Cluster/MemberRemove", .cluster, (.memberRequest, .membersResponse)),
        make(16, "/etcdserverpb.Cluster/MemberUpdate", .cluster, (.memberUpdateRequest, .membersResponse)),
        make(17, "/etcdserverpb.Cluster/MemberList", .cluster, (.memberListRequest, .membersResponse)),
        make(18, "/etcdserverpb.Cluster/MemberPromote", .cluster, (.memberRequest, .membersResponse)),
        make(19, "/etcdserverpb.Maintenance/Alarm", .alarm, (.alarmRequest, .alarmResponse), isProposal: true),
        make(20, "/etcdserverpb.Maintenance/Status", .status, (.empty, .statusResponse)),
        make(21, "/etcdserverpb.Maintenance/Defragment", .maintenance, (.empty, .defragmentResponse)),
        make(22, "/etcdserverpb.Maintenance/Hash", .maintenance, (.empty, .hashResponse)),
        make(23, "/etcdserverpb.Maintenance/HashKV", .hashKV, (.hashKVRequest, .hashKVResponse)),
        make(24, "/etcdserverpb.Maintenance/Snapshot", .snapshot, (.empty, .snapshotResponse), .serverStreaming),
        make(25, "/etcdserverpb.Maintenance/MoveLeader", .maintenance, (.moveLeaderRequest, .headerOnly)),
        make(26, "/etcdserverpb.Maintenance/Downgrade", .maintenance, (.downgradeRequest, .downgradeResponse)),
        make(27, "/etcdserverpb.Auth/AuthEnable", .auth, (.empty, .headerOnly), isProposal: true),
        make(28, "/etcdserverpb.Auth/AuthDisable", .auth, (.empty, .headerOnly), isProposal: true),
        make(29, "/etcdserverpb.Auth/AuthStatus", .auth, (.empty, .authStatusResponse), isProposal: true),
        make(
            30, "/etcdserverpb.Auth/Authenticate", .auth, (.authenticateRequest, .authenticateResponse),
            isProposal: true),
        make(31, "/etcdserverpb.Auth/UserAdd", .auth, (.userAddRequest, .headerOnly), isProposal: true),
        make(32, "/etcdserverpb.Auth/UserGet", .auth, (.nameRequest, .namesResponse), isProposal: true),
        make(33, "/etcdserverpb.Auth/UserList", .auth, (.empty, .namesResponse), isProposal: true),
        make(34, "/etcdserverpb.Auth/UserDelete", .auth, (.nameRequest, .headerOnly), isProposal: true),
        make(
            35, "/etcdserverpb.Auth/UserChangePassword", .auth, (.passwordRequest, .headerOnly), isProposal: true),
        make(36, "/etcdserverpb.Auth/UserGrantRole", .auth, (.userRoleRequest, .headerOnly), isProposal: true),
        make(37, "/etcdserverpb.Auth/UserRevokeRole", .auth, (.userRoleRequest, .headerOnly), isProposal: true),
        make(38, "/etcdserverpb.Auth/RoleAdd", .auth, (.nameRequest, .headerOnly), isProposal: true),
        make(39, "/etcdserverpb.Auth/RoleGet", .auth, (.nameRequest, .permissionsResponse), isProposal: true),
        make(40, "/etcdserverpb.Auth/RoleList", .auth, (.empty, .namesResponse), isProposal: true),
        make(41, "/etcdserverpb.Auth/RoleDelete", .auth, (.nameRequest, .headerOnly), isProposal: true),
        make(
            42, "/etcdserverpb.Auth/RoleGrantPermission", .auth, (.grantPermissionRequest, .headerOnly),
            isProposal: true),
        make(
            43, "/etcdserverpb.Auth/RoleRevokePermission", .auth, (.revokePermissionRequest, .headerOnly),
            isProposal: true),
        make(44, "/v3lockpb.Lock/Lock", .lock, (.lockRequest, .lockResponse)),
        make(45, "/v3lockpb.Lock/Unlock", .lock, (.unlockRequest, .headerOnly)),
        make(46, "/v3electionpb.Election/Campaign", .election, (.campaignRequest, .campaignResponse)),
        make(47, "/v3electionpb.Election/Proclaim", .election, (.proclaimRequest, .headerOnly)),
        make(48, "/v3electionpb.Election/Leader", .election, (.electionRequest, .leaderResponse)),
        make(49, "/v3electionpb.Election/Observe", .election, (.electionRequest, .leaderResponse), .serverStreaming),
        make(50, "/v3electionpb.Election/Resign", .election, (.resignRequest, .headerOnly)),
    ]

    private static let paths = MethodPaths()

    /// The method of that number; nil for `.unknown`, `.uncatalogued` and numbers of later versions.
    package static func method(_ number: MethodNumber) -> Method? {
        let place = Int(number.rawValue) - 2
        return methods.indices.contains(place) ? methods[place] : nil
    }

    /// The number of the method with that `:path`; `.uncatalogued` if it is none of etcd's.
    package static func number(ofPath path: Span<UInt8>) -> MethodNumber { paths.number(of: path) }

    private static func make(
        _ number: UInt16, _ path: String, _ kind: OperationKind,
        _ messages: (request: MessageSchema, response: MessageSchema), _ streaming: Method.Streaming = .unary,
        access: Method.Access = .none, isProposal: Bool = false, row: Method.Row? = nil
    ) -> Method {
        Method(
            number: MethodNumber(rawValue: number), path: path, kind: kind, request: messages.request,
            response: messages.response, streaming: streaming, access: access, isProposal: isProposal, row: row)
    }
}

/// Numbers of methods by the bytes of their paths, and what a call needs of its method, in flat arrays: a look-up
/// allocates nothing.
struct MethodPaths: Sendable {
    private var texts = ByteTable()
    private var kinds: [OperationKind] = [.other, .other]
    private var streamings: [Method.Streaming] = [.unary, .unary]

    init() {
        for method in MethodCatalogue.methods {
            // The table counts from 1, the catalogue from 2, both without holes.
            let place = texts.number(of: method.path)
            precondition(UInt16(place) + 1 == method.number.rawValue, "catalogue numbers must follow each other")
            kinds.append(method.kind)
            streamings.append(method.streaming)
        }
    }

    func number(of path: Span<UInt8>) -> MethodNumber {
        let place = texts.existingNumber(of: path)
        return place == 0 ? .uncatalogued : MethodNumber(rawValue: UInt16(place) + 1)
    }

    /// Precondition: the number is one of the catalogue, `.unknown` or `.uncatalogued`.
    func kind(of number: MethodNumber) -> OperationKind { kinds[Int(number.rawValue)] }
    func streaming(of number: MethodNumber) -> Method.Streaming { streamings[Int(number.rawValue)] }
}

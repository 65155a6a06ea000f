/// The messages of the etcd v3 API, as far as their bytes tell them apart (rpc.proto, kv.proto, v3lock.proto,
/// v3election.proto of etcd main, August 2026).
package enum MessageSchema: UInt8, Sendable, CaseIterable {
    case responseHeader, keyValue, event
    case rangeRequest, rangeResponse, rangeChunk, rangeStreamResponse
    case putRequest, putResponse, deleteRequest, deleteResponse
    case requestOp, responseOp, compare, txnRequest, txnResponse
    case compactionRequest, headerOnly
    case watchRequest, watchCreate, watchCancel, watchProgress, watchResponse
    case leaseGrantRequest, leaseGrantResponse, leaseRequest, leaseKeepAliveResponse
    case leaseTimeToLiveRequest, leaseTimeToLiveResponse, leaseLeasesResponse, leaseStatus
    case member, memberAddRequest, memberAddResponse, memberRequest, memberUpdateRequest, memberListRequest
    case membersResponse
    case alarmRequest, alarmMember, alarmResponse
    case empty, statusResponse, downgradeInfo, defragmentResponse, hashResponse, hashKVRequest, hashKVResponse
    case snapshotResponse, moveLeaderRequest, downgradeRequest, downgradeResponse
    case authStatusResponse, authenticateRequest, authenticateResponse
    case userAddRequest, userAddOptions, nameRequest, namesResponse, passwordRequest, userRoleRequest
    case permission, grantPermissionRequest, revokePermissionRequest, permissionsResponse
    case lockRequest, lockResponse, unlockRequest
    case leaderKey, campaignRequest, campaignResponse, electionRequest, leaderResponse, proclaimRequest, resignRequest

    /// One field of a message.
    struct Field: Sendable {
        enum Content: UInt8, Sendable {
            /// Any varint that is not 0.
            case number
            /// An int64 that is never negative.
            case natural
            /// 32 bits.
            case word
            /// `true`, written as 1.
            case flag
            /// An enumeration up to `limit`.
            case choice
            case bytes
            /// UTF-8.
            case text
            case message
            /// ResponseHeader: required in a response, not in those inside a transaction's response.
            case header
            /// WatchCreateRequest's filters, packed or not.
            case packed
        }
        var number: UInt8
        var content: Content
        var limit: UInt8 = 0
        var schema = MessageSchema.empty
        var isRepeated = false
        /// May be 0 or empty: a member of a oneof.
        var mayBeEmpty = false
        var isRequired = false

        var repeated: Field { with { $0.isRepeated = true } }
        var member: Field { with { $0.mayBeEmpty = true } }
        var required: Field { with { $0.isRequired = true } }

        private func with(_ change: (inout Field) -> Void) -> Field {
            var field = self
            change(&field)
            return field
        }

        static func number(_ number: UInt8) -> Field { Field(number: number, content: .number) }
        static func natural(_ number: UInt8) -> Field { Field(number: number, content: .natural) }
        static func word(_ number: UInt8) -> Field { Field(number: number, content: .word) }
        static func flag(_ number: UInt8) -> Field { Field(number: number, content: .flag) }
        static func choice(_ number: UInt8, upTo limit: UInt8) -> Field {
            Field(number: number, content: .choice, limit: limit)
        }
        static func bytes(_ number: UInt8) -> Field { Field(number: number, content: .bytes) }
        static func text(_ number: UInt8) -> Field { Field(number: number, content: .text) }
        static func message(_ number: UInt8, _ schema: MessageSchema) -> Field {
            Field(number: number, content: .message, schema: schema)
        }
        static let header = Field(number: 1, content: .header, schema: .responseHeader)
        static let filters = Field(number: 5, content: .packed, isRepeated: true)
    }

    /// The fields in ascending order. `required` are those without which etcd refuses the request, or that it always
    /// sets in a response.
    var fields: [Field] {
        switch self {
        case .responseHeader: [.number(1), .number(2), .natural(3), .number(4)]
        case .keyValue: [.bytes(1), .natural(2), .natural(3), .natural(4), .bytes(5), .natural(6)]
        case .event: [.choice(1, upTo: 1), .message(2, .keyValue).required, .message(3, .keyValue)]
        case .rangeRequest:
            [
                .bytes(1).required, .bytes(2), .natural(3), .natural(4), .choice(5, upTo: 2), .choice(6, upTo: 4),
                .flag(7), .flag(8), .flag(9), .natural(10), .natural(11), .natural(12), .natural(13),
            ]
        case .rangeResponse, .rangeChunk: [.header, .message(2, .keyValue).repeated, .flag(3), .natural(4)]
        case .rangeStreamResponse: [.message(1, .rangeChunk).required]
        case .putRequest: [.bytes(1).required, .bytes(2), .natural(3), .flag(4), .flag(5), .flag(6)]
        case .putResponse: [.header, .message(2, .keyValue)]
        case .deleteRequest: [.bytes(1).required, .bytes(2), .flag(3)]
        case .deleteResponse: [.header, .natural(2), .message(3, .keyValue).repeated]
        case .requestOp:
            [
                .message(1, .rangeRequest).member, .message(2, .putRequest).member,
                .message(3, .deleteRequest).member, .message(4, .txnRequest).member,
            ]
        case .responseOp:
            [
                .message(1, .rangeResponse).member, .message(2, .putResponse).member,
                .message(3, .deleteResponse).member, .message(4, .txnResponse).member,
            ]
        case .compare:
            [
                .choice(1, upTo: 3), .choice(2, upTo: 4), .bytes(3).required, .number(4).member, .number(5).member,
                .number(6).member, .bytes(7).member, .number(8).member, .bytes(64),
            ]
        case .txnRequest:
            [.message(1, .compare).repeated, .message(2, .requestOp).repeated, .message(3, .requestOp).repeated]
        case .txnResponse: [.header, .flag(2), .message(3, .responseOp).repeated]
        case .compactionRequest: [.natural(1), .flag(2)]
        case .headerOnly: [.header]
        case .watchRequest:
            [
                .message(1, .watchCreate).member, .message(2, .watchCancel).member, .message(3, .watchProgress).member,
            ]
        case .watchCreate:
            [.bytes(1), .bytes(2), .natural(3), .flag(4), .filters, .flag(6), .number(7), .flag(8)]
        case .watchCancel: [.number(1)]
        case .watchProgress, .empty: []
        case .watchResponse:
            [
                .header, .number(2), .flag(3), .flag(4), .natural(5), .text(6), .flag(7), .message(11, .event).repeated,
            ]
        case .leaseGrantRequest: [.natural(1).required, .natural(2)]
        case .leaseGrantResponse: [.header, .natural(2).required, .natural(3).required, .text(4)]
        case .leaseRequest: [.natural(1).required]
        case .leaseKeepAliveResponse: [.header, .natural(2).required, .natural(3)]
        case .leaseTimeToLiveRequest: [.natural(1).required, .flag(2)]
        case .leaseTimeToLiveResponse:
            [.header, .natural(2).required, .number(3).required, .natural(4), .bytes(5).repeated]
        case .leaseLeasesResponse: [.header, .message(2, .leaseStatus).repeated]
        case .leaseStatus: [.natural(1).required]
        case .member: [.number(1).required, .text(2), .text(3).repeated, .text(4).repeated, .flag(5)]
        case .memberAddRequest: [.text(1).repeated.required, .flag(2)]
        case .memberAddResponse: [.header, .message(2, .member).required, .message(3, .member).repeated.required]
        case .memberRequest, .moveLeaderRequest: [.number(1).required]
        case .memberUpdateRequest: [.number(1).required, .text(2).repeated]
        case .memberListRequest: [.flag(1)]
        case .membersResponse: [.header, .message(2, .member).repeated.required]
        case .alarmRequest: [.choice(1, upTo: 2), .number(2), .choice(3, upTo: 2)]
        case .alarmMember: [.number(1), .choice(2, upTo: 2)]
        case .alarmResponse: [.header, .message(2, .alarmMember).repeated]
        case .statusResponse:
            [
                .header, .text(2).required, .natural(3), .number(4), .number(5), .number(6), .number(7),
                .text(8).repeated, .natural(9), .flag(10), .text(11), .natural(12), .message(13, .downgradeInfo),
            ]
        case .downgradeInfo: [.flag(1), .text(2)]
        case .defragmentResponse: [.message(1, .responseHeader)]
        case .hashResponse: [.header, .word(2).required]
        case .hashKVRequest: [.natural(1)]
        case .hashKVResponse: [.header, .word(2).required, .natural(3), .natural(4)]
        case .snapshotResponse: [.message(1, .responseHeader), .natural(2), .bytes(3).required, .text(4)]
        case .downgradeRequest: [.choice(1, upTo: 2), .text(2)]
        case .downgradeResponse: [.header, .text(2)]
        case .authStatusResponse: [.header, .flag(2), .natural(3)]
        case .authenticateRequest: [.text(1).required, .text(2)]
        case .authenticateResponse: [.header, .text(2).required]
        case .userAddRequest: [.text(1).required, .text(2), .message(3, .userAddOptions), .text(4)]
        case .userAddOptions: [.flag(1)]
        case .nameRequest: [.text(1).required]
        case .namesResponse: [.header, .text(2).repeated]
        case .passwordRequest: [.text(1).required, .text(2), .text(3)]
        case .userRoleRequest: [.text(1).required, .text(2).required]
        case .permission: [.choice(1, upTo: 2), .bytes(2), .bytes(3)]
        case .grantPermissionRequest: [.text(1).required, .message(2, .permission).required]
        case .revokePermissionRequest: [.text(1).required, .bytes(2), .bytes(3)]
        case .permissionsResponse: [.header, .message(2, .permission).repeated]
        case .lockRequest: [.bytes(1).required, .natural(2)]
        case .lockResponse: [.header, .bytes(2).required]
        case .unlockRequest: [.bytes(1).required]
        case .leaderKey: [.bytes(1).required, .bytes(2).required, .natural(3).required, .natural(4)]
        case .campaignRequest: [.bytes(1).required, .natural(2), .bytes(3)]
        case .campaignResponse: [.header, .message(2, .leaderKey).required]
        case .electionRequest: [.bytes(1).required]
        case .leaderResponse: [.header, .message(2, .keyValue).required]
        case .proclaimRequest: [.message(1, .leaderKey).required, .bytes(2)]
        case .resignRequest: [.message(1, .leaderKey).required]
        }
    }
}

import Etcd
import SwiftProtobuf
import TestSupport
import Testing
import Wire

import struct Foundation.Data

/// Holds what is scanned from the wire against messages that swift-protobuf made.
@Suite("Messages: what is scanned is what was said")
struct OracleLaws {
    /// A unary call with these messages, as it is recorded.
    private func record(
        _ path: String, _ request: [UInt8], _ responses: [[UInt8]], pieces: [Int] = []
    ) throws -> Described {
        var conversation = Conversation()
        conversation.pieces = pieces
        conversation.open(1, path)
        conversation.request(1, request)
        conversation.accept(1)
        for response in responses { conversation.respond(1, response) }
        conversation.end(1)
        let operation = try #require(conversation.operations.first)
        #expect(conversation.operations.count == 1)
        #expect(conversation.context.output.health.messagesUndecodable == 0)
        #expect(operation.requestBytes == Int64(request.count))
        return Described(operation, in: conversation.context.output.batch)
    }

    private func bytes(_ message: some SwiftProtobuf.Message) throws -> [UInt8] {
        try message.serializedBytes()
    }

    @Test("ranges", arguments: seeds(1, 2))
    func ranges(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<3_000 {
            let request = messages.range()
            let response = messages.rangeResponse()
            let call = try record(
                "/etcdserverpb.KV/Range", messages.withUnknownFields(bytes(request)),
                [messages.withUnknownFields(bytes(response))])
            var expected = DescribedBody(request, branch: .root, depth: 0)
            expected.take(response)
            #expect(call.body == expected, "round \(round), seed \(seed)")
            #expect(call.key == Array(request.key))
            #expect(call.operation.kind == .range)
            #expect(call.operation.headerRevision == response.header.revision)
        }
    }

    @Test("a stream of chunks is the range that they make up", arguments: seeds(3))
    func rangeStreams(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<1_000 {
            let request = messages.range()
            let whole = messages.rangeResponse()
            var chunks = whole.kvs.map { keyValue in
                Etcdserverpb_RangeStreamResponse.with { $0.rangeResponse.kvs = [keyValue] }
            }
            chunks.append(
                .with {
                    $0.rangeResponse = whole
                    $0.rangeResponse.kvs = []
                })
            let call = try record("/etcdserverpb.KV/RangeStream", bytes(request), chunks.map { try bytes($0) })
            var expected = DescribedBody(request, branch: .root, depth: 0)
            expected.take(whole)
            #expect(call.body == expected, "round \(round), seed \(seed)")
            #expect(call.operation.kind == .rangeStream)
            #expect(call.operation.headerRevision == whole.header.revision)
            #expect(call.operation.responseMessages == UInt32(chunks.count))
        }
    }

    @Test("puts", arguments: seeds(4))
    func puts(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<3_000 {
            let request = messages.put()
            let response = messages.putResponse()
            let call = try record(
                "/etcdserverpb.KV/Put", messages.withUnknownFields(bytes(request)),
                [messages.withUnknownFields(bytes(response))])
            var expected = DescribedBody(request, branch: .root, depth: 0)
            expected.take(response)
            #expect(call.body == expected, "round \(round), seed \(seed)")
            #expect(call.operation.headerRevision == response.header.revision)
        }
    }

    @Test("deletes", arguments: seeds(5))
    func deletes(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<3_000 {
            let request = messages.delete()
            let response = messages.deleteResponse()
            let call = try record(
                "/etcdserverpb.KV/DeleteRange", messages.withUnknownFields(bytes(request)),
                [messages.withUnknownFields(bytes(response))])
            var expected = DescribedBody(request, branch: .root, depth: 0)
            expected.take(response)
            #expect(call.body == expected, "round \(round), seed \(seed)")
        }
    }

    @Test("transactions, nested ones too, keep their shape and the branch that ran", arguments: seeds(6, 7))
    func transactions(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<3_000 {
            let request = messages.transaction()
            let response = messages.response(to: request)
            let call = try record(
                "/etcdserverpb.KV/Txn", messages.withUnknownFields(bytes(request)),
                [messages.withUnknownFields(bytes(response))])
            let (body, parts) = DescribedBody.transaction(request, response)
            #expect(call.body == body, "round \(round), seed \(seed)")
            #expect(call.parts == parts, "round \(round), seed \(seed)")
            #expect(call.key == request.firstKey, "round \(round), seed \(seed)")
            #expect(call.operation.headerRevision == response.header.revision)
        }
    }

    @Test("a transaction whose fields come in another order is the same transaction", arguments: seeds(8))
    func disorderedTransactions(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<1_000 {
            let request = messages.transaction()
            var fields: [[UInt8]] = []
            for failure in request.failure {
                try fields.append(bytes(Etcdserverpb_TxnRequest.with { $0.failure = [failure] }))
            }
            for success in request.success {
                try fields.append(bytes(Etcdserverpb_TxnRequest.with { $0.success = [success] }))
            }
            for compare in request.compare {
                try fields.append(bytes(Etcdserverpb_TxnRequest.with { $0.compare = [compare] }))
            }
            let response = messages.response(to: request)
            let call = try record("/etcdserverpb.KV/Txn", fields.flatMap { $0 }, [bytes(response)])
            let (body, parts) = DescribedBody.transaction(request, response)
            #expect(call.body == body, "round \(round), seed \(seed)")
            #expect(call.parts == parts, "round \(round), seed \(seed)")
        }
    }

    @Test("leases, compactions, hashes", arguments: seeds(9))
    func numbers(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for _ in 0..<2_000 {
            let header = messages.header()
            let (first, second, third) = (messages.random.int64(), messages.random.int64(), messages.random.int64())
            let grant = try record(
                "/etcdserverpb.Lease/LeaseGrant",
                bytes(Etcdserverpb_LeaseGrantRequest.with { ($0.ttl, $0.id) = (first, second) }),
                [bytes(Etcdserverpb_LeaseGrantResponse.with { ($0.header, $0.id, $0.ttl) = (header, third, 5) })])
            #expect(grant.operation.ttl == first)
            #expect(grant.operation.lease == (third == 0 ? second : third))
            #expect(grant.operation.headerRevision == header.revision)
            let revoke = try record(
                "/etcdserverpb.Lease/LeaseRevoke", bytes(Etcdserverpb_LeaseRevokeRequest.with { $0.id = first }),
                [bytes(Etcdserverpb_HeaderResponse.with { $0.header = header })])
            #expect(revoke.operation.lease == first)
            #expect(revoke.operation.headerRevision == header.revision)
            let timeToLive = try record(
                "/etcdserverpb.Lease/LeaseTimeToLive",
                bytes(Etcdserverpb_LeaseTimeToLiveRequest.with { ($0.id, $0.keys) = (first, true) }),
                [bytes(Etcdserverpb_LeaseTimeToLiveResponse.with { ($0.header, $0.id, $0.ttl) = (header, first, 3) })])
            #expect(timeToLive.operation.lease == first)
            let compact = try record(
                "/etcdserverpb.KV/Compact",
                bytes(Etcdserverpb_CompactionRequest.with { ($0.revision, $0.physical) = (first, true) }),
                [bytes(Etcdserverpb_CompactionResponse.with { $0.header = header })])
            #expect(compact.operation.revision == first)
            #expect(compact.operation.headerRevision == header.revision)
            let hash = try record(
                "/etcdserverpb.Maintenance/HashKV", bytes(Etcdserverpb_HashKVRequest.with { $0.revision = first }),
                [bytes(Etcdserverpb_HashKVResponse.with { ($0.header, $0.hash, $0.hashRevision) = (header, 7, third) })]
            )
            #expect(hash.operation.revision == first)
            #expect(hash.operation.headerRevision == header.revision)
        }
    }

    @Test("the header's revision of every other method")
    func headers() throws {
        var messages = RandomMessages(seed: 10)
        let detailed: Set<OperationKind> = [
            .range, .rangeStream, .put, .delete, .txn, .watch, .leaseKeepAlive, .leaseGrant, .leaseTimeToLive,
        ]
        for method in MethodCatalogue.methods where !detailed.contains(method.kind) {
            let header = messages.header()
            let bodies: [any SwiftProtobuf.Message] = [
                Etcdserverpb_HeaderResponse.with { $0.header = header },
                Etcdserverpb_MembersResponse.with {
                    $0.header = header
                    $0.members = [.with { ($0.id, $0.name, $0.peerUrls) = (9, "m", ["http://a", "http://b"]) }]
                },
                Etcdserverpb_StatusResponse.with {
                    ($0.header, $0.version, $0.dbSize, $0.errors) = (header, "3.6.0", 1 << 40, ["x"])
                },
                Etcdserverpb_SnapshotResponse.with { ($0.header, $0.blob) = (header, Data(count: 70_000)) },
                Etcdserverpb_AuthRoleGetResponse.with {
                    $0.header = header
                    $0.perm = [.with { ($0.permType, $0.key) = (.readwrite, Data("k".utf8)) }]
                },
                V3lockpb_LockResponse.with { ($0.header, $0.key) = (header, Data("lock/1".utf8)) },
                V3electionpb_LeaderResponse.with { ($0.header, $0.kv) = (header, messages.keyValue()) },
            ]
            for body in bodies {
                let call = try record(method.path, [], [body.serializedBytes()], pieces: [1_000])
                #expect(call.operation.headerRevision == header.revision, "\(method.path)")
                #expect(call.operation.kind == method.kind)
                #expect(call.operation.method == method.number)
            }
        }
    }

    @Test("any split of DATA gives the same", arguments: seeds(11, 12, 13))
    func splits(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for round in 0..<150 {
            let request = messages.transaction()
            let response = messages.response(to: request)
            let (path, requestBytes, responseBytes) =
                try messages.random.oneIn(2)
                ? ("/etcdserverpb.KV/Txn", bytes(request), bytes(response))
                : ("/etcdserverpb.KV/Range", bytes(messages.range()), bytes(messages.rangeResponse()))
            let whole = try record(path, requestBytes, [responseBytes])
            for _ in 0..<20 {
                let pieces = (0..<Int.random(in: 1...5, using: &messages.random)).map { _ in
                    Int.random(in: 1...(messages.random.oneIn(2) ? 4 : 200), using: &messages.random)
                }
                let split = try record(path, requestBytes, [responseBytes], pieces: pieces)
                #expect(whole.isSame(as: split), "pieces \(pieces), round \(round), seed \(seed)")
            }
        }
    }

    @Test("one cut at every byte gives the same")
    func everyCut() throws {
        var messages = RandomMessages(seed: 14)
        for _ in 0..<10 {
            let request = messages.transaction()
            let response = try bytes(messages.response(to: request))
            let whole = try record("/etcdserverpb.KV/Txn", bytes(request), [response])
            let requestCount = try bytes(request).count
            for cut in 1..<requestCount + 5 {
                let split = try record("/etcdserverpb.KV/Txn", bytes(request), [response], pieces: [cut, 1 << 20])
                #expect(whole.isSame(as: split), "request cut at \(cut)")
            }
            for cut in 1..<response.count + 5 {
                let split = try record("/etcdserverpb.KV/Txn", bytes(request), [response], pieces: [1 << 20, cut])
                #expect(whole.isSame(as: split), "response cut at \(cut)")
            }
        }
    }
}

// MARK: - What is expected, from the messages themselves

extension Described {
    /// Whether it says the same but for times and wire bytes, which depend on the frames' pieces.
    func isSame(as other: Described) -> Bool {
        var (left, right) = (self, other)
        left.operation.forgetTimes()
        right.operation.forgetTimes()
        return left == right
    }
}

extension Operation {
    fileprivate mutating func forgetTimes() {
        requestEnd = 0
        responseStart = 0
        responseEnd = 0
    }
}

extension DescribedBody {
    init(_ request: Etcdserverpb_RangeRequest, branch: RequestOp.Branch, depth: Int) {
        self.init(.range, branch: branch, depth: depth)
        key = Array(request.key)
        rangeEnd = Array(request.rangeEnd)
        plain.limit = request.limit
        plain.revision = request.revision
        plain.sortOrder = UInt8(request.sortOrder.rawValue)
        plain.sortTarget = UInt8(request.sortTarget.rawValue)
        if request.serializable { plain.flags.insert(.serializable) }
        if request.keysOnly { plain.flags.insert(.keysOnly) }
        if request.countOnly { plain.flags.insert(.countOnly) }
        if !request.rangeEnd.isEmpty { plain.flags.insert(.hasRangeEnd) }
        if (request.minModRevision, request.maxModRevision, request.minCreateRevision, request.maxCreateRevision)
            != (0, 0, 0, 0)
        {
            plain.flags.insert(.revisionFilter)
        }
    }

    init(_ request: Etcdserverpb_PutRequest, branch: RequestOp.Branch, depth: Int) {
        self.init(.put, branch: branch, depth: depth)
        key = Array(request.key)
        plain.valueSize = Int64(request.value.count)
        plain.lease = request.lease
        if request.prevKv { plain.flags.insert(.prevKv) }
        if request.ignoreValue { plain.flags.insert(.ignoreValue) }
        if request.ignoreLease { plain.flags.insert(.ignoreLease) }
    }

    init(_ request: Etcdserverpb_DeleteRangeRequest, branch: RequestOp.Branch, depth: Int) {
        self.init(.delete, branch: branch, depth: depth)
        key = Array(request.key)
        rangeEnd = Array(request.rangeEnd)
        if request.prevKv { plain.flags.insert(.prevKv) }
        if !request.rangeEnd.isEmpty { plain.flags.insert(.hasRangeEnd) }
    }

    mutating func take(_ response: Etcdserverpb_RangeResponse) {
        plain.flags.insert(.answered)
        if response.more { plain.flags.insert(.more) }
        plain.count = response.count
        keyValues = response.kvs.map { DescribedKeyValue($0, .reply) }
    }

    mutating func take(_ response: Etcdserverpb_PutResponse) {
        plain.flags.insert(.answered)
        if response.hasPrevKv { keyValues = [DescribedKeyValue(response.prevKv, .previous)] }
    }

    mutating func take(_ response: Etcdserverpb_DeleteRangeResponse) {
        plain.flags.insert(.answered)
        plain.count = response.deleted
        keyValues = response.prevKvs.map { DescribedKeyValue($0, .previous) }
    }

    /// The body of a transaction and its parts, flat.
    static func transaction(
        _ request: Etcdserverpb_TxnRequest, _ response: Etcdserverpb_TxnResponse?, branch: RequestOp.Branch = .root,
        depth: Int = 0, partsDepth: Int = 0
    ) -> (DescribedBody, [DescribedBody]) {
        var body = DescribedBody(.txn, branch: branch, depth: depth)
        body.compares = request.compare.map { DescribedCompare($0) }
        if let response {
            body.plain.flags.insert(.answered)
            if response.succeeded { body.plain.flags.insert(.succeeded) }
        }
        var parts: [DescribedBody] = []
        for (operations, branch) in [(request.success, RequestOp.Branch.success), (request.failure, .failure)] {
            let ran = response.map { $0.succeeded == (branch == .success) } ?? false
            for (place, operation) in operations.enumerated() {
                let answer = ran ? response?.responses[place] : nil
                switch operation.request {
                case .requestRange(let range):
                    var part = DescribedBody(range, branch: branch, depth: partsDepth)
                    if let answer { part.take(answer.responseRange) }
                    parts.append(part)
                case .requestPut(let put):
                    var part = DescribedBody(put, branch: branch, depth: partsDepth)
                    if let answer { part.take(answer.responsePut) }
                    parts.append(part)
                case .requestDeleteRange(let delete):
                    var part = DescribedBody(delete, branch: branch, depth: partsDepth)
                    if let answer { part.take(answer.responseDeleteRange) }
                    parts.append(part)
                case .requestTxn(let nested):
                    var (part, within) = transaction(
                        nested, answer?.responseTxn, branch: branch, depth: partsDepth, partsDepth: partsDepth + 1)
                    part.plain.nestedParts = UInt32(within.count)
                    parts.append(part)
                    parts += within
                case nil: parts.append(DescribedBody(.none, branch: branch, depth: partsDepth))
                }
            }
        }
        return (body, parts)
    }
}

extension Etcdserverpb_TxnRequest {
    /// The rule of `cat`: the first operation's key, success branch first, nested ones where they stand, else the first
    /// compare's.
    fileprivate var firstKey: [UInt8] {
        operationKey ?? compare.first { !$0.key.isEmpty }.map { Array($0.key) } ?? []
    }

    private var operationKey: [UInt8]? {
        for operation in success + failure {
            let key: [UInt8]? =
                switch operation.request {
                case .requestRange(let range): Array(range.key)
                case .requestPut(let put): Array(put.key)
                case .requestDeleteRange(let delete): Array(delete.key)
                case .requestTxn(let nested): nested.operationKey
                case nil: nil
                }
            if let key, !key.isEmpty { return key }
        }
        return nil
    }
}

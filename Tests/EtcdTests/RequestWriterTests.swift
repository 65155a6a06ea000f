import Etcd
import SwiftProtobuf
import TestSupport
import Testing
import Wire

import struct Foundation.Data

@Suite("Requests: what is written is what was recorded")
struct RequestWriterTests {
    private let values = ValueSource(seed: 7)

    /// The message of a writer, without its prefix, which is checked.
    private func message(_ write: (inout RequestWriter) -> Void) throws -> [UInt8] {
        var writer = RequestWriter(values: values)
        write(&writer)
        let bytes = writer.bytes
        try #require(bytes.count >= 5 && bytes[0] == 0)
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        #expect(length == bytes.count - 5 && length == writer.messageBytes)
        return Array(bytes.dropFirst(5))
    }

    /// The request as it is scanned from a recording.
    private func scanned(_ kind: OperationKind, _ bytes: [UInt8]) throws -> CallDetails {
        var details = CallDetails()
        let isRead = details.scanRequest(kind, bytes.span, limits: CallLimits())
        try #require(isRead)
        return details
    }

    private func written(_ details: CallDetails, valueID: UInt64 = 99) throws -> [UInt8] {
        try message { writer in
            let isWritten = writer.writeOperation(
                details.body, parts: details.parts, compares: details.compares, keys: details.keys, valueID: valueID)
            #expect(isWritten)
        }
    }

    /// The request without what a recording does not hold: filters by revision, and with values of our own.
    private func expected(_ request: Etcdserverpb_RangeRequest) -> Etcdserverpb_RangeRequest {
        var request = request
        request.minModRevision = 0
        request.maxModRevision = 0
        request.minCreateRevision = 0
        request.maxCreateRevision = 0
        return request
    }

    private func value(_ size: Int, _ id: UInt64) -> Data {
        var bytes: [UInt8] = []
        values.append(size, id: id, to: &bytes)
        return Data(bytes)
    }

    private func expected(_ request: Etcdserverpb_PutRequest, _ id: UInt64) -> Etcdserverpb_PutRequest {
        var request = request
        request.value = request.ignoreValue ? Data() : value(request.value.count, id)
        return request
    }

    private func expected(
        _ request: Etcdserverpb_TxnRequest, _ id: UInt64, _ place: inout UInt64
    ) -> Etcdserverpb_TxnRequest {
        var request = request
        request.compare = request.compare.map { compare in
            var compare = compare
            switch (compare.target, compare.targetUnion) {
            case (.version, .version), (.create, .createRevision), (.mod, .modRevision), (.lease, .lease): break
            case (.value, .value(let old)): compare.value = value(old.count, id)
            // A member that does not belong to the target means 0.
            case (.version, _): compare.version = 0
            case (.create, _): compare.createRevision = 0
            case (.mod, _): compare.modRevision = 0
            case (.lease, _): compare.lease = 0
            default: compare.value = Data()
            }
            return compare
        }
        request.success = request.success.map { expected($0, id, &place) }
        request.failure = request.failure.map { expected($0, id, &place) }
        return request
    }

    private func expected(
        _ operation: Etcdserverpb_RequestOp, _ id: UInt64, _ place: inout UInt64
    ) -> Etcdserverpb_RequestOp {
        let own = place
        place += 1
        var operation = operation
        switch operation.request {
        case .requestRange(let range): operation.requestRange = expected(range)
        case .requestPut(let put): operation.requestPut = expected(put, id &+ own)
        case .requestTxn(let nested): operation.requestTxn = expected(nested, id, &place)
        default: break
        }
        return operation
    }

    @Test("ranges", arguments: seeds(101))
    func ranges(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for round in 0..<2_000 {
            let request = random.range()
            let bytes = try written(scanned(.range, request.serializedBytes()))
            #expect(try bytes == expected(request).serializedBytes(), "round \(round), seed \(seed)")
        }
    }

    @Test("puts and deletes", arguments: seeds(102))
    func puts(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for round in 0..<2_000 {
            let put = random.put()
            let bytes = try written(scanned(.put, put.serializedBytes()), valueID: UInt64(round))
            #expect(try bytes == expected(put, UInt64(round)).serializedBytes(), "round \(round), seed \(seed)")
            let delete = random.delete()
            #expect(try written(scanned(.delete, delete.serializedBytes())) == delete.serializedBytes())
        }
    }

    @Test("transactions, nested ones too", arguments: seeds(103, 104))
    func transactions(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for round in 0..<2_000 {
            let request = random.transaction()
            let bytes = try written(scanned(.txn, request.serializedBytes()), valueID: 1 << 40)
            var place: UInt64 = 0
            let expected = expected(request, 1 << 40, &place)
            #expect(try bytes == expected.serializedBytes(), "round \(round), seed \(seed)")
        }
    }

    @Test("watch requests", arguments: seeds(105))
    func watches(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for _ in 0..<500 {
            var create = random.watchCreate()
            create.watchID = 0
            var body = RequestOp()
            var keys = KeyList()
            let key = Array(create.key)
            let end = Array(create.rangeEnd)
            body.key = keys.number(of: key.span, at: 0..<key.count)
            body.rangeEnd = keys.number(of: end.span, at: 0..<end.count)
            body.revision = create.startRevision
            if create.progressNotify { body.flags.insert(.progressNotify) }
            if create.prevKv { body.flags.insert(.prevKv) }
            if create.fragment { body.flags.insert(.fragment) }
            if create.filters.contains(.noput) { body.flags.insert(.noPut) }
            if create.filters.contains(.nodelete) { body.flags.insert(.noDelete) }
            let request = Etcdserverpb_WatchRequest.with { $0.createRequest = create }
            let bytes = try message { $0.writeWatchCreate(body, keys: keys) }
            #expect(try bytes == request.serializedBytes())
        }
        for watchID in [0, 1, -1, Int64.max] {
            let request = Etcdserverpb_WatchRequest.with { $0.cancelRequest.watchID = watchID }
            #expect(try message { $0.writeWatchCancel(watchID) } == request.serializedBytes())
        }
        let progress = Etcdserverpb_WatchRequest.with { $0.progressRequest = .init() }
        #expect(try message { $0.writeWatchProgress() } == progress.serializedBytes())
    }

    @Test("leases, compaction, hashes", arguments: [0, 1, 127, 128, 1 << 40, Int64.max, -1])
    func numbers(_ number: Int64) throws {
        let grant = Etcdserverpb_LeaseGrantRequest.with { ($0.ttl, $0.id) = (number, number / 2) }
        #expect(try message { $0.writeLeaseGrant(ttl: number, lease: number / 2) } == grant.serializedBytes())
        let revoke = Etcdserverpb_LeaseRevokeRequest.with { $0.id = number }
        #expect(try message { $0.writeLease(number) } == revoke.serializedBytes())
        let compaction = Etcdserverpb_CompactionRequest.with { $0.revision = number }
        #expect(try message { $0.writeCompaction(revision: number) } == compaction.serializedBytes())
        let hash = Etcdserverpb_HashKVRequest.with { $0.revision = number }
        #expect(try message { $0.writeHashKV(revision: number) } == hash.serializedBytes())
        #expect(try message { $0.writeEmpty() }.isEmpty)
    }

    @Test("locks, elections and users")
    func names() throws {
        var keys = KeyList()
        let name = Array("leader/one".utf8)
        let number = keys.number(of: name.span, at: 0..<name.count)
        let lock = V3lockpb_LockRequest.with { ($0.name, $0.lease) = (Data(name), 77) }
        #expect(try message { $0.writeLock(number, keys: keys, lease: 77) } == lock.serializedBytes())
        let campaign = V3electionpb_CampaignRequest.with {
            ($0.name, $0.lease, $0.value) = (Data(name), 77, value(300, 5))
        }
        let bytes = try message { $0.writeLock(number, keys: keys, lease: 77, valueSize: 300, valueID: 5) }
        #expect(try bytes == campaign.serializedBytes())
        let unlock = V3lockpb_UnlockRequest.with { $0.key = Data(name) }
        #expect(try message { $0.writeName(number, keys: keys) } == unlock.serializedBytes())
        let user = Etcdserverpb_AuthenticateRequest.with { ($0.name, $0.password) = ("root", "secret") }
        #expect(try message { $0.writeAuthenticate(user: "root", password: "secret") } == user.serializedBytes())
    }

    @Test("the token of an answer to Authenticate is found; where there is none, none is")
    func token() throws {
        func token(_ bytes: [UInt8]) -> [UInt8]? { AuthenticateResponse.token(in: bytes.span).map { Array(bytes[$0]) } }
        var random = RandomMessages(seed: 1)
        let answer = Etcdserverpb_AuthenticateResponse.with { ($0.header, $0.token) = (random.header(), "abc.17") }
        let bytes: [UInt8] = try answer.serializedBytes()
        #expect(token(bytes) == Array("abc.17".utf8))
        #expect(token(Array(bytes.dropLast())) == nil)
        #expect(token([]) == nil)
    }

    @Test("values have their size, begin with their ID, and differ where IDs do", arguments: [0, 1, 7, 8, 9, 5_000])
    func sizes(_ size: Int) {
        let first = value(size, 0x0102_0304_0506_0708)
        #expect(first.count == size)
        #expect(first.prefix(8).elementsEqual([1, 2, 3, 4, 5, 6, 7, 8].prefix(size)))
        #expect(size < 8 || first != value(size, 0x0102_0304_0506_0709))
        #expect(value(1_000_000, 3).count == 1_000_000)
    }
}

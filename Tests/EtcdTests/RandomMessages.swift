import SwiftProtobuf
import TestSupport
import Wire

import struct Foundation.Data

/// Random messages of etcd's API, any field set or not.
struct RandomMessages {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func key() -> Data {
        if random.oneIn(12) { return Data() }
        if random.oneIn(3) { return Data(random.bytes(1...40)) }
        return Data("/registry/pods/default/pod-\(Int.random(in: 0..<50, using: &random))".utf8)
    }

    mutating func value() -> Data {
        Data(random.oneIn(4) ? random.bytes(0...400) : random.bytes(0...20))
    }

    mutating func header() -> Etcdserverpb_ResponseHeader {
        .with {
            $0.clusterID = random.next()
            $0.memberID = random.next()
            $0.revision = Int64.random(in: 0..<1 << 50, using: &random)
            $0.raftTerm = 4
        }
    }

    mutating func keyValue() -> Mvccpb_KeyValue {
        .with {
            $0.key = key()
            $0.createRevision = random.int64()
            $0.modRevision = random.int64()
            $0.version = random.int64()
            $0.value = value()
            $0.lease = random.int64()
        }
    }

    mutating func keyValues(_ count: ClosedRange<Int>) -> [Mvccpb_KeyValue] {
        (0..<Int.random(in: count, using: &random)).map { _ in keyValue() }
    }

    // MARK: KV

    mutating func range() -> Etcdserverpb_RangeRequest {
        .with {
            $0.key = key()
            if random.oneIn(2) { $0.rangeEnd = key() }
            $0.limit = random.int64()
            $0.revision = random.int64()
            $0.sortOrder = [.none, .ascend, .descend].randomElement(using: &random) ?? .none
            $0.sortTarget = [.key, .version, .create, .mod, .value].randomElement(using: &random) ?? .key
            $0.serializable = random.oneIn(3)
            $0.keysOnly = random.oneIn(3)
            $0.countOnly = random.oneIn(3)
            if random.oneIn(5) { $0.minModRevision = random.int64() }
            if random.oneIn(5) { $0.maxModRevision = random.int64() }
            if random.oneIn(5) { $0.minCreateRevision = random.int64() }
            if random.oneIn(5) { $0.maxCreateRevision = random.int64() }
        }
    }

    mutating func rangeResponse(withHeader: Bool = true) -> Etcdserverpb_RangeResponse {
        .with {
            if withHeader { $0.header = header() }
            $0.kvs = keyValues(0...6)
            $0.more = random.oneIn(3)
            $0.count = random.int64()
        }
    }

    mutating func put() -> Etcdserverpb_PutRequest {
        .with {
            $0.key = key()
            $0.value = value()
            $0.lease = random.int64()
            $0.prevKv = random.oneIn(3)
            $0.ignoreValue = random.oneIn(5)
            $0.ignoreLease = random.oneIn(5)
        }
    }

    mutating func putResponse(withHeader: Bool = true) -> Etcdserverpb_PutResponse {
        .with {
            if withHeader { $0.header = header() }
            if random.oneIn(2) { $0.prevKv = keyValue() }
        }
    }

    mutating func delete() -> Etcdserverpb_DeleteRangeRequest {
        .with {
            $0.key = key()
            if random.oneIn(2) { $0.rangeEnd = key() }
            $0.prevKv = random.oneIn(3)
        }
    }

    mutating func deleteResponse(withHeader: Bool = true) -> Etcdserverpb_DeleteRangeResponse {
        .with {
            if withHeader { $0.header = header() }
            $0.deleted = random.int64()
            $0.prevKvs = keyValues(0...3)
        }
    }

    mutating func compare() -> Etcdserverpb_Compare {
        .with {
            $0.result = [.equal, .greater, .less, .notEqual].randomElement(using: &random) ?? .equal
            $0.target = [.version, .create, .mod, .value, .lease].randomElement(using: &random) ?? .mod
            $0.key = key()
            if random.oneIn(6) { $0.rangeEnd = key() }
            // Mostly the member that belongs to the target, sometimes another or none.
            switch random.oneIn(5) ? Int.random(in: 0...5, using: &random) : $0.target.rawValue {
            case 0: $0.version = random.int64()
            case 1: $0.createRevision = random.int64()
            case 2: $0.modRevision = random.int64()
            case 3: $0.value = value()
            case 4: $0.lease = random.int64()
            default: break
            }
        }
    }

    mutating func operation(depth: Int) -> Etcdserverpb_RequestOp {
        .with {
            switch Int.random(in: 0..<(depth < 3 ? 7 : 6), using: &random) {
            case 0, 1: $0.requestRange = range()
            case 2, 3: $0.requestPut = put()
            case 4, 5: $0.requestDeleteRange = delete()
            default: $0.requestTxn = transaction(depth: depth + 1)
            }
        }
    }

    mutating func transaction(depth: Int = 0) -> Etcdserverpb_TxnRequest {
        .with {
            $0.compare = (0..<Int.random(in: 0...3, using: &random)).map { _ in compare() }
            $0.success = (0..<Int.random(in: 0...4, using: &random)).map { _ in operation(depth: depth) }
            $0.failure = (0..<Int.random(in: 0...3, using: &random)).map { _ in operation(depth: depth) }
        }
    }

    /// What etcd may answer to that transaction.
    mutating func response(to request: Etcdserverpb_TxnRequest, withHeader: Bool = true) -> Etcdserverpb_TxnResponse {
        .with {
            if withHeader { $0.header = header() }
            $0.succeeded = random.oneIn(2)
            $0.responses = ($0.succeeded ? request.success : request.failure).map { operation in
                .with {
                    switch operation.request {
                    case .requestRange: $0.responseRange = rangeResponse(withHeader: random.oneIn(2))
                    case .requestPut: $0.responsePut = putResponse(withHeader: random.oneIn(2))
                    case .requestDeleteRange: $0.responseDeleteRange = deleteResponse(withHeader: random.oneIn(2))
                    case .requestTxn(let nested): $0.responseTxn = response(to: nested, withHeader: random.oneIn(2))
                    case nil: break
                    }
                }
            }
        }
    }

    // MARK: Watch

    mutating func watchCreate() -> Etcdserverpb_WatchCreateRequest {
        .with {
            $0.key = key()
            if random.oneIn(2) { $0.rangeEnd = key() }
            $0.startRevision = random.int64()
            $0.progressNotify = random.oneIn(2)
            if random.oneIn(3) { $0.filters.append(.noput) }
            if random.oneIn(3) { $0.filters.append(.nodelete) }
            $0.prevKv = random.oneIn(2)
            $0.watchID = random.int64()
            $0.fragment = random.oneIn(2)
        }
    }

    mutating func watchResponse() -> Etcdserverpb_WatchResponse {
        .with {
            $0.header = header()
            $0.watchID = random.int64()
            $0.compactRevision = random.int64()
            $0.fragment = random.oneIn(4)
            $0.events = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                .with {
                    $0.type = random.oneIn(2) ? .put : .delete
                    $0.kv = keyValue()
                    if random.oneIn(2) { $0.prevKv = keyValue() }
                }
            }
        }
    }

    // MARK: What any schema may come to have

    /// The message with fields that no schema knows before and after it: varint, fixed, bytes, a group with a group.
    mutating func withUnknownFields(_ message: [UInt8]) -> [UInt8] {
        let fields: [[UInt8]] = [
            [0xa0, 0x06] + varint(random.next()),
            [0xa1, 0x06] + random.bytes(8...8),
            [0xa2, 0x06, 0x03, 0x01, 0x02, 0x03],
            [0xa5, 0x06] + random.bytes(4...4),
            [0xa3, 0x06, 0x08, 0x96, 0x01, 0x13, 0x0a, 0x01, 0xff, 0x14, 0xa4, 0x06],
        ]
        return (fields.randomElement(using: &random) ?? []) + message + (fields.randomElement(using: &random) ?? [])
    }

    private func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

import Etcd
import SwiftProtobuf
import TestSupport
import Testing
import Wire

import struct Foundation.Data

@Suite("Responses read as a client")
struct ResponseReaderTests {
    /// Reads messages that come in pieces of that size; the details of each.
    private func read(
        _ kind: OperationKind, _ bytes: [UInt8], pieces: Int, limits: CallLimits = CallLimits()
    ) -> (messages: [CallDetails], isMalformed: Bool) {
        var reader = ResponseReader()
        var details = CallDetails()
        var messages: [CallDetails] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            let piece = Array(bytes[start..<min(bytes.count, start + pieces)])
            var offset = 0
            reading: while true {
                switch reader.next(kind, piece.span, at: &offset, into: &details, limits: limits) {
                case .needMore: break reading
                case .malformed: return (messages, true)
                case .message:
                    messages.append(details)
                    details.reset()
                }
            }
        }
        return (messages, false)
    }

    private func keys(_ details: CallDetails) -> [[UInt8]] {
        details.keyValues.map { $0.key == 0 ? [] : Array(details.keys.bytes[details.keys.range(of: $0.key)]) }
    }

    @Test("ranges and watch responses, whole or in pieces of any size", arguments: [1, 2, 7, 100, 1 << 20], seeds(201))
    func pieces(_ pieces: Int, seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for _ in 0..<100 {
            let ranges = (0..<3).map { _ in random.rangeResponse() }
            let rangeBytes = try ranges.flatMap { Conversation.framed(try $0.serializedBytes()) }
            let found = read(.range, rangeBytes, pieces: pieces)
            #expect(!found.isMalformed)
            #expect(found.messages.map(\.answer.count) == ranges.map(\.count))
            #expect(found.messages.map(\.headerRevision) == ranges.map(\.header.revision))
            #expect(found.messages.map { keys($0) } == ranges.map { $0.kvs.map { Array($0.key) } })
            #expect(
                found.messages.map { $0.keyValues.map(\.valueSize) }
                    == ranges.map { $0.kvs.map { Int64($0.value.count) } })
            let watches = (0..<3).map { _ in random.watchResponse() }
            let watchBytes = try watches.flatMap { Conversation.framed(try $0.serializedBytes()) }
            let heard = read(.watch, watchBytes, pieces: pieces)
            #expect(!heard.isMalformed)
            #expect(heard.messages.map(\.watch.watchID) == watches.map(\.watchID))
            #expect(
                heard.messages.map { $0.keyValues.filter { $0.kind != .previous }.count } == watches.map(\.events.count)
            )
        }
    }

    @Test("a field beyond the limit, a compressed message and a foreign prefix are not read")
    func limits() throws {
        var limits = CallLimits()
        limits.fieldBytes = 1_000
        let large = Etcdserverpb_RangeResponse.with {
            $0.kvs = [.with { $0.value = Data(Array(repeating: 0, count: 2_000)) }]
        }
        let bytes = Conversation.framed(try large.serializedBytes())
        #expect(read(.range, bytes, pieces: 100, limits: limits).isMalformed)
        #expect(!read(.range, bytes, pieces: 100).isMalformed)
        #expect(read(.range, Conversation.framed([1, 2], compressed: true), pieces: 100).isMalformed)
        #expect(read(.range, [9, 0, 0, 0, 0], pieces: 1).isMalformed)
    }

    @Test("damaged messages never trap, and are never more than were sent", arguments: seeds(202))
    func damage(seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for _ in 0..<2_000 {
            let request = random.transaction()
            var bytes = Conversation.framed(try random.response(to: request).serializedBytes())
            for _ in 0..<3 {
                let place = Int.random(in: 5..<max(6, bytes.count), using: &random.random)
                if place < bytes.count { bytes[place] = UInt8.random(in: .min ... .max, using: &random.random) }
            }
            let pieces = Int.random(in: 1...50, using: &random.random)
            let found = read(.txn, bytes, pieces: pieces)
            #expect(found.messages.count <= 1)
            #expect(found.isMalformed == read(.txn, bytes, pieces: bytes.count).isMalformed)
        }
    }
}

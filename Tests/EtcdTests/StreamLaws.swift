import Etcd
import SwiftProtobuf
import TestSupport
import Testing
import Wire

import struct Foundation.Data

@Suite("Streams: watches and keep-alives")
struct StreamLaws {
    private let path = "/etcdserverpb.Watch/Watch"
    /// An empty `WatchProgressRequest`.
    private let progress: [UInt8] = [0x1a, 0]

    private func create(_ key: String, id: Int64 = 0) throws -> [UInt8] {
        try Etcdserverpb_WatchRequest.with {
            $0.createRequest.key = Data(key.utf8)
            $0.createRequest.rangeEnd = Data((key + "0").utf8)
            $0.createRequest.watchID = id
            $0.createRequest.startRevision = 5
            $0.createRequest.prevKv = true
            $0.createRequest.progressNotify = true
        }.serializedBytes()
    }

    private func cancel(_ id: Int64) throws -> [UInt8] {
        try Etcdserverpb_WatchRequest.with { $0.cancelRequest.watchID = id }.serializedBytes()
    }

    private func response(_ id: Int64, _ change: (inout Etcdserverpb_WatchResponse) -> Void = { _ in }) throws
        -> [UInt8]
    {
        try Etcdserverpb_WatchResponse.with {
            $0.header.revision = 40 + max(id, 0)
            $0.watchID = id
            change(&$0)
        }.serializedBytes()
    }

    private func event(_ key: String, delete: Bool = false, previous: Bool = false) -> Mvccpb_Event {
        .with {
            $0.type = delete ? .delete : .put
            $0.kv.key = Data(key.utf8)
            $0.kv.modRevision = 41
            if !delete { $0.kv.value = Data("value".utf8) }
            if previous {
                $0.prevKv.key = Data(key.utf8)
                $0.prevKv.value = Data("old".utf8)
                $0.prevKv.modRevision = 30
            }
        }
    }

    @Test("many watches on one stream: every create, cancel and answer finds its own", arguments: [[], [1], [3, 50]])
    func multiplexed(pieces: [Int]) throws {
        var conversation = Conversation()
        conversation.pieces = pieces
        conversation.open(1, path)
        for (id, key) in ["a", "b", "c", "d"].enumerated() {
            conversation.request(1, try create(key, id: Int64(id)), isLast: false)
        }
        conversation.accept(1)
        for id in 0..<3 as Range<Int64> { conversation.respond(1, try response(id) { $0.created = true }) }
        conversation.request(1, try cancel(2), isLast: false)
        conversation.request(1, try cancel(0), isLast: false)
        conversation.respond(1, try response(3) { $0.created = true })
        conversation.request(1, progress, isLast: false)
        conversation.respond(1, try response(0) { $0.canceled = true })
        conversation.respond(1, try response(2) { $0.canceled = true })
        conversation.respond(1, try response(-1))
        conversation.request(1, try cancel(3), isLast: false)
        conversation.cancel(1)
        conversation.end(1)

        let messages = conversation.operations(.message)
        let creates = messages.filter { $0.kind == .watchCreate }
        #expect(creates.map { conversation.key($0.key) } == ["a", "b", "c", "d"])
        #expect(creates.map { conversation.key($0.body.rangeEnd) } == ["a0", "b0", "c0", "d0"])
        #expect(creates.map(\.watchID) == [0, 1, 2, 3])
        #expect(creates.map(\.headerRevision) == [40, 41, 42, 43])
        #expect(creates.allSatisfy { $0.completeness == [.hasRequest, .hasResponse] && $0.revision == 5 })
        #expect(creates.allSatisfy { $0.body.flags == [.hasRangeEnd, .prevKv, .progressNotify, .answered] })
        #expect(creates.allSatisfy { $0.responseStart > 0 && $0.responseEnd >= $0.responseStart })
        let cancels = messages.filter { $0.kind == .watchCancel }
        #expect(cancels.map(\.watchID) == [0, 2, 3])
        #expect(cancels.map { $0.completeness.contains(.hasResponse) } == [true, true, false])
        #expect(messages.filter { $0.kind == .watchProgress }.map(\.completeness) == [.hasRequest])
        #expect(conversation.operations(.event).map(\.kind) == [.watchNotify])
        #expect(conversation.operations(.event).map(\.watchID) == [-1])
        let call = try #require(conversation.operations(.call).first)
        #expect(call.kind == .watch)
        #expect(conversation.key(call.key) == "a")
        #expect((call.requestMessages, call.responseMessages) == (8, 7))
        #expect(call.completeness == [.resetByClient, .completed])
        #expect(conversation.context.output.health.messages == 15)
        #expect(conversation.context.output.health.messagesUndecodable == 0)
    }

    @Test("events have their key-values, previous ones behind them", arguments: seeds(21))
    func events(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        var conversation = Conversation()
        conversation.open(1, path)
        conversation.request(1, progress, isLast: false)
        conversation.accept(1)
        var expected: [[DescribedKeyValue]] = []
        var ids: [Int64] = []
        for _ in 0..<2_000 {
            let message = messages.watchResponse()
            conversation.pieces = messages.random.oneIn(3) ? [Int.random(in: 1...50, using: &messages.random)] : []
            conversation.respond(1, try messages.withUnknownFields(message.serializedBytes()))
            ids.append(message.watchID)
            expected.append(
                message.events.flatMap { event in
                    [DescribedKeyValue(event.kv, event.type == .delete ? .deleteEvent : .putEvent)]
                        + (event.hasPrevKv ? [DescribedKeyValue(event.prevKv, .previous)] : [])
                })
        }
        let batch = conversation.context.output.batch
        let events = batch.operations.dropFirst()
        #expect(events.map { Described($0, in: batch).events } == expected)
        #expect(events.map(\.kind) == expected.map { $0.isEmpty ? .watchNotify : .watchEvents })
        #expect(events.map(\.watchID) == ids)
        #expect(events.allSatisfy { $0.role == .event && $0.completeness == .hasResponse })
    }

    @Test("create requests keep what they ask", arguments: seeds(22))
    func creates(seed: UInt64) throws {
        var messages = RandomMessages(seed: seed)
        for _ in 0..<2_000 {
            let message = messages.watchCreate()
            var conversation = Conversation()
            conversation.open(1, path)
            let bytes: [UInt8] = try Etcdserverpb_WatchRequest.with { $0.createRequest = message }.serializedBytes()
            conversation.request(1, messages.withUnknownFields(bytes), isLast: false)
            conversation.finish()
            let create = try #require(conversation.operations.first)
            var expected = DescribedBody(.watchCreate, branch: .root, depth: 0)
            expected.key = Array(message.key)
            expected.rangeEnd = Array(message.rangeEnd)
            expected.plain.revision = message.startRevision
            if !message.rangeEnd.isEmpty { expected.plain.flags.insert(.hasRangeEnd) }
            if message.progressNotify { expected.plain.flags.insert(.progressNotify) }
            if message.filters.contains(.noput) { expected.plain.flags.insert(.noPut) }
            if message.filters.contains(.nodelete) { expected.plain.flags.insert(.noDelete) }
            if message.prevKv { expected.plain.flags.insert(.prevKv) }
            if message.fragment { expected.plain.flags.insert(.fragment) }
            #expect(Described(create, in: conversation.context.output.batch).body == expected)
            #expect(create.watchID == message.watchID)
            #expect(create.completeness == .hasRequest)
            #expect(conversation.operations.count == 2)
        }
    }

    @Test("filters that are not packed are filters")
    func unpackedFilters() throws {
        var conversation = Conversation()
        conversation.open(1, path)
        conversation.request(1, [0x0a, 7, 0x0a, 1, 0x61, 0x28, 0, 0x28, 1], isLast: false)
        conversation.finish()
        #expect(conversation.operations.first?.body.flags == [.noPut, .noDelete])
    }

    @Test("what the server says unasked: a cancelled watch, a created one, one refused")
    func unasked() throws {
        var conversation = Conversation()
        conversation.open(1, path)
        conversation.accept(1)
        conversation.request(1, progress, isLast: false)
        conversation.respond(1, try response(4) { $0.canceled = true })
        conversation.respond(1, try response(5) { $0.created = true })
        conversation.request(1, try create("x"), isLast: false)
        conversation.respond(
            1, try response(-1) { ($0.created, $0.canceled, $0.cancelReason) = (true, true, "permission denied") })
        conversation.respond(1, try response(5) { $0.events = [event("x"), event("y", delete: true, previous: true)] })
        let told = conversation.operations.dropFirst()
        #expect(
            told.map(\.kind) == [
                .watchCanceled, .watchCreate, .watchCreate, .watchCanceled, .watchEvents,
            ])
        #expect(told.map(\.role) == [.event, .message, .message, .event, .event])
        #expect(told.map(\.watchID) == [4, 5, -1, -1, 5])
        #expect(
            told.map(\.completeness) == [
                .hasResponse, .hasResponse, [.hasRequest, .hasResponse], .hasResponse, .hasResponse,
            ])
        // The refusal is one response, though it is told twice.
        #expect(told.map(\.responseMessages) == [1, 1, 1, 0, 1])
        #expect(told.last?.events.count == 3)
    }

    @Test("after a hole no later create passes for the first")
    func firstMessage() throws {
        var conversation = Conversation()
        conversation.open(1, path)
        conversation.desynchronize(.request)
        conversation.request(1, try create("second"), isLast: false)
        conversation.accept(1)
        conversation.respond(1, try response(0) { $0.created = true })
        conversation.cancel(1)
        conversation.end(1)
        let create = try #require(conversation.operations(.message).first)
        #expect(conversation.key(create.key) == "second")
        let call = try #require(conversation.operations(.call).first)
        #expect(call.key == 0)
        #expect(call.completeness.isSuperset(of: [.requestDamaged, .keyLost]))
        #expect(call.requestMessages == 1)
    }

    @Test("a hole in events loses that response only")
    func holeInEvents() throws {
        var conversation = Conversation()
        conversation.open(1, path)
        conversation.request(1, progress, isLast: false)
        conversation.accept(1)
        let events = try response(0) { $0.events = [event("a"), event("b")] }
        conversation.frame(.response, 1, Conversation.framed(events), isLast: false, hole: 12..<14)
        conversation.respond(1, events)
        #expect(conversation.operations(.event).map(\.events.count) == [2])
        conversation.finish()
        let call = try #require(conversation.operations(.call).first)
        #expect(call.responseMessages == 1)
        #expect(call.completeness == [.responseDamaged, .unfinished])
    }

    @Test("keep-alives are answered by lease and in order")
    func keepAlives() throws {
        func message(_ lease: Int64) throws -> [UInt8] {
            try Etcdserverpb_LeaseKeepAliveRequest.with { $0.id = lease }.serializedBytes()
        }
        func answer(_ lease: Int64, _ ttl: Int64) throws -> [UInt8] {
            try Etcdserverpb_LeaseKeepAliveResponse.with { ($0.id, $0.ttl, $0.header.revision) = (lease, ttl, 8) }
                .serializedBytes()
        }
        var conversation = Conversation()
        conversation.open(1, "/etcdserverpb.Lease/LeaseKeepAlive")
        for lease in [10, 20, 10] as [Int64] { conversation.request(1, try message(lease), isLast: false) }
        conversation.accept(1)
        for (lease, ttl) in [(20, 2), (10, 1), (30, 3)] as [(Int64, Int64)] {
            conversation.respond(1, try answer(lease, ttl))
        }
        conversation.cancel(1)
        conversation.reset(1)
        let messages = conversation.operations(.message)
        #expect(messages.map(\.kind) == Array(repeating: .leaseKeepAlive, count: 4))
        #expect(messages.map(\.lease) == [20, 10, 30, 10])
        #expect(messages.map(\.ttl) == [2, 1, 3, 0])
        #expect(
            messages.map(\.completeness) == [
                [.hasRequest, .hasResponse], [.hasRequest, .hasResponse], .hasResponse, .hasRequest,
            ])
        #expect(messages[1].time < messages[3].time)
        let call = try #require(conversation.operations(.call).first)
        #expect(call.kind == .leaseKeepAlive)
        #expect((call.requestMessages, call.responseMessages) == (3, 3))
    }

    @Test("unanswered requests are bounded: the oldest is told without its answer")
    func unansweredLimit() throws {
        var limits = CallLimits()
        limits.unansweredMessages = 10
        var conversation = Conversation(limits: limits)
        conversation.open(1, path)
        for number in 0..<30 { conversation.request(1, try create("key-\(number)"), isLast: false) }
        #expect(conversation.operations(.message).map { conversation.key($0.key) } == (0..<20).map { "key-\($0)" })
        conversation.accept(1)
        conversation.respond(1, try response(0) { $0.created = true })
        #expect(conversation.operations(.message).last.map { conversation.key($0.key) } == "key-20")
    }

    @Test("a watch from before the recording is known by its messages, and is no request")
    func openedBefore() throws {
        var conversation = Conversation(isFromStart: false)
        let events = try response(0) { $0.events = [event("a")] }
        conversation.respond(3, events)
        conversation.request(3, [0x1a, 0], isLast: false)
        conversation.respond(3, try response(-1))
        conversation.finish()
        #expect(conversation.operations(.event).map(\.kind) == [.watchEvents, .watchNotify])
        #expect(conversation.operations(.message).map(\.kind) == [.watchProgress])
        let call = try #require(conversation.operations(.call).first)
        #expect(call.completeness == [.openedBefore, .unfinished])
        #expect(call.evidence == .inferred)
        #expect(conversation.key(call.key) == "a")
        #expect((call.requestMessages, call.responseMessages) == (1, 2))
    }
}

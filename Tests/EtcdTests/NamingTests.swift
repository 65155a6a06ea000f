import Etcd
import SwiftProtobuf
import Testing
import Wire

import struct Foundation.Data

/// Calls of which the recording does not hold the `:path`. Messages are made by protobuf's own library.
@Suite("Naming: calls whose path was not seen")
struct NamingTests {
    private let range = "/etcdserverpb.KV/Range"
    private let txn = "/etcdserverpb.KV/Txn"

    private func number(_ path: String) -> MethodNumber { MethodCatalogue.number(ofPath: Array(path.utf8).span) }

    private func header(_ revision: Int64) -> Etcdserverpb_ResponseHeader {
        .with {
            $0.clusterID = 77
            $0.memberID = 78
            $0.revision = revision
            $0.raftTerm = 3
        }
    }

    /// What a kube-apiserver asks for one object.
    private func rangeRequest(_ key: String) throws -> [UInt8] {
        try Etcdserverpb_RangeRequest.with {
            $0.key = Data(key.utf8)
            $0.limit = 1
        }.serializedBytes()
    }

    /// The answer to it; without a key, that there is none: the same bytes as of a delete or a put.
    private func rangeResponse(_ key: String?, at revision: Int64 = 9) throws -> [UInt8] {
        try Etcdserverpb_RangeResponse.with {
            $0.header = header(revision)
            guard let key else { return }
            $0.count = 1
            $0.kvs = [
                .with {
                    $0.key = Data(key.utf8)
                    $0.value = Data("value".utf8)
                    $0.createRevision = 3
                    $0.modRevision = 4
                    $0.version = 2
                }
            ]
        }.serializedBytes()
    }

    private func putRequest(_ key: String, _ value: String) throws -> [UInt8] {
        try Etcdserverpb_PutRequest.with {
            $0.key = Data(key.utf8)
            $0.value = Data(value.utf8)
        }.serializedBytes()
    }

    private func txnRequest(_ key: String) throws -> [UInt8] {
        try Etcdserverpb_TxnRequest.with {
            $0.compare = [
                .with {
                    $0.key = Data(key.utf8)
                    $0.target = .mod
                    $0.modRevision = 4
                }
            ]
            $0.success = [.with { $0.requestPut = .with { $0.key = Data(key.utf8) } }]
            $0.failure = [.with { $0.requestRange = .with { $0.key = Data(key.utf8) } }]
        }.serializedBytes()
    }

    private func txnResponse(_ revision: Int64) throws -> [UInt8] {
        try Etcdserverpb_TxnResponse.with {
            $0.header = header(revision)
            $0.succeeded = true
            $0.responses = [.with { $0.responsePut = .with { $0.header.revision = revision } }]
        }.serializedBytes()
    }

    @Test("a name of an entry is a name of all its calls, before and after")
    func backwards() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.call(1, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse(nil))
        conversation.call(3, entry: -5, try rangeRequest("/a/2"), answer: try rangeResponse(nil))
        #expect(conversation.operations.isEmpty, "nothing tells them from deletes yet")
        conversation.call(5, entry: -5, try rangeRequest("/a/3"), answer: try rangeResponse("/a/3"))
        #expect(conversation.operations(.call).map(\.method) == [number(range), number(range), number(range)])
        conversation.call(7, entry: -5, try rangeRequest("/a/4"), answer: try rangeResponse(nil))
        #expect(conversation.operations(.call).count == 4)
        for call in conversation.operations(.call) {
            #expect(call.method == number(range))
            #expect(call.evidence == .inferred)
            #expect(call.inference == .entry)
            #expect(call.kind == .range)
            #expect(conversation.key(call.key) == "/a/\((call.stream + 1) / 2)")
            #expect(call.body.limit == 1)
            #expect(call.headerRevision == 9)
            #expect(call.body.flags.contains(.answered))
        }
    }

    @Test("one call whose messages leave one method is named by its shape, details and all")
    func shape() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.call(1, entry: -5, try txnRequest("/a/1"), answer: try txnResponse(12))
        let call = try #require(conversation.operations(.call).first)
        #expect(call.method == number(txn))
        #expect(call.inference == .shape)
        #expect(call.body.flags.contains(.succeeded))
        #expect(call.parts.count == 2)
        #expect(call.status == 0)
    }

    @Test(
        "a lease that the answering member picked is revoked; of another number it is not told what it is",
        arguments: [
            // Both as an etcd gave them.
            (lease: 0x6a6c_a1fb_a71c_6dce, member: 0xb71f_7532_0dc0_6a6c as UInt64, isTold: true),
            (0x6a6c_a1fb_a71c_6dce, 0xb71f_7532_0dc0_ea6c, true),
            (0x6a6c_a1fb_a71c_6dce, 0xb71f_7532_0dc0_6a6d, false),
            (0x6a6c_a1fb_a71c_6dce, 0, false),
            (1 << 33, 0xb71f_7532_0dc0_6a6c, false),
        ])
    func pickedLease(lease: Int64, member: UInt64, isTold: Bool) throws {
        var conversation = Conversation(isFromStart: false)
        let answer = Etcdserverpb_HeaderResponse.with {
            $0.header = header(549)
            $0.header.memberID = member
            // kine's headers have nothing else.
            if member == 0 { $0.header = .with { $0.revision = 549 } }
        }
        conversation.call(
            1, entry: -5, try Etcdserverpb_LeaseRevokeRequest.with { $0.id = lease }.serializedBytes(),
            answer: try answer.serializedBytes())
        conversation.finish()
        let call = try #require(conversation.operations(.call).first)
        let revoke = number("/etcdserverpb.Lease/LeaseRevoke")
        if isTold {
            #expect(call.method == revoke)
            #expect(call.inference == .shape)
            #expect(call.lease == lease)
        } else {
            #expect(call.evidence == .ambiguous)
            #expect(call.candidates.numbers == [revoke, number("/etcdserverpb.Maintenance/MoveLeader")])
        }
    }

    @Test("identical messages stay ambiguous, with what they can be, unless the connection is a kube-apiserver's")
    func closedSet() throws {
        for (prefix, isKubernetes) in [("/registry/pods/", true), ("/app/pods/", false)] {
            var conversation = Conversation(isFromStart: false)
            conversation.call(1, entry: -5, try rangeRequest(prefix + "a"), answer: try rangeResponse(nil))
            conversation.finish()
            let call = try #require(conversation.operations(.call).first)
            if isKubernetes {
                #expect(call.method == number(range))
                #expect(call.inference == .closedSet)
            } else {
                #expect(call.evidence == .ambiguous)
                #expect(call.method == .unknown)
                #expect(call.candidates.numbers.contains(number(range)))
                #expect(call.candidates.numbers.contains(number("/etcdserverpb.KV/DeleteRange")))
                #expect(!call.candidates.numbers.contains(number(txn)))
                #expect(call.key == 0)
            }
        }
    }

    @Test("a call that no kube-apiserver makes takes the closed set from its connection")
    func closedSetRefuted() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.call(1, entry: -5, try rangeRequest("/registry/pods/a"), answer: try rangeResponse(nil))
        conversation.call(
            3, "/etcdserverpb.KV/Put", try putRequest("/registry/pods/b", "value"), answer: try rangeResponse(nil))
        conversation.finish()
        #expect(conversation.operations(.call).map(\.evidence) == [.seen, .ambiguous])
    }

    @Test("entries that no method fits are contradicted, never named")
    func contradiction() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.call(1, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse(nil))
        let grant = try Etcdserverpb_LeaseGrantRequest.with { $0.ttl = 5 }.serializedBytes() as [UInt8]
        let granted =
            try Etcdserverpb_LeaseGrantResponse.with {
                $0.header = header(9)
                $0.id = 1 << 60
                $0.ttl = 5
            }.serializedBytes() as [UInt8]
        conversation.call(3, entry: -5, grant, answer: granted)
        conversation.call(5, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse("/a/1"))
        conversation.finish()
        #expect(conversation.operations(.call).map(\.evidence) == [.ambiguous, .ambiguous, .ambiguous])
    }

    @Test("entries of two epochs are unrelated")
    func epochs() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.call(1, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse("/a/1"))
        conversation.open(3, path: -5, epoch: 1)
        conversation.request(3, try rangeRequest("/a/1"))
        conversation.accept(3)
        conversation.respond(3, try rangeResponse(nil))
        conversation.end(3)
        conversation.finish()
        #expect(conversation.operations(.call).map(\.evidence) == [.inferred, .ambiguous])
    }

    @Test("an entry that is used after another was inserted for a method is not that method's, unless paths come twice")
    func insertedLater() throws {
        let deleteRange = "/etcdserverpb.KV/DeleteRange"
        for isDuplicated in [false, true] {
            var conversation = Conversation(isFromStart: false)
            func known(_ stream: UInt32, _ path: String, entry: Int64) throws {
                conversation.open(stream, path, inserting: entry)
                conversation.request(stream, try rangeRequest("/a/1"))
                conversation.accept(stream)
                conversation.respond(stream, try rangeResponse(nil))
                conversation.end(stream)
            }
            try known(1, deleteRange, entry: 0)
            if isDuplicated {
                try known(3, deleteRange, entry: 2)
                try known(5, deleteRange, entry: 0)
            }
            conversation.call(7, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse(nil))
            conversation.finish()
            let call = try #require(conversation.operations(.call).last)
            #expect(call.stream == 7)
            #expect(call.candidates.numbers.contains(number(deleteRange)) == isDuplicated)
        }
    }

    @Test("two entries of before the recording are of two methods")
    func uniqueEntries() throws {
        var conversation = Conversation(isFromStart: false)
        // A stream of chunks and a range are alike but for the answer, which is missing here.
        conversation.open(1, path: -5)
        conversation.request(1, try rangeRequest("/registry/a"))
        conversation.cancel(1)
        conversation.call(3, entry: -7, try rangeRequest("/registry/b"), answer: try rangeResponse("/registry/b"))
        conversation.finish()
        let calls = conversation.operations(.call)
        #expect(calls.first { $0.stream == 3 }?.method == number(range))
        let first = try #require(calls.first { $0.stream == 1 })
        #expect(first.method == number("/etcdserverpb.KV/RangeStream"))
        #expect(first.inference == .closedSet)
    }

    @Test("of a client whose order of fields is not known, path and authority together name the entry")
    func orderUnknown() throws {
        var conversation = Conversation(isFromStart: false)
        func call(_ stream: UInt32, path: Int64, _ answer: [UInt8]) throws {
            conversation.open(stream, path: path, authority: -9)
            conversation.request(stream, try rangeRequest("/a/1"))
            conversation.accept(stream)
            conversation.respond(stream, answer)
            conversation.end(stream)
        }
        try call(1, path: -5, try rangeResponse(nil))
        try call(3, path: -6, try rangeResponse(nil))
        try call(5, path: -6, try rangeResponse("/a/1"))
        conversation.finish()
        let calls = conversation.operations(.call).sorted { $0.stream < $1.stream }
        #expect(calls.map(\.evidence) == [.ambiguous, .inferred, .inferred])
        #expect(!calls[0].candidates.numbers.contains(number(range)), "the other entry is a range's")
    }

    @Test("a range in chunks is told from a range by its answer")
    func rangeStream() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.open(1, path: -5)
        conversation.request(1, try rangeRequest("/a/1"))
        conversation.accept(1)
        // RangeStreamResponse: 1 RangeResponse (etcd 3.7; not in the schema of the tests).
        let chunk = try rangeResponse("/a/1")
        conversation.respond(1, [0x0a, UInt8(chunk.count)] + chunk)
        conversation.end(1)
        let call = try #require(conversation.operations(.call).first)
        #expect(call.method == number("/etcdserverpb.KV/RangeStream"))
        #expect(call.body.keyValues.count == 1)
    }

    @Test("headers of kine, which have a revision only, are read as etcd's")
    func kine() throws {
        var conversation = Conversation(isFromStart: false)
        let answer =
            try Etcdserverpb_RangeResponse.with {
                $0.header.revision = 9
                $0.count = 1
                $0.kvs = [.with { $0.key = Data("/a/1".utf8) }]
            }.serializedBytes() as [UInt8]
        conversation.call(1, entry: -5, try rangeRequest("/a/1"), answer: answer)
        #expect(conversation.operations(.call).first?.method == number(range))
    }

    @Test("likelihood names the puts of an entry, never a lone call")
    func likelihood() throws {
        for count in [1, 20] {
            var conversation = Conversation(isFromStart: false)
            for index in 0..<count {
                // Also what a change of a password and others look like.
                conversation.call(
                    UInt32(2 * index + 1), entry: -5, try putRequest("/a/\(index)", "/a/value"),
                    answer: try rangeResponse(nil, at: Int64(10 + index)))
            }
            conversation.finish()
            let calls = conversation.operations(.call)
            #expect(calls.count == count)
            for call in calls {
                #expect(call.evidence == (count > 1 ? .inferred : .ambiguous))
                if count > 1 {
                    #expect(call.method == number("/etcdserverpb.KV/Put"))
                    #expect(call.inference == .likelihood)
                }
            }
        }
    }

    @Test("calls beyond the limit are written as ambiguous at once")
    func waitingCalls() throws {
        var limits = CallLimits()
        limits.waitingCalls = 2
        var conversation = Conversation(isFromStart: false, limits: limits)
        for index in 0..<5 {
            conversation.call(
                UInt32(2 * index + 1), entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse(nil))
        }
        #expect(conversation.operations(.call).map(\.stream) == [5, 7, 9])
        #expect(conversation.context.openCalls == 2)
        conversation.call(11, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse("/a/1"))
        #expect(
            conversation.operations(.call).map(\.evidence) == [
                .ambiguous, .ambiguous, .ambiguous, .inferred, .inferred, .inferred,
            ])
        #expect(conversation.context.openCalls == 0)
    }

    @Test("calls that have waited for long are written with what is known")
    func patience() throws {
        var limits = CallLimits()
        limits.namingPatience = 1_000_000
        var conversation = Conversation(isFromStart: false, limits: limits)
        conversation.call(1, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse(nil))
        conversation.clock += 2_000_000
        conversation.call(3, "/etcdserverpb.KV/Range", try rangeRequest("/a/1"), answer: try rangeResponse(nil))
        #expect(conversation.operations(.call).map(\.evidence) == [.ambiguous, .seen])
        // The entry can still be named, for later calls.
        conversation.call(5, entry: -5, try rangeRequest("/a/1"), answer: try rangeResponse("/a/1"))
        #expect(conversation.operations(.call).last?.evidence == .inferred)
    }

    @Test("a watch opened before is known by its messages, with what it watches at least")
    func oldWatch() throws {
        var conversation = Conversation(isFromStart: false)
        func response(_ keys: [String]) throws -> [UInt8] {
            try Etcdserverpb_WatchResponse.with {
                $0.header = header(40)
                if keys.isEmpty { $0.watchID = -1 }
                $0.events = keys.map { key in
                    .with {
                        $0.kv.key = Data(key.utf8)
                        $0.kv.modRevision = 40
                    }
                }
            }.serializedBytes()
        }
        conversation.request(5, [0x1a, 0], isLast: false)
        conversation.respond(5, try response([]))
        conversation.respond(5, try response(["/registry/pods/default/a"]))
        conversation.respond(5, try response(["/registry/pods/default/ab", "/registry/pods/kube-system/b"]))
        conversation.finish()
        let stream = try #require(conversation.operations(.call).first)
        #expect(stream.completeness.contains(.openedBefore))
        #expect(stream.method == number("/etcdserverpb.Watch/Watch"))
        #expect(stream.evidence == .inferred)
        #expect(conversation.key(stream.key) == "/registry/pods/")
        #expect(conversation.operations(.message).map(\.kind) == [.watchProgress])
        #expect(conversation.operations(.event).map(\.kind) == [.watchNotify, .watchEvents, .watchEvents])
        #expect(conversation.operations(.event).map { $0.events.count } == [0, 1, 2])
    }

    @Test("a status entry that ends a whole unary call is 0 wherever it is used; another one is not known")
    func statusEntries() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.open(1, range)
        conversation.request(1, try rangeRequest("/a/1"))
        conversation.accept(1)
        conversation.respond(1, try rangeResponse("/a/1"))
        conversation.end(1, statusEntry: -2)
        for (stream, entry) in [(UInt32(3), Int64(-2)), (5, -4)] {
            conversation.open(stream, "/etcdserverpb.Watch/Watch")
            conversation.accept(stream)
            conversation.end(stream, statusEntry: entry)
        }
        conversation.finish()
        #expect(conversation.operations(.call).map(\.status) == [0, 0, nil])
    }
}

import Etcd
import HTTP2
import SwiftProtobuf
import TestSupport
import Testing
import Wire

@Suite("Hostile input: nothing traps, nothing grows")
struct HostileInputLaws {
    private func messages(seed: UInt64) throws -> [(path: String, request: [UInt8], response: [UInt8])] {
        var random = RandomMessages(seed: seed)
        var all: [(path: String, request: [UInt8], response: [UInt8])] = []
        for _ in 0..<4 {
            let transaction = random.transaction()
            let create = random.watchCreate()
            let range = random.rangeResponse()
            let pairs: [(String, any SwiftProtobuf.Message, any SwiftProtobuf.Message)] = [
                ("/etcdserverpb.KV/Range", random.range(), random.rangeResponse()),
                ("/etcdserverpb.KV/Put", random.put(), random.putResponse()),
                ("/etcdserverpb.KV/DeleteRange", random.delete(), random.deleteResponse()),
                ("/etcdserverpb.KV/Txn", transaction, random.response(to: transaction)),
                (
                    "/etcdserverpb.Watch/Watch", Etcdserverpb_WatchRequest.with { $0.createRequest = create },
                    random.watchResponse()
                ),
                (
                    "/etcdserverpb.KV/RangeStream", random.range(),
                    Etcdserverpb_RangeStreamResponse.with { $0.rangeResponse = range }
                ),
            ]
            for (path, request, response) in pairs {
                all.append((path, try request.serializedBytes(), try response.serializedBytes()))
            }
        }
        return all
    }

    /// One call with these messages on a connection; every slice of its operation must lie inside the batch.
    private func record(_ path: String, _ request: [UInt8], _ response: [UInt8], pieces: [Int]) -> Conversation {
        var conversation = Conversation()
        conversation.pieces = pieces
        conversation.open(1, path)
        conversation.request(1, request)
        conversation.accept(1)
        conversation.respond(1, response)
        conversation.end(1)
        conversation.finish()
        for operation in conversation.operations { _ = Described(operation, in: conversation.context.output.batch) }
        return conversation
    }

    @Test("every truncation of every message is a call that says whether it was read", arguments: seeds(31))
    func truncations(seed: UInt64) throws {
        for (path, request, response) in try messages(seed: seed) {
            for count in 0..<request.count {
                let conversation = record(path, Array(request[..<count]), response, pieces: [])
                #expect(conversation.operations(.call).count == 1)
                #expect(conversation.operations(.call).first?.requestMessages == 1)
            }
            for count in 0..<response.count {
                let cut = Array(response[..<count])
                let whole = record(path, request, cut, pieces: [])
                let split = record(path, request, cut, pieces: [7])
                #expect(whole.operations(.call).first?.completeness == split.operations(.call).first?.completeness)
                #expect(whole.operations(.call).first?.responseMessages == 1)
            }
        }
    }

    @Test("20 000 mutations are calls too", arguments: seeds(32))
    func mutations(seed: UInt64) throws {
        let all = try messages(seed: seed)
        var random = SplitMix64(seed: seed)
        for _ in 0..<20_000 {
            var (path, request, response) = try #require(all.randomElement(using: &random))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                Self.mutate(&request, &random)
                Self.mutate(&response, &random)
            }
            let pieces = random.oneIn(3) ? [Int.random(in: 1...30, using: &random)] : []
            let conversation = record(path, request, response, pieces: pieces)
            #expect(conversation.operations(.call).count == 1)
            #expect(conversation.operations(.call).first?.responseMessages == 1)
            #expect(conversation.context.heldBytes == 0)
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard !bytes.isEmpty else { return bytes = random.bytes(0...20) }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = [0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
        case 2: bytes.insert(contentsOf: random.bytes(1...5), at: place)
        case 3: bytes.remove(at: place)
        case 4: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff, 0x0f], at: place)
        default: bytes.replaceSubrange(place..<min(place + 8, bytes.count), with: random.bytes(0...8))
        }
    }

    @Test("random events of random streams are survived, and held bytes stay bounded", arguments: seeds(33, 34, 35))
    func events(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var limits = CallLimits()
        limits.openCalls = 50
        limits.heldBytes = 100_000
        limits.deferredBytes = 5_000
        let all = try messages(seed: seed)
        var conversation = Conversation(isFromStart: random.oneIn(2), limits: limits)
        for round in 0..<30_000 {
            let stream = UInt32(round / 40 + Int.random(in: 0..<40, using: &random)) * 2 + 1
            let direction = Direction.allCases.randomElement(using: &random) ?? .request
            let (path, request, response) = try #require(all.randomElement(using: &random))
            let message = direction == .request ? request : response
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1: conversation.open(stream, random.oneIn(5) ? nil : path)
            case 2: conversation.accept(stream)
            case 3: conversation.end(stream, status: random.oneIn(3) ? nil : "5")
            case 4: random.oneIn(2) ? conversation.cancel(stream) : conversation.reset(stream)
            case 5: if random.oneIn(20) { conversation.desynchronize(direction) }
            case 6: conversation.loseHeaders(direction, stream, isEnd: random.oneIn(3))
            case 7:
                let payload = Conversation.framed(message)
                let start = Int.random(in: 0..<payload.count, using: &random)
                conversation.frame(
                    direction, stream, payload, isLast: random.oneIn(3),
                    hole: start..<Int.random(in: start...payload.count, using: &random))
            case 8: conversation.data(direction, stream, random.bytes(0...3_000), isLast: random.oneIn(3))
            default:
                let payload = Conversation.framed(message, compressed: random.oneIn(6))
                conversation.data(
                    direction, stream, Array(payload[..<Int.random(in: 0...payload.count, using: &random)]),
                    isLast: random.oneIn(4))
            }
            #expect(conversation.context.heldBytes <= limits.heldBytes)
            #expect(conversation.context.openCalls <= limits.openCalls)
        }
        conversation.finish()
        #expect(conversation.context.openCalls == 0)
        #expect(conversation.context.heldBytes == 0)
        for operation in conversation.operations { _ = Described(operation, in: conversation.context.output.batch) }
        let calls = conversation.operations(.call)
        #expect(calls.count == Set(calls.map(\.stream)).count || calls.count > 600)
    }

    @Test(
        "what no encoder may write is undecoded",
        arguments: [
            [0x00], [0x07, 1], [0x0c], [0x0a], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            [0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], [0x18, 0xff], [0x19, 1, 2], [0x1d, 1],
            [0x1b, 0x24], [0x1b], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            [UInt8](repeating: 0x1b, count: 5_000),
        ] as [[UInt8]])
    func malformed(_ bytes: [UInt8]) throws {
        for (request, response) in [(bytes, []), ([], bytes)] {
            let conversation = record("/etcdserverpb.KV/Range", request, response, pieces: [])
            let call = try #require(conversation.operations.first)
            #expect(call.completeness == [.completed, request.isEmpty ? .responseUndecoded : .requestUndecoded])
            #expect(conversation.context.output.health.messagesUndecodable == 1)
        }
    }

    @Test(
        "transactions within transactions are followed so far and no further",
        arguments: [(30, true), (40, false), (2_000, false)])
    func nesting(depth: Int, isRead: Bool) throws {
        var transaction: [UInt8] = []
        for _ in 0..<depth {
            let operation = [0x22] + Self.length(transaction.count) + transaction
            transaction = [0x12] + Self.length(operation.count) + operation
        }
        let conversation = record("/etcdserverpb.KV/Txn", transaction, [], pieces: [])
        let call = try #require(conversation.operations.first)
        #expect(call.completeness.contains(.requestUndecoded) != isRead)
        #expect(call.parts.count == (isRead ? UInt32(depth) : 0))
    }

    private static func length(_ count: Int) -> [UInt8] {
        count < 128 ? [UInt8(count)] : [UInt8(count & 0x7f) | 0x80] + length(count >> 7)
    }

    @Test("a message of nothing but tiny parts is given up before it fills the memory")
    func amplification() throws {
        var limits = CallLimits()
        limits.parts = 1_000
        limits.keyValues = 1_000
        var conversation = Conversation(limits: limits)
        conversation.call(
            1, "/etcdserverpb.KV/Txn", (0..<1_001).flatMap { _ in [0x12, 0] as [UInt8] },
            answer: (0..<1_001).flatMap { _ in [0x1a, 0] as [UInt8] })
        conversation.call(
            3, "/etcdserverpb.KV/Range", [0x0a, 1, 0x61], answer: (0..<1_001).flatMap { _ in [0x12, 0] as [UInt8] })
        #expect(
            conversation.operations.map(\.completeness) == [
                [.completed, .requestUndecoded, .responseUndecoded], [.completed, .responseUndecoded],
            ])
        #expect(conversation.context.output.batch.parts.isEmpty)
        #expect(conversation.context.output.batch.keyValues.isEmpty)
    }
}

import Etcd
import HTTP2
import Testing
import Wire

@Suite("Calls: from frames to operations")
struct CallTests {
    // Small messages, spelled out: a range of "a" with limit 1, a put of "k" = "value", header with revision 9.
    private let rangeOfA: [UInt8] = [0x0a, 1, 0x61, 0x18, 1]
    private let putOfK: [UInt8] = [0x0a, 1, 0x6b, 0x12, 5] + Array("value".utf8)
    private let header: [UInt8] = [0x0a, 2, 0x18, 9]
    private let range = "/etcdserverpb.KV/Range"
    private let put = "/etcdserverpb.KV/Put"

    @Test("a unary call is one operation with its times, sizes and status")
    func unary() throws {
        var conversation = Conversation()
        conversation.call(1, range, rangeOfA, answer: header + [0x20, 1])
        let call = try #require(conversation.operations.first)
        #expect(conversation.operations.count == 1)
        #expect(call.role == .call)
        #expect(call.kind == .range)
        #expect(call.evidence == .seen)
        #expect(call.completeness == .completed)
        #expect(call.connection == 7)
        #expect(call.stream == 1)
        #expect(call.time == CaptureTime(nanoseconds: 1_000_000_000))
        #expect(call.requestEnd == 1_500)
        #expect(call.responseStart == 2_000)
        #expect(call.responseEnd == 4_500)
        #expect(call.status == 0)
        #expect(call.errorText == 0)
        #expect(call.headerRevision == 9)
        #expect((call.requestMessages, call.responseMessages) == (1, 1))
        #expect((call.requestBytes, call.responseBytes) == (5, 6))
        // HEADERS of 30 bytes and DATA of 9 + 5 + 5; HEADERS of 11, DATA of 9 + 5 + 6, trailers of 11.
        #expect(call.requestWireBytes == 49)
        #expect(call.responseWireBytes == 42)
        #expect(call.body.flags == .answered)
        #expect(call.body.count == 1)
        #expect(conversation.key(call.key) == "a")
        #expect(conversation.calls.openCalls == 0)
        #expect(conversation.context.openCalls == 0)
        #expect(String(decoding: conversation.calls.userAgent, as: UTF8.self) == "grpc-go/1.81.1")
    }

    @Test("an error without messages has its status and its text, percent-decoded")
    func trailersOnly() throws {
        var conversation = Conversation()
        conversation.open(1, put)
        conversation.request(1, putOfK)
        conversation.end(1, status: "3", message: "etcdserver: key%20is not 100% provided%e2%82%ac")
        let call = try #require(conversation.operations.first)
        #expect(call.status == 3)
        #expect(conversation.text(call.errorText) == "etcdserver: key is not 100% provided€")
        #expect(call.completeness == .completed)
        #expect(call.body.flags.isEmpty)
        #expect(call.responseMessages == 0)
    }

    @Test(
        "a status that is not known or no number is none",
        arguments: [
            (nil, nil), ("", nil), ("x", nil), ("-1", nil), ("9999999999", nil), ("0", 0), ("16", 16), ("42", 42),
        ]
            as [(String?, UInt32?)])
    func statuses(_ text: String?, _ status: UInt32?) throws {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.request(1, rangeOfA)
        conversation.end(1, status: text)
        #expect(try #require(conversation.operations.first).status == status)
    }

    @Test("interleaved streams stay apart, and end in the order of their ends")
    func interleaved() {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.open(3, put)
        conversation.frame(.request, 1, Array(Conversation.framed(rangeOfA)[..<4]), isLast: false)
        conversation.request(3, putOfK)
        conversation.frame(.request, 1, Array(Conversation.framed(rangeOfA)[4...]), isLast: true)
        conversation.accept(3)
        conversation.accept(1)
        conversation.respond(3, header)
        conversation.end(3)
        conversation.respond(1, header)
        conversation.end(1)
        #expect(conversation.operations.map(\.stream) == [3, 1])
        #expect(conversation.operations.map { conversation.key($0.key) } == ["k", "a"])
        #expect(conversation.operations[0].body.valueSize == 5)
    }

    @Test("a call that the client cancels keeps its request, and what the server still sends")
    func cancelled() throws {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.request(1, rangeOfA)
        conversation.cancel(1)
        #expect(conversation.operations.isEmpty)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.clock += 46_000_000_000
        conversation.open(3, range)
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == .resetByClient)
        #expect(call.status == nil)
        #expect((call.requestMessages, call.responseMessages) == (1, 1))
        conversation.end(1)
        conversation.cancel(1)
        conversation.finish()
        #expect(conversation.operations.map(\.stream) == [1, 3])
    }

    @Test("a call that the server resets is not completed")
    func resetByServer() throws {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.request(1, rangeOfA)
        conversation.reset(1)
        #expect(try #require(conversation.operations.first).completeness == .resetByServer)
    }

    @Test("a cancelled request that was not sent whole still is a request, with its key")
    func cancelledWithinRequest() throws {
        var conversation = Conversation()
        conversation.open(1, put)
        conversation.frame(.request, 1, Array(Conversation.framed(putOfK)[..<10]), isLast: false)
        conversation.cancel(1)
        conversation.finish()
        let call = try #require(conversation.operations.first)
        #expect(call.requestMessages == 0)
        #expect(call.body.kind == .none)
        #expect(conversation.key(call.key) == "k")
    }

    @Test("streams that are open at the end are unfinished; what GOAWAY names too")
    func openAtTheEnd() throws {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.request(1, rangeOfA)
        conversation.open(3, range)
        conversation.goAway(lastStream: 1)
        conversation.accept(1)
        conversation.finish()
        #expect(conversation.operations.map(\.completeness) == [.unfinished, .unfinished])
        #expect(conversation.operations.map(\.requestMessages) == [1, 0])
        #expect(conversation.context.openCalls == 0)
    }

    @Test("hundreds of pieces, several messages in one, empty ones: all count")
    func messages() throws {
        var conversation = Conversation()
        let value = [UInt8](repeating: 7, count: 1_400_000)
        let message: [UInt8] = [0x0a, 1, 0x6b, 0x12, 0xc0, 0xb9, 0x55] + value
        conversation.open(1, put)
        conversation.frameBytes = 16_384
        conversation.pieces = [1_448, 700]
        conversation.request(1, message)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.end(1)
        let large = try #require(conversation.operations.first)
        #expect(large.body.valueSize == 1_400_000)
        #expect(conversation.key(large.key) == "k")

        conversation.pieces = []
        conversation.open(3, "/etcdserverpb.Maintenance/Snapshot")
        conversation.request(3, [])
        conversation.accept(3)
        let chunk = Conversation.framed([0x1a, 3, 1, 2, 3])
        conversation.data(.response, 3, chunk + chunk + Conversation.framed([]) + chunk, isLast: false)
        conversation.end(3)
        let snapshot = try #require(conversation.operations.last)
        #expect((snapshot.requestMessages, snapshot.responseMessages) == (1, 4))
        #expect((snapshot.requestBytes, snapshot.responseBytes) == (0, 15))
        #expect(conversation.operations.count == 2)
    }

    // MARK: The order in which a recorder delivers

    @Test("the server's frames may come before the request's", arguments: [true, false])
    func serverFirst(isFromStart: Bool) throws {
        var conversation = Conversation(isFromStart: isFromStart)
        conversation.call(1, range, rangeOfA, answer: header)
        conversation.accept(3)
        conversation.respond(3, header + [0x12, 5, 0x0a, 3, 0x61, 0x62, 0x63])
        conversation.end(3)
        #expect(conversation.operations.count == 1)
        conversation.open(3, range)
        #expect(conversation.operations.count == 1)
        conversation.request(3, rangeOfA)
        let call = try #require(conversation.operations.last)
        #expect(conversation.operations.count == 2)
        #expect(call.evidence == .seen)
        #expect(call.completeness == .completed)
        #expect(call.headerRevision == 9)
        #expect(call.body.keyValues.count == 1)
        #expect(conversation.key(call.key) == "a")
        #expect(call.responseEnd < 0)
        #expect(conversation.context.output.health.messagesUndecodable == 0)
    }

    @Test("the request's DATA may come after the server's end")
    func dataAfterTheEnd() throws {
        var conversation = Conversation()
        conversation.open(1, put)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.end(1)
        #expect(conversation.operations.isEmpty)
        conversation.request(1, putOfK)
        let call = try #require(conversation.operations.first)
        #expect(conversation.key(call.key) == "k")
        #expect(call.body.flags == .answered)
    }

    @Test("a server's answer whose request never comes is given up after a while")
    func requestNeverComes() throws {
        var conversation = Conversation()
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.end(1)
        conversation.open(3, range)
        conversation.request(3, rangeOfA)
        #expect(conversation.operations.isEmpty)
        conversation.clock += 46_000_000_000
        conversation.accept(3)
        // It waits for a name now, which no other call can give it.
        conversation.finish()
        let call = try #require(conversation.operations.first { $0.stream == 1 })
        #expect(call.evidence == .ambiguous)
        #expect(call.method == .unknown)
        #expect(call.kind == .other)
        #expect(call.completeness == [.completed, .requestHeadersLost])
        #expect((call.requestMessages, call.responseMessages) == (0, 1))
    }

    @Test("a request of which nothing came but HEADERS is damaged when it was answered, and so is a success unanswered")
    func silentLoss() throws {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.end(1)
        conversation.open(3, range)
        conversation.request(3, rangeOfA)
        conversation.end(3)
        conversation.finish()
        let calls = conversation.operations.sorted { $0.stream < $1.stream }
        #expect(
            calls.map(\.completeness) == [[.completed, .requestDamaged, .keyLost], [.completed, .responseDamaged]])
    }

    @Test("what a gap says long after a call's end is still told of the call", arguments: [false, true])
    func lateGap(isGap: Bool) throws {
        var conversation = Conversation()
        conversation.open(1, put)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.end(1)
        conversation.clock += 60_000_000_000
        if isGap { conversation.desynchronize(.request) } else { conversation.request(1, putOfK) }
        conversation.open(3, range)
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == (isGap ? [.completed, .requestDamaged, .keyLost] : .completed))
        #expect(conversation.key(call.key) == (isGap ? "" : "k"))
    }

    @Test("late frames of a stream that ended are no call")
    func lateFrames() {
        var conversation = Conversation()
        conversation.call(1, range, rangeOfA, answer: header)
        conversation.call(3, range, rangeOfA, answer: header)
        conversation.cancel(1)
        conversation.reset(3)
        conversation.respond(1, header)
        conversation.data(.request, 3, [], isLast: true)
        conversation.finish()
        #expect(conversation.operations.count == 2)
        #expect(conversation.operations.allSatisfy { $0.completeness == .completed })
    }

    // MARK: What is not known

    @Test("a path that is no method of etcd's is kept as text")
    func uncatalogued() throws {
        var conversation = Conversation()
        conversation.open(1, "/etcdserverpb.KV/Nope")
        conversation.request(1, [1, 2, 3])
        conversation.end(1, status: "12", message: "unknown method Nope")
        let call = try #require(conversation.operations.first)
        #expect(call.method == .uncatalogued)
        #expect(conversation.text(call.methodText) == "/etcdserverpb.KV/Nope")
        #expect(call.evidence == .seen)
        #expect(call.kind == .other)
        #expect(call.status == 12)
        #expect(call.requestMessages == 1)
        #expect(conversation.context.output.health.messagesUndecodable == 0)
    }

    @Test("a path whose value is not known leaves the call ambiguous, and counted")
    func unknownPath() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.open(5, nil)
        conversation.request(5, rangeOfA)
        conversation.accept(5)
        conversation.respond(5, header)
        conversation.end(5, status: nil)
        conversation.finish()
        let call = try #require(conversation.operations.first)
        #expect(call.evidence == .ambiguous)
        #expect(call.method == .unknown)
        #expect(call.completeness == .completed)
        #expect((call.requestMessages, call.responseMessages) == (1, 1))
        #expect(call.key == 0)
    }

    @Test("without HEADERS a stream is a request only if it certainly began inside the recording")
    func withoutHeaders() throws {
        var conversation = Conversation(isFromStart: false)
        // 3 was open before the recording; 7 lies above 5, whose HEADERS were seen. No method has messages such as 3's.
        let foreign = Conversation.framed([0xff])
        conversation.frame(.response, 3, foreign, isLast: false)
        conversation.open(5, range)
        conversation.request(5, rangeOfA)
        conversation.frame(.response, 3, foreign, isLast: false)
        conversation.end(3)
        conversation.frame(.request, 7, Conversation.framed(rangeOfA), isLast: true)
        conversation.loseHeaders(.request, 9)
        conversation.finish()
        let byStream = Dictionary(uniqueKeysWithValues: conversation.operations.map { ($0.stream, $0) })
        #expect(byStream[3]?.completeness == [.openedBefore, .completed])
        #expect(byStream[3]?.evidence == .ambiguous)
        #expect(byStream[3]?.responseMessages == 2)
        #expect(byStream[5]?.evidence == .seen)
        #expect(byStream[7]?.completeness == [.requestHeadersLost, .unfinished])
        #expect(byStream[7]?.requestMessages == 1)
        #expect(byStream[9]?.completeness == [.requestHeadersLost, .unfinished])
    }

    @Test("a connection seen from its start has no stream from before")
    func fromStart() throws {
        var conversation = Conversation()
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.finish()
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == [.requestHeadersLost, .unfinished])
        #expect(call.responseMessages == 1)
        #expect(call.time == CaptureTime(nanoseconds: 1_000_000_000))
    }

    // MARK: Holes

    /// A put of "k" whose value of 100 bytes comes in two frames.
    private func puts(_ conversation: inout Conversation, hole: Range<Int>) {
        let message: [UInt8] = [0x0a, 1, 0x6b, 0x12, 100] + [UInt8](repeating: 1, count: 100)
        let payload = Conversation.framed(message)
        conversation.open(1, put)
        conversation.frame(.request, 1, payload, isLast: true, hole: hole)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.end(1)
    }

    @Test("a hole in a value damages the message and leaves the key")
    func holeInValue() throws {
        var conversation = Conversation()
        puts(&conversation, hole: 20..<50)
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == [.completed, .requestDamaged])
        #expect(conversation.key(call.key) == "k")
        #expect(call.body.kind == .none)
        #expect(call.requestMessages == 0)
        #expect(call.status == 0)
        #expect(call.headerRevision == 9)
        #expect(conversation.context.output.health.messagesDamaged == 1)
        #expect(conversation.context.output.health.messages == 1)
    }

    @Test("a hole in the key loses it; one in the prefix all", arguments: [5..<8, 6..<30, 2..<4, 0..<3, 0..<110])
    func holeInKey(_ hole: Range<Int>) throws {
        var conversation = Conversation()
        puts(&conversation, hole: hole)
        let call = try #require(conversation.operations.first)
        #expect(call.completeness.isSuperset(of: [.completed, .requestDamaged, .keyLost]))
        #expect(call.key == 0)
        #expect(call.requestMessages == 0)
    }

    @Test("a transaction's first key is certain only if its first operation was seen")
    func holesInTransactions() throws {
        // compare of "c", success: put of "k" with a long value.
        let compare: [UInt8] = [0x0a, 7, 0x10, 2, 0x1a, 1, 0x63, 0x30, 1]
        let body: [UInt8] = [0x0a, 1, 0x6b, 0x12, 60] + [UInt8](repeating: 1, count: 60)
        let operation: [UInt8] = [0x12, UInt8(body.count)] + body
        let message = compare + [0x12, UInt8(operation.count)] + operation
        for (hole, key) in [(40..<50, "k"), (16..<20, ""), (5..<8, "")] {
            var conversation = Conversation()
            conversation.open(1, "/etcdserverpb.KV/Txn")
            conversation.frame(.request, 1, Conversation.framed(message), isLast: true, hole: hole)
            conversation.end(1)
            let call = try #require(conversation.operations.first)
            #expect(conversation.key(call.key) == key, "hole \(hole)")
            #expect(call.completeness.contains(.keyLost) == key.isEmpty)
            #expect(call.parts.isEmpty)
        }
    }

    @Test("after a hole inside one message of a stream, the next is read")
    func holeInStream() throws {
        var conversation = Conversation()
        conversation.open(1, "/etcdserverpb.KV/RangeStream")
        conversation.request(1, rangeOfA)
        conversation.accept(1)
        let keyValue: [UInt8] = [0x0a, 7, 0x12, 5, 0x0a, 3, 0x61, 0x62, 0x63]
        conversation.frame(.response, 1, Conversation.framed(keyValue), isLast: false, hole: 8..<12)
        conversation.respond(1, keyValue)
        conversation.respond(1, [0x0a, UInt8(header.count)] + header)
        conversation.end(1)
        let call = try #require(conversation.operations.first)
        #expect(call.responseMessages == 2)
        #expect(call.completeness == [.completed, .responseDamaged])
        #expect(call.headerRevision == 9)
        #expect(!call.body.flags.contains(.answered))
    }

    @Test("END_STREAM within a message damages it")
    func cutMessage() throws {
        var conversation = Conversation()
        conversation.open(1, put)
        conversation.frame(.request, 1, Array(Conversation.framed(putOfK)[..<12]), isLast: true)
        conversation.end(1, status: "13")
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == [.completed, .requestDamaged])
        #expect(conversation.key(call.key) == "k")
    }

    @Test("a request direction that lost its step takes no request's word for granted")
    func desynchronizedRequests() throws {
        var conversation = Conversation()
        conversation.open(1, put)
        conversation.request(1, putOfK)
        conversation.open(3, put)
        conversation.open(5, put)
        conversation.open(7, put)
        conversation.frame(.request, 7, Array(Conversation.framed(putOfK)[..<8]), isLast: false)
        conversation.desynchronize(.request)
        // 3's message comes whole after all; 5's does not; 7's rest does not begin a message.
        conversation.request(3, putOfK)
        conversation.frame(.request, 7, Array(Conversation.framed(putOfK)[8...]), isLast: true)
        for stream in [1, 3, 5, 7] as [UInt32] {
            conversation.accept(stream)
            conversation.respond(stream, header)
            conversation.end(stream)
        }
        conversation.finish()
        let byStream = Dictionary(uniqueKeysWithValues: conversation.operations.map { ($0.stream, $0) })
        #expect(byStream[1]?.completeness == .completed)
        #expect(byStream[3]?.requestMessages == 1)
        #expect(conversation.key(byStream[3]?.key ?? 0) == "k")
        #expect(byStream[5]?.completeness == [.completed, .requestDamaged, .keyLost])
        #expect(byStream[7]?.completeness == [.completed, .requestDamaged])
        #expect(byStream[7]?.requestMessages == 0)
        #expect(byStream.values.allSatisfy { $0.evidence == .seen && $0.responseMessages == 1 })
    }

    @Test("what was lost before a request's HEADERS was not of this request, though its answer came first")
    func desynchronizedBeforeRequest() throws {
        var conversation = Conversation(isFromStart: false)
        conversation.accept(1)
        conversation.respond(1, header)
        conversation.desynchronize(.request)
        conversation.open(1, put)
        // An empty message: a Put without a key.
        conversation.request(1, [])
        conversation.end(1)
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == .completed)
        #expect(call.requestMessages == 1)
    }

    @Test("a response direction that lost its step counts only what begins plausibly")
    func desynchronizedResponses() throws {
        var conversation = Conversation()
        conversation.open(1, range)
        conversation.request(1, rangeOfA)
        conversation.accept(1)
        conversation.frame(
            .response, 1, Array(Conversation.framed([UInt8](repeating: 0, count: 300))[..<100]), isLast: false)
        conversation.desynchronize(.response)
        // Zeros are no plausible prefix of a frame of 200 bytes.
        conversation.frame(.response, 1, [UInt8](repeating: 0, count: 200), isLast: false)
        conversation.end(1)
        let call = try #require(conversation.operations.first)
        #expect(call.completeness == [.completed, .responseDamaged])
        #expect(call.responseMessages == 0)
        #expect(conversation.context.output.health.messagesDamaged == 1)
    }

    // MARK: Compression

    @Test("gzip messages are inflated; others are counted")
    func compressed() throws {
        var conversation = Conversation()
        let gzipped = Gzip.compressed(putOfK)
        conversation.open(1, put, more: [(.grpcEncoding, "gzip")])
        conversation.request(1, gzipped, compressed: true)
        conversation.accept(1, more: [(.grpcEncoding, "gzip")])
        conversation.respond(1, Gzip.compressed(header), compressed: true)
        conversation.end(1)
        let call = try #require(conversation.operations.first)
        #expect(conversation.key(call.key) == "k")
        #expect(call.body.valueSize == 5)
        #expect(call.headerRevision == 9)
        #expect(call.requestBytes == Int64(gzipped.count))

        conversation.open(3, put, more: [(.grpcEncoding, "snappy")])
        conversation.request(3, gzipped, compressed: true)
        conversation.accept(3)
        conversation.respond(3, [1, 2, 3], compressed: true)
        conversation.end(3)
        let foreign = try #require(conversation.operations.last)
        #expect(foreign.completeness == [.completed, .requestUndecoded, .responseUndecoded])
        #expect((foreign.requestMessages, foreign.responseMessages) == (1, 1))
        #expect(conversation.context.output.health.messagesUndecodable == 2)
    }

    @Test("a compressed response of megabytes is read in pieces, a bomb is given up")
    func bombs() throws {
        let keyValue: [UInt8] = [0x12, 5, 0x0a, 3, 0x61, 0x62, 0x63]
        let large = Gzip.compressed((0..<100_000).flatMap { _ in keyValue } + header)
        var limits = CallLimits()
        limits.inflatedBytes = 1_000_000
        for (limits, isRead) in [(CallLimits(), true), (limits, true), (limits, false)] {
            var conversation = Conversation(limits: limits)
            conversation.pieces = [1_000]
            conversation.open(1, range)
            conversation.request(1, rangeOfA)
            conversation.accept(1)
            conversation.respond(
                1, isRead ? large : Gzip.compressed([UInt8](repeating: 0, count: 1_000_001)), compressed: true)
            conversation.end(1)
            let call = try #require(conversation.operations.first)
            #expect(call.body.keyValues.count == (isRead ? 100_000 : 0))
            #expect(call.completeness.contains(.responseUndecoded) != isRead)
        }
    }

    // MARK: Limits

    @Test("beyond the limit of open calls the oldest are given up, those that still speak last")
    func openCallLimit() {
        var limits = CallLimits()
        limits.openCalls = 64
        var conversation = Conversation(limits: limits)
        conversation.open(1, "/etcdserverpb.Watch/Watch")
        for number in 1...200 as ClosedRange<UInt32> {
            conversation.open(number * 2 + 1, range)
            conversation.request(number * 2 + 1, rangeOfA)
        }
        #expect(conversation.context.openCalls <= 64)
        #expect(conversation.context.output.health.streamsEvicted == Int64(conversation.operations.count))
        #expect(conversation.operations.allSatisfy { $0.completeness == .unfinished && $0.stream != 1 })
        // Late answers of the evicted are no new calls.
        conversation.accept(3)
        conversation.respond(3, header)
        conversation.end(3)
        conversation.finish()
        #expect(conversation.operations.count == 201)
        #expect(Set(conversation.operations.map(\.stream)).count == 201)
        #expect(conversation.context.heldBytes == 0)
    }

    @Test("held bytes are bounded over all calls")
    func heldByteLimit() {
        var limits = CallLimits()
        limits.heldBytes = 1 << 20
        var conversation = Conversation(limits: limits)
        for number in 0..<100 as Range<UInt32> {
            conversation.open(number * 2 + 1, put)
            conversation.data(
                .request, number * 2 + 1,
                Array(Conversation.framed([0x0a, 1, 0x6b] + [UInt8](repeating: 0, count: 100_000))[..<50_000]),
                isLast: false)
            #expect(conversation.context.heldBytes <= 1 << 20)
        }
        conversation.finish()
        #expect(conversation.operations.count == 100)
        #expect(conversation.operations.allSatisfy { conversation.key($0.key) == "k" })
        #expect(conversation.context.output.health.streamsEvicted > 0)
        #expect(conversation.context.heldBytes == 0)
    }

    @Test("what is longer than its limit is counted and passed over")
    func lengthLimits() throws {
        var limits = CallLimits()
        limits.requestBytes = 1_000
        limits.fieldBytes = 1_000
        var conversation = Conversation(limits: limits)
        conversation.frameBytes = 512
        conversation.open(1, put)
        conversation.request(1, [0x0a, 1, 0x6b, 0x12, 0xd0, 0x0f] + [UInt8](repeating: 0, count: 2_000))
        conversation.accept(1)
        conversation.respond(1, header + [0x12, 0xd0, 0x0f] + [UInt8](repeating: 0, count: 2_000))
        conversation.end(1)
        conversation.call(3, put, putOfK, answer: header)
        let long = try #require(conversation.operations.first)
        #expect(long.completeness == [.completed, .requestUndecoded, .responseUndecoded])
        #expect((long.requestMessages, long.responseMessages) == (1, 1))
        #expect(long.headerRevision == 9)
        #expect(conversation.operations.last?.body.valueSize == 5)
        #expect(conversation.context.output.health.messagesUndecodable == 2)
    }

    @Test("a field of no interest may be of any length")
    func uninteresting() throws {
        var limits = CallLimits()
        limits.fieldBytes = 100
        limits.heldBytes = 1_000
        var conversation = Conversation(limits: limits)
        conversation.frameBytes = 64
        conversation.open(1, "/etcdserverpb.Maintenance/Snapshot")
        conversation.request(1, [])
        conversation.accept(1)
        conversation.respond(1, [0x1a, 0xa0, 0x9c, 0x01] + [UInt8](repeating: 0, count: 20_000) + header)
        conversation.end(1)
        let call = try #require(conversation.operations.first)
        #expect(call.headerRevision == 9)
        #expect(call.completeness == .completed)
        #expect(conversation.context.output.health.streamsEvicted == 0)
    }
}

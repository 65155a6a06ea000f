import Chains
import Testing
import Wire

@Suite("A client of a paper variant")
struct PaperClientTests {
    private static let timeout: UInt64 = 50_000_000

    /// A client of NetCRAQ's three nodes, with what it has said.
    private struct Bench {
        var client: PaperClient
        var output = PaperClientOutput()

        init(tags: Int, change: (inout PaperClientConfiguration) -> Void = { _ in }) {
            var configuration = PaperClientConfiguration(PaperCodec(.netCRAQ, chain: []), targets: 3, tags: tags)
            change(&configuration)
            client = PaperClient(configuration)
        }

        mutating func read(_ key: UInt32, at target: Int = 0, now: UInt64 = 0) -> UInt64? {
            client.begin(isWrite: false, key: key, at: target, now: now, into: &output)
        }

        mutating func write(_ key: UInt32, _ value: UInt128, now: UInt64 = 0) -> UInt64? {
            client.begin(isWrite: true, key: key, value: value, at: 0, now: now, into: &output)
        }

        /// What was sent since the last call, as (tag, node).
        mutating func sent() -> [[Int]] {
            let all = output.transmissions.map { [$0.tag, $0.target] }
            output.removeTransmissions()
            return all
        }

        mutating func answer(
            _ operation: NetCRAQPaperPacket.Operation, _ key: UInt32, _ value: UInt128 = 0, tag: Int, now: UInt64 = 0
        ) -> [PaperResult] {
            var bytes: [UInt8] = []
            NetCRAQPaperPacket(operation, key: key, value: value).append(to: &bytes)
            client.receive(bytes.span, tag: tag, at: now, into: &output)
            let results = output.results
            output.removeAll()
            return results
        }

        mutating func advance(_ now: UInt64) -> [PaperResult] {
            client.advance(to: now, into: &output)
            let results = output.results
            output.results.removeAll()
            return results
        }
    }

    @Test("it says what the papers' clients say", arguments: [false, true])
    func requests(_ isWrite: Bool) {
        // Key 2018, value 222, chain 10.0.100.1 to .4.
        let chain: [UInt32] = (1...4).map { 0x0a00_6400 + $0 }
        let value: UInt128 = isWrite ? 222 : 0
        let key = "000000000000000000000000000007e2"
        let stored = isWrite ? "000000000000000000000000000000de" : String(repeating: "0", count: 32)
        let list = "0a0064010a0064020a0064030a006404"
        let reversed = "0a0064040a0064030a0064020a006401"
        let expected = [
            (PaperProtocol.netCRAQ, (isWrite ? "8000" : "0000") + "000007e2" + stored),
            (
                .netChain(.bits16),
                (isWrite ? list : reversed) + "00000000" + (isWrite ? "0c" : "0a") + "050000"
                    + key + stored + "0000"
            ),
        ]
        for (speech, hex) in expected {
            let configuration = PaperClientConfiguration(PaperCodec(speech, chain: chain), targets: 4, tags: 1)
            var client = PaperClient(configuration)
            var output = PaperClientOutput()
            #expect(
                client.begin(isWrite: isWrite, key: 2018, value: value, at: 0, now: 0, into: &output) != nil)
            let sent = output.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            #expect(sent == hex)
        }
    }

    @Test("an answer is known by port, key and operation; anything else changes nothing")
    func matching() {
        var bench = Bench(tags: 2)
        let read = bench.read(1)
        let write = bench.write(1, 7)
        let other = bench.read(1)
        // Of one key: reads on two ports, the write beside one of them.
        #expect(bench.sent() == [[0, 0], [1, 0], [1, 0]])
        #expect(bench.answer(.acknowledge, 1, 7, tag: 0).isEmpty)
        #expect(bench.answer(.readReply, 2, 7, tag: 0).isEmpty)
        #expect(bench.answer(.read, 1, tag: 0).isEmpty)
        #expect(bench.answer(.readReply, 1, 7, tag: 2).isEmpty)
        #expect(bench.answer(.readReply, 1, 7, tag: -1).isEmpty)
        let second = bench.answer(.readReply, 1, 9, tag: 1, now: 5)
        #expect(second.map(\.id) == [other] && second.map(\.value) == [9] && second.map(\.endedAt) == [5])
        #expect(bench.answer(.readReply, 1, 9, tag: 1).isEmpty, "a second answer is nobody's")
        #expect(bench.answer(.acknowledge, 1, 7, tag: 1).map(\.id) == [write])
        #expect(bench.answer(.readReply, 1, 9, tag: 0).map(\.id) == [read])
        #expect(bench.client.pendingCount == 0)
    }

    @Test("a request that finds no port free waits, and begins when one is")
    func waiting() {
        var bench = Bench(tags: 1)
        _ = bench.read(1)
        let late = bench.read(1, at: 2, now: 3)
        _ = bench.read(4)
        #expect(bench.sent() == [[0, 0], [0, 0]])
        #expect(bench.client.waits == 1)
        var bytes: [UInt8] = []
        NetCRAQPaperPacket(.readReply, key: 1, value: 5).append(to: &bytes)
        bench.client.receive(bytes.span, tag: 0, at: 10, into: &bench.output)
        #expect(bench.sent() == [[0, 2]])
        let result = bench.answer(.readReply, 1, 6, tag: 0, now: 30).last
        #expect(result?.id == late && result?.value == 6 && result?.begunAt == 3 && result?.endedAt == 30)
    }

    @Test("after 50 ms the next node is asked from another port, and the old port rests for 200 ms")
    func retries() {
        var bench = Bench(tags: 2) { $0.attempts = 3 }
        let id = bench.read(1, at: 2)
        #expect(bench.client.nextDeadline == Self.timeout)
        #expect(bench.advance(Self.timeout - 1).isEmpty && bench.sent() == [[0, 2]])
        #expect(bench.advance(Self.timeout).isEmpty && bench.sent() == [[1, 0]])
        #expect(bench.answer(.readReply, 1, 4, tag: 0).isEmpty, "too late: nobody knows whose it is")
        // Both ports are taken or resting: the third try waits until the first one's rest is over.
        #expect(bench.advance(2 * Self.timeout).isEmpty && bench.sent().isEmpty)
        #expect(bench.client.nextDeadline == 5 * Self.timeout)
        #expect(bench.advance(5 * Self.timeout - 1).isEmpty && bench.sent().isEmpty)
        #expect(bench.advance(5 * Self.timeout).isEmpty && bench.sent() == [[0, 1]])
        let result = bench.advance(6 * Self.timeout)
        #expect(result.map(\.id) == [id] && result.map(\.isAnswered) == [false])
        #expect(result.map(\.transmissions) == [3])
        #expect(bench.client.nextDeadline == nil)
        #expect(bench.answer(.readReply, 1, 4, tag: 0).isEmpty)
        // Another key, and the other operation, may have the resting ports.
        _ = bench.read(2, now: 6 * Self.timeout)
        _ = bench.write(1, 3, now: 6 * Self.timeout)
        #expect(bench.sent().count == 2)
    }

    @Test("with one port for all tries, whichever answer comes first is the answer")
    func sameTag() {
        var bench = Bench(tags: 1) { $0.retries = .sameTag }
        let id = bench.write(1, 8)
        #expect(bench.advance(Self.timeout).isEmpty)
        #expect(bench.sent() == [[0, 0], [0, 1]])
        #expect(bench.answer(.acknowledge, 1, 8, tag: 0).map(\.id) == [id])
    }

    @Test("one that stays with its node asks nobody else, and no more begin than are allowed")
    func bounds() {
        var bench = Bench(tags: 8) { $0.requestsMax = 1 }
        let id = bench.client.begin(
            isWrite: false, key: 1, at: 1, rotates: false, now: 0, into: &bench.output)
        #expect(id != nil && bench.read(2) == nil)
        #expect(bench.advance(Self.timeout).isEmpty)
        #expect(bench.sent() == [[0, 1], [1, 1]])
    }

    @Test(
        "whatever bytes come, only a reply of the format ends a request",
        arguments: [PaperProtocol.netCRAQ, .netChain(.bits16), .netChain(.bits128)])
    func garbage(_ speech: PaperProtocol) {
        let configuration = PaperClientConfiguration(PaperCodec(speech, chain: [1, 2, 3]), targets: 3, tags: 2)
        var client = PaperClient(configuration)
        var output = PaperClientOutput()
        for key in UInt32(0)..<256 { _ = client.begin(isWrite: key & 1 == 1, key: key, at: 0, now: 0, into: &output) }
        var numbers = SplitMix64(seed: 4)
        for length in 0..<4096 {
            let bytes = (0..<length % 128).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
            client.receive(bytes.span, tag: length & 1, at: 1, into: &output)
        }
        // That one of them is a reply to a key under way by chance has less than one chance in a million.
        #expect(output.results.isEmpty && output.transmissions.count == 256)
        #expect(client.pendingCount == 256)
        #expect(client.nextDeadline == Self.timeout)
    }

    @Test("every answer ends one request of its key and operation, in any order", arguments: [UInt64(1), 2, 3])
    func manyInFlight(_ seed: UInt64) {
        var numbers = SplitMix64(seed: seed)
        var bench = Bench(tags: 4)
        // What a chain still has to answer, as port, key and operation; and what each request is.
        var open: [[Int]] = []
        var begun: [UInt64: [Int]] = [:]
        for step in 0..<4000 {
            let now = UInt64(step)
            if step < 3500, open.isEmpty || numbers.below(2) == 0 {
                let key = numbers.below(8)
                let isWrite = numbers.below(2) == 0
                let id = isWrite ? bench.write(UInt32(key), 1, now: now) : bench.read(UInt32(key), now: now)
                begun[id ?? 0] = [key, isWrite ? 1 : 0]
            } else if !open.isEmpty {
                let place = open.remove(at: numbers.below(open.count))
                var bytes: [UInt8] = []
                let operation: NetCRAQPaperPacket.Operation = place[2] == 1 ? .acknowledge : .readReply
                NetCRAQPaperPacket(operation, key: UInt32(place[1]), value: 1).append(to: &bytes)
                bench.client.receive(bytes.span, tag: place[0], at: now, into: &bench.output)
                #expect(bench.output.results.count == 1)
                for result in bench.output.results {
                    #expect(begun.removeValue(forKey: result.id) == [place[1], place[2]])
                }
                bench.output.results.removeAll()
            }
            for sent in bench.output.transmissions {
                let operation = bench.output.bytes[sent.payload.lowerBound] >> 7
                let key = bench.output.bytes.span.bigEndian32(at: sent.payload.lowerBound + 2)
                let place = [sent.tag, Int(key), Int(operation)]
                #expect(!open.contains(place), "two requests alike on one port")
                open.append(place)
            }
            bench.output.removeTransmissions()
        }
        #expect(begun.isEmpty && open.isEmpty && bench.client.pendingCount == 0)
        #expect(bench.client.waits > 100)
    }
}

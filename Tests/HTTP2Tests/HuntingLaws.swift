import HTTP2
import TestSupport
import Testing
import Wire

@Suite("Looking for frame boundaries")
struct HuntingLaws {
    @Test(
        "joined midway at every byte: nothing claimed is false, and the next frames are read", arguments: [false, true])
    func everyByte(isCCore: Bool) {
        let connection = RecordedConnection(seed: 11, .init(requests: 14, isCCore: isCCore))
        for direction in Direction.allCases {
            let bytes = connection.bytes[direction] ?? []
            let sections = connection.sections(direction)
            for start in 1..<sections[11].bytes.lowerBound {
                for piece in [bytes.count, 200] {
                    var listener = Listener(atStart: false)
                    for position in stride(from: start, to: bytes.count, by: piece) {
                        listener.receive(Array(bytes[position..<min(position + piece, bytes.count)]), direction)
                    }
                    listener.finish()
                    expectTruth(listener, connection, direction, "joined at byte \(start)")
                    #expect(listener.told[direction]?.first?.kind == .desynchronized)
                    #expect(listener.sections(direction).last?.stream == 27, "joined at byte \(start)")
                    #expect(listener.reader.health.resynchronizations == 1)
                }
            }
        }
    }

    @Test("random bytes hold no frame", arguments: seeds())
    func randomBytes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        expectNothing(in: (0..<60).map { _ in random.bytes(16_384) })
    }

    @Test("tables of addresses and sizes, as executables have them, hold no frame", arguments: seeds())
    func tablesOfAddresses(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let blocks = (0..<60).map { _ in
            (0..<2048).flatMap { _ -> [UInt8] in
                Bool.random(using: &random)
                    ? random.bytes(5) + [0x7f, 0, 0] : random.bytes(2) + [0, 0] + random.bytes(4)
            }
        }
        expectNothing(in: blocks + [Array(repeating: 0, count: 100_000), Array(repeating: 0xff, count: 100_000)])
    }

    @Test("tables of small numbers and of equal rows, as executables have them, hold no frame", arguments: seeds())
    func tablesOfNumbers(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let numbers = (0..<60).map { _ -> [UInt8] in
            let base = UInt64.random(in: 0x380..<0x800, using: &random)
            return (0..<2048).flatMap { _ -> [UInt8] in
                let number = base + UInt64.random(in: 0..<128, using: &random)
                return [UInt8(number & 255), UInt8(number >> 8), 0, 0, 0, 0, 0, 0]
            }
        }
        let rows = (0..<60).map { _ -> [UInt8] in
            (0..<1024).flatMap { row in [0, 0, 7, 0, 0, 2, 1, UInt8(row & 255), 0xff] + random.bytes(7) }
        }
        expectNothing(in: numbers)
        expectNothing(in: rows)
    }

    private func expectNothing(in blocks: [[UInt8]]) {
        for atStart in [true, false] {
            var listener = Listener(atStart: atStart)
            for (index, block) in blocks.enumerated() { listener.receive(block, index % 2 == 0 ? .request : .response) }
            listener.finish()
            #expect(listener.isSilent)
            #expect(listener.reader.health.resynchronizations == 0 && listener.reader.health.frames == 0)
            #expect(listener.reader.health.undecodableBytes == blocks.reduce(0) { $0 + $1.count })
            #expect(listener.reader.content == .other)
            #expect(listener.reader.memoryBytes < 1 << 20)
        }
    }

    @Test("a boundary that proves wrong, again and again in one segment, costs no memory", arguments: [0, 3, 40])
    func wrongBoundaries(heldBytes: Int) {
        // DATA whose padding is longer than it, which only its payload tells (RFC 9113 §6.1).
        let unit = Frame.ping() + Frame.frame(0, flags: 8, stream: 1, [0xff])
        let count = 16_000
        let bytes = Array(repeatElement(unit, count: count).joined())
        var listener = Listener(atStart: false)
        // Garbage that the hunt begins with, and part of the first unit, are held when the segment comes.
        listener.receive(Array(repeating: 0xee, count: 50) + bytes.prefix(heldBytes))
        listener.receive(Array(bytes.dropFirst(heldBytes)))
        #expect(listener.reader.health.oddities.connectionErrors > count - 10)
        #expect(listener.reader.memoryBytes < 1 << 18)
        listener.receive(Frame.ping() + Frame.ping() + Frame.headers([0x83, 0x86, 0x84], stream: 201))
        #expect(listener.sections(.request).map(\.stream) == [201])
    }

    static let records: [UInt8] = {
        var random = SplitMix64(seed: 8446)
        var records: [UInt8] = [22, 3, 1, 2, 0] + random.bytes(512)
        for _ in 0..<200 {
            let count = Int.random(in: 20..<3000, using: &random)
            records += [23, 3, 3, UInt8(count >> 8), UInt8(count & 255)] + random.bytes(count)
        }
        return records
    }()

    @Test(
        "TLS is recognised and never decoded, from its start, midway, and in pieces", arguments: [true, false],
        [1, 1448, 1 << 20])
    func tls(atStart: Bool, piece: Int) {
        let records = atStart ? Self.records : Array(Self.records.dropFirst(517))
        for direction in Direction.allCases {
            var listener = Listener(atStart: atStart)
            for start in stride(from: 0, to: records.count, by: piece) {
                listener.receive(Array(records[start..<min(start + piece, records.count)]), direction)
            }
            listener.finish()
            #expect(listener.isSilent)
            if atStart || piece > 1 { #expect(listener.reader.content == .tls) }
            #expect(listener.reader.health.undecodableBytes == records.count)
        }
    }

    @Test("HTTP/1 is recognised and never decoded", arguments: [true, false])
    func http1(atStart: Bool) {
        var listener = Listener(atStart: atStart)
        let request = Array("GET /health HTTP/1.1\r\nHost: localhost:2379\r\n\r\n".utf8)
        let response = Array("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"health\":\"true\"}   ".utf8)
        for _ in 0..<50 {
            listener.receive(request, .request)
            listener.receive(response, .response)
        }
        listener.finish()
        #expect(listener.reader.content == .http1)
        #expect(listener.isSilent)
        #expect(listener.reader.health.undecodableBytes == 50 * (request.count + response.count))
    }

    @Test("in step, nothing inside DATA is looked at: a value may be a whole recording")
    func valueInStep() {
        let inner = RecordedConnection(seed: 3, .init(requests: 10)).bytes[.request] ?? []
        var listener = Listener()
        listener.receive(
            Frame.preface + Frame.settings() + Frame.message(inner, stream: 1, endStream: true) + Frame.ping())
        #expect(listener.told[.request]?.allSatisfy { $0.kind == .data && $0.stream == 1 } == true)
    }

    @Test("joined within a value that holds frames, in a segment that goes on behind it: they are not believed")
    func valueMidway() {
        let inner = RecordedConnection(seed: 3, .init(requests: 10))
        let frames = (inner.bytes[.request] ?? []).dropFirst(33)
        let value = Array("header of a file ".utf8) + frames + Array(" and its text, which goes on and on".utf8)
        var listener = Listener(atStart: false)
        listener.receive(value + Frame.ping() + Frame.headers([0x83, 0x86, 0x84], stream: 201))
        listener.receive(Frame.message(Array("abc".utf8), stream: 201, endStream: true))
        #expect(listener.sections(.request).map(\.stream) == [201])
    }

    @Test("a server's direction is only trusted from its start when that was seen and SETTINGS come first")
    func serverStart() {
        let connection = RecordedConnection(seed: 21)
        let bytes = connection.bytes[.response] ?? []
        // Joined before the first HEADERS, but it could be anywhere: an index beyond what was seen is an unknown entry.
        var midway = Listener(atStart: false)
        midway.receive(bytes, .response)
        midway.receive(Frame.headers([0x88, 0xc0 + 10], stream: 99), .response)
        #expect(midway.sections(.response).last?.fields.last?.value == nil)
        #expect(midway.reader.health.oddities.total == 0)
        // Said to begin at its start, but with something else first: not trusted either.
        var refused = Listener(atStart: true)
        refused.receive(Array(bytes.dropFirst(24)), .response)
        refused.receive(Frame.headers([0x88, 0xc0 + 10], stream: 99), .response)
        #expect(refused.told[.response]?.first?.kind == .desynchronized)
        #expect(refused.reader.health.fieldSectionsLost == 0)
        // Seen from its start: an error, as no entry can be missing.
        var started = Listener(atStart: true)
        started.receive(bytes, .response)
        started.receive(Frame.headers([0x88, 0xc0 + 10], stream: 99), .response)
        #expect(started.reader.health.tablesForgotten == 1)
    }
}

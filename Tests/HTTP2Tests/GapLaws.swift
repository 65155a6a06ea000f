import HTTP2
import TestSupport
import Testing
import Wire

@Suite("Gaps")
struct GapLaws {
    static let start = Frame.preface + Frame.settings()

    @Test("a gap within DATA loses payload and nothing else", arguments: [1, 50, 99])
    func withinData(_ count: Int) {
        var listener = Listener()
        let data = Frame.data(Array(0..<100), stream: 1, endStream: true)
        listener.receive(Self.start + data[..<10])
        listener.receiveGap(count)
        listener.receive(Array(data[(10 + count)...]) + Frame.headers([0x82], stream: 3))
        let told = listener.told[.request] ?? []
        let after: [HTTP2Event.Kind] = count == 99 ? [] : [.data]
        #expect(told.map(\.kind) == [.data, .dataLost] + after + [.fieldSection])
        #expect(told[1].count == count)
        #expect(told.reduce(0) { $0 + ($1.stream == 1 ? $1.wireBytes : 0) } == 109)
        #expect(told[told.count - 2].flags.isSuperset(of: [.endStream, .frameEnd]))
        #expect(listener.reader.health.undecodableBytes == 0)
    }

    @Test("a gap that reaches beyond DATA tells how the frame ended, and then loses step")
    func beyondData() {
        var listener = Listener()
        listener.receive(Self.start + Frame.data(Array(0..<100), stream: 1, endStream: true)[..<20])
        listener.receiveGap(200)
        let told = listener.told[.request] ?? []
        #expect(told.map(\.kind) == [.data, .dataLost, .desynchronized])
        #expect(told.map(\.count) == [0, 89, 111])
        #expect(told[1].flags == [.frameEnd, .endStream])
    }

    @Test("padding may be missing without loss; the pad length may not")
    func padding() {
        let data = Frame.data(Array(0..<10), stream: 1, endStream: true, padding: 20)
        var listener = Listener()
        listener.receive(Self.start + data[..<25])
        listener.receiveGap(10)
        listener.receive(Array(data[35...]) + Frame.headers([0x82], stream: 3))
        #expect(listener.told[.request]?.map(\.kind) == [.data, .fieldSection])
        var other = Listener()
        other.receive(Self.start + data[..<9])
        other.receiveGap(5)
        other.receive(Array(data[14...]) + Frame.headers([0x82], stream: 3))
        #expect(other.told[.request]?.map(\.kind) == [.dataLost, .fieldSection])
        #expect(other.told[.request]?.first?.count == 31)
        #expect(other.reader.health.undecodableBytes == 26)
    }

    @Test("a gap within HEADERS loses the section and keeps the step", arguments: [false, true])
    func withinHeaders(continued: Bool) {
        let block =
            FieldBlockEncoder.huffmanCode([])
            + [UInt8](hex: "828684418cf1e3c2e5f23a6ba0ab90f4ff828684418cf1e3c2e5f23a6ba0ab90f4ff")
        let frames =
            continued
            ? Frame.frame(1, stream: 1, [0x82]) + Frame.frame(9, stream: 1, block)
                + Frame.frame(9, flags: 4, stream: 1, [0x82])
            : Frame.headers(block, stream: 1)
        let hole = (continued ? 19 : 9) + 5
        var listener = Listener()
        listener.receive(Self.start + frames[..<hole])
        listener.receiveGap(10)
        listener.receive(Array(frames[(hole + 10)...]) + Frame.data([7], stream: 1, endStream: true))
        #expect(listener.told[.request]?.map(\.kind) == [.fieldSectionLost, .data])
        #expect(listener.reader.health.fieldSectionsLost == 1)
        #expect(listener.reader.health.resynchronizations == 0)
    }

    @Test("a gap between HEADERS and CONTINUATION loses the section and the step")
    func betweenContinuations() {
        var listener = Listener()
        listener.receive(Self.start + Frame.frame(1, stream: 1, [0x82, 0x84]))
        listener.receiveGap(30)
        listener.receive(Frame.ping() + Frame.headers([0x83, 0x86, 0x84], stream: 3))
        #expect(listener.told[.request]?.map(\.kind) == [.fieldSectionLost, .desynchronized, .fieldSection])
    }

    @Test("a lost RST_STREAM is a reset of unknown code")
    func lostReset() {
        var listener = Listener()
        listener.receive(Self.start + Frame.frame(3, stream: 1, [0, 0, 0, 8])[..<10])
        listener.receiveGap(3)
        listener.receive(Frame.headers([0x82], stream: 3))
        #expect(listener.told[.request]?.map(\.kind) == [.resetStream, .fieldSection])
        #expect(listener.told[.request]?.first?.code == .max)
    }

    @Test(
        "after a gap between frames the table is known again, with the right number of insertions", arguments: seeds())
    func reanchoring(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for (deadlines, isCCore) in [(false, false), (false, true), (true, false), (true, true)] {
            let connection = RecordedConnection(
                seed: seed, .init(requests: 600, deadlines: deadlines, isCCore: isCCore))
            for direction in Direction.allCases {
                let sections = connection.sections(direction)
                let bytes = connection.bytes[direction] ?? []
                var listener = Listener()
                var position = 0
                var section = 20
                while section < sections.count - 20 {
                    let missing = Int.random(in: 1...6, using: &random)
                    let hole = sections[section].bytes.lowerBound..<sections[section + missing].bytes.lowerBound
                    listener.receive(Array(bytes[position..<hole.lowerBound]), direction)
                    listener.receiveGap(hole.count, direction)
                    position = hole.upperBound
                    section += missing + Int.random(in: 4...40, using: &random)
                }
                listener.receive(Array(bytes[position...]), direction)
                let health = listener.reader.health
                // Where the table turns over, a gap may hide that the constants were inserted anew.
                let forgotten = deadlines && direction == .request ? health.tablesReanchored / 2 : 0
                #expect(
                    health.tablesReanchored > 8 && health.tablesForgotten <= forgotten,
                    "seed \(seed) \(direction) \(health)")
                expectTruth(listener, connection, direction, "seed \(seed)")
                expectOneNumberAnEntry(listener, connection, direction, "seed \(seed)")
            }
        }
    }

    @Test("a gap that took too many requests begins a new epoch", arguments: seeds())
    func tooLarge(seed: UInt64) {
        let connection = RecordedConnection(seed: seed, .init(requests: 400))
        let sections = connection.sections(.request)
        let bytes = connection.bytes[.request] ?? []
        for missing in [26, 60, 77, 80, 100, 200] {
            let hole = sections[150].bytes.lowerBound..<sections[150 + missing].bytes.lowerBound
            var listener = Listener()
            listener.receive(Array(bytes[..<hole.lowerBound]))
            listener.receiveGap(hole.count)
            listener.receive(Array(bytes[hole.upperBound...]))
            #expect(listener.reader.health.tablesForgotten == 1, "\(missing) requests missing")
            #expect(listener.sections(.request).last?.fields.last?.epoch == 1)
            expectTruth(listener, connection, .request, "\(missing) requests missing")
        }
    }

    @Test("any holes anywhere: nothing claimed is false", arguments: seeds())
    func anyHoles(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for round in 0..<30 {
            let connection = RecordedConnection(
                seed: seed &+ UInt64(round),
                .init(requests: 150, isUnusual: round % 3 == 0, deadlines: round % 2 == 0, isCCore: round % 5 == 0))
            for direction in Direction.allCases {
                let bytes = connection.bytes[direction] ?? []
                var listener = Listener(atStart: round % 4 != 0)
                var position = round % 4 == 0 ? Int.random(in: 1..<bytes.count / 2, using: &random) : 0
                var given = 0
                while position < bytes.count {
                    let end = min(bytes.count, position + Int.random(in: 1...1448, using: &random))
                    if Int.random(in: 0..<12, using: &random) == 0 {
                        listener.receiveGap(end - position, direction)
                    } else {
                        listener.receive(Array(bytes[position..<end]), direction)
                        given += end - position
                    }
                    position = end
                }
                listener.finish()
                #expect(listener.reader.health.undecodableBytes <= given)
                expectTruth(listener, connection, direction, "seed \(seed), round \(round)")
                expectOneNumberAnEntry(listener, connection, direction, "seed \(seed), round \(round)")
            }
        }
    }
}

/// Whatever a listener claims of field sections must be so.
func expectTruth(
    _ listener: Listener, _ connection: RecordedConnection, _ direction: Direction, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    for told in listener.sections(direction) where connection.section(of: told) == nil {
        Issue.record("\(what): claims \(told)", sourceLocation: sourceLocation)
    }
}

/// Within an epoch, entry numbers and the encoder's own insertion numbers differ by one constant.
func expectOneNumberAnEntry(
    _ listener: Listener, _ connection: RecordedConnection, _ direction: Direction, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var differences: [UInt32: Int64] = [:]
    for told in listener.sections(direction) {
        guard let truth = connection.section(of: told) else { continue }
        for (field, serial) in zip(told.fields, truth.serials) {
            guard let entry = field.entry, let serial else { continue }
            let difference = Int64(serial) - entry
            if differences[field.epoch, default: difference] != difference {
                Issue.record(
                    "\(what): stream \(told.stream) epoch \(field.epoch): entry \(entry) is insertion \(serial)",
                    sourceLocation: sourceLocation)
                return
            }
            differences[field.epoch] = difference
        }
    }
}

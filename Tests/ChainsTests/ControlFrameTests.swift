import Chains
import TestSupport
import Testing
import Wire

@Suite("Frames of the control stream")
struct ControlFrameTests {
    private static func bytes(of frame: ControlFrame) -> [UInt8] {
        var bytes: [UInt8] = []
        frame.append(to: &bytes)
        return bytes
    }

    /// What comes of bytes that arrive in pieces.
    private static func read(
        _ bytes: [UInt8], pieces: (Int) -> Int = { $0 }
    ) -> (frames: [ControlFrame], failure: ControlFormatError?) {
        var reader = ControlFrameReader()
        var frames: [ControlFrame] = []
        var offset = 0
        while offset < bytes.count {
            let count = pieces(bytes.count - offset)
            reader.receive(bytes.span.extracting(offset..<offset + count))
            offset += count
            do {
                while let frame = try reader.next() { frames.append(frame) }
            } catch {
                return (frames, error)
            }
        }
        return (frames, nil)
    }

    @Test(
        "the bytes of a frame",
        arguments: [
            ("00000001 42", ControlFrame.ready),
            ("0000000d 40 6b767201 0102030405060708", .node(ticket: 0x0102_0304_0506_0708)),
            ("00000005 43 6b767201", .client),
            (
                "00000017 01 7f00000a 0000000000000309 00000001 0007 00000005",
                .message(
                    .heartbeat(Heartbeat(node: 0x7f00_000a, clock: 777, active: [GroupEpoch(group: 7, epoch: 5)])))
            ),
            (
                "0000001c 0b 0002 00000003 00000002 7f00000a 7f00000b 00000001 00000011 01",
                .message(
                    .activate(Activation(group: 2, epoch: 3, chain: [0x7f00_000a, 0x7f00_000b], closedSlots: [17])))
            ),
            ("00000009 45 00000003 6b6579 02", .place(name: Array("key".utf8), .bytes128)),
            ("00000005 17 00000011", .message(.slot(17))),
        ])
    func golden(_ text: String, _ frame: ControlFrame) {
        let expected = [UInt8](hex: text)
        #expect(Self.bytes(of: frame) == expected)
        #expect(Self.read(expected).frames == [frame])
    }

    @Test("every frame is read as it was written", arguments: ControlFrameSamples.all)
    func roundTrip(_ frame: ControlFrame) {
        let read = Self.read(Self.bytes(of: frame))
        #expect(read.frames == [frame] && read.failure == nil)
    }

    @Test("a frame that is not whole yet is waited for, and one that ends too early or too late is none")
    func lengths() {
        for frame in ControlFrameSamples.all {
            let bytes = Self.bytes(of: frame)
            for count in 0..<bytes.count {
                let read = Self.read(Array(bytes.prefix(count)))
                #expect(read.frames.isEmpty && read.failure == nil)
                guard count >= 4 else { continue }
                // The same bytes as a whole frame.
                var short = Array(bytes.prefix(count))
                short.storeBigEndian32(UInt32(count - 4), at: 0)
                #expect(Self.read(short).failure != nil, "\(frame) cut to \(count)")
            }
            var long = bytes + [0]
            long.storeBigEndian32(UInt32(bytes.count - 3), at: 0)
            #expect(Self.read(long).failure == .leftOver(1))
        }
    }

    @Test("any pieces give the same frames", arguments: seeds(1, 2, 3))
    func pieces(_ seed: UInt64) {
        var numbers = SplitMix64(seed: seed)
        var bytes: [UInt8] = []
        for frame in ControlFrameSamples.all { frame.append(to: &bytes) }
        let read = Self.read(bytes) { left in 1 + Int(numbers.next() % UInt64(min(left, 40))) }
        #expect(read.frames == ControlFrameSamples.all && read.failure == nil)
    }

    @Test(
        "what nobody sends ends the stream",
        arguments: [
            ("00400001", ControlFormatError.tooLong(4_194_305)), ("474554 20 2f", .tooLong(0x4745_5420)),
            ("00000000", .cut), ("00000001 00", .unknownKind(0)), ("00000001 18", .unknownKind(24)),
            ("00000001 ff", .unknownKind(255)),
            // Another version of the frames.
            ("00000005 43 6b767202", .value),
            // 4 milliards of groups in a frame of 17 bytes.
            ("00000011 01 7f00000a 0000000000000309 ffffffff", .cut),
            // A chain of ten, and none at all.
            ("0000000b 0b 0002 00000003 0000000a", .value), ("0000000b 0b 0002 00000003 00000000", .value),
            // A name of 4097 bytes; a class that there is not; a yes that is neither 0 nor 1.
            ("00000005 45 00001001", .value), ("00000009 45 00000003 6b6579 04", .value), ("00000002 46 02", .value),
            // A network with a prefix of 33 bits.
            ("0000000f 44 00 00000001 7f00000a 22b8 22ba 7f000000 21", .cut),
            ("00000013 44 00 00000001 7f00000a 22b8 22ba 7f000000 21", .value),
        ])
    func refused(_ text: String, _ failure: ControlFormatError) {
        #expect(Self.read([UInt8](hex: text)).failure == failure)
    }

    @Test("after an error nothing is read any more")
    func staysFailed() throws {
        var reader = ControlFrameReader()
        reader.receive(([0, 0, 0, 1, 0] as [UInt8]).span)
        #expect(throws: ControlFormatError.unknownKind(0)) { try reader.next() }
        reader.receive(([0, 0, 0, 1, 0x42] as [UInt8]).span)
        #expect(throws: ControlFormatError.unknownKind(0)) { try reader.next() }
        #expect(reader.heldCount == 0)
    }

    @Test("changed bytes are read or refused, and what is read is written the same", arguments: seeds(1, 2))
    func changedBytes(_ seed: UInt64) {
        var numbers = SplitMix64(seed: seed)
        for _ in 0..<4000 {
            var bytes = Self.bytes(
                of: ControlFrameSamples.all[Int(numbers.next() % UInt64(ControlFrameSamples.all.count))])
            for _ in 0..<1 + numbers.next() % 3 {
                bytes[4 + Int(numbers.next() % UInt64(bytes.count - 4))] = UInt8(truncatingIfNeeded: numbers.next())
            }
            let read = Self.read(bytes)
            #expect(read.failure != nil || read.frames.map(Self.bytes(of:)) == [bytes])
        }
    }

    @Test("a directory too long for a frame comes in parts, which together are it", arguments: [0, 3, 600, 16_384])
    func parts(_ count: Int) throws {
        let keys = (0..<count).map { number in
            PlacedKey(
                name: Array("\(number)".utf8) + [UInt8](repeating: 0x2f, count: 4000),
                key: ChainKey(low: UInt64(number)),
                group: 3, width: .bytes16)
        }
        let group = GroupEntry(group: 3, epoch: 2, state: .active, chain: [1, 2], comparesAndSets: true)
        let update = DirectoryUpdate(serial: 9, isWhole: true, groups: [group], keys: keys, removed: [[1], [2]])
        let parts = update.parts
        #expect(parts.map(\.isWhole) == [true] + [Bool](repeating: false, count: parts.count - 1))
        #expect(parts.allSatisfy { $0.serial == 9 })
        #expect(parts.flatMap(\.groups) == [group] && parts.flatMap(\.keys) == keys)
        #expect(parts.flatMap(\.removed) == [[1], [2]])
        for part in parts {
            let bytes = Self.bytes(of: .message(.directory(part)))
            #expect(bytes.count < 300_000)
        }
        #expect((parts.count > 1) == (count >= 600))
    }

    @Test("the longest copy of a switch fits a frame")
    func longestCopy() {
        let limits = ReplicaLimits()
        let version = VersionCopy(
            version: .none, slot: 1, request: 1, client: Endpoint(address: 1, port: 1), value: [])
        let key = KeyCopy(
            key: ChainKey(low: 1), width: .bytes1024,
            versions: Array(repeating: version, count: ControlFrameLimits.versions))
        var keys = Array(repeating: key, count: limits.entriesPerCopy)
        // Values end a copy, but the one that passes the limit is in it.
        keys[0].versions[0].value = [UInt8](repeating: 7, count: 1024)
        let ticket = JoinTicket(group: 0, epoch: 1, number: 1)
        let entries = CopyEntries(
            ticket: ticket, keys: keys, slots: [], removed: Array(repeating: key.key, count: limits.removals),
            next: 5, stamp: 6)
        let bytes = Self.bytes(of: .message(.entries(entries)))
        #expect(bytes.count + limits.bytesPerCopy + 16 * 1024 < ControlFrameLimits.frameBytes)
        #expect(Self.read(bytes).frames == [.message(.entries(entries))])
    }
}

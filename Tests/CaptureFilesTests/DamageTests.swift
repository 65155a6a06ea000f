import CaptureFiles
import TestSupport
import Testing
import Wire

@Suite("damaged and divided captures")
struct DamageTests {
    static let files: [(name: String, bytes: [UInt8])] = [
        ("pcap", CaptureBuilder.smallPcap()), ("pcap, big-endian", CaptureBuilder.smallPcap(.big)),
        ("pcapng", CaptureBuilder.smallPcapng()),
    ]

    @Test("a file divided at any byte, or at every byte, reads the same", arguments: 0..<3)
    func everyCut(_ index: Int) {
        let bytes = Self.files[index].bytes
        let whole = ReadCapture(bytes)
        #expect(whole.packets.count == 6)
        for cut in 0...bytes.count {
            #expect(ReadCapture(bytes, cuts: [cut]) == whole, "\(Self.files[index].name), cut at byte \(cut)")
        }
        #expect(ReadCapture(bytes, cuts: Array(1..<bytes.count)) == whole)
    }

    @Test("a file that ends anywhere gives every packet that is whole, and says that it was cut", arguments: 0..<3)
    func everyEnd(_ index: Int) {
        let bytes = Self.files[index].bytes
        let whole = ReadCapture(bytes)
        var atBorders = 0
        for end in 0..<bytes.count {
            let read = ReadCapture(Array(bytes[..<end]))
            #expect(read.packets == Array(whole.packets.prefix(read.packets.count)))
            #expect(read.health.damages == 0)
            if index < 2 {
                let ends = whole.packets.indices.map { last in
                    whole.packets[...last].reduce(24) { $0 + 16 + $1.bytes.count }
                }
                #expect(read.packets.count == ends.count { $0 <= end }, "the file ends at byte \(end)")
            }
            if read.failure == nil {
                if read.health.endsWithinPacket { continue }
                atBorders += 1
            } else {
                #expect(read.packets.isEmpty)
                #expect(end < (index == 2 ? 48 : 24), "only an end within the header is a failure, not byte \(end)")
            }
        }
        // Behind the header and behind each record or block but the last.
        #expect(atBorders == (index == 2 ? 17 : 6))
    }

    @Test("behind a record that cannot be, reading goes on at the next two that can", arguments: [2, 1 << 20, 1 << 31])
    func resynchronises(_ length: Int) {
        var file = CaptureBuilder()
        file.pcapHeader()
        for index in 0..<3 { file.pcapRecord(seconds: 100, fraction: UInt32(index), Array(repeating: 1, count: 50)) }
        let damage = file.bytes.count
        file.pcapRecord(seconds: 100, fraction: 3, Array(repeating: 2, count: 70), original: UInt32(length + 1))
        for index in 4..<9 { file.pcapRecord(seconds: 100, fraction: UInt32(index), Array(repeating: 3, count: 50)) }
        let read = ReadCapture(file.bytes)
        #expect(read.failure == nil)
        guard length > 70 else {
            #expect(read.packets.count == 9)
            return
        }
        #expect(read.packets.map(\.nanoseconds) == [0, 1, 2, 4, 5, 6, 7, 8].map { 100_000_000_000 + $0 * 1000 })
        #expect(read.health.damages == 1)
        #expect(read.health.damagedBytes == 16 + 70)
        #expect(read.health.firstDamage == CaptureDamage(offset: damage, reason: .recordLength(UInt32(length + 1))))
        #expect(!read.health.endsWithinPacket)
    }

    @Test("a pcap file that is damaged before its first packet and has no other is refused with the place")
    func nothingBeforeDamage() {
        var file = CaptureBuilder()
        file.pcapHeader()
        file.raw(Array(repeating: 0xff, count: 100))
        let damage = CaptureDamage(offset: 24, reason: .recordLength(.max))
        #expect(ReadCapture(file.bytes).failure == .damaged(damage))
    }

    @Test(
        "a pcapng file is read up to the block that cannot be, and the rest is counted",
        arguments: [
            CaptureDamage.Reason.blockLength(8), .blockLength(0), .blockLength(33), .blockLength(0xffff_fffc),
            .blockTrailer(expected: 36, found: 35),
        ])
    func pcapngDamage(_ reason: CaptureDamage.Reason) {
        var file = CaptureBuilder()
        file.sectionHeader()
        file.interface()
        file.enhancedPacket(units: 1, [1])
        let place = file.bytes.count
        file.enhancedPacket(units: 2, [2])
        let end = file.bytes.count
        file.enhancedPacket(units: 3, [3])
        switch reason {
        case .blockLength(let length):
            for index in 0..<4 { file.bytes[place + 4 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
        default: file.bytes[end - 4] = 35
        }
        let read = ReadCapture(file.bytes)
        #expect(read.packets == [ReadPacket(1000, [1])])
        #expect(read.failure == nil)
        #expect(read.health.firstDamage == CaptureDamage(offset: place, reason: reason))
        #expect(read.health.damagedBytes == file.bytes.count - place)
        let withoutPacket = file.bytes[..<(place - 36)] + file.bytes[place...]
        #expect(
            ReadCapture(Array(withoutPacket)).failure == .damaged(CaptureDamage(offset: place - 36, reason: reason)))
    }

    @Test("a packet longer than its block costs that block only")
    func packetBeyondBlock() {
        var file = CaptureBuilder()
        file.sectionHeader()
        file.interface()
        let place = file.bytes.count
        file.enhancedPacket(units: 2, [2])
        file.bytes[place + 8 + 12] = 9
        file.enhancedPacket(units: 3, [3])
        let read = ReadCapture(file.bytes)
        #expect(read.packets == [ReadPacket(3000, [3])])
        #expect(read.health.firstDamage == CaptureDamage(offset: place, reason: .packetLength(9)))
        #expect(read.health.damagedBytes == 36)
    }

    @Test(
        "20 000 mutated files: no trap, bounded waiting, and the same reading however they are divided",
        arguments: seeds())
    func mutations(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var limits = CaptureLimits()
        limits.packetBytes = 4096
        limits.blockBytes = 8192
        var readOnBehindDamage = 0
        for round in 0..<20_000 {
            var bytes = Self.files[round % Self.files.count].bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) { Self.mutate(&bytes, &random) }
            let whole = ReadCapture(bytes, limits: limits)
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let divided = ReadCapture(bytes, cuts: cuts, limits: limits)
            #expect(divided.packets == whole.packets, "seed \(seed), round \(round), cuts \(cuts)")
            #expect(divided.failure == whole.failure, "seed \(seed), round \(round), cuts \(cuts)")
            #expect(
                divided.health == whole.health || whole.failure != nil, "seed \(seed), round \(round), cuts \(cuts)")
            #expect(whole.health.damagedBytes <= bytes.count, "seed \(seed), round \(round)")
            if whole.health.damages > 0, whole.failure == nil { readOnBehindDamage += 1 }
        }
        #expect(readOnBehindDamage > 2000, "the mutations must reach what they are to test")
    }

    @Test("the parser never waits for more than the largest record", arguments: seeds())
    func waiting(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var limits = CaptureLimits()
        limits.packetBytes = 4096
        limits.blockBytes = 8192
        for round in 0..<5000 {
            var bytes = Self.files[round % Self.files.count].bytes
            Self.mutate(&bytes, &random)
            var parser = CaptureParser(limits: limits)
            var batch = PacketBatch()
            batch.storage = bytes
            let stop = parser.receive(0..<bytes.count, of: &batch)
            if parser.failure != nil { continue }
            #expect(parser.wantedBytes > bytes.count - stop, "seed \(seed), round \(round): it could have gone on")
            #expect(parser.wantedBytes <= 8192, "seed \(seed), round \(round)")
        }
    }

    /// Changes, removes, inserts or repeats some bytes; numbers at the edges are likelier than others.
    private static func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(.random(in: 0...255, using: &random), at: place)
        case 4:
            for index in place..<min(place + 4, bytes.count) { bytes[index] = 0xff }
        default:
            let end = Int.random(in: place..<bytes.count, using: &random)
            bytes.insert(contentsOf: bytes[place..<end], at: place)
        }
    }
}

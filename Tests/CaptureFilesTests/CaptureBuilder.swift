import CaptureFiles
import Wire

/// Writes the bytes of small captures, number by number, so that a test's expectation does not come from the reader.
struct CaptureBuilder {
    enum Order: CaseIterable {
        case little
        case big
    }

    var order: Order
    var bytes: [UInt8] = []

    init(_ order: Order = .little) {
        self.order = order
    }

    mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        for index in 0..<value.bitWidth / 8 {
            let place = order == .little ? index : value.bitWidth / 8 - 1 - index
            bytes.append(UInt8(truncatingIfNeeded: value >> (place * 8)))
        }
    }

    mutating func raw(_ values: [UInt8]) {
        bytes.append(contentsOf: values)
    }

    mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    // MARK: pcap

    mutating func pcapHeader(magic: UInt32 = 0xa1b2_c3d4, major: UInt16 = 2, linkType: UInt32 = 1) {
        number(magic)
        number(major)
        number(UInt16(4))
        number(UInt64(0))
        number(UInt32(262_144))
        number(linkType)
    }

    mutating func pcapRecord(
        seconds: UInt32, fraction: UInt32, _ packet: [UInt8], original: UInt32? = nil, modified: [UInt8] = []
    ) {
        number(seconds)
        number(fraction)
        number(UInt32(packet.count))
        number(original ?? UInt32(packet.count))
        raw(modified)
        raw(packet)
    }

    // MARK: pcapng

    mutating func block(_ type: UInt32, _ body: (inout CaptureBuilder) -> Void) {
        var content = CaptureBuilder(order)
        body(&content)
        content.pad()
        number(type)
        number(UInt32(content.bytes.count + 12))
        raw(content.bytes)
        number(UInt32(content.bytes.count + 12))
    }

    mutating func option(_ code: UInt16, _ value: [UInt8]) {
        number(code)
        number(UInt16(value.count))
        raw(value)
        pad()
    }

    mutating func option(_ code: UInt16, number value: UInt64) {
        var content = CaptureBuilder(order)
        content.number(value)
        option(code, content.bytes)
    }

    mutating func sectionHeader(major: UInt16 = 1) {
        block(0x0a0d_0d0a) { body in
            body.number(UInt32(0x1a2b_3c4d))
            body.number(major)
            body.number(UInt16(0))
            body.number(UInt64.max)
            body.option(4, Array("a recorder".utf8))
            body.option(0, [])
        }
    }

    mutating func interface(
        linkType: UInt16 = 1, snapLength: UInt32 = 0, resolution: UInt8? = nil, offset: Int64? = nil
    ) {
        block(1) { body in
            body.number(linkType)
            body.number(UInt16(0))
            body.number(snapLength)
            body.option(2, Array("eth0".utf8))
            if let resolution { body.option(9, [resolution]) }
            if let offset { body.option(14, number: UInt64(bitPattern: offset)) }
            body.option(0, [])
        }
    }

    mutating func enhancedPacket(
        interface: UInt32 = 0, units: UInt64, _ packet: [UInt8], original: UInt32? = nil, comment: String? = nil
    ) {
        block(6) { body in
            body.number(interface)
            body.number(UInt32(truncatingIfNeeded: units >> 32))
            body.number(UInt32(truncatingIfNeeded: units))
            body.number(UInt32(packet.count))
            body.number(original ?? UInt32(packet.count))
            body.raw(packet)
            body.pad()
            if let comment {
                body.option(1, Array(comment.utf8))
                body.option(0, [])
            }
        }
    }

    mutating func statistics(interface: UInt32 = 0, droppedByInterface: UInt64, droppedBySystem: UInt64) {
        block(5) { body in
            body.number(interface)
            body.number(UInt64(0))
            body.option(5, number: droppedByInterface)
            body.option(7, number: droppedBySystem)
            body.option(0, [])
        }
    }

    /// A pcap file of `count` packets of growing length, a second and some apart.
    static func smallPcap(_ order: Order = .little, count: Int = 6) -> [UInt8] {
        var file = CaptureBuilder(order)
        file.pcapHeader()
        for index in 0..<count {
            let packet = (0..<index * 7 + 5).map { UInt8(truncatingIfNeeded: $0 * 31 + index) }
            file.pcapRecord(seconds: 1_700_000_000 + UInt32(index), fraction: UInt32(index) * 1001, packet)
        }
        return file.bytes
    }

    /// A pcapng file with two sections, of both byte orders, and every block that is read or skipped.
    static func smallPcapng() -> [UInt8] {
        var bytes: [UInt8] = []
        for order in Order.allCases {
            var file = CaptureBuilder(order)
            file.sectionHeader()
            file.interface()
            file.interface(linkType: 113, resolution: 9)
            file.enhancedPacket(units: 1_700_000_000_000_000, [1, 2, 3, 4, 5], comment: "first")
            file.block(0x0bad) { $0.raw(Array(repeating: 0xee, count: 40)) }
            file.enhancedPacket(interface: 1, units: 1_700_000_001_000_000_001, [6, 7, 8], original: 60)
            file.block(10) { body in
                body.number(UInt32(0x544c_534b))
                body.number(UInt32(5))
                body.raw(Array("CLIEN".utf8))
            }
            file.block(3) { body in
                body.number(UInt32(4))
                body.raw([9, 10, 11, 12])
            }
            file.statistics(droppedByInterface: 2, droppedBySystem: 3)
            bytes += file.bytes
        }
        return bytes
    }
}

/// What was read of a packet.
struct ReadPacket: Equatable {
    var nanoseconds: Int64
    var bytes: [UInt8]
    var originalLength: Int
    var linkType: UInt32
    var interface: UInt32

    init(_ nanoseconds: Int64, _ bytes: [UInt8], original: Int? = nil, linkType: UInt32 = 1, interface: UInt32 = 0) {
        self.nanoseconds = nanoseconds
        self.bytes = bytes
        self.originalLength = original ?? bytes.count
        self.linkType = linkType
        self.interface = interface
    }

    init(_ packet: CapturedPacket, of batch: PacketBatch) {
        self.init(
            packet.time.nanoseconds, Array(batch.storage[packet.bytes]), original: packet.originalLength,
            linkType: packet.linkType.rawValue, interface: packet.interface)
    }
}

/// Everything that a parser said of one file.
struct ReadCapture: Equatable {
    var packets: [ReadPacket] = []
    var secrets: [DecryptionSecrets] = []
    var health = CaptureHealth()
    var failure: CaptureParser.Failure?

    /// Parses `bytes` in portions that end at the offsets `cuts` (ascending) and at the end.
    init(_ bytes: [UInt8], cuts: [Int] = [], limits: CaptureLimits = CaptureLimits()) {
        var parser = CaptureParser(limits: limits)
        var batch = PacketBatch()
        var begin = 0
        for cut in cuts + [bytes.count] {
            batch.storage.append(contentsOf: bytes[begin..<cut])
            begin = cut
            let stop = parser.receive(0..<batch.storage.count, of: &batch)
            collect(&batch)
            batch.storage.removeFirst(stop)
        }
        parser.finish(0..<batch.storage.count, of: &batch)
        collect(&batch)
        failure = parser.failure
        health = parser.health
    }

    private mutating func collect(_ batch: inout PacketBatch) {
        packets += batch.packets.map { ReadPacket($0, of: batch) }
        secrets += batch.secrets
        batch.packets = []
        batch.secrets = []
    }
}

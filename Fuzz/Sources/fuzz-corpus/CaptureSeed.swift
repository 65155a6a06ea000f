import Wire

/// Capture files of a few packets.
enum CaptureSeed {
    /// pcap in microseconds, little-endian.
    static func pcap(_ packets: [SeedCutter.Packet]) -> [UInt8] {
        var file = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144].flatMap(word)
        file += word(packets.first?.linkType.rawValue ?? 1)
        for packet in packets {
            let (seconds, nanoseconds) = packet.time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            file += word(UInt32(truncatingIfNeeded: seconds)) + word(UInt32(truncatingIfNeeded: nanoseconds / 1_000))
            file += word(UInt32(packet.bytes.count)) + word(UInt32(packet.bytes.count)) + packet.bytes
        }
        return file
    }

    /// pcapng with a section, an interface, secrets, enhanced and simple packets, a block of no interest, statistics.
    static func pcapng(_ packets: [SeedCutter.Packet]) -> [UInt8] {
        let link = packets.first?.linkType.rawValue ?? 1
        var file = block(0x0a0d_0d0a, word(0x1a2b_3c4d) + word(1) + word(.max) + word(.max))
        // Option 9, if_tsresol: nanoseconds.
        file += block(1, word(link) + word(0) + word(0x0001_0009) + [9, 0, 0, 0] + word(0))
        file += block(10, word(0x544c_534b) + word(4) + Array("# no".utf8))
        for (index, packet) in packets.enumerated() {
            let count = UInt32(packet.bytes.count)
            let padded = packet.bytes + Array(repeating: 0, count: (4 - packet.bytes.count % 4) % 4)
            if index % 5 == 4 {
                file += block(3, word(count) + padded)
                continue
            }
            let time = UInt64(bitPattern: packet.time.nanoseconds)
            file += block(
                6,
                word(0) + word(UInt32(time >> 32)) + word(UInt32(time & 0xffff_ffff)) + word(count) + word(count)
                    + padded)
        }
        file += block(4, [1, 0, 4, 0, 127, 0, 0, 1, 0, 0, 0, 0])
        // Option 5, isb_ifdrop: three packets.
        return file + block(5, word(0) + word(0) + word(0) + word(0x0008_0005) + word(3) + word(0) + word(0))
    }

    private static func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
        let length = word(UInt32(body.count + 12))
        return word(type) + length + body + length
    }

    private static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 0xff) } }
}

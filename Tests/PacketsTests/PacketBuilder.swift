import Packets
import Wire

/// A captured packet as a test writes it.
struct TestPacket {
    var bytes: [UInt8]
    var originalLength: Int
    var linkType: LinkType
    var time: CaptureTime

    init(_ bytes: [UInt8], linkType: LinkType = .rawIP, milliseconds: Int64 = 0, originalLength: Int? = nil) {
        self.bytes = bytes
        self.originalLength = originalLength ?? bytes.count
        self.linkType = linkType
        time = CaptureTime(nanoseconds: 1_700_000_000_000_000_000 + milliseconds * 1_000_000)
    }

    /// The packet as a snap length would have left it.
    func cut(at snap: Int) -> TestPacket {
        var cut = self
        cut.bytes = Array(bytes.prefix(snap))
        return cut
    }
}

func big16(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }
func big32(_ value: Int) -> [UInt8] { big16(value >> 16) + big16(value) }

/// TCP flags as a test writes them.
enum Flag {
    static let fin = 0x01
    static let syn = 0x02
    static let rst = 0x04
    static let psh = 0x08
    static let ack = 0x10
}

/// Makes headers. Checksums are left 0: nothing here looks at them.
enum PacketBuilder {
    static let clientV6: [UInt8] = [0xfd, 0] + Array(repeating: 0, count: 13) + [1]
    static let serverV6: [UInt8] = [0xfd, 0] + Array(repeating: 0, count: 13) + [2]

    static func tcp(
        from source: Int, to destination: Int, sequence: UInt32, acknowledgement: UInt32, flags: Int,
        options: [UInt8] = [], payload: [UInt8]
    ) -> [UInt8] {
        big16(source) + big16(destination) + big32(Int(sequence)) + big32(Int(acknowledgement))
            + [UInt8(5 + options.count / 4) << 4, UInt8(flags)] + big16(1000) + [0, 0, 0, 0] + options + payload
    }

    static func ipv4(
        from source: [UInt8], to destination: [UInt8], proto: UInt8 = 6, identification: Int = 0,
        fragment: Int = 0x4000,
        options: [UInt8] = [], totalLength: Int? = nil, payload: [UInt8]
    ) -> [UInt8] {
        let length = 20 + options.count + payload.count
        return [UInt8(0x45 + options.count / 4), 0] + big16(totalLength ?? length) + big16(identification)
            + big16(fragment) + [64, proto, 0, 0] + source + destination + options + payload
    }

    static func ipv6(
        from source: [UInt8] = clientV6, to destination: [UInt8] = serverV6, nextHeader: UInt8 = 6, length: Int? = nil,
        payload: [UInt8]
    ) -> [UInt8] {
        [0x60, 0, 0, 0] + big16(length ?? payload.count) + [nextHeader, 64] + source + destination + payload
    }

    static func ethernet(type: Int = 0x0800, tags: [Int] = [], _ payload: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = Array(repeating: 2, count: 12)
        for tag in tags { frame += big16(tag) + big16(7) }
        return frame + big16(type) + payload
    }
}

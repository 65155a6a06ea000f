import Wire

/// The header of a pcap file (pcap §4), and how its records are read:
///
///      0       4     6     8                16        20        24
///     | magic |major|minor| reserved, 8    | snaplen | linktype |      then records (pcap §5):
///
///      0         4          8          12         16
///     | seconds | fraction | captured | original | (8 more if modified) | captured bytes ...
struct PcapHeader: Sendable {
    static let byteCount = 24

    var order = ByteOrder.little
    var major: UInt16 = 2
    var minor: UInt16 = 4
    var linkType = LinkType.ethernet
    /// 1000 for files in microseconds, 1 for nanoseconds.
    var nanosecondsPerUnit: Int64 = 1000
    /// Bytes before a record's packet: 16, or 24 in the format of Kuznetzov's patched libpcap.
    var recordHeaderBytes = 16

    init() {}

    /// What the first four bytes, read as a big-endian number, say; `nil` if they are of no pcap file.
    init?(magic: UInt32) {
        switch magic {
        case 0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34: order = .big
        case 0xd4c3_b2a1, 0x4d3c_b2a1, 0x34cd_b2a1: order = .little
        default: return nil
        }
        switch magic {
        case 0xa1b2_3c4d, 0x4d3c_b2a1: nanosecondsPerUnit = 1
        case 0xa1b2_cd34, 0x34cd_b2a1: recordHeaderBytes = 24
        default: break
        }
    }

    /// Reads what follows the magic. Precondition: `byteCount` bytes lie at `offset`.
    mutating func readRest(_ storage: Span<UInt8>, at offset: Int) {
        major = storage.number16(at: offset + 4, order)
        minor = storage.number16(at: offset + 6, order)
        // The upper bits say whether and how long a frame check sequence is; IP's own length makes that moot.
        linkType = LinkType(rawValue: storage.number32(at: offset + 20, order) & 0x03ff_ffff)
    }
}

extension CaptureParser {
    /// Reads whole records until the bytes end or a length is one that no packet can have.
    mutating func readRecords(
        _ storage: Span<UInt8>, at offset: inout Int, to end: Int, into packets: inout [CapturedPacket]
    ) -> Bool {
        let header = pcap
        let limit = UInt32(clamping: limits.packetBytes)
        let begin = offset
        while end - offset >= header.recordHeaderBytes {
            let (captured, original) = storage.numbers32(at: offset + 8, header.order)
            guard captured <= limit, original <= limit else {
                countDamage(at: position + offset - begin, .recordLength(max(captured, original)))
                stage = .searching
                return true
            }
            let first = offset + header.recordHeaderBytes
            guard end - first >= Int(captured) else { return need(header.recordHeaderBytes + Int(captured)) }
            let time = recordTime(storage, at: offset, header)
            append(
                CapturedPacket(
                    time: time, bytes: first..<first + Int(captured), originalLength: Int(max(captured, original)),
                    linkType: header.linkType, interface: 0),
                to: &packets)
            offset = first + Int(captured)
        }
        return need(header.recordHeaderBytes)
    }

    /// The record's time. Both fields are below 2^32, so nothing overflows, and a fraction of a second or more
    /// (which some writers produce) carries over.
    @inline(__always)
    private func recordTime(_ storage: Span<UInt8>, at offset: Int, _ header: PcapHeader) -> CaptureTime {
        let (seconds, fraction) = storage.numbers32(at: offset, header.order)
        return CaptureTime(
            nanoseconds: Int64(seconds) &* 1_000_000_000 &+ Int64(fraction) &* header.nanosecondsPerUnit)
    }

    /// Goes on behind damage at the first place where a plausible record is followed by another, or by the end.
    mutating func search(_ storage: Span<UInt8>, at offset: inout Int, to end: Int, isLast: Bool) -> Bool {
        let headerBytes = pcap.recordHeaderBytes
        while end - offset >= headerBytes {
            if let count = plausibleRecord(storage, at: offset) {
                let next = offset + headerBytes + count
                if end - next >= headerBytes {
                    if plausibleRecord(storage, at: next) != nil {
                        stage = .records
                        return true
                    }
                } else if !isLast {
                    return need(headerBytes + count + headerBytes)
                } else if next == end {
                    stage = .records
                    return true
                }
            }
            offset += 1
            health.damagedBytes += 1
        }
        return need(headerBytes)
    }

    /// The captured length of what may be a record at `offset`: not empty, not longer than on the wire, its fraction
    /// below a second, its time within a day of the last packet's. A random place passes once in some 2^45.
    private func plausibleRecord(_ storage: Span<UInt8>, at offset: Int) -> Int? {
        let captured = storage.number32(at: offset + 8, pcap.order)
        let original = storage.number32(at: offset + 12, pcap.order)
        guard captured > 0, captured <= original, original <= UInt32(clamping: limits.packetBytes) else { return nil }
        let fraction = Int64(storage.number32(at: offset + 4, pcap.order))
        guard fraction < 1_000_000_000 / pcap.nanosecondsPerUnit else { return nil }
        if let lastTime {
            let day: Int64 = 86_400_000_000_000
            guard abs(recordTime(storage, at: offset, pcap).nanoseconds(since: lastTime)) < day else { return nil }
        }
        return Int(captured)
    }
}

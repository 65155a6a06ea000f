import Wire

/// Finds the packets in the bytes of one capture file, pcap or pcapng.
///
/// The bytes lie in a batch's `storage` and stay there: packets are ranges of it. They may come in any portions; a
/// record that does not lie there whole is left for the next call. What a file says is checked before it is used: no
/// input traps, and nothing grows beyond `CaptureLimits`.
///
/// After damage a pcap file is searched for the next place where two plausible records follow each other. A pcapng
/// file is read no further, since a length that is wrong leaves nothing to hold on to; the rest is counted.
package struct CaptureParser: Sendable {
    /// Why a file cannot be read at all.
    package enum Failure: Sendable, Equatable {
        /// No byte came.
        case empty
        /// The first bytes are of no capture.
        case notACapture
        /// pcap of another version than 2.x.
        case version(major: UInt16, minor: UInt16)
        /// The file ends before its header does.
        case endsInHeader
        /// The compressed file that the bytes came from ends before their first packet.
        case compressionCut
        /// Damage, and no packet before it.
        case damaged(CaptureDamage)
    }

    /// Where in the file the parser is.
    enum Stage: Sendable {
        case header
        case records
        /// Behind damage, looking for a place to go on.
        case searching
        case blocks
        /// Within a pcapng block of no interest, of which this many bytes are still to come; then its trailer.
        case skipping(UInt32)
        /// Before the repeated length of a block that was skipped.
        case trailer
        /// Behind damage, with nothing to hold on to: what follows is counted and dropped.
        case abandoned
        case failed
    }

    let limits: CaptureLimits
    var stage = Stage.header
    /// Bytes of the file before the one that the next call begins with.
    var position = 0
    var pcap = PcapHeader()
    var section = PcapngSection()
    /// Length of the block that is being skipped.
    var skippedLength: UInt32 = 0
    var secretsBytes = 0
    /// Time of the last packet: for packets that carry none, and to judge what is plausible after damage.
    var lastTime: CaptureTime?

    package internal(set) var health = CaptureHealth()
    /// Why the file cannot be read, once that is known. Nothing is read after that.
    package internal(set) var failure: Failure?
    /// How many bytes, from where `receive` stopped, the next call should bring for anything to happen.
    package internal(set) var wantedBytes = 4

    package init(limits: CaptureLimits = CaptureLimits()) {
        self.limits = limits
    }

    /// Reads all whole records in `bytes` of `batch.storage`, and appends their packets and secrets to the batch.
    ///
    /// Returns where it stopped. The bytes from there to the end of `bytes` begin the next call's; if there are fewer
    /// than `wantedBytes`, more must come behind them. Precondition: `bytes` lies in the storage.
    package mutating func receive(_ bytes: Range<Int>, of batch: inout PacketBatch) -> Int {
        read(bytes, of: &batch, isLast: false)
    }

    /// As `receive`, when nothing follows: accounts for all of `bytes`.
    package mutating func finish(_ bytes: Range<Int>, of batch: inout PacketBatch) {
        _ = read(bytes, of: &batch, isLast: true)
    }

    /// After `finish`: the compressed file that the bytes came from ends early.
    package mutating func sourceWasCut() {
        switch failure {
        case .empty, .notACapture, .endsInHeader: failure = .compressionCut
        case nil where health.packets == 0: fail(.compressionCut)
        default: break
        }
        health.endsWithinPacket = true
    }

    /// After `finish`: behind the bytes, the compressed file that they came from is damaged.
    package mutating func sourceIsDamaged(_ reason: CaptureDamage.Reason) {
        countDamage(at: position, reason)
        if reason != .trailingBytes {
            if failure == .empty || failure == .endsInHeader { failure = nil }
            failIfNothingWasRead()
        }
    }

    private mutating func read(_ bytes: Range<Int>, of batch: inout PacketBatch, isLast: Bool) -> Int {
        // A second reference, so that the packets can be appended while the bytes are looked at.
        let held = batch.storage
        let storage = held.span
        precondition(
            bytes.lowerBound >= 0 && bytes.upperBound <= storage.count, "the bytes to read must lie in the storage")
        let end = bytes.upperBound
        var offset = bytes.lowerBound
        while failure == nil {
            let begin = offset
            let ready: Bool
            switch stage {
            case .header: ready = readHeader(storage, at: &offset, to: end, isLast: isLast)
            case .records: ready = readRecords(storage, at: &offset, to: end, into: &batch.packets)
            case .searching: ready = search(storage, at: &offset, to: end, isLast: isLast)
            case .blocks: ready = readBlocks(storage, at: &offset, to: end, &batch.packets, &batch.secrets)
            case .skipping(let count): ready = skip(count, at: &offset, to: end)
            case .trailer: ready = readTrailer(storage, at: &offset, to: end)
            case .abandoned:
                health.damagedBytes += end - offset
                offset = end
                ready = false
            case .failed: ready = false
            }
            position += offset - begin
            if !ready { break }
        }
        if isLast, failure == nil { accountForRest(end - offset) }
        if isLast || failure != nil {
            position += end - offset
            offset = end
        }
        return offset
    }

    /// The file has ended, `rest` bytes behind the last whole record.
    private mutating func accountForRest(_ rest: Int) {
        switch stage {
        case .header: fail(position + rest == 0 ? .empty : .endsInHeader)
        case .blocks where !section.isOpen: fail(.endsInHeader)
        case .records, .blocks: health.endsWithinPacket = rest > 0
        case .skipping, .trailer: health.endsWithinPacket = true
        case .searching, .abandoned: health.damagedBytes += rest
        case .failed: break
        }
        failIfNothingWasRead()
    }

    /// Recognises the format by its first four bytes and reads the header.
    private mutating func readHeader(_ storage: Span<UInt8>, at offset: inout Int, to end: Int, isLast: Bool) -> Bool {
        guard end - offset >= 4 else {
            if isLast, end > offset { fail(.notACapture) }
            return need(4)
        }
        if storage.bigEndian32(at: offset) == PcapngSection.headerType {
            stage = .blocks
            return true
        }
        guard let header = PcapHeader(magic: storage.bigEndian32(at: offset)) else {
            fail(.notACapture)
            return false
        }
        guard end - offset >= PcapHeader.byteCount else { return need(PcapHeader.byteCount) }
        pcap = header
        pcap.readRest(storage, at: offset)
        guard pcap.major == 2 else {
            fail(.version(major: pcap.major, minor: pcap.minor))
            return false
        }
        offset += PcapHeader.byteCount
        stage = .records
        return true
    }

    /// Asks for `count` bytes from where the parser stands.
    mutating func need(_ count: Int) -> Bool {
        wantedBytes = count
        return false
    }

    mutating func fail(_ failure: Failure) {
        self.failure = failure
        stage = .failed
    }

    mutating func countDamage(at offset: Int, _ reason: CaptureDamage.Reason) {
        health.damages += 1
        if health.firstDamage == nil { health.firstDamage = CaptureDamage(offset: offset, reason: reason) }
    }

    /// Counts a packet and appends it.
    @inline(__always)
    mutating func append(_ packet: CapturedPacket, to packets: inout [CapturedPacket]) {
        health.packets += 1
        health.packetBytes += packet.bytes.count
        if packet.originalLength > packet.bytes.count { health.packetsCut += 1 }
        lastTime = packet.time
        packets.append(packet)
    }

    /// A file that is damaged before its first packet cannot be read at all.
    mutating func failIfNothingWasRead() {
        if health.packets == 0, failure == nil, let damage = health.firstDamage { fail(.damaged(damage)) }
    }
}

/// The order of the bytes of a number.
enum ByteOrder: Sendable {
    case little
    case big
}

extension Span<UInt8> {
    @inline(__always) func number16(at offset: Int, _ order: ByteOrder) -> UInt16 {
        order == .little ? littleEndian16(at: offset) : bigEndian16(at: offset)
    }

    @inline(__always) func number32(at offset: Int, _ order: ByteOrder) -> UInt32 {
        order == .little ? littleEndian32(at: offset) : bigEndian32(at: offset)
    }

    /// Two of them, one behind the other.
    @inline(__always) func numbers32(at offset: Int, _ order: ByteOrder) -> (UInt32, UInt32) {
        let both = bigEndian64(at: offset)
        let (first, second) = (UInt32(truncatingIfNeeded: both >> 32), UInt32(truncatingIfNeeded: both))
        return order == .little ? (first.byteSwapped, second.byteSwapped) : (first, second)
    }

    @inline(__always) func number64(at offset: Int, _ order: ByteOrder) -> UInt64 {
        order == .little ? littleEndian64(at: offset) : bigEndian64(at: offset)
    }
}

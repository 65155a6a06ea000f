import Wire

/// What the section that is being read says of itself and its interfaces (pcapng §4.1, §4.2).
struct PcapngSection: Sendable {
    /// Type of a section header block: the same in both byte orders.
    static let headerType: UInt32 = 0x0a0d_0d0a

    struct Interface: Sendable {
        var linkType: LinkType
        /// Bytes to which packets were cut; 0 for no limit.
        var snapLength: UInt32
        var resolution: TimestampResolution
        /// Packets lost so far, by the last statistics.
        var droppedByInterface: UInt64 = 0
        var droppedBySystem: UInt64 = 0
    }

    /// Whether a section header was read.
    var isOpen = false
    var order = ByteOrder.little
    var interfaces: [Interface] = []
}

/// Block types that are read (pcapng §4); all others are skipped.
private enum BlockType {
    static let interfaceDescription: UInt32 = 1
    static let obsoletePacket: UInt32 = 2
    static let simplePacket: UInt32 = 3
    static let interfaceStatistics: UInt32 = 5
    static let enhancedPacket: UInt32 = 6
    static let decryptionSecrets: UInt32 = 10
}

extension CaptureParser {
    /// Reads whole blocks (pcapng §3.1): type, total length, body, total length again.
    mutating func readBlocks(
        _ storage: Span<UInt8>, at offset: inout Int, to end: Int, _ packets: inout [CapturedPacket],
        _ secrets: inout [DecryptionSecrets]
    ) -> Bool {
        let begin = offset
        while end - offset >= 12 {
            let place = position + offset - begin
            let type = storage.number32(at: offset, section.order)
            if type == PcapngSection.headerType {
                guard setByteOrder(storage.bigEndian32(at: offset + 8)) else {
                    return abandon(at: place, .byteOrder(storage.bigEndian32(at: offset + 8)))
                }
            }
            let length = storage.number32(at: offset + 4, section.order)
            guard length >= minimumLength(type), length.isMultiple(of: 4) else {
                return abandon(at: place, .blockLength(length))
            }
            guard isRead(type) else {
                // Type and length are here, the trailer is read by itself.
                skippedLength = length
                stage = .skipping(length - 12)
                offset += 8
                return true
            }
            guard length <= limits.blockBytes else { return abandon(at: place, .blockLength(length)) }
            guard end - offset >= Int(length) else { return need(Int(length)) }
            let trailer = storage.number32(at: offset + Int(length) - 4, section.order)
            guard trailer == length else {
                return abandon(at: place, .blockTrailer(expected: length, found: trailer))
            }
            let body = offset + 8..<offset + Int(length) - 4
            switch type {
            case BlockType.enhancedPacket: readEnhancedPacket(storage, body, at: place, into: &packets)
            case BlockType.simplePacket: readSimplePacket(storage, body, at: place, into: &packets)
            case BlockType.obsoletePacket: readObsoletePacket(storage, body, at: place, into: &packets)
            case BlockType.interfaceDescription: readInterface(storage, body)
            case BlockType.interfaceStatistics: readStatistics(storage, body)
            case BlockType.decryptionSecrets: readSecrets(storage, body, at: place, into: &secrets)
            default:
                let major = storage.number16(at: body.lowerBound + 4, section.order)
                guard major == 1 else { return abandon(at: place, .sectionVersion(major)) }
                section.interfaces.removeAll(keepingCapacity: true)
                section.isOpen = true
            }
            offset += Int(length)
        }
        return need(12)
    }

    /// Passes over `count` bytes of a block of no interest.
    mutating func skip(_ count: UInt32, at offset: inout Int, to end: Int) -> Bool {
        let step = min(Int(count), end - offset)
        offset += step
        stage = step == Int(count) ? .trailer : .skipping(count - UInt32(step))
        return step == Int(count) || need(1)
    }

    mutating func readTrailer(_ storage: Span<UInt8>, at offset: inout Int, to end: Int) -> Bool {
        guard end - offset >= 4 else { return need(4) }
        let trailer = storage.number32(at: offset, section.order)
        guard trailer == skippedLength else {
            return abandon(at: position, .blockTrailer(expected: skippedLength, found: trailer))
        }
        offset += 4
        stage = .blocks
        return true
    }

    /// Takes the byte-order magic of a section header, as read big-endian.
    private mutating func setByteOrder(_ magic: UInt32) -> Bool {
        switch magic {
        case 0x1a2b_3c4d: section.order = .big
        case 0x4d3c_2b1a: section.order = .little
        default: return false
        }
        return true
    }

    private func isRead(_ type: UInt32) -> Bool {
        switch type {
        case BlockType.enhancedPacket, BlockType.simplePacket, BlockType.obsoletePacket,
            BlockType.interfaceDescription, BlockType.interfaceStatistics, BlockType.decryptionSecrets,
            PcapngSection.headerType:
            true
        default: false
        }
    }

    /// The length of a block of `type` without payload and options.
    private func minimumLength(_ type: UInt32) -> UInt32 {
        switch type {
        case BlockType.enhancedPacket, BlockType.obsoletePacket: 32
        case PcapngSection.headerType: 28
        case BlockType.interfaceStatistics: 24
        case BlockType.interfaceDescription, BlockType.decryptionSecrets: 20
        case BlockType.simplePacket: 16
        default: 12
        }
    }

    private mutating func abandon(at place: Int, _ reason: CaptureDamage.Reason) -> Bool {
        countDamage(at: place, reason)
        stage = .abandoned
        failIfNothingWasRead()
        return true
    }

    /// Counts a block whose content contradicts itself but whose length holds; reading goes on behind it.
    private mutating func passOver(_ body: Range<Int>, at place: Int, _ reason: CaptureDamage.Reason) {
        countDamage(at: place, reason)
        health.damagedBytes += body.count + 12
    }
}

// MARK: Packets

extension CaptureParser {
    /// pcapng §4.3: interface, time (upper and lower half), captured, original, bytes, options.
    private mutating func readEnhancedPacket(
        _ storage: Span<UInt8>, _ body: Range<Int>, at place: Int, into packets: inout [CapturedPacket]
    ) {
        let interface = storage.number32(at: body.lowerBound, section.order)
        readTimedPacket(storage, body, interface: interface, at: place, into: &packets)
    }

    /// pcapng Appendix A: as the enhanced packet, but with a 16-bit interface and a 16-bit count of drops.
    private mutating func readObsoletePacket(
        _ storage: Span<UInt8>, _ body: Range<Int>, at place: Int, into packets: inout [CapturedPacket]
    ) {
        let interface = UInt32(storage.number16(at: body.lowerBound, section.order))
        readTimedPacket(storage, body, interface: interface, at: place, into: &packets)
    }

    @inline(__always)
    private mutating func readTimedPacket(
        _ storage: Span<UInt8>, _ body: Range<Int>, interface: UInt32, at place: Int,
        into packets: inout [CapturedPacket]
    ) {
        guard interface < UInt32(section.interfaces.count) else {
            return passOver(body, at: place, .unknownInterface(interface))
        }
        let upper = UInt64(storage.number32(at: body.lowerBound + 4, section.order))
        let lower = UInt64(storage.number32(at: body.lowerBound + 8, section.order))
        let captured = storage.number32(at: body.lowerBound + 12, section.order)
        let original = storage.number32(at: body.lowerBound + 16, section.order)
        let first = body.lowerBound + 20
        guard Int(captured) <= body.upperBound - first, max(captured, original) <= limits.packetBytes else {
            return passOver(body, at: place, .packetLength(max(captured, original)))
        }
        let linkType = section.interfaces[Int(interface)].linkType
        let time = section.interfaces[Int(interface)].resolution.time(units: upper << 32 | lower)
        append(
            CapturedPacket(
                time: time, bytes: first..<first + Int(captured), originalLength: Int(max(captured, original)),
                linkType: linkType, interface: interface),
            to: &packets)
    }

    /// pcapng §4.4: original length, then the bytes up to the first interface's snap length. It carries no time; the
    /// one before it is the best guess.
    private mutating func readSimplePacket(
        _ storage: Span<UInt8>, _ body: Range<Int>, at place: Int, into packets: inout [CapturedPacket]
    ) {
        guard let interface = section.interfaces.first else {
            return passOver(body, at: place, .unknownInterface(0))
        }
        let original = storage.number32(at: body.lowerBound, section.order)
        let first = body.lowerBound + 4
        let captured = interface.snapLength == 0 ? original : min(original, interface.snapLength)
        guard Int(captured) <= body.upperBound - first, original <= limits.packetBytes else {
            return passOver(body, at: place, .packetLength(original))
        }
        append(
            CapturedPacket(
                time: lastTime ?? CaptureTime(nanoseconds: 0), bytes: first..<first + Int(captured),
                originalLength: Int(original), linkType: interface.linkType, interface: 0),
            to: &packets)
    }
}

// MARK: Interfaces, statistics, secrets

extension CaptureParser {
    private enum Option {
        static let timestampResolution: UInt16 = 9
        static let timestampOffset: UInt16 = 14
        static let droppedByInterface: UInt16 = 5
        static let droppedBySystem: UInt16 = 7
    }

    /// pcapng §4.2: link type, reserved, snap length, options.
    private mutating func readInterface(_ storage: Span<UInt8>, _ body: Range<Int>) {
        // Packets of an interface beyond the limit find none and are counted as damage.
        guard section.interfaces.count < limits.interfaces else { return }
        var interface = PcapngSection.Interface(
            linkType: LinkType(rawValue: UInt32(storage.number16(at: body.lowerBound, section.order))),
            snapLength: storage.number32(at: body.lowerBound + 4, section.order), resolution: .microseconds)
        var offset = body.lowerBound + 8
        while let option = nextOption(storage, at: &offset, to: body.upperBound) {
            if option.code == Option.timestampResolution, option.value.count >= 1 {
                interface.resolution.setResolution(storage[option.value.lowerBound])
            } else if option.code == Option.timestampOffset, option.value.count >= 8 {
                let seconds = storage.number64(at: option.value.lowerBound, section.order)
                interface.resolution.offsetSeconds = Int64(bitPattern: seconds)
            }
        }
        section.interfaces.append(interface)
    }

    /// pcapng §4.6: interface, time, options. Its counts run from the start of the capture, so the last ones hold.
    private mutating func readStatistics(_ storage: Span<UInt8>, _ body: Range<Int>) {
        let number = storage.number32(at: body.lowerBound, section.order)
        guard number < UInt32(section.interfaces.count) else { return }
        var offset = body.lowerBound + 12
        while let option = nextOption(storage, at: &offset, to: body.upperBound) {
            guard option.value.count >= 8 else { continue }
            let count = storage.number64(at: option.value.lowerBound, section.order)
            switch option.code {
            case Option.droppedByInterface:
                let more = Self.raise(&section.interfaces[Int(number)].droppedByInterface, to: count)
                health.packetsDroppedByInterface = health.packetsDroppedByInterface.clampedSum(more)
                health.packetsDropped = health.packetsDropped.clampedSum(more)
            case Option.droppedBySystem:
                let more = Self.raise(&section.interfaces[Int(number)].droppedBySystem, to: count)
                health.packetsDropped = health.packetsDropped.clampedSum(more)
            default: break
            }
        }
    }

    /// Takes a count that never falls; returns by how much it rose.
    private static func raise(_ count: inout UInt64, to now: UInt64) -> UInt64 {
        guard now > count else { return 0 }
        defer { count = now }
        return now - count
    }

    /// pcapng §4.7: kind, length, bytes.
    private mutating func readSecrets(
        _ storage: Span<UInt8>, _ body: Range<Int>, at place: Int, into secrets: inout [DecryptionSecrets]
    ) {
        let kind = storage.number32(at: body.lowerBound, section.order)
        let length = storage.number32(at: body.lowerBound + 4, section.order)
        let first = body.lowerBound + 8
        guard Int(length) <= body.upperBound - first else {
            return passOver(body, at: place, .packetLength(length))
        }
        guard secretsBytes + Int(length) <= limits.secretsBytes else { return passOver(body, at: place, .secrets) }
        secretsBytes += Int(length)
        let bytes = storage.extracting(first..<first + Int(length)).copied()
        secrets.append(DecryptionSecrets(kind: kind, bytes: bytes))
    }

    /// The option at `offset` (pcapng §3.5: code, length, value padded to four bytes), which moves behind it; `nil`
    /// at the end of options, or where they leave their block.
    private func nextOption(
        _ storage: Span<UInt8>, at offset: inout Int, to end: Int
    ) -> (code: UInt16, value: Range<Int>)? {
        guard end - offset >= 4 else { return nil }
        let code = storage.number16(at: offset, section.order)
        let length = Int(storage.number16(at: offset + 2, section.order))
        let first = offset + 4
        guard code != 0, end - first >= length else { return nil }
        offset = min(first + (length + 3) & ~3, end)
        return (code, first..<first + length)
    }
}

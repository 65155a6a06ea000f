import Wire

/// Reads the frames of one direction: in step, where the next byte is part of a frame whose boundary is known, or
/// hunting, where a boundary has yet to be found.
///
///     opening ──preface, first SETTINGS──▶ in step ──gap, connection error──▶ hunting
///        └───────────anything else──────────▶ hunting ──boundary found──▶ in step
///
/// In step only what RFC 9113 makes a connection error is one. DATA payload is handed on as it comes; what is kept are
/// unfinished frame headers and the payload of frames that are looked at as a whole.
struct DirectionReader {
    enum Phase: UInt8 {
        /// Nothing read yet, or part of the client's connection preface (RFC 9113 §3.4).
        case opening
        /// The next byte is part of a frame header.
        case header
        /// Payload that is looked at when it is whole.
        case payload
        case data
        /// Padding and payload that nobody looks at.
        case skipping
        /// The rest of a frame that was cut by a gap: bytes that nobody can read.
        case passingOver
        case hunting
        /// Known from its first byte to be no HTTP/2.
        case foreign
    }

    static let preface: [UInt8] = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let direction: Direction
    let limits: ConnectionLimits
    var phase = Phase.opening
    var decoder: HPACKDecoder
    var hunter: FrameHunter
    var health = HTTP2Health()

    /// The first byte of the direction is the first of the connection.
    var isAtStart = false
    /// Every byte since the start was in step, so that lengths need no plausibility.
    var isConfirmed = false
    /// A server's first frame is SETTINGS (RFC 9113 §3.4); still to be seen.
    var awaitsSettings = false
    var prefaceMatched = 0
    /// `.desynchronized` was said for the hunt under way.
    var huntIsAnnounced = false
    var content = ConnectionContent.unknown
    var isHTTP2 = false

    /// Part of a frame header, or payload that is not yet whole.
    var partial: [UInt8] = []
    var frame = FrameHeader()
    var frameTime = CaptureTime(nanoseconds: 0)
    /// Payload bytes to be looked at as a whole.
    var payloadBytes = 0
    /// DATA: bytes still to come, without padding.
    var dataBytes = 0
    /// Bytes to pass after payload or data.
    var skipBytes = 0
    var isFirstPiece = false
    /// DATA: the pad length has not been read yet.
    var awaitsPadLength = false

    /// The field block that CONTINUATION frames must go on with (RFC 9113 §6.10).
    var blockIsOpen = false
    var block: [UInt8] = []
    var blockHeader = FrameHeader()
    var blockTime = CaptureTime(nanoseconds: 0)
    var blockWireBytes = 0
    var blockIsLost = false

    /// What this direction's SETTINGS say to the other one; nil as long as they said nothing.
    var tableSizeAnnounced: Int?
    var frameBytesAnnounced = 16_384
    /// SETTINGS of this direction were seen from the start on.
    var settingsAreKnown = false
    /// The highest stream of which HEADERS were seen, 0 when none were: streams of any age go on with DATA.
    var lastStream: UInt32 = 0
    /// Bytes since those HEADERS in which others may have been.
    private var bytesMissed = 0
    var bytesAstray: Int { bytesMissed &+ hunter.passedOver &+ hunter.tail.count }
    /// HEADERS were read since the direction is in step, so that `lastStream` is of today.
    var isStreamKnown = false

    /// So many bytes are missing, or their meaning is.
    mutating func miss(_ byteCount: Int) { bytesMissed = min(bytesMissed &+ byteCount, 1 << 40) }

    /// HEADERS of a stream were read in step.
    mutating func meet(_ stream: UInt32) {
        isStreamKnown = true
        bytesMissed = 0
        if stream > lastStream { lastStream = stream }
    }

    init(_ direction: Direction, limits: ConnectionLimits) {
        self.direction = direction
        self.limits = limits
        decoder = HPACKDecoder(direction, knownFromStart: false, limits: limits)
        hunter = FrameHunter(limits: limits)
    }

    /// Takes over the memory of a reader that is of no use any more. Precondition: nothing was read yet.
    mutating func takeMemory(of old: inout DirectionReader) {
        old.partial.removeAll(keepingCapacity: true)
        swap(&partial, &old.partial)
        old.block.removeAll(keepingCapacity: true)
        swap(&block, &old.block)
        decoder.takeMemory(of: &old.decoder)
        hunter.takeMemory(of: &old.hunter)
    }

    /// A table of which nothing is known, or that is empty, in place of the one so far.
    mutating func beginDecoding(knownFromStart: Bool) {
        var old = HPACKDecoder(direction, knownFromStart: knownFromStart, limits: limits)
        swap(&decoder, &old)
        decoder.takeMemory(of: &old)
    }

    var total: HTTP2Health {
        var total = health
        total.tablesReanchored = decoder.tablesReanchored
        total.tablesForgotten = decoder.tablesForgotten
        total.oddities.sizeUpdates = decoder.oddSizeUpdates
        return total
    }

    /// Bytes of the arrays that may keep capacity.
    var memoryBytes: Int {
        partial.capacity &+ block.capacity &+ hunter.tail.capacity &+ decoder.table.memoryBytes
    }

    /// Whether anything was read yet.
    var isUntouched: Bool { phase == .opening && prefaceMatched == 0 }

    mutating func begin(atStart: Bool) {
        guard isUntouched else { return }
        isAtStart = atStart
    }

    /// What the other direction's SETTINGS allow this one.
    mutating func allow(tableSize: Int?, isKnown: Bool) {
        decoder.sizeAllowed = isKnown ? max(tableSize ?? 4096, 4096) : nil
    }

    mutating func moveText(from text: Span<UInt8>, prefix: Int, into newText: inout [UInt8]) {
        decoder.moveText(from: text, prefix: prefix, into: &newText)
    }

    // MARK: Bytes

    /// Reads `bytes` from `start` on, and returns where it stopped: at the end, or behind what put it out of step.
    ///
    /// `marks` tells when held bytes were captured; `time` when there are none.
    mutating func read(
        _ bytes: Span<UInt8>, from start: Int, source: HTTP2Event.Source, marks: [FrameHunter.Mark],
        at time: CaptureTime,
        frameBytesMax: Int, into events: inout [HTTP2Event], fields: inout [HeaderField], text: inout [UInt8],
        used: inout Int
    ) -> Int {
        var offset = start
        while offset < bytes.count || (phase == .payload && payloadBytes == 0) {
            switch phase {
            case .header:
                if partial.isEmpty, bytes.count &- offset >= FrameHeader.byteCount {
                    frameTime = marks.isEmpty ? time : Self.time(at: offset, in: marks, else: time)
                    frame = FrameHeader(bytes, at: offset)
                    guard beginFrame(frameBytesMax: frameBytesMax, into: &events) else {
                        let isRefusedStart = refuse(into: &events)
                        health.undecodableBytes &+= isRefusedStart ? 0 : 1
                        return isRefusedStart ? offset : offset &+ 1
                    }
                    offset &+= FrameHeader.byteCount
                } else {
                    if partial.isEmpty {
                        frameTime = marks.isEmpty ? time : Self.time(at: offset, in: marks, else: time)
                    }
                    let end = min(bytes.count, offset &+ FrameHeader.byteCount &- partial.count)
                    partial.append(copying: bytes.extracting(offset..<end))
                    offset = end
                    guard partial.count == FrameHeader.byteCount else { continue }
                    frame = FrameHeader(partial.span, at: 0)
                    guard beginFrame(frameBytesMax: frameBytesMax, into: &events) else {
                        let isRefusedStart = refuse(into: &events)
                        let first = isRefusedStart ? 0 : 1
                        health.undecodableBytes &+= first
                        var header: [UInt8] = []
                        swap(&header, &partial)
                        hunter.append(
                            header.span.extracting(first..<FrameHeader.byteCount), at: frameTime,
                            isSegmentStart: isRefusedStart)
                        return offset
                    }
                    partial.removeAll(keepingCapacity: true)
                }
            case .data:
                if awaitsPadLength {
                    let padding = Int(bytes[offset])
                    offset &+= 1
                    guard beginPaddedData(padding, into: &events) else {
                        health.undecodableBytes &+= FrameHeader.byteCount &+ 1
                        leaveStep(into: &events)
                        return offset
                    }
                    continue
                }
                let count = min(dataBytes, bytes.count &- offset)
                appendData(offset..<(offset &+ count), source: source, into: &events)
                offset &+= count
            case .payload:
                let missing = payloadBytes &- partial.count
                let isRight: Bool
                if partial.isEmpty, bytes.count &- offset >= missing {
                    isRight = endPayload(
                        bytes.extracting(offset..<(offset &+ missing)), into: &events, fields: &fields, text: &text,
                        used: &used)
                    offset &+= missing
                } else {
                    let count = min(missing, bytes.count &- offset)
                    partial.append(copying: bytes.extracting(offset..<(offset &+ count)))
                    offset &+= count
                    guard count == missing else { continue }
                    var whole: [UInt8] = []
                    swap(&whole, &partial)
                    isRight = endPayload(whole.span, into: &events, fields: &fields, text: &text, used: &used)
                    whole.removeAll(keepingCapacity: whole.capacity <= 4096)
                    swap(&whole, &partial)
                }
                guard isRight else {
                    health.undecodableBytes &+= FrameHeader.byteCount &+ payloadBytes
                    leaveStep(into: &events)
                    return offset
                }
                phase = skipBytes > 0 ? .skipping : .header
            case .skipping:
                let count = min(skipBytes, bytes.count &- offset)
                skipBytes &-= count
                offset &+= count
                if skipBytes == 0 { phase = .header }
            case .passingOver:
                let count = min(skipBytes, bytes.count &- offset)
                health.undecodableBytes &+= count
                skipBytes &-= count
                offset &+= count
                if skipBytes == 0 { phase = .header }
            case .opening:
                offset = open(bytes, from: offset, at: time)
                if phase == .hunting { return offset }
            case .hunting:
                return offset
            case .foreign:
                health.undecodableBytes &+= bytes.count &- offset
                return bytes.count
            }
        }
        return offset
    }

    private static func time(at offset: Int, in marks: [FrameHunter.Mark], else time: CaptureTime) -> CaptureTime {
        var found = time
        for mark in marks {
            if mark.offset > offset { break }
            found = mark.time
        }
        return found
    }

    /// The first bytes of the direction: the client's preface proves its start, whatever is known otherwise.
    private mutating func open(_ bytes: Span<UInt8>, from start: Int, at time: CaptureTime) -> Int {
        if direction == .response {
            guard isAtStart else {
                beginHunting(isAnnounced: false)
                return start
            }
            awaitsSettings = true
            beginInStep()
            return start
        }
        var offset = start
        while offset < bytes.count, prefaceMatched < Self.preface.count, bytes[offset] == Self.preface[prefaceMatched] {
            offset &+= 1
            prefaceMatched &+= 1
        }
        if prefaceMatched == Self.preface.count {
            isHTTP2 = true
            beginInStep()
        } else if offset < bytes.count {
            beginHunting(isAnnounced: false)
            hunter.append(Self.preface.span.extracting(0..<prefaceMatched), at: time, isSegmentStart: true)
        }
        return offset
    }

    mutating func beginInStep() {
        phase = .header
        isConfirmed = true
        settingsAreKnown = true
        beginDecoding(knownFromStart: true)
    }
}

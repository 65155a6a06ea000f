import Wire

/// The client's side of one connection (RFC 9113): bytes of the server in, events out, and bytes for the server
/// appended to an array of the caller, who sends them in their order.
///
/// Streams are opened with a field section and the first bytes of a request; more may follow until the client's side is
/// ended. What the server's windows and frame size do not allow yet is held here and sent when they do. SETTINGS and
/// PING are acknowledged, windows for what comes in are kept wide open. After `.failed` nothing comes any more.
package struct ClientConnection: Sendable {
    /// RFC 9113 §6.9.1.
    static let windowMax = 1 << 31 - 1
    /// What both sides begin with (RFC 9113 §6.5.2); frames that come in are never allowed to be longer.
    static let frameBytes = 16_384
    private static let initialWindow = 65_535

    let limits: ClientLimits
    /// The lists of fields with which streams are opened.
    package var fieldLists = HPACKEncoder()
    /// The text that events name.
    package internal(set) var text: [UInt8] = FieldText.prefix

    // What the server allows.
    var frameBytesMax = ClientConnection.frameBytes
    var initialSendWindow = ClientConnection.initialWindow
    var connectionSendWindow = ClientConnection.initialWindow
    private(set) var streamsMax = Int.max
    var goAwayWasSeen = false

    var streams = ClientStreams()
    /// The next stream's identifier.
    var nextStream: UInt32 = 1
    /// Messages that wait for a window, in the order in which they began to.
    var waiting: [WaitingBytes] = []
    var waitingByteCount = 0

    // What came in.
    package internal(set) var isReady = false
    package internal(set) var failure = ClientFailure.none
    /// Octets of DATA since the server was last allowed more.
    var received = 0
    /// The beginning of a frame that is not whole yet, and how many bytes of it are needed to go on.
    private var held: [UInt8] = []
    private var neededBytes = 0
    /// The DATA frame that is being read.
    var data: IncomingData?
    /// The field block that goes on in CONTINUATION frames.
    var block: IncomingBlock?
    private var decoder: HPACKDecoder
    private var fields: [HeaderField] = []
    private var usedText: Int

    struct IncomingData: Sendable {
        var stream: UInt32
        var remaining: Int
        var padding: Int
        var isLast: Bool
    }

    struct IncomingBlock: Sendable {
        var stream: UInt32
        var isLast: Bool
        var bytes: [UInt8] = []
    }

    struct WaitingBytes: Sendable {
        var stream: UInt32
        var bytes: [UInt8]
        var sent = 0
        var endsStream: Bool
    }

    package init(limits: ClientLimits = ClientLimits()) {
        self.limits = limits
        decoder = HPACKDecoder(.response, knownFromStart: true, limits: ConnectionLimits())
        decoder.sizeAllowed = 4096
        usedText = text.count
    }

    /// Streams that are open.
    package var openStreams: Int { streams.count }

    /// Whether a stream may be opened now.
    package var canOpen: Bool {
        failure == .none && !isDraining && streams.count < min(streamsMax, limits.openStreams)
            && waitingByteCount <= limits.waitingBytes
    }

    /// Whether no stream will ever be opened here again: the server said so, or identifiers are used up
    /// (RFC 9113 §5.1.1).
    package var isDraining: Bool { goAwayWasSeen || nextStream > UInt32(Self.windowMax) }

    // MARK: What comes in

    /// Takes the next bytes of the server. Ranges of `.data` events name these bytes.
    package mutating func receive(_ bytes: Span<UInt8>, into events: inout [ClientEvent], out: inout [UInt8]) {
        dropOldText()
        var offset = 0
        while failure == .none {
            if data != nil {
                takeData(bytes, at: &offset, into: &events, out: &out)
                if data != nil { return }
            }
            if offset == bytes.count { return }
            if held.isEmpty {
                let available = bytes.count - offset
                var needed = FrameHeader.byteCount
                if available >= needed {
                    let header = FrameHeader(bytes, at: offset)
                    guard isAllowed(header, into: &events, out: &out) else { return }
                    needed = Self.bytesNeeded(header)
                    if available >= needed {
                        take(header, bytes.extracting(offset..<offset + needed), into: &events, out: &out)
                        offset += needed
                        continue
                    }
                }
                held.append(copying: bytes.extracting(offset..<bytes.count))
                neededBytes = needed
                return
            }
            let count = min(neededBytes - held.count, bytes.count - offset)
            held.append(copying: bytes.extracting(offset..<offset + count))
            offset += count
            guard held.count == neededBytes else { return }
            takeHeld(into: &events, out: &out)
        }
    }

    /// Takes what was held of a frame, now that the bytes that were needed are there.
    private mutating func takeHeld(into events: inout [ClientEvent], out: inout [UInt8]) {
        let header = FrameHeader(held.span, at: 0)
        if neededBytes == FrameHeader.byteCount {
            guard isAllowed(header, into: &events, out: &out) else { return }
            neededBytes = Self.bytesNeeded(header)
            if held.count < neededBytes { return }
        }
        var frame: [UInt8] = []
        swap(&frame, &held)
        take(header, frame.span, into: &events, out: &out)
        frame.removeAll(keepingCapacity: true)
        swap(&frame, &held)
    }

    /// How much of a frame is looked at at once: of DATA, what comes before the data.
    private static func bytesNeeded(_ header: FrameHeader) -> Int {
        guard header.kind == FrameHeader.Kind.data else { return FrameHeader.byteCount + header.length }
        return FrameHeader.byteCount + (header.has(FrameHeader.Flag.padded) ? 1 : 0)
    }

    /// Whether a frame with that header may come now; ends the connection if not.
    private mutating func isAllowed(
        _ header: FrameHeader, into events: inout [ClientEvent], out: inout [UInt8]
    ) -> Bool {
        // RFC 9113 §3.4: the server's first frame is a SETTINGS frame.
        if !isReady, header.kind != FrameHeader.Kind.settings || header.has(FrameHeader.Flag.ack) {
            fail(.notHTTP2, .protocolError, into: &events, out: &out)
        } else if header.length > Self.frameBytes {
            fail(isReady ? .frameTooLong : .notHTTP2, .frameSizeError, into: &events, out: &out)
        } else if block != nil, block?.stream != header.stream || header.kind != FrameHeader.Kind.continuation {
            // RFC 9113 §6.10: nothing comes between the frames of a field block.
            fail(.continuationMissing, .protocolError, into: &events, out: &out)
        } else if block == nil, header.kind == FrameHeader.Kind.continuation {
            fail(.frameNotAllowed, .protocolError, into: &events, out: &out)
        } else if header.kind == FrameHeader.Kind.pushPromise {
            // RFC 9113 §6.6: it was switched off.
            fail(.frameNotAllowed, .protocolError, into: &events, out: &out)
        } else if !header.isPermitted {
            let code = header.isOnRightStream ? ErrorCode.frameSizeError : .protocolError
            fail(.frameMalformed, code, into: &events, out: &out)
        } else if header.stream != 0, header.kind <= FrameHeader.Kind.continuation,
            header.kind != FrameHeader.Kind.priority, isIdle(header.stream)
        {
            fail(.frameOnIdleStream, .protocolError, into: &events, out: &out)
        } else {
            return true
        }
        return false
    }

    /// RFC 9113 §5.1.1: ours are odd, and a server that may not push opens none.
    private func isIdle(_ stream: UInt32) -> Bool { stream & 1 == 0 || stream >= nextStream }

    // MARK: Field sections

    /// Decodes a whole field block; of a stream that is closed for the table's sake only (RFC 9113 §4.3).
    mutating func takeBlock(
        _ block: Span<UInt8>, stream id: UInt32, isLast: Bool, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        fields.removeAll(keepingCapacity: true)
        let isRead = decoder.decode(block, stream: id, into: &fields, text: &text, used: &usedText)
        guard isRead, decoder.tablesForgotten == 0, decoder.oddSizeUpdates == 0 else {
            return fail(.fieldBlockUnreadable, .compressionError, into: &events, out: &out)
        }
        guard let place = streams.place(of: id) else { return }
        var event = ClientEvent(.response, streams.slots[place])
        for field in fields {
            guard let value = field.value else { continue }
            switch field.name {
            case .status: event.httpStatus = UInt16(clamping: number(in: value) ?? 0)
            case .grpcStatus: event.grpcStatus = UInt32(clamping: number(in: value) ?? 2)
            case .grpcMessage: event.text = value
            default: break
            }
        }
        let isTrailers = streams.slots[place].marks.contains(.responded)
        if !isTrailers {
            // RFC 9113 §8.3.2 and §8.1: interim responses come before the one.
            if event.httpStatus < 100 || event.httpStatus < 200 && isLast {
                return failStream(at: place, .statusMissing, into: &events, out: &out)
            }
            if event.httpStatus < 200 { return }
            streams.change(place) { $0.marks.insert(.responded) }
        } else if !isLast {
            return failStream(at: place, .trailersWithoutEnd, into: &events, out: &out)
        }
        if isLast { event.kind = .end }
        events.append(event)
        if isLast { close(at: place, out: &out) }
    }

    /// The decimal number of up to nine digits that the text there is; nil if it is none.
    private func number(in range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count < 10 else { return nil }
        var number = 0
        for offset in range {
            guard text[offset] >= 0x30, text[offset] <= 0x39 else { return nil }
            number = number * 10 + Int(text[offset] - 0x30)
        }
        return number
    }

    /// Keeps a text that comes in, without its end if it is long, where events can name it.
    mutating func keep(_ bytes: Span<UInt8>) -> Range<Int> {
        let count = min(bytes.count, limits.debugBytes)
        if text.count < usedText + count { _ = text.appendZeros(usedText + count - text.count) }
        text.overwrite(from: usedText, with: bytes.extracting(0..<count))
        usedText += count
        return usedText - count..<usedText
    }

    /// Drops text that no table entry has any more, once there is much.
    private mutating func dropOldText() {
        let prefix = FieldText.prefix.count
        guard usedText > prefix + limits.textBytes else { return }
        let old = text
        var kept = FieldText.prefix
        decoder.moveText(from: old.span, prefix: prefix, into: &kept)
        text = kept
        usedText = kept.count
    }

    // MARK: The end

    /// Says that the connection is over (RFC 9113 §6.8). Streams that are open are no more.
    package mutating func close(into out: inout [UInt8]) {
        guard failure == .none else { return }
        FrameWriter.appendGoAway(.noError, to: &out)
        goAwayWasSeen = true
    }

    mutating func fail(
        _ failure: ClientFailure, _ code: ErrorCode, into events: inout [ClientEvent], out: inout [UInt8]
    ) {
        self.failure = failure
        FrameWriter.appendGoAway(code, to: &out)
        var event = ClientEvent(.failed)
        event.failure = failure
        event.code = code
        events.append(event)
    }

    /// Follows SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 §5.1.2).
    mutating func allow(streams count: Int) { streamsMax = count }
}

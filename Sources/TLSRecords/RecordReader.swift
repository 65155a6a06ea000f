import Wire

/// The records of one direction: framed, held while they are not whole, opened, and found again behind gaps.
struct RecordReader {
    /// Which secret protects what comes now, in the order in which they follow each other (RFC 8446 §7.1). TLS 1.2
    /// has the last only.
    enum Epoch: Int, Comparable {
        case clear
        case early
        case handshake
        case traffic

        static func < (left: Epoch, right: Epoch) -> Bool { left.rawValue < right.rawValue }
    }

    /// What became of a whole record.
    enum Verdict {
        case taken
        /// Secrets are missing that may come.
        case waiting
        /// It cannot be opened.
        case unopened
    }

    /// Held bytes up to `end` were captured by `time`.
    private struct Mark {
        var end: Int
        var time: CaptureTime
    }

    /// Segments of which the times are kept apart in held bytes; those beyond it get the time of the last one.
    private static let marksMax = 4096

    let direction: Direction
    let limits: TLSLimits

    /// Bytes that wait: a record that is not whole, or whatever comes while hunting or waiting.
    private var held: [UInt8] = []
    private var marks: [Mark] = []
    /// A record's boundary is looked for; otherwise the next byte begins one.
    private var isHunting = false
    /// Secrets are missing; with the log and the session as they were at `triedAt`.
    private(set) var isWaiting = false
    private var triedAt: UInt64 = 0

    // MARK: Protection

    var epoch = Epoch.clear
    var keys: RecordKeys?
    /// Number of the next record under `keys`.
    var sequence: UInt64 = 0
    /// Bytes between the last record that was opened and the next one that will be; whole records, once that is found.
    var missing = 0
    /// Joined midway: no telling how much came before.
    var missingIsKnown = true
    /// TLS 1.2: records after it are protected (RFC 5246 §7.1).
    var cipherIsChanged = false
    var handshake: HandshakeReader
    var earlyData: [UInt8] = []
    /// Bytes before the kept early data that may be some of it and were not kept.
    var earlyDataMissing = 0
    /// The begin of the application data was reported, or can no longer be.
    var isStarted = false
    /// Records of this direction were padded, so that lengths of lost ones tell little.
    var isPadded = false
    var health = TLSHealth()

    init(_ direction: Direction, limits: TLSLimits) {
        self.direction = direction
        self.limits = limits
        handshake = HandshakeReader(limits: limits)
    }

    var isReadable: Bool { health.records > 0 }
    var memoryBytes: Int { held.capacity &+ marks.capacity &* 16 &+ earlyData.capacity &+ handshake.message.capacity }

    // MARK: Input

    mutating func joinMidway() {
        isHunting = true
        missingIsKnown = false
    }

    mutating func receive(
        _ bytes: Span<UInt8>, at time: CaptureTime, _ session: inout TLSSession, _ log: inout KeyLog,
        _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) {
        if session.isUnsupported { return }
        var offset = 0
        if isHunting || isWaiting {
            hold(bytes, at: time)
            drain(&session, &log, &budget, &output)
            return
        }
        if !held.isEmpty {
            // Fills up the record that is held, and no more: what follows is read where it lies.
            offset = min(missingOfHeldRecord(bytes), bytes.count)
            hold(bytes.extracting(0..<offset), at: time)
            drain(&session, &log, &budget, &output)
            if !held.isEmpty || isHunting || isWaiting {
                // A record that was found again may be followed by one of which the end is here.
                if offset < bytes.count {
                    hold(bytes.extracting(offset..<bytes.count), at: time)
                    drain(&session, &log, &budget, &output)
                }
                return
            }
        }
        offset = read(bytes, from: offset, at: time, isHeld: false, &session, &log, &budget, &output)
        if offset < bytes.count {
            hold(bytes.extracting(offset..<bytes.count), at: time)
            if isHunting { drain(&session, &log, &budget, &output) }
        }
    }

    mutating func receiveGap(_ count: Int) {
        guard count > 0 else { return }
        lose(held.count &+ count)
    }

    mutating func tryAgain(
        _ session: inout TLSSession, _ log: inout KeyLog, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) {
        if isWaiting { drain(&session, &log, &budget, &output) }
    }

    mutating func forget() { if !held.isEmpty { lose(held.count) } }

    mutating func finish(at time: CaptureTime, into output: inout TLSOutput) {
        missing &+= held.count
        if missing > 0, isStarted { reportGap(missing, isExact: false, at: time, into: &output) }
        held = []
        marks = []
    }

    /// `count` bytes, the held ones among them, will not be read.
    private mutating func lose(_ count: Int) {
        missing &+= count
        held.removeAll(keepingCapacity: held.capacity <= 4096)
        marks.removeAll(keepingCapacity: true)
        handshake.reset()
        isHunting = true
    }

    // MARK: Framing

    /// How many bytes the record at the begin of the held ones still needs; all of them where that is not clear.
    private func missingOfHeldRecord(_ bytes: Span<UInt8>) -> Int {
        if held.count < RecordHeader.byteCount {
            guard held.count &+ bytes.count >= RecordHeader.byteCount else { return bytes.count }
            // The length is the last part of the header; at least one of its bytes is new.
            func byte(_ index: Int) -> Int { Int(index < held.count ? held[index] : bytes[index &- held.count]) }
            return RecordHeader.byteCount &+ byte(3) &* 256 &+ byte(4) &- held.count
        }
        guard let header = RecordHeader(held.span, at: 0) else { return bytes.count }
        return header.recordBytes &- held.count
    }

    private mutating func hold(_ bytes: Span<UInt8>, at time: CaptureTime) {
        if bytes.isEmpty { return }
        held.append(copying: bytes)
        if marks.count < Self.marksMax {
            marks.append(Mark(end: held.count, time: time))
        } else {
            marks[marks.count &- 1].end = held.count
        }
    }

    /// Reads whole records from `offset` on; where it stopped: at the end, at a record that is not whole or has to
    /// wait, or at bytes that are no record, with `isHunting` set.
    private mutating func read(
        _ bytes: Span<UInt8>, from start: Int, at time: CaptureTime, isHeld: Bool, _ session: inout TLSSession,
        _ log: inout KeyLog, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Int {
        var offset = start
        while bytes.count &- offset >= RecordHeader.byteCount {
            guard let header = RecordHeader(bytes, at: offset) else {
                handshake.reset()
                isHunting = true
                return offset
            }
            guard bytes.count &- offset >= header.recordBytes else { return offset }
            let end = offset &+ header.recordBytes
            let time = isHeld ? self.time(ofHeldByte: end) : time
            switch take(bytes.extracting(offset..<end), header, at: time, &session, &log, &budget, &output) {
            case .taken: break
            case .unopened: missing &+= header.recordBytes
            case .waiting:
                wait(session, log)
                return offset
            }
            offset = end
        }
        return offset
    }

    /// Reads what is held as far as it goes.
    private mutating func drain(
        _ session: inout TLSSession, _ log: inout KeyLog, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) {
        if isWaiting {
            if triedAt == log.version &+ session.changes {
                if held.count > limits.waitingBytes { lose(held.count) }
                return
            }
            isWaiting = false
        }
        var bytes: [UInt8] = []
        swap(&bytes, &held)
        var offset = 0
        while !isWaiting {
            if isHunting {
                offset = hunt(bytes.span, from: offset, &session, &log, &budget, &output)
                if isHunting { break }
            }
            offset = read(
                bytes.span, from: offset, at: CaptureTime(nanoseconds: 0), isHeld: true, &session, &log, &budget,
                &output)
            if !isHunting { break }
        }
        swap(&bytes, &held)
        discard(offset)
        if held.count > limits.waitingBytes { lose(held.count) }
    }

    private mutating func wait(_ session: TLSSession, _ log: KeyLog) {
        isWaiting = true
        triedAt = log.version &+ session.changes
    }

    private mutating func discard(_ count: Int) {
        guard count > 0 else { return }
        if count == held.count {
            held.removeAll(keepingCapacity: true)
            marks.removeAll(keepingCapacity: true)
            return
        }
        held.keep(only: count..<held.count)
        marks.removeAll { $0.end <= count }
        for index in marks.indices { marks[index].end &-= count }
    }

    private func time(ofHeldByte end: Int) -> CaptureTime {
        for mark in marks where mark.end >= end { return mark.time }
        return marks.last?.time ?? CaptureTime(nanoseconds: 0)
    }

    // MARK: Hunting

    /// Looks from `start` on for a protected record that opens, and takes it; `isHunting` is false then. Where it
    /// stopped: what lies before was passed over and counted as missing.
    private mutating func hunt(
        _ bytes: Span<UInt8>, from start: Int, _ session: inout TLSSession, _ log: inout KeyLog,
        _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Int {
        var offset = start
        while bytes.count &- offset >= RecordHeader.byteCount {
            guard bytes[offset] & 0xfc == 0x14, let header = RecordHeader(protected: bytes, at: offset) else {
                offset &+= 1
                missing &+= 1
                continue
            }
            let end = offset &+ header.recordBytes
            guard end <= bytes.count else { return offset }
            // A header behind it makes it worth the search even if it does not open.
            var isChained = end == bytes.count
            if bytes.count &- end >= RecordHeader.byteCount {
                isChained = RecordHeader(protected: bytes, at: end) != nil
                if !isChained {
                    offset &+= 1
                    missing &+= 1
                    continue
                }
            }
            let record = bytes.extracting(offset..<end)
            switch open(record, header, at: time(ofHeldByte: end), &session, &log, &budget, &output) {
            case .taken:
                health.resynchronizations &+= 1
                isHunting = false
                return end
            case .waiting:
                wait(session, log)
                return offset
            case .unopened:
                let step = isChained ? header.recordBytes : 1
                offset &+= step
                missing &+= step
            }
        }
        return offset
    }
}

import Wire

/// A `TLSInput` as what a listener gets, in that order: bytes that the peer sealed among it.
struct TLSScript {
    enum Step {
        /// A range of `wire`.
        case bytes(Range<Int>, Direction)
        case gap(Int, Direction)
        /// A range of `text`.
        case keyLog(Range<Int>, triesAgain: Bool)
        /// A range of `peerLines`, which are whole.
        case secrets(Range<Int>)
        case forget
        /// Up to here nobody had to look for a record's begin.
        case outOfStep
    }

    let options: UInt8
    private(set) var steps: [Step] = []
    private(set) var wire: [UInt8] = []
    private(set) var text: [UInt8] = []
    private(set) var peerLines: [UInt8] = []
    private(set) var truth = [TLSTruth(), TLSTruth()]
    /// Only the peer's secrets are known, and what it took of its early data.
    private(set) var isTruthKnown = true
    /// What came is what a peer might have said, or parts of it, with gaps in place of the others.
    private(set) var isGenuine = true
    /// Lengths of what is missing tell how much application data it was.
    private(set) var tellsLengths = true

    /// What one side said so far.
    private struct Side {
        var saidHello = false
        var offersEarlyData = false
        var epoch: TLSPeer.Epoch?
        var endedEarlyData = false
        /// So many of the next bytes are missing.
        var loss = 0
        var framer = Framer()
        var wireBytes = 0
    }

    private var peer: TLSPeer
    private var sides = [Side(), Side()]
    private var isInStep = true

    /// A listener waits with so many bytes of a direction at least before it gives them up.
    private static let waitingBytes = 60_000

    init(_ input: Span<UInt8>) {
        var reader = InputReader(input)
        options = reader.byte(input)
        peer = TLSPeer(isTLS12: options & TLSInput.isTLS12 != 0)
        let atStart = TLSInput.requestAtStart | TLSInput.responseAtStart
        if options & TLSInput.smallWaiting != 0 || options & atStart != atStart { leaveStep() }
        while !reader.isAtEnd {
            let record = TLSInput.Record(&reader, input)
            append(record, input.extracting(record.content))
        }
    }

    private mutating func append(_ record: TLSInput.Record, _ content: Span<UInt8>) {
        let side = Int(record.direction.rawValue)
        switch record.kind {
        case .bytes:
            if !content.isEmpty { isGenuine = false }
            send(content.copied(), record.direction)
        case .gap:
            isGenuine = false
            appendGap(record.count, record.direction)
        case .loss: sides[side].loss += record.count
        case .sealed: seal(content.copied(), record)
        case .hello:
            let offers = record.detail & 1 != 0 && !peer.isTLS12
            if sides[side].saidHello || sides[side].epoch != nil { isGenuine = false }
            sides[side].saidHello = true
            sides[side].offersEarlyData = offers
            send(peer.hello(record.direction, offersEarlyData: offers), record.direction)
        case .secrets:
            let start = peerLines.count
            peerLines += peer.keyLog(record.detail)
            steps.append(.secrets(start..<peerLines.count))
        case .keyLog:
            isTruthKnown = false
            let start = text.count
            text.append(copying: content)
            steps.append(.keyLog(start..<text.count, triesAgain: record.detail & 1 == 0))
        case .forget:
            leaveStep()
            steps.append(.forget)
        }
    }

    // MARK: What the peer seals

    private mutating func seal(_ content: [UInt8], _ record: TLSInput.Record) {
        let direction = record.direction
        let epoch = epoch(record)
        enter(epoch, direction)
        switch record.detail >> 2 {
        case 1: sealMessage(epoch, direction)
        case 2: sealHandshake(content, epoch, direction)
        case let kind: sealData(content, padding: kind == 3 ? 7 : 0, epoch, direction)
        }
    }

    private func epoch(_ record: TLSInput.Record) -> TLSPeer.Epoch {
        switch record.detail & 3 {
        case 1 where !peer.isTLS12: .handshake
        case 2 where !peer.isTLS12 && record.direction == .request: .early
        default: .traffic
        }
    }

    private mutating func enter(_ epoch: TLSPeer.Epoch, _ direction: Direction) {
        let side = Int(direction.rawValue)
        let before = sides[side].epoch
        if epoch == .early {
            let isOver = before == .handshake || before == .traffic || sides[side].endedEarlyData
            if isOver || !sides[side].offersEarlyData { isGenuine = false }
            // A listener without the handshake's secrets may have missed that it is over.
            if isOver { isTruthKnown = false }
        } else if before == nil || before == .early {
            truth[side].endEarlyData(isTaken: false)
        }
        if let before, epoch.rawValue < before.rawValue { isGenuine = false }
        if !sides[side].saidHello { isGenuine = false }
        sides[side].epoch = epoch
        if peer.isTLS12, before == nil {
            // Finished is the first record under the keys (RFC 5246 §7.4.9).
            let finished = TLSPeer.message(20, [UInt8](repeating: 0, count: 12))
            send(TLSPeer.changeCipherSpec, direction)
            send(peer.seal(finished, type: TLSPeer.ContentType.handshake, .traffic, direction), direction)
        }
    }

    private mutating func sealData(
        _ content: [UInt8], padding: Int, _ epoch: TLSPeer.Epoch, _ direction: Direction
    ) {
        let side = Int(direction.rawValue)
        if epoch == .handshake {
            let certificate = TLSPeer.message(11, content)
            return send(
                peer.seal(certificate, type: TLSPeer.ContentType.handshake, padding: padding, epoch, direction),
                direction)
        }
        if padding > 0, !peer.isTLS12 { tellsLengths = false }
        let numbered = truth[side].number(content, isEarly: epoch == .early)
        send(
            peer.seal(numbered, type: TLSPeer.ContentType.applicationData, padding: padding, epoch, direction),
            direction)
    }

    /// The message that ends the use of a secret, if one does; else an alert.
    private mutating func sealMessage(_ epoch: TLSPeer.Epoch, _ direction: Direction) {
        let side = Int(direction.rawValue)
        switch epoch {
        case .early:
            sides[side].endedEarlyData = true
            truth[side].endEarlyData(isTaken: true)
            send(
                peer.seal(TLSPeer.message(5, []), type: TLSPeer.ContentType.handshake, epoch, direction), direction)
        case .traffic where !peer.isTLS12:
            send(
                peer.seal(TLSPeer.message(24, [0]), type: TLSPeer.ContentType.handshake, epoch, direction), direction)
            peer.updateKeys(direction)
        case .handshake, .traffic:
            tellsLengths = false
            send(peer.seal([1, 0], type: TLSPeer.ContentType.alert, epoch, direction), direction)
        }
    }

    /// A ticket where a server sends some (RFC 8446 §4.6.1), else what nobody sends.
    private mutating func sealHandshake(_ content: [UInt8], _ epoch: TLSPeer.Epoch, _ direction: Direction) {
        let isTicket =
            !peer.isTLS12 && epoch == .traffic && direction == .response && peer.sequence(epoch, direction) < 4
        if !isTicket {
            isGenuine = false
            // It may say that the early data is taken.
            if epoch == .early { isTruthKnown = false }
        }
        let message = isTicket ? TLSPeer.message(4, content) : content
        send(peer.seal(message, type: TLSPeer.ContentType.handshake, epoch, direction), direction)
    }

    // MARK: What of it is heard

    private mutating func send(_ bytes: [UInt8], _ direction: Direction) {
        let side = Int(direction.rawValue)
        let lost = min(sides[side].loss, bytes.count)
        sides[side].loss -= lost
        appendGap(lost, direction)
        if lost == bytes.count { return }
        let start = wire.count
        wire += bytes[lost...]
        sides[side].wireBytes += bytes.count - lost
        var end = wire.count
        if isInStep {
            let read = sides[side].framer.read(bytes.span.extracting(lost..<bytes.count))
            let isTooMuch = sides[side].wireBytes > Self.waitingBytes
            if isTooMuch || start + read < end {
                end = start + (isTooMuch ? 0 : read)
                if end > start { steps.append(.bytes(start..<end, direction)) }
                leaveStep()
                steps.append(.bytes(end..<wire.count, direction))
                return
            }
        }
        steps.append(.bytes(start..<end, direction))
    }

    private mutating func appendGap(_ count: Int, _ direction: Direction) {
        guard count > 0 else { return }
        leaveStep()
        steps.append(.gap(count, direction))
    }

    private mutating func leaveStep() {
        if isInStep { steps.append(.outOfStep) }
        isInStep = false
    }
}

/// Follows the headers of records (RFC 8446 §5.1), as long as they are some.
private struct Framer {
    private var header: [UInt8] = []
    private var bodyBytes = 0

    /// How many of the bytes lie before the end of the first header that is none; all if there is none such.
    mutating func read(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        while offset < bytes.count {
            if bodyBytes > 0 {
                let step = min(bodyBytes, bytes.count - offset)
                bodyBytes -= step
                offset += step
                continue
            }
            header.append(bytes[offset])
            if header.count == 5 {
                bodyBytes = Int(header[3]) << 8 | Int(header[4])
                let isHeader =
                    (20...23).contains(header[0]) && header[1] == 3 && header[2] <= 4
                    && (1...(1 << 14) + 2048).contains(bodyBytes)
                if !isHeader { return offset }
                header.removeAll(keepingCapacity: true)
            }
            offset += 1
        }
        return offset
    }
}

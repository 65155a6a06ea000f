import TLSRecords
import Wire

/// TLS records and key logs: the input is a `TLSInput`.
///
/// The law of splits holds until a record's begin has to be looked for: where pieces end is evidence then. Not covered:
/// suites besides AES-128-GCM, but for what seeds of real traffic bring; that a ServerHello belongs to its ClientHello.
struct TLSLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let script = TLSScript(bytes)
        let whole = try read(script) { $0 }
        var dice = InputDice(bytes)
        let pieces = try read(script) { dice.piece(of: $0) }
        let count = whole.eventsInStep ?? max(whole.events.count, pieces.events.count)
        try BrokenLaw.unlessEqual(pieces.eventsInStep, whole.eventsInStep, "any split gives as many events")
        for index in 0..<count {
            guard index < whole.events.count, index < pieces.events.count,
                pieces.events[index] == whole.events[index]
            else {
                func event(_ laws: TLSLaws) -> String {
                    index < laws.events.count ? "\(laws.events[index])" : "no event"
                }
                throw BrokenLaw(
                    law: "any split gives the same events",
                    found: "\(index): \(event(pieces)), not \(event(whole))")
            }
        }
        let end = count == 0 ? 0 : whole.events[count - 1].bytes.upperBound
        let isSame = pieces.data.span.extracting(0..<end).isEqual(to: whole.data.span.extracting(0..<end))
        try BrokenLaw.unless(isSame, "any split gives the same data", "\(end) bytes differ")
        if whole.eventsInStep == nil {
            try BrokenLaw.unlessEqual(
                pieces.connection.health, whole.connection.health, "any split gives the same health")
        }
        try KeyLogLaws.check(script.text.span, limits: whole.limits, &dice)
    }

    /// So few trials that each input is a matter of a millisecond.
    private static let someLimits: TLSLimits = {
        var limits = TLSLimits()
        limits.sequences = 64
        limits.trialsPerConnection = 512
        limits.trialsInTotal = 400
        return limits
    }()
    private static let smallLimits: TLSLimits = {
        var limits = someLimits
        limits.keyLogConnections = 3
        limits.keyLogLineBytes = 200
        limits.helloBytes = 256
        limits.earlyDataBytes = 64
        limits.sequences = 8
        limits.trialsPerConnection = 200
        limits.connectionsTried = 2
        limits.recordsTried = 1
        return limits
    }()

    /// Held bytes may be a record that is not whole, whatever the limit of waiting ones.
    private static let recordBytes = 5 + (1 << 14) + 2048
    /// The smallest record that opens: header and tag.
    private static let sealedBytes = 5 + 16

    private let limits: TLSLimits
    private let isGenuine: Bool
    private let isTruthKnown: Bool
    private let tellsLengths: Bool
    private var connection: TLSConnection
    private var log: KeyLog
    private var text: KeyLogText
    private var budget: TrialBudget
    private var output = TLSOutput()
    private var time = CaptureTime(nanoseconds: 0)
    private var truth: [TLSTruth]

    /// All events, with the ranges of their bytes in `data`.
    private var events: [TLSEvent] = []
    private var data: [UInt8] = []
    /// How many events came before somebody had to look for a record's begin.
    private var eventsInStep: Int?

    private var hasSpoken = [false, false]
    /// Bytes given and missing by direction, and those of them that events name.
    private var given = [0, 0]
    private var missing = [0, 0]
    private var named = [0, 0]

    private init(_ script: TLSScript) {
        var limits = script.options & TLSInput.smallLimits == 0 ? Self.someLimits : Self.smallLimits
        if script.options & TLSInput.smallWaiting != 0 { limits.waitingBytes = 300 }
        self.limits = limits
        isGenuine = script.isGenuine
        isTruthKnown = script.isTruthKnown
        tellsLengths = script.tellsLengths
        truth = script.truth
        connection = TLSConnection(limits: limits)
        log = KeyLog(limits: limits)
        text = KeyLogText(limits: limits)
        budget = TrialBudget(limits: limits)
        if script.options & TLSInput.requestAtStart == 0 { connection.joinMidway(.request) }
        if script.options & TLSInput.responseAtStart == 0 { connection.joinMidway(.response) }
    }

    private static func read(_ script: TLSScript, piece: (Int) -> Int) throws(BrokenLaw) -> TLSLaws {
        var laws = TLSLaws(script)
        for step in script.steps { try laws.take(step, of: script, piece) }
        laws.connection.finish(at: laws.time, into: &laws.output)
        try laws.note(nil)
        if laws.isTruthKnown {
            for truth in laws.truth { try truth.finish(isGenuine: laws.isGenuine) }
        }
        return laws
    }

    private mutating func take(
        _ step: TLSScript.Step, of script: TLSScript, _ piece: (Int) -> Int
    ) throws(BrokenLaw) {
        time.nanoseconds += 1
        switch step {
        case .bytes(let range, let direction):
            var start = range.lowerBound
            while start < range.upperBound {
                let end = start + piece(range.upperBound - start)
                let bytes = script.wire.span.extracting(start..<end)
                given[Int(direction.rawValue)] += bytes.count
                connection.receive(bytes, direction, at: time, log: &log, budget: &budget, into: &output)
                try note(direction)
                start = end
            }
        case .gap(let count, let direction):
            missing[Int(direction.rawValue)] += count
            connection.receiveGap(count, direction)
        case .keyLog(let range, let triesAgain):
            var start = range.lowerBound
            while start < range.upperBound {
                let end = start + piece(range.upperBound - start)
                text.receive(script.text.span.extracting(start..<end), into: &log)
                start = end
            }
            if triesAgain { try tryAgain() }
        case .secrets(let range):
            var block = KeyLogText(limits: limits)
            block.receive(script.peerLines.span.extracting(range), into: &log)
            block.finish(into: &log)
            try tryAgain()
        case .forget: connection.forget()
        case .outOfStep: eventsInStep = events.count
        }
    }

    private mutating func tryAgain() throws(BrokenLaw) {
        connection.receiveSecrets(log: &log, budget: &budget, into: &output)
        try note(nil)
    }

    /// What the connection said and holds after a call about `direction`, or both.
    private mutating func note(_ direction: Direction?) throws(BrokenLaw) {
        // Lent from outside of `self` while events are noted.
        var output = TLSOutput()
        swap(&output, &self.output)
        var used = 0
        for event in output.events {
            try BrokenLaw.unless(
                direction == nil || event.direction == direction, "events are of the direction that was read",
                "\(event)")
            try BrokenLaw.unless(
                event.time.nanoseconds > 0 && event.time <= time, "events have the time of what was read", "\(event)")
            try check(event, output, &used)
            let bytes = output.plaintext.span.extracting(event.bytes)
            if isTruthKnown {
                try truth[Int(event.direction.rawValue)].hear(
                    event, bytes, isGenuine: isGenuine, tellsLengths: tellsLengths)
            }
            var event = event
            event.bytes = data.count..<data.count + bytes.count
            data.append(copying: bytes)
            events.append(event)
        }
        output.removeAll()
        swap(&output, &self.output)
        try checkLimits()
    }

    private mutating func check(_ event: TLSEvent, _ output: TLSOutput, _ used: inout Int) throws(BrokenLaw) {
        let side = Int(event.direction.rawValue)
        switch event.kind {
        case .started: try BrokenLaw.unless(!hasSpoken[side], "a start comes first", "\(event)")
        case .data:
            try BrokenLaw.unless(
                !event.bytes.isEmpty && event.bytes.lowerBound == used
                    && event.bytes.upperBound <= output.plaintext.count,
                "plaintext lies in the output, one behind the other",
                "\(event.bytes) behind \(used) of \(output.plaintext.count)")
            used = event.bytes.upperBound
            named[side] += event.bytes.count
        case .gap:
            try BrokenLaw.unless(event.count > 0, "a gap misses something", "\(event)")
            named[side] += event.count
        }
        hasSpoken[side] = true
        try BrokenLaw.unless(
            named[side] <= given[side] + missing[side], "data and gaps are no more than bytes given and missing",
            "\(named[side]) of \(given[side]) and \(missing[side])")
    }

    private func checkLimits() throws(BrokenLaw) {
        let heldBytes = max(limits.waitingBytes, Self.recordBytes)
        let mostGiven = given[0] + given[1]
        // Arrays double; each segment held has a mark of 16 bytes, of up to 4096 of them.
        let most =
            2 * 2 * (min(heldBytes, mostGiven) + 16 * min(4096, mostGiven) + limits.earlyDataBytes + limits.helloBytes)
            + 2 * mostGiven + 1024
        try BrokenLaw.unless(
            connection.memoryBytes <= most, "memory stays within the limits", "\(connection.memoryBytes) of \(most)")
        let spent = limits.trialsInTotal - budget.remaining
        try BrokenLaw.unless(
            spent <= min(limits.trialsPerConnection, limits.trialsInTotal), "trials stay within the budget",
            "\(spent)")
        let health = connection.health
        try BrokenLaw.unless(
            health.records * Self.sealedBytes <= mostGiven && health.resynchronizations <= health.records,
            "records that were opened were given", "\(health) of \(mostGiven) bytes")
        try BrokenLaw.unless(
            log.connectionCount <= limits.keyLogConnections, "the key log stays within its limit",
            "\(log.connectionCount)")
    }
}

/// The text of a key log on its own.
private enum KeyLogLaws {
    static func check(_ text: Span<UInt8>, limits: TLSLimits, _ dice: inout InputDice) throws(BrokenLaw) {
        if text.isEmpty { return }
        let whole = read(text, limits) { $0 }
        let pieces = read(text, limits) { dice.piece(of: $0) }
        let law = "any split of a key log gives the same log"
        try BrokenLaw.unlessEqual(pieces.version, whole.version, law)
        try BrokenLaw.unlessEqual(pieces.connectionCount, whole.connectionCount, law)
        try BrokenLaw.unlessEqual(pieces.malformedLines, whole.malformedLines, law)
        var lines = 1
        for index in text.indices where text[index] == 0x0a { lines += 1 }
        try BrokenLaw.unless(
            Int(whole.version) + whole.malformedLines <= lines && whole.connectionCount <= Int(whole.version),
            "a line is a secret, malformed or neither",
            "\(whole.version) and \(whole.malformedLines) of \(lines), \(whole.connectionCount) connections")
    }

    private static func read(_ text: Span<UInt8>, _ limits: TLSLimits, piece: (Int) -> Int) -> KeyLog {
        var log = KeyLog(limits: limits)
        var reader = KeyLogText(limits: limits)
        var start = 0
        while start < text.count {
            let end = start + piece(text.count - start)
            reader.receive(text.extracting(start..<end), into: &log)
            start = end
        }
        reader.finish(into: &log)
        return log
    }
}

package import Wire

/// Decrypts one TLS connection as a listener with a key log, both directions.
///
/// Bytes are handed in by direction, in order, with gaps named. A connection seen from its hellos is found in the log
/// by its client random; one joined midway is tried with what the log holds (TLS 1.3 only: keys of TLS 1.2 need the
/// server's random, which no log holds). What comes out was proved by the tags of its records. While secrets are
/// missing, bytes wait for them, within a limit.
package struct TLSConnection {
    private var session = TLSSession()
    private var request: RecordReader
    private var response: RecordReader

    // Stored, not computed, and set at the end of each call: whoever asks an element of an array for a computed
    // property of another module copies the element.

    /// Whether keys were found that opened records of it.
    package private(set) var isReadable = false
    /// Whether it has protected records for which secrets are missing.
    package private(set) var isWaiting = false
    /// Bytes held; arrays that may keep capacity.
    package private(set) var memoryBytes = 0

    package init(limits: TLSLimits = TLSLimits()) {
        request = RecordReader(.request, limits: limits)
        response = RecordReader(.response, limits: limits)
    }

    /// Whether these bytes may begin a record: its header stands there. At the start of a connection the part of it
    /// that has come is enough, since no other protocol begins with such a byte.
    package static func mayBegin(with bytes: Span<UInt8>, atStart: Bool) -> Bool {
        if bytes.count >= RecordHeader.byteCount { return RecordHeader(bytes, at: 0) != nil }
        guard atStart, !bytes.isEmpty, bytes[0] == RecordHeader.ContentType.handshake else { return false }
        return (bytes.count < 2 || bytes[1] == 3) && (bytes.count < 3 || bytes[2] <= 4)
    }

    /// Tells, before the first byte of `direction`, that it is not the first of the connection.
    package mutating func joinMidway(_ direction: Direction) {
        switch direction {
        case .request: request.joinMidway()
        case .response: response.joinMidway()
        }
    }

    /// Reads the next bytes of `direction` and appends what they say.
    package mutating func receive(
        _ bytes: Span<UInt8>, _ direction: Direction, at time: CaptureTime, log: inout KeyLog,
        budget: inout TrialBudget, into output: inout TLSOutput
    ) {
        switch direction {
        case .request: request.receive(bytes, at: time, &session, &log, &budget, &output)
        case .response: response.receive(bytes, at: time, &session, &log, &budget, &output)
        }
        endCall()
    }

    /// The next `count` bytes of `direction` are missing and will not come.
    package mutating func receiveGap(_ count: Int, _ direction: Direction) {
        switch direction {
        case .request: request.receiveGap(count)
        case .response: response.receiveGap(count)
        }
        endCall()
    }

    /// The log has secrets that it had not: tries again what waits for some.
    package mutating func receiveSecrets(
        log: inout KeyLog, budget: inout TrialBudget, into output: inout TLSOutput
    ) {
        request.tryAgain(&session, &log, &budget, &output)
        response.tryAgain(&session, &log, &budget, &output)
        endCall()
    }

    /// The connection or the recording is over: what is missing at the end is named.
    package mutating func finish(at time: CaptureTime, into output: inout TLSOutput) {
        request.finish(at: time, into: &output)
        response.finish(at: time, into: &output)
        endCall()
    }

    /// Lets go of all bytes held, to save memory; reading goes on behind a gap.
    package mutating func forget() {
        request.forget()
        response.forget()
        endCall()
    }

    package var health: TLSHealth { request.health + response.health }

    private mutating func endCall() {
        isReadable = request.isReadable || response.isReadable
        isWaiting = request.isWaiting || response.isWaiting
        memoryBytes = request.memoryBytes &+ response.memoryBytes
    }
}

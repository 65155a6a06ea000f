import Wire

/// What reading calls fills, and what all of them share: the batch, counters, limits, what is known of methods and
/// revisions, and memory to work in.
package struct CallOutput {
    /// Operations of calls that ended, messages and events, in the order of their ends.
    package var batch = OperationBatch()
    package var health = CallHealth()
    let limits: CallLimits
    let paths = MethodPaths()
    let shapes = CallShape()
    var clock = RevisionClock()
    /// What waits for requests, see `PendingCall.deferResponse`.
    var deferredBytes = 0
    private var inflater: Inflater?
    /// Memory for a piece of a message that is inflated, and for a whole request.
    private var inflatedPiece: [UInt8] = []
    var inflated: [UInt8] = []
    /// Numbers in the batch of a call's keys, 0 where not asked for yet.
    var keyNumbers: [KeyNumber] = []

    /// Memory of messages that come in pieces.
    var memory: HeldMemory

    init(limits: CallLimits) {
        self.limits = limits
        memory = HeldMemory(limit: limits.spareBytes)
    }

    // MARK: - Counting

    mutating func countMessage() { health.messages += 1 }
    mutating func countDamaged() { health.messagesDamaged += 1 }
    mutating func countUndecodable() { health.messagesUndecodable += 1 }

    // MARK: - Inflating

    private static let inflatedPieceBytes = 1 << 16

    /// Inflates a whole message; `body` takes the pieces and says whether it wants more. False if it is no gzip or too
    /// long.
    mutating func inflate(
        _ bytes: Span<UInt8>, _ body: (inout CallOutput, Span<UInt8>) -> Bool
    ) -> Bool {
        let inflater = self.inflater ?? Inflater()
        self.inflater = inflater
        guard inflater.begin() else { return false }
        var output: [UInt8] = []
        swap(&output, &inflatedPiece)
        if output.isEmpty { output = Array(repeating: 0, count: Self.inflatedPieceBytes) }
        defer { swap(&output, &inflatedPiece) }
        var offset = 0
        var total = 0
        while true {
            switch inflater.next(from: bytes, at: &offset, into: &output) {
            case .piece(let count):
                total += count
                guard total <= limits.inflatedBytes else { return false }
                if !body(&self, output.span.extracting(0..<count)) { return false }
            case .end: return true
            case .malformed: return false
            }
        }
    }
}

/// Counts of a recording's gRPC messages.
package struct CallHealth: Sendable, Equatable {
    /// Whole messages, whether they could be read or not.
    package var messages: Int64 = 0
    /// Messages of which bytes are missing.
    package var messagesDamaged: Int64 = 0
    /// Whole messages that could not be read: malformed, too long, not inflatable.
    package var messagesUndecodable: Int64 = 0
    /// Calls that were given up because too many were open or they held too much.
    package var streamsEvicted: Int64 = 0

    package init() {}
}

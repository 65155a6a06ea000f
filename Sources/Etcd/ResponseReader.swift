import Wire

/// Reads the messages that one call is answered, from the DATA of its stream as it comes, whole or in pieces. What they
/// say goes to a `CallDetails`; of a message that is not whole the field that was begun is held, and nothing else.
package struct ResponseReader: Sendable {
    package enum Step: Sendable, Equatable {
        /// The piece is used up.
        case needMore
        /// A message is over, of so many bytes without its prefix; another may follow in the piece.
        case message(byteCount: Int)
        /// The bytes are no message of that method, or one beyond the limits.
        case malformed
    }

    private var assembler = MessageAssembler()
    /// The beginning of a field.
    private var held: [UInt8] = []
    /// How long `held` must be for another look at it.
    private var wanted = 0
    /// Bytes of a field of no interest that are still to come.
    private var passedOver = 0

    package init() {}

    /// Whether a message was begun and is not over.
    package var isWithinMessage: Bool { assembler.isWithinMessage }

    /// Forgets all, and keeps the memory, unless it is much.
    package mutating func reset() {
        assembler = MessageAssembler()
        wanted = 0
        passedOver = 0
        held.removeAll(keepingCapacity: held.capacity <= 1 << 16)
    }

    /// Reads on in a piece of DATA from `offset` on; called until it says `.needMore` or `.malformed`.
    ///
    /// Fields are added to what `details` holds: one that is to have a message alone is reset before it, also one of
    /// which a message was read in part.
    package mutating func next(
        _ kind: OperationKind, _ bytes: Span<UInt8>, at offset: inout Int, into details: inout CallDetails,
        limits: CallLimits
    ) -> Step {
        while true {
            switch assembler.next(in: bytes, at: &offset) {
            case .needMore: return .needMore
            case .senseless: return .malformed
            case .whole(let range):
                guard !assembler.isCompressed else { return .malformed }
                let scan = details.scanResponse(kind, bytes.extracting(range), isLast: true, limits: limits)
                guard scan.outcome == .complete else { return .malformed }
                return .message(byteCount: assembler.length)
            case .part(let range, let isLast):
                // None was asked for compressed ones.
                guard !assembler.isCompressed else { return .malformed }
                guard read(kind, bytes.extracting(range), isLast: isLast, into: &details, limits: limits) else {
                    return .malformed
                }
                if isLast { return .message(byteCount: assembler.length) }
            }
        }
    }

    /// Reads a part of a message: fields that are whole now.
    private mutating func read(
        _ kind: OperationKind, _ bytes: Span<UInt8>, isLast: Bool, into details: inout CallDetails, limits: CallLimits
    ) -> Bool {
        let skipped = min(passedOver, bytes.count)
        passedOver -= skipped
        if passedOver > 0 { return !isLast }
        let rest = bytes.extracting(skipped..<bytes.count)
        if held.isEmpty {
            let scan = details.scanResponse(kind, rest, isLast: isLast, limits: limits)
            return take(scan, held: rest.count - scan.consumed, limits) && hold(rest, scan)
        }
        held.append(copying: rest)
        guard isLast || held.count >= wanted else { return true }
        let scan = details.scanResponse(kind, held.span, isLast: isLast, limits: limits)
        let left = held.count - scan.consumed
        guard take(scan, held: left, limits) else { return false }
        if scan.outcome == .complete || passedOver > 0 {
            held.removeAll(keepingCapacity: true)
        } else {
            held.keep(only: scan.consumed..<held.count)
        }
        return true
    }

    /// Prepares for the rest of a field of which `count` bytes are there; false if there is to be none.
    private mutating func take(_ scan: CallDetails.ResponseScan, held count: Int, _ limits: CallLimits) -> Bool {
        switch scan.outcome {
        case .complete: return true
        case .malformed: return false
        case .partial:
            if scan.isOfNoInterest {
                passedOver = scan.wanted - count
                return true
            }
            wanted = scan.wanted
            return wanted <= limits.fieldBytes
        }
    }

    private mutating func hold(_ rest: Span<UInt8>, _ scan: CallDetails.ResponseScan) -> Bool {
        if scan.outcome == .partial, passedOver == 0 {
            held.append(copying: rest.extracting(scan.consumed..<rest.count))
        }
        return true
    }
}

import Wire

/// What the messages of one call say, read from the wire and kept until the call is emitted. Keys are numbers of
/// `keys`; values are never kept, only their sizes.
///
/// A singular field that comes more than once counts as protobuf says: the last scalar wins, sub-messages merge field
/// by field. Two exceptions, which no encoder writes: a part of a transaction, a key-value or an event whose
/// sub-message comes in several pieces is what its last piece says.
package struct CallDetails: Sendable {
    package init() {}

    // The request.

    /// The request of Range, RangeStream, Put, DeleteRange and Txn. No answer in it yet.
    package var body = RequestOp()
    package var parts: [RequestOp] = []
    package var compares: [Compare] = []
    package var lease: Int64 = 0
    package var ttl: Int64 = 0
    package var revision: Int64 = 0

    // The response.

    /// The answer to `body`.
    package var answer = Answer()
    /// The answers to the operations of a transaction's branch that ran, nested ones after their transaction's.
    package var answers: [Answer] = []
    package var keyValues: [KeyValueRecord] = []
    package var headerRevision: Int64 = 0
    package var headerCluster: UInt64 = 0
    package var answeredLease: Int64 = 0
    package var answeredTTL: Int64 = 0
    package var watch = WatchReply()

    /// The keys of both.
    package var keys = KeyList()

    /// The answer to one operation.
    package struct Answer: Sendable {
        package var kind: RequestOp.Kind = .none
        /// `more`, `succeeded`, `answered`.
        package var flags: RequestOp.Flags = []
        package var count: Int64 = 0
        package var keyValues = Slice()
        /// Transaction: how many of the following answers belong to it.
        package var nested: UInt32 = 0

        package init() {}
    }

    /// The scalar fields of a WatchResponse.
    package struct WatchReply: Sendable {
        package var watchID: Int64 = 0
        package var isCreated = false
        package var isCanceled = false
    }

    /// Bytes of memory, used or not.
    @inline(__always)
    var capacityBytes: Int {
        parts.capacity * MemoryLayout<RequestOp>.stride + compares.capacity * MemoryLayout<Compare>.stride
            + answers.capacity * MemoryLayout<Answer>.stride + keyValues.capacity * MemoryLayout<KeyValueRecord>.stride
            + keys.capacityBytes
    }

    /// Whether it is more than most calls hold.
    @inline(__always)
    var isHoldingMuch: Bool { keyValues.count > 16 || parts.count > 16 || keys.keyBytes > 1024 }

    /// Forgets all, and keeps the memory for the next call.
    package mutating func reset() {
        forgetRequest()
        resetResponse()
    }

    /// As `reset`, of details that never hold a request.
    package mutating func resetResponse() {
        forgetResponse()
        headerRevision = 0
        keys.removeAll()
    }

    mutating func forgetRequest() {
        body = RequestOp()
        parts.clear()
        compares.clear()
        lease = 0
        ttl = 0
        revision = 0
    }

    /// Forgets the response but for its header's revision.
    mutating func forgetResponse() {
        answer = Answer()
        answers.clear()
        keyValues.clear()
        answeredLease = 0
        answeredTTL = 0
        watch = WatchReply()
    }

    /// The number of the first key that the request names: its own; of a transaction the first operation's that has
    /// one, success branch first, nested ones where they stand, else the first compare's (`docs/analyze.md`).
    @inline(__always)
    var firstKey: KeyNumber {
        if body.kind != .txn { return body.key }
        for part in parts where part.key != 0 { return part.key }
        for compare in compares[body.compares.range] where compare.key != 0 { return compare.key }
        return 0
    }

    /// Joins the answers to a transaction with its request: marks the operations that were executed and gives them
    /// what they returned. False, and nothing is marked, if they do not fit each other.
    package mutating func matchAnswers() -> Bool {
        Self.match(answers, of: answer, to: &parts, in: 0..<parts.count)
    }

    /// Joins the answers to a transaction's operations, of which `answer` is its own, with those operations, the
    /// elements of `parts` in `range`. False, and nothing is marked, if they do not fit each other.
    package static func match(
        _ answers: [Answer], of answer: Answer, to parts: inout [RequestOp], in range: Range<Int>
    ) -> Bool {
        var next = 0
        let branch: RequestOp.Branch = answer.flags.contains(.succeeded) ? .success : .failure
        let fits = match(answers, &next, end: answers.count, to: &parts, in: range, branch) && next == answers.count
        if !fits {
            for place in range {
                parts[place].flags.subtract([.answered, .more, .succeeded])
                parts[place].count = 0
                parts[place].keyValues = Slice()
            }
        }
        return fits
    }

    private static func match(
        _ answers: [Answer], _ next: inout Int, end: Int, to parts: inout [RequestOp], in range: Range<Int>,
        _ branch: RequestOp.Branch
    ) -> Bool {
        var place = range.lowerBound
        while place < range.upperBound {
            let following = place + 1 + Int(parts[place].nestedParts)
            if parts[place].branch == branch {
                guard next < end, answers[next].kind == parts[place].kind else { return false }
                let answer = answers[next]
                next += 1
                parts[place].take(answer)
                if parts[place].kind == .txn {
                    let nestedEnd = next + Int(answer.nested)
                    let ran: RequestOp.Branch = answer.flags.contains(.succeeded) ? .success : .failure
                    guard
                        match(answers, &next, end: nestedEnd, to: &parts, in: place + 1..<following, ran),
                        next == nestedEnd
                    else { return false }
                }
            }
            place = following
        }
        return true
    }
}

extension RequestOp {
    /// Adds what the answer to this operation says.
    package mutating func take(_ answer: CallDetails.Answer) {
        flags.formUnion(answer.flags)
        flags.insert(.answered)
        count = answer.count
        keyValues = answer.keyValues
    }
}

import Wire

/// Looks for a frame boundary in bytes of which the boundaries are not known.
///
/// Writers flush whole frames, so most segments begin with one: there, frames that tile what is there with 40 bits of
/// evidence are believed. Any other place needs 72, and a frame of which more than the header is right. Every place is
/// looked at once; one that may yet prove to be a boundary waits as a candidate. Bytes before the first candidate are
/// passed over at once.
struct FrameHunter {
    /// Where an input begins in `tail`, and when it was captured.
    struct Mark {
        var offset: Int
        var time: CaptureTime
    }

    /// A place from where all bytes so far are frames, though not yet enough to be sure.
    private struct Candidate {
        let origin: Int
        let isSegmentStart: Bool
        /// Where the first frame begins that is not whole, or not looked at.
        var position: Int
        var bits = 0
        var frames = 0
        /// Whether one of them is DATA that says nothing but its length.
        var hasPlainData = false
        /// Whether more than the header speaks for one of them.
        var hasTypical = false
        /// The stream of a field block that goes on in CONTINUATION, 0 when there is none.
        var blockStream: UInt32 = 0
    }

    private enum Verdict {
        case rejected, open, accepted
    }

    private static let bitsAtSegmentStart = 40
    private static let bitsElsewhere = 72
    /// More for a single frame that has not ended.
    private static let bitsUnfinished = 30

    private let limits: ConnectionLimits
    private(set) var tail: [UInt8] = []
    private(set) var marks: [Mark] = []
    private var marksTried = 0
    /// The first place not looked at.
    private var next = 0
    private var candidates: [Candidate] = []
    private var effort = 0
    /// Whether the last bytes end a segment, as whole frames mostly do.
    private var endsSegment = false
    /// Where in `tail` the boundary is that `search` found.
    private(set) var boundaryFound = 0
    /// Bytes passed over since the hunt began.
    private(set) var passedOver = 0

    init(limits: ConnectionLimits) { self.limits = limits }

    /// Takes over the memory of one that is of no use any more. Precondition: nothing was hunted yet.
    mutating func takeMemory(of old: inout FrameHunter) {
        old.drop()
        swap(&tail, &old.tail)
        swap(&marks, &old.marks)
        swap(&candidates, &old.candidates)
    }

    /// Forgets everything; the next input begins a new hunt.
    mutating func reset() {
        drop()
        passedOver = 0
    }

    /// Gives up what is held, as bytes behind it are missing; returns how many bytes that were.
    @discardableResult
    mutating func drop() -> Int {
        let count = tail.count
        passedOver &+= count
        tail.removeAll(keepingCapacity: tail.capacity <= 4096)
        marks.removeAll(keepingCapacity: true)
        candidates.removeAll(keepingCapacity: true)
        marksTried = 0
        next = 0
        return count
    }

    /// Takes the next bytes; `isSegmentStart` when a frame may well begin with them, `isSegmentEnd` when one may well
    /// end with them.
    mutating func append(_ bytes: Span<UInt8>, at time: CaptureTime, isSegmentStart: Bool, isSegmentEnd: Bool = false) {
        endsSegment = isSegmentEnd
        if isSegmentStart || marks.isEmpty {
            if marks.count < limits.huntingMarks { marks.append(Mark(offset: tail.count, time: time)) }
            if !isSegmentStart { marksTried = marks.count }
        }
        tail.append(copying: bytes)
        effort = max(effort, 0) &+ 64 &+ bytes.count &* limits.huntingEffort
    }

    /// The offset in `tail` of a frame boundary, when there is one beyond doubt; everything before it is passed over.
    /// Otherwise lets go of what can be no part of a frame; `givenUp` counts it.
    mutating func search(_ context: FrameHeader.Context, givenUp: inout Int) -> Int? {
        if let boundary = boundary(context) {
            boundaryFound = boundary
            passedOver &+= boundary
            givenUp &+= boundary
            return boundary
        }
        var keep = min(next, tail.count)
        for candidate in candidates { keep = min(keep, candidate.origin) }
        if tail.count &- keep > limits.huntingBytes {
            keep = tail.count &- limits.huntingBytes / 4
            candidates.removeAll { $0.origin < keep }
            next = max(next, keep)
        }
        givenUp &+= keep
        passedOver &+= keep
        shorten(by: keep)
        return nil
    }

    private mutating func boundary(_ context: FrameHeader.Context) -> Int? {
        var index = 0
        while index < candidates.count {
            var candidate = candidates[index]
            switch judge(&candidate, context) {
            case .accepted: return candidate.origin
            case .rejected: candidates.remove(at: index)
            case .open:
                candidates[index] = candidate
                index &+= 1
            }
        }
        let end = tail.count &- FrameHeader.byteCount
        while marksTried < marks.count, marks[marksTried].offset <= end {
            let origin = marks[marksTried].offset
            marksTried &+= 1
            if consider(origin, isSegmentStart: true, context) { return origin }
        }
        while next <= end {
            // Two compares refuse nearly every place: frames are shorter than 2^16 and of a known type.
            let offset = next
            next &+= 1
            if tail[offset] == 0, tail[offset &+ 3] <= FrameHeader.Kind.continuation, effort > 0,
                consider(offset, isSegmentStart: false, context)
            {
                return offset
            }
        }
        return nil
    }

    /// Whether the place is a boundary; if it may become one it is kept as a candidate.
    private mutating func consider(_ origin: Int, isSegmentStart: Bool, _ context: FrameHeader.Context) -> Bool {
        if !isSegmentStart, candidates.contains(where: { $0.origin == origin }) { return false }
        var candidate = Candidate(origin: origin, isSegmentStart: isSegmentStart, position: origin)
        switch judge(&candidate, context) {
        case .accepted: return true
        case .rejected: return false
        case .open:
            if candidates.count < limits.huntingCandidates { candidates.append(candidate) }
            return false
        }
    }

    private mutating func judge(_ candidate: inout Candidate, _ context: FrameHeader.Context) -> Verdict {
        var bits = candidate.bits
        var frames = candidate.frames
        var hasTypical = candidate.hasTypical
        var isUnfinished = false
        while candidate.position <= tail.count &- FrameHeader.byteCount {
            effort &-= 1
            guard let evidence = FrameHeader.evidence(in: tail.span, at: candidate.position, context) else {
                return .rejected
            }
            let header = evidence.header
            let continues = header.kind == FrameHeader.Kind.continuation
            guard continues == (candidate.blockStream != 0), !continues || header.stream == candidate.blockStream else {
                return .rejected
            }
            if !evidence.isPlainData || !candidate.hasPlainData { bits &+= evidence.bits }
            frames &+= 1
            hasTypical = hasTypical || evidence.isTypical
            let end = candidate.position &+ FrameHeader.byteCount &+ header.length
            if end > tail.count {
                isUnfinished = true
                break
            }
            if header.kind == FrameHeader.Kind.headers { effort &-= header.length / 8 }
            if continues || header.kind == FrameHeader.Kind.headers {
                candidate.blockStream = header.has(FrameHeader.Flag.endHeaders) ? 0 : header.stream
            }
            candidate.position = end
            candidate.bits = bits
            candidate.hasPlainData = candidate.hasPlainData || evidence.isPlainData
            candidate.frames = frames
            candidate.hasTypical = hasTypical
        }
        let needed = candidate.isSegmentStart ? Self.bitsAtSegmentStart : Self.bitsElsewhere
        guard bits >= needed, candidate.isSegmentStart || hasTypical else { return .open }
        if frames >= 2 { return .accepted }
        if isUnfinished { return bits >= needed &+ Self.bitsUnfinished ? .accepted : .open }
        return endsSegment && candidate.position == tail.count ? .accepted : .open
    }

    private mutating func shorten(by count: Int) {
        guard count > 0 else { return }
        tail.keep(only: count..<tail.count)
        next &-= count
        // The last mark before the kept bytes tells their time; it is no segment start any more.
        var passed = 0
        while passed &+ 1 < marks.count, marks[passed &+ 1].offset <= count { passed &+= 1 }
        if passed > 0 { marks.removeFirst(passed) }
        marksTried = max(marksTried &- passed, 0)
        for index in marks.indices { marks[index].offset = max(marks[index].offset &- count, 0) }
        candidates = candidates.map {
            Candidate(
                origin: $0.origin &- count, isSegmentStart: $0.isSegmentStart, position: $0.position &- count,
                bits: $0.bits,
                frames: $0.frames, hasPlainData: $0.hasPlainData, hasTypical: $0.hasTypical,
                blockStream: $0.blockStream)
        }
    }
}

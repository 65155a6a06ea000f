import Wire

/// A client of the default variants: many requests in flight, each matched to its reply by session and number.
///
/// A session has one write under way at most. A write that is not answered is sent again with the same number, so that
/// no switch runs it twice, until it is answered or given up; its session then goes on with the next number.
package struct ChainClient: Sendable {
    struct Pending: Sendable {
        var id: UInt64 = 0
        var tag: UInt64 = 0
        var isUsed = false
        var kind = ClientRequest.Kind.read
        var key = ChainKey(low: 0)
        var group: UInt16 = 0
        var width = WidthClass.none
        var expected = ChainVersion.none
        var value: [UInt8] = []
        /// 0: a read, or a write that waits for a session.
        var slot: UInt32 = 0
        var request: UInt32 = 0
        var submittedAt: UInt64 = 0
        /// When it is sent again, or the directory asked for again.
        var dueAt = UInt64.max
        var timeout: UInt64 = 0
        var transmissions = 0
        /// Times that the timer ran out.
        var tries = 0
        /// The epoch of all transmissions; 0 where they had several.
        var epoch: UInt32 = 0
        /// The node it waits for, which has not said yet which classes it takes; 0: none.
        var greeting: UInt32 = 0
    }

    /// A session. One that was closed is forgotten.
    struct Session: Sendable {
        var slot: UInt32
        var lastRequest: UInt32 = 0
        var isBusy = false
    }

    package let configuration: ClientConfiguration
    package internal(set) var directory = ClientDirectory()
    var pending: [Pending] = []
    var free: [Int] = []
    var index = KeyIndex()
    var sessions: [Session] = []
    /// Sessions asked for and not yet granted.
    var sessionsAsked = 0
    /// Writes that wait for a session: places in `pending`, oldest first.
    var waiting: [Int] = []
    var nextId: UInt64 = 1
    var nextRead: UInt32 = 1
    var nextNode = 0
    /// No pending request is due before this.
    var dueAt = UInt64.max

    package init(_ configuration: ClientConfiguration) { self.configuration = configuration }

    /// Requests submitted and not ended.
    package var pendingCount: Int { pending.count - free.count }

    /// When `advance` has something to do next.
    package var nextDeadline: UInt64? { dueAt == .max ? nil : dueAt }

    /// What to tell the controller first: that this client wants the directory and its changes.
    package func begin(into output: inout ClientOutput) { output.control.append(.subscribe) }

    // What a request would else wait for.

    /// Sessions that no write has or waits for.
    package var freeSessionCount: Int { max(0, sessions.count { !$0.isBusy } - waiting.count) }

    /// Whether it has so many sessions, and every node of an active chain has said which classes it takes.
    package func isPrepared(sessions count: Int) -> Bool {
        sessions.count >= min(count, configuration.limits.slots) && directory.ungreeted.isEmpty
    }

    /// Asks for what is missing to that; to be called again after a while, since datagrams get lost.
    package mutating func prepare(sessions count: Int, into output: inout ClientOutput) {
        while sessions.count + sessionsAsked < min(count, configuration.limits.slots) {
            sessionsAsked += 1
            output.control.append(.slotRequest)
        }
        for node in directory.ungreeted { greet(node, into: &output) }
    }

    // Requests.

    /// Begins a request; answers its number, or nil if too many are under way or the value is wider than the key's
    /// class.
    package mutating func submit(
        _ request: ClientRequest, value: Span<UInt8>, at now: UInt64, into output: inout ClientOutput
    ) -> UInt64? {
        guard pendingCount < configuration.limits.requests, value.count <= request.key.width.byteCount
        else { return nil }
        let place = free.popLast() ?? pending.count
        if place == pending.count { pending.append(Pending()) }
        let id = nextId
        nextId += 1
        pending[place].id = id
        pending[place].tag = request.tag
        pending[place].isUsed = true
        pending[place].kind = request.kind
        pending[place].key = request.key.key
        pending[place].group = request.key.group
        pending[place].width = request.key.width
        pending[place].expected = request.expected
        pending[place].value.removeAll(keepingCapacity: true)
        if request.kind.hasValue { pending[place].value.append(copying: value) }
        pending[place].slot = 0
        pending[place].request = 0
        pending[place].submittedAt = now
        pending[place].timeout = configuration.timeout
        pending[place].transmissions = 0
        pending[place].tries = 0
        pending[place].epoch = 0
        pending[place].greeting = 0
        setDue(place, at: later(now, configuration.timeout))
        if request.kind.isRead {
            pending[place].request = nextRead
            nextRead = nextRead == .max ? 1 : nextRead + 1
            begin(place, at: now, into: &output)
        } else {
            waiting.append(place)
            startWaiting(at: now, into: &output)
        }
        return id
    }

    /// Gives a request up; its result is `unknown`.
    package mutating func abandon(_ id: UInt64, at now: UInt64, into output: inout ClientOutput) {
        guard let place = pending.firstIndex(where: { $0.isUsed && $0.id == id }) else { return }
        end(place, .unknown, version: .none, at: now, into: &output)
    }

    private mutating func begin(_ place: Int, at now: UInt64, into output: inout ClientOutput) {
        let key = Self.indexKey(pending[place].slot, pending[place].request)
        guard index.find(key) < 0 else {
            // A read's number came round while the read that had it is still under way.
            end(place, .unknown, version: .none, at: now, into: &output)
            return
        }
        index.insert(key, at: place)
        transmit(place, into: &output)
    }

    static func indexKey(_ slot: UInt32, _ request: UInt32) -> ChainKey {
        ChainKey(high: UInt64(slot), low: UInt64(request))
    }

    /// Gives sessions to the writes that wait, and asks for more.
    mutating func startWaiting(at now: UInt64, into output: inout ClientOutput) {
        while let place = waiting.first, let session = sessions.firstIndex(where: { !$0.isBusy }) {
            waiting.removeFirst()
            sessions[session].isBusy = true
            sessions[session].lastRequest += 1
            pending[place].slot = sessions[session].slot
            pending[place].request = sessions[session].lastRequest
            begin(place, at: now, into: &output)
        }
        while sessionsAsked < waiting.count, sessions.count + sessionsAsked < configuration.limits.slots {
            sessionsAsked += 1
            output.control.append(.slotRequest)
        }
    }

    /// A request has ended: its session is free for the next write.
    mutating func end(
        _ place: Int, _ outcome: ClientOutcome, version: ChainVersion, value: Range<Int> = 0..<0, at now: UInt64,
        into output: inout ClientOutput
    ) {
        let ended = pending[place]
        output.results.append(
            ClientResult(
                id: ended.id, tag: ended.tag, kind: ended.kind, outcome: outcome, version: version, value: value,
                submittedAt: ended.submittedAt, endedAt: now, transmissions: ended.transmissions, timeouts: ended.tries)
        )
        pending[place].isUsed = false
        pending[place].dueAt = .max
        free.append(place)
        if ended.slot == 0, !ended.kind.isRead { waiting.removeAll { $0 == place } }
        let key = Self.indexKey(ended.slot, ended.request)
        if ended.request != 0, index.find(key) == place { index.remove(key) }
        if ended.slot != 0, let session = sessions.firstIndex(where: { $0.slot == ended.slot }) {
            sessions[session].isBusy = false
            // The last number cannot be followed by a greater one.
            if ended.request == .max { sessions.remove(at: session) }
        }
        startWaiting(at: now, into: &output)
    }

    // Time.

    func later(_ now: UInt64, _ interval: UInt64) -> UInt64 {
        let (sum, overflow) = now.addingReportingOverflow(interval)
        return overflow ? .max : sum
    }

    mutating func setDue(_ place: Int, at time: UInt64) {
        pending[place].dueAt = time
        dueAt = min(dueAt, time)
    }

    /// Sends again what was not answered in time, and gives up what was not for too long.
    package mutating func advance(to now: UInt64, into output: inout ClientOutput) {
        guard now >= dueAt else { return }
        dueAt = .max
        var asksForDirectory = false
        for place in pending.indices where pending[place].isUsed {
            guard pending[place].dueAt <= now else {
                dueAt = min(dueAt, pending[place].dueAt)
                continue
            }
            if now >= later(pending[place].submittedAt, configuration.patience) {
                end(place, .unknown, version: .none, at: now, into: &output)
                continue
            }
            pending[place].tries += 1
            pending[place].timeout = min(2 * pending[place].timeout, configuration.timeoutMax)
            setDue(place, at: later(now, pending[place].timeout))
            asksForDirectory = true
            if pending[place].request != 0 { transmit(place, into: &output) }
        }
        if asksForDirectory { output.control.append(.subscribe) }
    }
}

/// What a client of a paper variant is started with.
package struct PaperClientConfiguration: Sendable {
    /// A request that is sent again.
    package enum Retries: Equatable, Sendable {
        /// Gets another tag: a late answer to the first one is nobody's.
        case anotherTag
        /// Keeps its tag: whichever answer comes first is the answer.
        case sameTag
    }

    package var codec: PaperCodec
    /// Nodes that may be asked. NetChain's clients know the places of their list, NetCRAQ's every switch.
    package var targets: Int
    /// UDP source ports, which are the only tag that the papers' packets have.
    package var tags: Int
    /// An unanswered request goes to the next node after these nanoseconds (NetCRAQ §V).
    package var timeout: UInt64 = 50_000_000
    /// A request that was sent as often is given up.
    package var attempts = 8
    package var retries = Retries.anotherTag
    /// Requests begun and not ended; room for some thousand keys read and written at once.
    package var requestsMax = 8192

    package init(_ codec: PaperCodec, targets: Int, tags: Int) {
        self.codec = codec
        self.targets = max(1, targets)
        self.tags = max(1, tags)
    }

    /// For how long the tag of a request without an answer is used for none of the same key and operation: a late
    /// answer could not be told from the next one.
    package var quarantine: UInt64 { timeout.multipliedReportingOverflow(by: 4).partialValue }
}

/// The end of a paper client's request.
package struct PaperResult: Equatable, Sendable {
    /// What `begin` answered.
    package var id: UInt64
    /// The caller's own, as `begin` was given it.
    package var mark: UInt64
    package var isWrite: Bool
    package var key: UInt32
    /// False: given up. A write may have taken effect, once or several times, or may yet.
    package var isAnswered: Bool
    /// Of a read that was answered; 0: deleted, or never written.
    package var value: UInt128
    /// The node asked last.
    package var target: Int
    package var begunAt: UInt64
    package var endedAt: UInt64
    /// Datagrams sent for it.
    package var transmissions: Int
}

/// What a paper client wants sent, and has to tell; the caller empties it.
package struct PaperClientOutput: Sendable {
    package struct Transmission: Sendable {
        /// The socket that it leaves from.
        package var tag: Int
        package var target: Int
        /// Where its payload lies in `bytes`.
        package var payload: Range<Int>
    }

    package var bytes: [UInt8] = []
    package var transmissions: [Transmission] = []
    package var results: [PaperResult] = []

    package init() {}

    package mutating func removeAll() {
        removeTransmissions()
        results.removeAll(keepingCapacity: true)
    }

    /// Once they are sent.
    package mutating func removeTransmissions() {
        bytes.removeAll(keepingCapacity: true)
        transmissions.removeAll(keepingCapacity: true)
    }
}

/// A client of a paper variant. Its packets have no request number and no epoch, so that an answer is known by the port
/// it comes to, its key and whether it is a write's: on one port no two requests are alike in both. A request that
/// finds no port free waits, and so does what comes again after a timeout.
///
/// A write that is sent again is a new write to the switches: it may take effect twice, with others between.
package struct PaperClient: Sendable {
    private struct Pending: Sendable {
        var id: UInt64 = 0
        var mark: UInt64 = 0
        var isUsed = false
        var isWrite = false
        var key: UInt32 = 0
        var value: UInt128 = 0
        var target = 0
        /// Whether the next try is another node's.
        var rotates = true
        /// -1: it has none.
        var tag = -1
        var transmissions = 0
        var begunAt: UInt64 = 0
        /// When it is sent again or given up.
        var dueAt = UInt64.max
    }

    private struct Quarantined: Sendable {
        var key: ChainKey
        var until: UInt64
    }

    package let configuration: PaperClientConfiguration
    private var pending: [Pending] = []
    private var free: [Int] = []
    /// What is under way, by tag, operation and key.
    private var index = KeyIndex()
    private var quarantine = KeyIndex()
    /// The same, by the time it ends. No longer than four timeouts of every request.
    private var quarantined: [Quarantined] = []
    private var released = 0
    /// Places of requests without a tag, oldest first.
    private var waiting: [Int] = []
    private var nextTag = 0
    private var nextId: UInt64 = 1
    private var dueAt = UInt64.max
    private var request: [UInt8] = []
    /// Times that a request found no tag free.
    package private(set) var waits = 0

    package init(_ configuration: PaperClientConfiguration) { self.configuration = configuration }

    /// Requests begun and not ended.
    package var pendingCount: Int { pending.count - free.count }

    /// When `advance` has something to do next.
    package var nextDeadline: UInt64? {
        let release = waiting.isEmpty || released == quarantined.count ? .max : quarantined[released].until
        let next = min(dueAt, release)
        return next == .max ? nil : next
    }

    /// Begins a request at node `target`, where it stays unless it `rotates`; answers its number, or nil if too many
    /// are under way.
    package mutating func begin(
        isWrite: Bool, key: UInt32, value: UInt128 = 0, at target: Int, rotates: Bool = true, mark: UInt64 = 0,
        now: UInt64, into output: inout PaperClientOutput
    ) -> UInt64? {
        guard pendingCount < configuration.requestsMax else { return nil }
        let place = free.popLast() ?? pending.count
        if place == pending.count { pending.append(Pending()) }
        let id = nextId
        nextId += 1
        pending[place] = Pending(
            id: id, mark: mark, isUsed: true, isWrite: isWrite, key: key, value: value, target: target,
            rotates: rotates, begunAt: now)
        if !transmit(place, now, into: &output) { wait(place) }
        return id
    }

    /// Takes a datagram that came to the port of `tag`; one that answers nothing under way changes nothing.
    package mutating func receive(
        _ payload: Span<UInt8>, tag: Int, at now: UInt64, into output: inout PaperClientOutput
    ) {
        guard (0..<configuration.tags).contains(tag), let reply = configuration.codec.reply(payload) else { return }
        let place = index.find(Self.indexKey(tag, reply.isWrite, reply.key))
        guard place >= 0 else { return }
        end(place, isAnswered: true, value: reply.isWrite ? 0 : reply.value, now, into: &output)
        startWaiting(now, into: &output)
    }

    // Time.

    /// Sends again what was not answered in time, gives up what was not for too often, and begins what has waited for
    /// a tag.
    package mutating func advance(to now: UInt64, into output: inout PaperClientOutput) {
        release(now)
        if now >= dueAt {
            dueAt = .max
            for place in pending.indices where pending[place].isUsed {
                if pending[place].dueAt <= now { expire(place, now, into: &output) }
                dueAt = min(dueAt, pending[place].dueAt)
            }
        }
        startWaiting(now, into: &output)
    }

    /// The time of one request is over, whatever the clock says.
    package mutating func expire(_ id: UInt64, at now: UInt64, into output: inout PaperClientOutput) {
        guard let place = pending.firstIndex(where: { $0.isUsed && $0.id == id && $0.tag >= 0 }) else { return }
        release(now)
        expire(place, now, into: &output)
        startWaiting(now, into: &output)
    }

    private mutating func expire(_ place: Int, _ now: UInt64, into output: inout PaperClientOutput) {
        if pending[place].transmissions >= configuration.attempts {
            let key = indexKey(place)
            end(place, isAnswered: false, value: 0, now, into: &output)
            isolate(key, now)
            return
        }
        if pending[place].rotates { pending[place].target = (pending[place].target + 1) % configuration.targets }
        if case .anotherTag = configuration.retries {
            let key = indexKey(place)
            index.remove(key)
            isolate(key, now)
            pending[place].tag = -1
        }
        if !transmit(place, now, into: &output) { wait(place) }
    }

    // Tags.

    private static func indexKey(_ tag: Int, _ isWrite: Bool, _ key: UInt32) -> ChainKey {
        ChainKey(high: UInt64(tag), low: UInt64(key) << 1 | (isWrite ? 1 : 0))
    }

    private func indexKey(_ place: Int) -> ChainKey {
        Self.indexKey(pending[place].tag, pending[place].isWrite, pending[place].key)
    }

    private mutating func isolate(_ key: ChainKey, _ now: UInt64) {
        let (until, overflow) = now.addingReportingOverflow(configuration.quarantine)
        quarantine.insert(key, at: 0)
        quarantined.append(Quarantined(key: key, until: overflow ? .max : until))
    }

    private mutating func release(_ now: UInt64) {
        while released < quarantined.count, quarantined[released].until <= now {
            quarantine.remove(quarantined[released].key)
            released += 1
        }
        if released > 64, 2 * released > quarantined.count {
            quarantined.removeFirst(released)
            released = 0
        }
    }

    /// Gives a request the next tag that nothing like it has; false: there is none.
    private mutating func takeTag(_ place: Int) -> Bool {
        for step in 0..<configuration.tags {
            let tag = (nextTag + step) % configuration.tags
            let key = Self.indexKey(tag, pending[place].isWrite, pending[place].key)
            guard index.find(key) < 0, quarantine.find(key) < 0 else { continue }
            index.insert(key, at: place)
            pending[place].tag = tag
            nextTag = (tag + 1) % configuration.tags
            return true
        }
        return false
    }

    private mutating func wait(_ place: Int) {
        waits += 1
        pending[place].dueAt = .max
        waiting.append(place)
    }

    private mutating func startWaiting(_ now: UInt64, into output: inout PaperClientOutput) {
        guard !waiting.isEmpty else { return }
        let places = waiting
        waiting.removeAll(keepingCapacity: true)
        for place in places where !transmit(place, now, into: &output) { waiting.append(place) }
    }

    // Sending and ending.

    /// False: it has no tag, and there is none.
    private mutating func transmit(_ place: Int, _ now: UInt64, into output: inout PaperClientOutput) -> Bool {
        guard pending[place].tag >= 0 || takeTag(place) else { return false }
        configuration.codec.store(
            pending[place].isWrite, key: pending[place].key, value: pending[place].value, in: &request)
        let start = output.bytes.count
        output.bytes.append(contentsOf: request)
        output.transmissions.append(
            PaperClientOutput.Transmission(
                tag: pending[place].tag, target: pending[place].target, payload: start..<output.bytes.count))
        pending[place].transmissions += 1
        let (due, overflow) = now.addingReportingOverflow(configuration.timeout)
        pending[place].dueAt = overflow ? .max : due
        dueAt = min(dueAt, pending[place].dueAt)
        return true
    }

    private mutating func end(
        _ place: Int, isAnswered: Bool, value: UInt128, _ now: UInt64, into output: inout PaperClientOutput
    ) {
        let ended = pending[place]
        index.remove(indexKey(place))
        pending[place].isUsed = false
        pending[place].dueAt = .max
        free.append(place)
        output.results.append(
            PaperResult(
                id: ended.id, mark: ended.mark, isWrite: ended.isWrite, key: ended.key, isAnswered: isAnswered,
                value: value, target: ended.target, begunAt: ended.begunAt, endedAt: now,
                transmissions: ended.transmissions))
    }
}

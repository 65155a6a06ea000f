import Etcd

/// Lets the shards of one replay begin together, by keys at the store that they all use (`ShardGateKeys`).
///
/// Shard 1 sees that the store is empty, claims it, preloads, and tells the others what the preload was answered. Here
/// each makes its engine ready (`isPrepared`, `resume`). Then the others say that they are ready, shard 1 names the
/// start when all have, and removes every key of the gate before it, so that the store holds nothing strange when the
/// workload begins.
///
/// Call order: `advance`, `next` and `receive` until `isDone`; if it `isPrepared` then, `resume` and the same again.
/// Then there is a `start` or a `failure`.
package final class ShardGate {
    package struct Options: Sendable {
        package var shard: Shard
        package var identity: ShardIdentity
        package var isPreloaded = true
        /// Whether the store may hold keys.
        package var allowsWrites = false
        /// Nanoseconds that a shard waits for others: until it is prepared, and once more until it knows the start.
        package var patience: Int64
        /// Nanoseconds since the Unix epoch; nil to begin as soon as all are ready.
        package var start: Int64?

        package init(_ shard: Shard, identity: ShardIdentity, patience: Int64) {
            self.shard = shard
            self.identity = identity
            self.patience = patience
        }
    }

    enum Step: UInt8 {
        // Shard 1, in this order.
        case countAll, countGate, grantFirst, claim, preload, publish, announce
        case prepared
        case gather, nameStart, hold, remove
        // The others.
        case look, feel, identify, readOutcome
        case grant, ready, follow
        // All.
        case revoke, waitForStart, giveUp, end
    }

    package let options: Options
    let limits: ShardGateLimits
    let preload: PreloadPlan
    private(set) var preloader: PreloadDriver
    /// What the target answered to the preload, by whomever it was asked.
    package internal(set) var outcome = PreloadOutcome()
    package internal(set) var failure: ShardGateFailure?
    /// Nanoseconds since the Unix epoch, by this shard's clock.
    package internal(set) var start: Int64?
    /// What the shards of this run have in common, and those of no other; nil before the start is known.
    package var run: String? {
        guard let keys, let start else { return nil }
        return "\(String(UInt64(bitPattern: keys.run), radix: 16))-\(start)"
    }

    var step: Step
    /// The lease of this shard's keys; 0 for none.
    var lease: Int64 = 0
    var keys: ShardGateKeys?
    var chunks: [[UInt8]] = []
    var chunk = 0
    var chunkCount = 0
    var outcomeText: [UInt8] = []

    private(set) var now: Int64 = 0
    private(set) var wall: Int64 = 0
    private var hasBegun = false
    /// Of the step.
    private var isAsked = false
    private var number: UInt32 = 0
    var askAt: Int64 = 0
    /// When the request was sent that is outstanding, and the latest one that showed no start, by the wall clock.
    private(set) var askedWall: Int64 = 0
    var unstartedWall: Int64?
    var deadline = Int64.max
    /// All keys of the store, when they were counted.
    var keysFound: Int64 = 0
    /// Since when keys are in the way that a killed shard may have left.
    var remainsSince: Int64?
    private var failingSince: Int64?
    private var isStopped = false

    private var keepAliveAt = Int64.max
    private var keepAliveStream: UInt32 = 0
    private var isKeepAliveAsked = false
    private static let keepAliveNumber = UInt32.max
    /// Numbers of the gate's own requests, above those of a preload.
    private static let numbers: UInt32 = 1 << 31

    /// - Parameters:
    ///   - plan: the shard's; its preload is the same in all.
    ///   - connections: of the target.
    package init(
        _ options: Options, plan: ReplayPlan, connections: Int, preloadLimits: PreloadLimits = PreloadLimits(),
        limits: ShardGateLimits = ShardGateLimits()
    ) {
        self.options = options
        self.limits = limits
        preload = options.isPreloaded ? plan.preload : PreloadPlan()
        preloader = PreloadDriver(plan, connections: connections, limits: preloadLimits)
        step = options.shard.index > 1 ? .look : options.allowsWrites ? .grantFirst : .countAll
    }

    var isFirst: Bool { options.shard.index == 1 }

    /// The outcome is known, and the engine can be made ready.
    package var isPrepared: Bool { if case .prepared = step { true } else { false } }

    /// Nothing is to be waited for: it is prepared, has failed, or the start is `handover` away.
    package var isDone: Bool {
        switch step {
        case .prepared, .end: true
        default: false
        }
    }

    /// The engine is ready to begin.
    package func resume() {
        guard isPrepared else { return }
        enter(isFirst ? .gather : .grant)
        hasBegun = false
    }

    /// Gives up; what was written is removed.
    package func stop() { isStopped = true }

    // MARK: The driver

    /// - Parameters:
    ///   - now: by the backend's clock.
    ///   - wall: nanoseconds since the Unix epoch at that moment.
    package func advance(to now: Int64, wall: Int64) {
        self.now = now
        self.wall = wall
        if isDone { return }
        if !hasBegun {
            hasBegun = true
            // What was sent in another run of the backend is answered nobody.
            isAsked = false
            isKeepAliveAsked = false
            keepAliveStream += 1
            if lease != 0 { keepAliveAt = now }
            // Shard 1 waits for nobody before it is prepared.
            if case .gather = step { deadline = now &+ options.patience }
            if !isFirst { deadline = now &+ options.patience }
        }
        if isStopped { give(up: .interrupted) }
        if case .preload = step { preloader.turn(at: now) }
        passTime()
    }

    package var nextDue: Int64 {
        var due = min(deadline, keepAliveAt)
        if case .preload = step { return min(due, preloader.nextDue) }
        if !isAsked { due = min(due, askAt) }
        if let start {
            switch step {
            case .hold: due = min(due, now &+ max(0, start &- limits.removalLead &- wall))
            case .waitForStart: due = min(due, now &+ max(0, start &- limits.handover &- wall))
            default: break
            }
        }
        return due
    }

    package func next(into request: inout StoreRequest) -> Bool {
        if isDone { return false }
        if now >= keepAliveAt, !isKeepAliveAsked {
            request.removeAll()
            request.number = Self.keepAliveNumber
            request.connection = 0
            request.set(.leaseKeepAlive)
            request.action = .message
            request.stream = keepAliveStream
            request.lease = lease
            isKeepAliveAsked = true
            keepAliveAt = .max
            return true
        }
        if case .preload = step { return preloader.next(into: &request) }
        guard !isAsked, now >= askAt else { return false }
        request.removeAll()
        guard fill(&request) else {
            askAt = .max
            return false
        }
        number &+= 1
        request.number = Self.numbers | (number & (Self.numbers >> 1))
        request.connection = 0
        isAsked = true
        askedWall = wall
        return true
    }

    package func receive(_ answer: borrowing StoreAnswer) {
        if isDone { return }
        switch answer.role {
        case .event: return
        case .streamEnd: return reopenKeepAlive()
        case .answer: break
        }
        if answer.number == Self.keepAliveNumber { return receive(keepAlive: answer) }
        if case .preload = step {
            preloader.receive(answer)
            return passTime()
        }
        guard isAsked, answer.number == Self.numbers | (number & (Self.numbers >> 1)) else { return }
        isAsked = false
        if answer.status != 0 || answer.note.rawValue != StoreAnswer.Note.none.rawValue {
            return receive(failure: answer)
        }
        failingSince = nil
        receive(stepAnswer: answer)
    }

    /// A read is made again while the store may be electing a leader; a write may have been done and is not.
    private func receive(failure answer: borrowing StoreAnswer) {
        if case .giveUp = step { return enter(.end) }
        let since = failingSince ?? now
        failingSince = since
        let mayPass = answer.status == 14 || answer.note.rawValue != StoreAnswer.Note.none.rawValue
        if step.isRead, mayPass, now &- since < limits.storePatience {
            askAt = now &+ limits.pollInterval
            return
        }
        give(
            up: .store(
                step.words, status: answer.status, text: String(decoding: answer.errorText, as: UTF8.self)))
    }

    // MARK: The lease

    func keep(_ lease: Int64) {
        self.lease = lease
        keepAliveAt = now &+ limits.leaseTTL * 1_000_000_000 / 6
    }

    /// The lease was revoked.
    func endLease() {
        lease = 0
        keepAliveAt = .max
    }

    private func receive(keepAlive answer: borrowing StoreAnswer) {
        guard isKeepAliveAsked else { return }
        guard answer.status == 0, answer.note.rawValue == StoreAnswer.Note.none.rawValue else {
            return reopenKeepAlive()
        }
        isKeepAliveAsked = false
        if lease == 0 || isLeaving { return }
        // rpc.proto LeaseKeepAliveResponse: of a lease that is gone the TTL is 0.
        if answer.details.answeredTTL <= 0 { return give(up: .leaseLost) }
        keepAliveAt = now &+ limits.leaseTTL * 1_000_000_000 / 6
    }

    private func reopenKeepAlive() {
        isKeepAliveAsked = false
        keepAliveStream += 1
        if lease != 0, !isLeaving { keepAliveAt = now &+ 1_000_000_000 }
    }

    /// The lease is being revoked: nothing may keep it alive, nor is it missed.
    private var isLeaving: Bool {
        switch step {
        case .revoke, .giveUp: true
        default: false
        }
    }

    // MARK: Steps

    func enter(_ step: Step, at time: Int64? = nil) {
        self.step = step
        if isLeaving { keepAliveAt = .max }
        isAsked = false
        askAt = time ?? now
    }

    /// Ends without a start. What this shard wrote goes with its lease.
    func give(up failure: ShardGateFailure) {
        if case .giveUp = step { return }
        if self.failure == nil { self.failure = failure }
        start = nil
        if lease == 0 { return enter(.end) }
        deadline = now &+ limits.farewell
        enter(.giveUp)
    }

    /// What happens because time has passed, or the preload has ended.
    private func passTime() {
        switch step {
        case .preload:
            guard preloader.isDone else { break }
            if let failure = preloader.failure {
                return give(up: .preload(status: failure.status, text: failure.text, written: preloader.written))
            }
            outcome = preloader.outcome
            chunks = outcome.chunks(of: limits.chunkBytes)
            chunk = 0
            enter(chunks.isEmpty ? .announce : .publish)
        case .hold:
            guard let start, wall >= start &- limits.removalLead else { return }
            enter(.remove)
        case .waitForStart:
            guard let start else { return }
            if wall >= start { return give(up: .late(by: wall &- start)) }
            if wall >= start &- limits.handover { enter(.end) }
            return
        default: break
        }
        if now >= deadline { giveUpWaiting() }
    }

    private func giveUpWaiting() {
        switch step {
        case .look, .feel: give(up: .noFirstShard)
        case .identify, .readOutcome: give(up: .noPreload)
        case .gather: give(up: .missing(missing))
        case .grant, .ready, .follow: give(up: .noStart)
        case .giveUp: enter(.end)
        // What waits for nobody.
        case .countAll, .countGate, .grantFirst, .claim, .preload, .publish, .announce: break
        case .prepared, .nameStart, .hold, .remove, .revoke, .waitForStart, .end: break
        }
    }

    /// Shards that are not ready, as shard 1 last saw it.
    var missing: [Int] = []
}

extension ShardGate.Step {
    /// Reads change nothing and can be made again.
    fileprivate var isRead: Bool {
        switch self {
        case .countAll, .countGate, .gather, .look, .feel, .identify, .readOutcome, .follow: true
        default: false
        }
    }

    /// What is asked for, for an error.
    fileprivate var words: String {
        switch self {
        case .countAll, .countGate: "how many keys it holds"
        case .grantFirst, .grant: "a lease for the keys of the gate"
        case .claim: "to claim the store"
        case .publish, .announce: "to say what was preloaded"
        case .gather, .look, .identify, .follow: "for the keys of the gate"
        case .feel: "for the lease of shard 1"
        case .nameStart: "to name the start"
        case .readOutcome: "what was preloaded"
        case .ready: "to say that it is ready"
        case .remove, .revoke, .giveUp: "to remove the keys of the gate"
        case .preload, .prepared, .hold, .waitForStart, .end: "something"
        }
    }
}

package import Etcd
import Wire

/// Plays a plan on a store: says what is to be sent and when, takes the answers, and measures.
///
/// A call is released when it is due by the schedule and everything it waits for is answered; released calls are sent
/// in the order of their intended times. A late answer delays only what waits for it. In loops, no call of a loop is
/// released before all of the loop before it are answered, since its revisions and leases are learned anew.
///
/// Call order: `start`, then `advance`, `next` and `receive` until `isDone`, then `finish`. Whenever
/// `isBatchFull`, its batch is to be taken. Times are the backend's, in nanoseconds.
package struct ReplayEngine: ~Copyable, Sendable {
    package let plan: ReplayPlan
    package let schedule: Schedule
    package let limits: EngineLimits
    /// Operations of the trace that the replay is.
    var recording: ReplayRecording
    /// From when a call was due and all that it waits for was answered to when it was sent: the replayer's own delay,
    /// which the verdict is about. All other times of calls are added up of the trace.
    package internal(set) var sendLag = TimeHistogram()
    package internal(set) var fidelity: Fidelity
    package internal(set) var counts = ReplayCounts()
    /// The plan's streams in the current loop.
    package internal(set) var streams: [PlayedStream]
    /// How often the plan was begun, less one.
    package internal(set) var loop: UInt32 = 0
    /// When the first call and the latest one so far were due; nil before there was one.
    package internal(set) var firstIntended: Int64?
    package internal(set) var lastIntended: Int64 = 0

    let connectionCount: UInt32
    /// Of each stream of the plan, its messages before its end by the client.
    let messageCounts: [UInt32]
    var timetable: Timetable
    var nodes: NodeTable
    var slots: SlotTable
    var late = CallHeap()
    var learned: LearnedNumbers
    var lookahead = Lookahead()
    var delivery: EventDelivery
    var leaseKey = LeaseKey()
    /// The key of the plan that the request named last, and its number there.
    var kept: (planned: KeyNumber, number: KeyNumber) = (0, 0)
    /// The calls that a loop plays: `first..<end`. `cursor` is the next one that was not looked at, due at `due`.
    let first: UInt32
    /// Of each call its number in the whole plan, where this is a shard's; empty otherwise.
    let numbers: [UInt32]
    /// How many calls the whole plan has, and the first that a loop plays of it.
    let wholeCount: UInt64
    let wholeFirst: UInt64
    /// Calls of the whole plan that have been given a time in this loop, or left out.
    var timed: UInt64
    /// Some calls name revisions for which the store's current one is to be read first.
    let readsRevisions: Bool
    var end: UInt32
    var cursor: UInt32
    var due = Int64.max
    /// The warm-up: calls of the first loop before that one, or due before that time.
    var warmUpEnd: UInt32
    var warmUpUntil = Int64.min
    /// Calls before `cursor` that are due and wait.
    var waitingCount = 0
    /// Calls of this loop that were sent, or answered without.
    var begun: UInt32 = 0
    /// Streams whose watches went with their connections.
    var reopenings = ReopeningHeap()
    /// Outstanding requests that create watches again: the plan does not wait for them.
    var recreating = 0
    /// The first number of this loop's streams.
    var streamBase: UInt32 = 0
    /// Nothing begins after `end`, in no loop.
    var isLastLoop: Bool
    var isFinished = false
    var start: Int64 = 0
    /// The latest time that is known.
    var now: Int64 = 0
    /// What is added to a time of the backend's clock to get nanoseconds since the Unix epoch.
    var epoch: Int64 = 0
    var deadline: Int64?

    /// - Parameters:
    ///   - preload: what the target answered to the plan's preload.
    ///   - connections: the target's; recorded ones are spread over them by their numbers.
    ///   - batchCapacity: operations after which the recording's batch is full.
    package init(
        _ plan: ReplayPlan, schedule: Schedule, preload: PreloadOutcome = PreloadOutcome(),
        connections: [ConnectionNames], batchCapacity: Int = 4096, limits: EngineLimits = EngineLimits()
    ) {
        precondition(!connections.isEmpty, "a replay needs a connection")
        precondition(plan.calls.count < Int(UInt32.max), "calls of a plan are counted by 32 bits")
        self.plan = plan
        self.schedule = schedule
        self.limits = limits
        connectionCount = UInt32(connections.count)
        recording = ReplayRecording(keyCount: plan.keys.count, capacity: batchCapacity, connections: connections)
        let skipped = plan.calls.partitioningIndex { $0.time >= schedule.offset }
        first = UInt32(skipped)
        cursor = UInt32(skipped)
        end = UInt32(plan.calls.count)
        if case .calls(let count) = schedule.warmUp {
            warmUpEnd = UInt32(min(skipped + max(0, min(count, plan.calls.count)), plan.calls.count))
        } else {
            warmUpEnd = 0
        }
        isLastLoop = schedule.loops <= 1 || skipped == plan.calls.count
        numbers = plan.shard?.numbers ?? []
        if let times = plan.shard?.times {
            let skipped = times.partitioningIndex { $0 >= schedule.offset }
            wholeCount = UInt64(times.count)
            wholeFirst = UInt64(skipped)
            timetable = Timetable(
                schedule, span: skipped < times.count ? times[times.count - 1] - times[skipped] : 0,
                count: times.count - skipped)
        } else {
            wholeCount = UInt64(plan.calls.count)
            wholeFirst = UInt64(skipped)
            let span = skipped < plan.calls.count ? plan.calls[plan.calls.count - 1].time - plan.calls[skipped].time : 0
            timetable = Timetable(schedule, span: span, count: plan.calls.count - skipped)
        }
        timed = wholeFirst
        readsRevisions = plan.patches.contains { $0.source == .currentRevision }
        nodes = NodeTable(plan.order, callCount: plan.calls.count, skipped: skipped)
        let limit =
            switch schedule.pace {
            case .recorded, .constant, .poisson: limits.outstanding
            case .closed(let outstanding):
                min(max(1, plan.shard?.shard.share(of: outstanding) ?? outstanding), limits.outstanding)
            case .max: min(limits.outstandingPerConnection * connections.count, limits.outstanding)
            }
        slots = SlotTable(limit: limit)
        learned = LearnedNumbers(plan, preload: preload)
        fidelity = Fidelity(plan, examples: limits.examples)
        messageCounts = Self.messageCounts(of: plan, from: skipped)
        streams = messageCounts.map { PlayedStream(messages: $0) }
        delivery = EventDelivery(limits: limits)
        if !plan.streams.isEmpty { delivery.begin() }
        for place in skipped..<plan.calls.count {
            if case .endStream = plan.calls[place].action { continue }
            counts.planned[Int(plan.calls[place].kind.rawValue)] += 1
        }
        for stream in plan.streams { counts.recordedEvents += stream.recordedEvents }
    }

    private static func messageCounts(of plan: borrowing ReplayPlan, from first: Int) -> [UInt32] {
        var counts = Array(repeating: UInt32(0), count: plan.streams.count)
        var hasEnded = Array(repeating: false, count: plan.streams.count)
        for call in plan.calls[first...] {
            switch call.action {
            case .call: break
            case .message: if !hasEnded[Int(call.stream)] { counts[Int(call.stream)] += 1 }
            case .endStream: hasEnded[Int(call.stream)] = true
            }
        }
        return counts
    }

    // MARK: - The run

    /// Begins the run at that time of the backend's clock, which is `epoch` in nanoseconds since the Unix epoch.
    package mutating func start(at now: Int64, epoch: Int64) {
        start = now
        self.now = now
        self.epoch = epoch &- now
        if case .nanoseconds(let time) = schedule.warmUp { warmUpUntil = now &+ min(max(0, time), Timetable.never) }
        for lease in plan.preload.leases where !learned.preload.leases.isEmpty {
            fidelity.grant(ttl: lease.ttl, at: now)
        }
        setDue()
    }

    /// Takes note of the time.
    package mutating func advance(to now: Int64) {
        self.now = max(self.now, now)
        if reopenings.due <= self.now { recreateWatches() }
        beginLoopIfOver()
    }

    /// Nothing more is released; what is outstanding is waited for, `EngineLimits.drain` at most from the time that was
    /// told last.
    package mutating func stop() {
        if deadline == nil { deadline = now &+ limits.drain }
    }

    /// All is sent and answered, or was waited for long enough.
    package var isDone: Bool {
        if let deadline { return slots.outstanding == recreating || now >= deadline }
        return isLastLoop && isLoopOver
    }

    /// When to call `advance` and `next` again, if nothing is answered before; `Int64.max` for never.
    package var nextDue: Int64 {
        if let deadline { return deadline }
        if slots.isFull { return .max }
        if !late.isEmpty || (isLoopOver && !isLastLoop && recreating == 0) { return now }
        if cursor == end { return reopenings.due }
        return schedule.isOpen ? min(due, reopenings.due) : now
    }

    /// Fills in the next request that is to be sent now; false when there is none.
    package mutating func next(into request: inout StoreRequest) -> Bool {
        if deadline != nil { return false }
        while true {
            if slots.isFull {
                if schedule.isOpen, !late.isEmpty || (cursor < end && due <= now) { counts.heldBack += 1 }
                return false
            }
            if !late.isEmpty {
                let entry = late.removeFirst()
                waitingCount -= 1
                if isOfStream(entry.call) {
                    if entry.createsAnew {
                        // It waited, but not as a call of the plan.
                        waitingCount += 1
                        if createAnew(entry.call, &request) { return true }
                        continue
                    }
                    if hold(entry.call, entry.intended) { continue }
                }
                if send(entry.call, entry.intended, entry.released, &request) { return true }
                continue
            }
            if cursor == end {
                return isLoopOver && !isLastLoop && endOpenStream(&request)
            }
            if due > now { return false }
            if !schedule.isOpen, let duration = schedule.duration, now &- start >= duration {
                cut()
                continue
            }
            if Lookahead.isDue(at: cursor) {
                lookahead.advance(to: cursor, end: end, of: plan, nodes, learned, recording)
            }
            let call = cursor
            let intended = due
            cursor += 1
            setDue()
            guard let freed = nodes.take(call, due: intended) else {
                waitingCount += 1
                continue
            }
            if isOfStream(call), hold(call, intended) { continue }
            if send(call, intended, max(intended, freed), &request) { return true }
        }
    }

    /// Computes when the call at `cursor` is due; nothing more is where that is after the schedule's duration.
    @inline(__always)
    private mutating func setDue() {
        if cursor == end { return due = .max }
        if !numbers.isEmpty { passOthers(before: UInt64(numbers[Int(cursor)])) }
        let time = timetable.next(recorded: plan.calls[Int(cursor)].time, loop: loop)
        if schedule.isOpen, let duration = schedule.duration, time >= duration { return cut() }
        due = time == .min ? .min : start &+ time
    }

    /// Leaves the times of other shards' calls to them.
    private mutating func passOthers(before number: UInt64) {
        timetable.skip(number - timed)
        timed = number + 1
    }

    private mutating func cut() {
        end = cursor
        isLastLoop = true
        due = .max
    }

    /// From when a call that caused an event was sent to when the event was there.
    package var deliveryLatency: TimeHistogram { delivery.latency }

    // MARK: - The trace that the replay is

    /// Whether the operations written down are to be taken now.
    package var isBatchFull: Bool { recording.isFull }

    /// Hands over the operations that were written down since the last time; what `batch` held is forgotten, and its
    /// memory used. To be called whenever the batch is full, and once more behind `finish`.
    package mutating func takeBatch(_ batch: inout OperationBatch) { recording.take(into: &batch) }

    // MARK: - Loops

    var isLoopOver: Bool { cursor == end && late.isEmpty && slots.outstanding == recreating }

    /// Begins the next loop once all of this one is answered and its streams are ended.
    mutating func beginLoopIfOver() {
        guard isLoopOver, !isLastLoop, recreating == 0, deadline == nil else { return }
        for place in streams.indices where streams[place].isOpen { return }
        counts.loops += 1
        counts.waiting += Int64(waitingCount)
        counts.unsent += Int64(end - first - begun)
        loop += 1
        if !numbers.isEmpty {
            passOthers(before: wholeCount)
            timed = wholeFirst
        }
        if loop + 1 >= schedule.loops { isLastLoop = true }
        if waitingCount > 0 { nodes.reset() }
        waitingCount = 0
        begun = 0
        learned.reset()
        delivery.finish()
        for place in streams.indices { streams[place] = PlayedStream(messages: messageCounts[place]) }
        streamBase &+= UInt32(streams.count)
        reopenings.removeAll()
        cursor = first
        setDue()
    }

    /// Ends a stream that the recording left open, so that the next loop finds the store as this one did.
    private mutating func endOpenStream(_ request: inout StoreRequest) -> Bool {
        guard let place = streams.firstIndex(where: { $0.isOpen }) else { return false }
        let number = slots.take()
        slots.fill(number, call: SlotTable.noCall, stream: UInt32(place), intended: now, released: now)
        streams[place].isEndedByClient = true
        request.removeAll()
        request.number = number
        request.action = .endStream
        request.method = plan.streams[place].method
        request.kind = MethodCatalogue.method(request.method)?.kind ?? .other
        request.connection = plan.streams[place].connection % connectionCount
        request.stream = streamBase &+ UInt32(place)
        return true
    }
}

import Etcd
import Replay
import Wire

/// The engine as a backend drives it: with its trace, its progress and what interrupts it.
final class EngineDriver: StoreDriver {
    private(set) var engine: ReplayEngine
    private let writer: ReplayWriter
    private let interruption: Interruption
    private let faults: FaultThread?
    private var progress: ReplayProgress
    private var batch = OperationBatch()
    /// When the run begins, nanoseconds since the Unix epoch; nil for at once.
    private let start: Int64?
    private var isStarted = false
    private var isAwake = false
    /// When to look whether it is time to start.
    private var wakeAt: Int64 = 0
    /// Whether the engine's thread goes before ordinary ones. Only one with a timetable to keep does: it sleeps most of
    /// the time, and a wakeup that waits for a store's threads on the same processors is a call sent late.
    private(set) var hasRealTimePriority = false
    /// Of the engine's thread, from the first turn to the last one.
    private var begun: (wall: UInt64, processor: UInt64) = (0, 0)
    private(set) var wallTime: UInt64 = 0
    private(set) var processorTime: UInt64 = 0
    /// How often interruption and progress are looked at, nanoseconds.
    private static let interval: Int64 = 100_000_000
    private var lookAt: Int64 = 0
    /// How often what is measured is written though it is no full batch, nanoseconds: what a replay leaves that is
    /// killed.
    private static let flushInterval: Int64 = 1_000_000_000
    private var flushAt: Int64 = 0

    init(
        _ engine: consuming ReplayEngine, writer: ReplayWriter, interruption: Interruption, faults: FaultThread?,
        progress: ReplayProgress, start: Int64? = nil
    ) {
        self.engine = engine
        self.writer = writer
        self.interruption = interruption
        self.faults = faults
        self.progress = progress
        self.start = start
    }

    func turn(at now: Int64) {
        if !isStarted { begin(at: now) }
        guard isStarted else { return }
        engine.advance(to: now)
        guard now >= lookAt else { return }
        lookAt = now + Self.interval
        if interruption.isRequested || writer.isFailed { engine.stop() }
        if now >= flushAt {
            flushAt = now + Self.flushInterval
            takeBatch()
        }
        progress.update(engine, at: now)
        wallTime = SystemCalls.monotonicNanoseconds() - begun.wall
        processorTime = SystemCalls.threadProcessorNanoseconds() - begun.processor
    }

    private func begin(at now: Int64) {
        if !isAwake {
            isAwake = true
            if engine.schedule.isOpen { hasRealTimePriority = SystemCalls.takeRealTimePriority() }
        }
        let wall = SystemCalls.realTime(minus: 0).nanoseconds
        if let start, wall < start {
            wakeAt = now + (start - wall)
            return
        }
        isStarted = true
        begun = (SystemCalls.monotonicNanoseconds(), SystemCalls.threadProcessorNanoseconds())
        faults?.start()
        // Where it is later than it was to be, calls are late, and their send lag says so.
        let epoch = start ?? wall
        engine.start(at: now - (wall - epoch), epoch: epoch)
    }

    func next(into request: inout StoreRequest) -> Bool { isStarted && engine.next(into: &request) }

    func receive(_ answer: borrowing StoreAnswer) {
        if engine.receive(answer) { takeBatch() }
    }

    func exchange(
        _ request: inout StoreRequest, _ answer: inout StoreAnswer,
        reply: (borrowing StoreRequest, inout StoreAnswer) -> Void
    ) -> Bool {
        let hasNext = engine.exchange(&request, &answer, reply: reply)
        if engine.isBatchFull { takeBatch() }
        return hasNext
    }

    var nextDue: Int64 { isStarted ? min(engine.nextDue, lookAt) : wakeAt }

    var isDone: Bool { isStarted && engine.isDone }

    /// Counts what was left undone, and hands over the rest. To be called once, when the backend runs no more.
    func finish() {
        progress.clear()
        engine.finish()
        takeBatch()
    }

    private func takeBatch() {
        engine.takeBatch(&batch)
        if !batch.operations.isEmpty { writer.hand(over: &batch) }
    }

    /// The engine's thread: processor time over wall time; 0 for a run too short to tell.
    var busyShare: Double { wallTime == 0 ? 0 : Double(processorTime) / Double(wallTime) }
}

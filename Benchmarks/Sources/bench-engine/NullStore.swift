import Etcd
import Replay

/// Answers at once: what a run on it costs is the engine's.
final class NullStore {
    private(set) var answered = 0

    func run(_ driver: any StoreDriver) {
        // In variables of this function: what a class holds is copied where it is handed over.
        var request = StoreRequest()
        var answer = StoreAnswer()
        var taken: [(number: UInt32, kind: OperationKind)] = []
        var revision: Int64 = 1
        var time: Int64 = 1
        while !driver.isDone {
            time += 1000
            driver.turn(at: time)
            taken.removeAll(keepingCapacity: true)
            while driver.next(into: &request) { taken.append((request.number, request.kind)) }
            for request in taken {
                answer.removeAll()
                answer.number = request.number
                answer.sent = time
                answer.firstByte = time + 500
                answer.done = time + 500
                answer.requestBytes = 40
                answer.responseBytes = 60
                if case .put = request.kind { revision += 1 }
                answer.details.headerRevision = revision
                answer.details.answer.flags = .answered
                if case .range = request.kind { answer.details.answer.count = 1 }
                driver.receive(answer)
                answered += 1
            }
        }
    }
}

/// The engine as a store drives it. Full batches are emptied and used again.
final class EngineDriver: StoreDriver {
    private var engine: ReplayEngine
    private var spare = OperationBatch()
    private(set) var operations = 0

    init(_ engine: consuming ReplayEngine) {
        self.engine = engine
        self.engine.start(at: 0, epoch: 1_700_000_000_000_000_000)
    }

    func turn(at now: Int64) { engine.advance(to: now) }
    func next(into request: inout StoreRequest) -> Bool { engine.next(into: &request) }
    func receive(_ answer: borrowing StoreAnswer) {
        engine.receive(answer)
        if engine.isBatchFull {
            engine.takeBatch(&spare)
            operations += spare.operations.count
        }
    }
    var nextDue: Int64 { engine.nextDue }
    var isDone: Bool { engine.isDone }

    /// Same outcomes, order violations, and the median service time.
    func finish() -> (same: Int64, violations: Int64, service: Int64) {
        engine.finish()
        engine.takeBatch(&spare)
        operations += spare.operations.count
        return (
            engine.fidelity.same, engine.fidelity.orderViolations, Int64(engine.latencies.service.percentile(50))
        )
    }
}

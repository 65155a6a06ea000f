import BackendConformance
import Etcd
import Foundation
import Replay

/// A backend as another is, but for one rule, which it breaks.
final class BrokenBackend: Backend {
    private let backend: any Backend
    /// None for one that breaks none.
    private let rule: Violation.Rule?

    init(_ backend: any Backend, breaking rule: Violation.Rule?) {
        self.backend = backend
        self.rule = rule
    }

    var name: String { backend.name }
    var now: Int64 { backend.now }
    func open(connections: Int) throws(BackendError) { try backend.open(connections: connections) }
    func run(_ driver: any StoreDriver) throws(BackendError) { try backend.run(BreakingDriver(driver, rule)) }
    func close() { backend.close() }
}

/// Stands between a backend and its driver, and breaks one rule towards the driver.
private final class BreakingDriver: StoreDriver {
    private let driver: any StoreDriver
    private let rule: Violation.Rule?
    private var turns = 0
    private var received = 0
    private var unanswered = 0
    private var held: [StoreRequest] = []
    private var kinds: [UInt32: OperationKind] = [:]
    private var hasRevoked = false
    private var wasDone = false
    /// Marks the number of a request that the driver did not ask.
    private static let twin: UInt32 = 1 << 31

    init(_ driver: any StoreDriver, _ rule: Violation.Rule?) {
        self.driver = driver
        self.rule = rule
    }

    func turn(at now: Int64) {
        turns += 1
        switch rule {
        case .thread where turns == 2: onAnotherThread { $0.turn(at: now) }
        case .turn where turns.isMultiple(of: 2): break
        case .clock where turns == 2: driver.turn(at: now - 1_000_000_000)
        default: driver.turn(at: now)
        }
    }

    private func onAnotherThread(_ call: @escaping @Sendable (any StoreDriver) -> Void) {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) let lent = driver
        Thread.detachNewThread {
            unsafe call(lent)
            done.signal()
        }
        done.wait()
    }

    func next(into request: inout StoreRequest) -> Bool {
        switch rule {
        case .waiting where unanswered > 0: return false
        case .order, .streamOrder:
            // Some are taken at once and handed on from the last to the first.
            while held.isEmpty || held.count < 4, driver.next(into: &request) { held.append(request) }
            guard let last = held.popLast() else { return false }
            request = last
        case .twice:
            if let last = held.popLast() {
                request = last
                return true
            }
            guard driver.next(into: &request) else { return false }
            if request.kind == .put {
                held.append(request)
                held[0].number |= Self.twin
            }
        default: guard driver.next(into: &request) else { return false }
        }
        unanswered += 1
        kinds[request.number] = request.kind
        return true
    }

    var nextDue: Int64 {
        let due = driver.nextDue
        switch rule {
        case .sleep: return 0
        case .wake: return .max
        case .waiting where unanswered > 0: return .max
        default: return due
        }
    }

    var isDone: Bool {
        guard driver.isDone else { return false }
        defer { wasDone = true }
        return rule != .end || wasDone
    }

    func receive(_ original: borrowing StoreAnswer) {
        var answer = copy original
        if answer.number & Self.twin != 0 { return }
        if answer.role == .answer {
            unanswered -= 1
            received += 1
        }
        let kind = kinds[answer.number] ?? .other
        switch rule {
        case .answered where received == 5: return
        case .once: driver.receive(answer)
        case .number where received == 5: answer.number += 1 << 15
        case .times: answer.done = answer.sent - 1
        case .unsupported:
            answer.note = .unsupported
            answer.status = 12
        case .endStream where kind == .leaseKeepAlive && received > 6:
            var end = StoreAnswer()
            end.role = .streamEnd
            driver.receive(end)
        default: if answer.role == .event || answer.role == .answer { spoil(&answer, kind) }
        }
        driver.receive(answer)
    }

    /// Breaks what a store with state says.
    private func spoil(_ answer: inout StoreAnswer, _ kind: OperationKind) {
        switch (rule, kind) {
        case (.status, .range): answer.status = 14
        case (.revision, .put): answer.details.headerRevision = 5
        case (.range, .range) where !answer.details.keyValues.isEmpty: answer.details.keyValues[0].valueSize += 1
        case (.count, .range) where answer.details.answer.count > 1: answer.details.answer.count += 1
        case (.delete, .delete): answer.details.answer.count = 1
        case (.transaction, .txn): answer.details.answers.reverse()
        case (.bytes, .range): answer.responseBytes = 0
        case (.lease, .leaseGrant): answer.details.answeredTTL = 0
        case (.leaseEnd, .leaseRevoke): hasRevoked = true
        case (.leaseEnd, .range) where hasRevoked: answer.details.answer.count = 1
        case (.leaseUnknown, _) where answer.status == 5: answer.errorText.removeAll()
        case (.keepAlive, .leaseKeepAlive): answer.details.answeredLease += 1
        case (.watch, .watchCreate): answer.details.watch.isCreated = false
        case (.cancel, .watchCancel): answer.details.watch.isCanceled = false
        case (.event, _) where answer.role == .event:
            if !answer.details.keyValues.isEmpty { answer.details.keyValues[0].modRevision += 1 }
        default: break
        }
    }
}

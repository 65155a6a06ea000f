import ChainBackends
import Replay

/// Asks one thing after the other.
final class Conversation: StoreDriver {
    typealias Step = (inout StoreRequest, [StoreAnswer]) -> Void

    private let steps: [Step]
    private(set) var answers: [StoreAnswer] = []
    private var asked = 0

    private init(_ steps: [Step]) { self.steps = steps }

    /// The answers, in the order of the steps.
    static func hold(_ steps: [Step], with backend: ChainBackend) throws -> [StoreAnswer] {
        let driver = Conversation(steps)
        try backend.run(driver)
        return driver.answers
    }

    func turn(at now: Int64) {}
    var nextDue: Int64 { .max }
    var isDone: Bool { answers.count == steps.count }

    func next(into request: inout StoreRequest) -> Bool {
        guard asked < steps.count, asked == answers.count else { return false }
        request.removeAll()
        request.number = UInt32(asked)
        steps[asked](&request, answers)
        asked += 1
        return true
    }

    func receive(_ answer: borrowing StoreAnswer) { answers.append(copy answer) }
}

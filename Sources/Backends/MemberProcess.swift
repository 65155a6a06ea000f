import Foundation
import Glibc
import Synchronization

/// A process of a store's member, from its start until it has ended and was reaped.
///
/// The system kills it when the thread that started it ends. That thread does nothing but wait for it, so it ends only
/// with this process: members do not outlive it, whatever ends it.
final class MemberProcess: Sendable {
    private struct State: Sendable {
        var id: Int32 = 0
        var failure: SystemFailure?
        var end: ChildCalls.End?
        /// It was asked to end, by a signal of this process.
        var isMeantToEnd = false
        var isPaused = false
        var isEndTaken = false
    }

    private let state = Mutex(State())
    private let condition = NSCondition()

    /// Runs the program until it ends; `ended` is called on a thread of its own when it was reaped.
    init(
        _ program: String, _ arguments: [String], hiding hidden: String, output: String,
        ended: @escaping @Sendable (MemberProcess) -> Void
    ) throws(SystemFailure) {
        let thread = Thread { [self] in
            do throws(SystemFailure) {
                let id = try ChildCalls.start(program, arguments, hiding: hidden, output: output)
                change { $0.id = id }
                ChildCalls.wait(for: id)
                // Nobody signals it after it was reaped: the id may be another's then.
                change { $0.end = ChildCalls.reap(id) }
                ended(self)
            } catch {
                change { $0.failure = error }
            }
        }
        thread.name = "member of a store"
        thread.start()
        let begun = wait { $0.id != 0 || $0.failure != nil }
        if let failure = begun.failure { throw failure }
    }

    /// Its process id; another's once it has ended.
    var id: Int32 { state.withLock { $0.id } }
    /// How it ended; nil while it runs.
    var end: ChildCalls.End? { state.withLock { $0.end } }
    /// How it ended, if nobody had asked it to.
    var unaskedEnd: ChildCalls.End? { state.withLock { $0.isMeantToEnd ? nil : $0.end } }

    /// The same, to the first who asks once there is one: an end is told once.
    func takeUnaskedEnd() -> ChildCalls.End? {
        state.withLock { state in
            if state.isMeantToEnd || state.isEndTaken { return nil }
            state.isEndTaken = state.end != nil
            return state.end
        }
    }

    var isPaused: Bool { state.withLock { $0.isPaused && $0.end == nil } }

    func pause() { signal(SIGSTOP) { $0.isPaused = true } }

    func resume() { signal(SIGCONT) { $0.isPaused = false } }

    /// Asks it to end in its own way, without waiting.
    func terminate() {
        // A paused one would not hear it.
        resume()
        signal(SIGTERM) { $0.isMeantToEnd = true }
    }

    /// Ends it at once, and waits until it has.
    func kill() {
        signal(SIGKILL) { $0.isMeantToEnd = true }
        wait { $0.end != nil }
    }

    /// Waits until it has ended, at most so many nanoseconds; whether it has.
    func waitForEnd(atMost nanoseconds: UInt64) -> Bool { wait(atMost: nanoseconds) { $0.end != nil }.end != nil }

    private func signal(_ number: Int32, _ note: (inout State) -> Void) {
        change { state in
            if state.end != nil { return }
            note(&state)
            ChildCalls.signal(state.id, number)
        }
    }

    @discardableResult
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        condition.withLock {
            let result = state.withLock { state in body(&state) }
            condition.broadcast()
            return result
        }
    }

    @discardableResult
    private func wait(atMost nanoseconds: UInt64? = nil, until isWanted: (State) -> Bool) -> State {
        let limit = nanoseconds.map { Date(timeIntervalSinceNow: Double($0) / 1e9) }
        return condition.withLock {
            while true {
                let now = state.withLock { $0 }
                if isWanted(now) { return now }
                guard let limit else {
                    condition.wait()
                    continue
                }
                if !condition.wait(until: limit) { return state.withLock { $0 } }
            }
        }
    }
}

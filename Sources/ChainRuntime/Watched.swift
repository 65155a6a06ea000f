import Foundation
import Synchronization

/// A value that threads change, and wait for until it is as they want it.
final class Watched<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    private let condition = NSCondition()

    init(_ value: Value) { self.value = Mutex(value) }

    var now: Value { value.withLock { $0 } }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        condition.withLock {
            let result = value.withLock { value in body(&value) }
            condition.broadcast()
            return result
        }
    }

    /// Waits until `isWanted` says so, at most so many nanoseconds (nil: for ever); the value then.
    @discardableResult
    func wait(atMost nanoseconds: UInt64? = nil, until isWanted: (Value) -> Bool) -> Value {
        let end = nanoseconds.map { Date(timeIntervalSinceNow: Double($0) / 1e9) }
        return condition.withLock {
            while !isWanted(now) {
                guard let end else {
                    condition.wait()
                    continue
                }
                if !condition.wait(until: end) { break }
            }
            return now
        }
    }
}

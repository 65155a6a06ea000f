import Synchronization

/// A value that one thread gives, once, and others wait for.
package final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let gate = Gate()

    package init() {}

    /// Precondition: the first call.
    package func give(_ given: Value) {
        value.withLock { $0 = given }
        gate.open()
    }

    /// Nil is never answered: who waits goes on when the value is there.
    package func wait() -> Value? {
        gate.wait()
        return value.withLock { $0 }
    }
}

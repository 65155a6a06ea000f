import Foundation

/// Shut until it is opened, once; whoever waits goes on then.
package final class Gate: Sendable {
    private let group = DispatchGroup()

    package init() { group.enter() }

    /// Must be called exactly once.
    package func open() { group.leave() }

    package func wait() { group.wait() }
}

/// A thread that runs `body` to its end, for which others may wait.
package final class RunningThread: Sendable {
    private let end = Gate()

    package init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let end = self.end
        let thread = Thread {
            body()
            end.open()
        }
        thread.name = name
        thread.start()
    }

    /// Waits until it has ended.
    package func join() { end.wait() }
}

/// The thread that starts processes. They end when it does: the system ends a child with the thread that started it.
final class ProcessKeeper: Sendable {
    private enum Command: Sendable {
        case perform(@Sendable () -> Void)
        case later(UInt64, @Sendable () -> Void)
        case stop
    }

    private let mailbox: Mailbox<Command>
    private let thread: RunningThread

    init() throws(SystemError) {
        let mailbox = try Mailbox<Command>()
        self.mailbox = mailbox
        thread = RunningThread("processes") { Self.run(mailbox) }
    }

    /// Runs `body` on the thread, and waits for what it answers; nil: the thread has ended.
    func perform<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value? {
        let answer = Answer<Value>()
        guard mailbox.post(.perform { answer.give(body()) }) else { return nil }
        return answer.wait()
    }

    /// Runs `body` on the thread at `time` of the monotonic clock, unless it has ended by then.
    func perform(at time: UInt64, _ body: @escaping @Sendable () -> Void) { mailbox.post(.later(time, body)) }

    func stop() {
        mailbox.post(.stop)
        thread.join()
    }

    private static func run(_ mailbox: Mailbox<Command>) {
        var later: [(time: UInt64, body: @Sendable () -> Void)] = []
        var isGoingOn = true
        while isGoingOn {
            let next = later.map(\.time).min() ?? .max
            _ = try? Readiness.wait(nil, nil, mailbox.wakeup, until: next, now: SystemClock.monotonic)
            for command in mailbox.take() {
                switch command {
                case .perform(let body): body()
                case .later(let time, let body): later.append((time, body))
                case .stop: isGoingOn = false
                }
            }
            let now = SystemClock.monotonic
            let due = later.filter { $0.time <= now }
            later.removeAll { $0.time <= now }
            for entry in due where isGoingOn { entry.body() }
        }
        // Whoever still waits gets an answer.
        for command in mailbox.close() { if case .perform(let body) = command { body() } }
    }
}

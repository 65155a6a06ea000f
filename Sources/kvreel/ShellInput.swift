import ChainRuntime
import Glibc

/// Lines of standard input, or the signal that ends the command, whichever comes first.
final class ShellInput: Sendable {
    enum Event: Sendable {
        /// The next line is read once the gate is open: a file is not read faster than it is worked off.
        case line(String, then: Gate)
        case end
        case interrupted
    }

    private let mailbox: Mailbox<Event>

    init(_ mailbox: Mailbox<Event>) { self.mailbox = mailbox }

    func interrupt() { mailbox.post(.interrupted) }

    func waitForInterruption() {
        while true {
            for event in next() { if case .interrupted = event { return } }
        }
    }

    /// Waits for what comes next.
    func next() -> [Event] {
        _ = try? Readiness.wait(nil, nil, mailbox.wakeup, until: .max, now: 0)
        return mailbox.take()
    }

    /// Begins to read lines, on a thread that ends with the input.
    func read() {
        let mailbox = mailbox
        _ = RunningThread("standard input") {
            while let line = readLine() {
                let gate = Gate()
                guard mailbox.post(.line(line, then: gate)) else { return }
                gate.wait()
            }
            mailbox.post(.end)
        }
    }

    static var isTerminal: Bool { SystemCalls.isTerminal(STDIN_FILENO) && SystemCalls.isTerminal(STDERR_FILENO) }
}

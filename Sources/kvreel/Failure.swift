/// Why a command ends without its result: one line for what, where and why, a second one for the remedy.
struct Failure: Error {
    var status: ExitStatus
    var message: String
    var remedy: String?

    init(_ status: ExitStatus, _ message: String, remedy: String? = nil) {
        self.status = status
        self.message = message
        self.remedy = remedy
    }

    /// `kvreel: WHAT: WHERE: WHY`, and the remedy on a line of its own.
    var lines: String {
        "kvreel: " + Terminal.printable(message) + "\n" + (remedy.map { Terminal.printable($0) + "\n" } ?? "")
    }
}

/// The exit statuses of every command.
enum ExitStatus: Int32, Error {
    case done = 0
    /// Done, but the result must not be trusted or differs.
    case untrusted = 1
    case usage = 2
    /// The input is unusable.
    case input = 3
    /// The output or the system failed.
    case system = 4
    /// Interrupted, ended cleanly.
    case interrupted = 130
}

/// Why a trace cannot be written or read: prints as `kvreel: WHAT: WHERE: WHY` and a line with the remedy.
package struct TraceError: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        /// The input is missing, unreadable or no trace (exit status 3).
        case input
        /// The output cannot be written (exit status 4).
        case output
        /// The reader of the output has gone (EPIPE): no error for a person at a terminal.
        case closedPipe
    }

    package var kind: Kind
    package var what: String
    /// Path, and the offset where there is one.
    package var location: String
    package var why: String
    package var remedy: String?

    package init(_ kind: Kind, what: String, location: String, why: String, remedy: String? = nil) {
        self.kind = kind
        self.what = what
        self.location = location
        self.why = why
        self.remedy = remedy
    }
}

extension TraceError: CustomStringConvertible {
    /// `WHAT: WHERE: WHY`.
    package var description: String { "\(what): \(location): \(why)" }
}

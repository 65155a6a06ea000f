/// Why a store cannot be used: prints as `kvreel: WHAT: WHERE: WHY` and a line with the remedy.
package struct BackendError: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        /// What was asked for cannot be: a name that is none, options that exclude each other (exit status 2).
        case usage
        /// The store cannot be reached or used, or a program is missing (exit status 4).
        case system
    }

    package var kind: Kind
    package var what: String
    /// The endpoint, file or program.
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

extension BackendError: CustomStringConvertible {
    /// `WHAT: WHERE: WHY`.
    package var description: String { "\(what): \(location): \(why)" }
}

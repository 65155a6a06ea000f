/// What a client asked of one register, when, and what it was told.
package struct HistoryOperation: Sendable, Equatable {
    /// Raw values are the order in which documentation names them.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// Observes the value.
        case read = 0
        /// Makes `value` the value.
        case write = 1
        /// Compares and sets: makes `value` the value if it was `expect`, in one step.
        case cas = 2
        /// Makes the register absent.
        case delete = 3
    }

    package enum Outcome: UInt8, Sendable, CaseIterable {
        /// It did what it was to do.
        case ok = 0
        /// It certainly did nothing. Of a cas: it found a value other than `expect`.
        case failed = 1
        /// It may have taken effect at any time after the call, also after its return, or never.
        case unknown = 2
    }

    package var client: Int64
    /// Number of the key in the history's `keys`.
    package var key: UInt32
    package var kind: Kind
    package var outcome: Outcome
    /// The value read, written or set: its number in the history's `values`, or the version itself where the history
    /// has versions. 0 is absence; of a delete in a history with versions the version at which it took effect.
    package var value: Int64
    /// Of a cas the value that it must find, 0 for absence. Of a read in a history with versions: the version at which
    /// the key came into being, 0 if not known.
    package var expect: Int64
    /// Nanoseconds since any moment, the same for all operations of the history.
    package var call: Int64
    /// As `call`; `noReturn` where there was none.
    package var `return`: Int64

    /// Later than every return.
    package static let noReturn = Int64.max

    package init(
        client: Int64, key: UInt32, kind: Kind, outcome: Outcome = .ok, value: Int64 = 0, expect: Int64 = 0,
        call: Int64, return: Int64 = HistoryOperation.noReturn
    ) {
        self.client = client
        self.key = key
        self.kind = kind
        self.outcome = outcome
        self.value = value
        self.expect = expect
        self.call = call
        self.return = `return`
    }

    /// Whether it may have changed the register, and need not have.
    var mayHaveChanged: Bool { kind != .read && (outcome == .unknown || outcome == .ok && `return` == Self.noReturn) }
}

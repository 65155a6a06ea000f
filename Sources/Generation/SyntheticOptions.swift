/// A workload in a few numbers.
package struct SyntheticOptions: Sendable {
    /// What an operation is.
    package enum Word: String, Sendable, CaseIterable {
        /// Of one key.
        case range
        case put
        /// A write of one key guarded by the revision that its client knew: `mod_revision= | put | range`.
        case txn
        /// DeleteRange of one key.
        case delete
        /// A range over a folder of keys.
        case list
    }

    /// When operations begin.
    package enum Arrivals: String, Sendable {
        /// A Poisson process: gaps of an exponential distribution.
        case poisson
        case constant
    }

    /// How long it goes on.
    package enum Length: Sendable, Equatable {
        case operations(Int)
        /// Operations that begin within so many nanoseconds.
        case nanoseconds(Int64)
    }

    /// Of each word its weight, in the order of `Word.allCases`.
    package var weights: [Double] = [60, 10, 20, 5, 5]
    package var keys = 1_000
    /// Bytes of each key's name, all alike; nil: paths.
    package var keyBytes: Int?
    /// The share of `range` that asks for keys that never exist, 0 to 1.
    package var missing = 0.0
    /// The exponent s of Zipf's law: the key of rank r is chosen in proportion to r^-s; 0 is all alike.
    package var skew = 0.9
    /// Bytes of values, each size as likely.
    package var valueBytes: ClosedRange<Int64> = 512...4_096
    /// Operations a second.
    package var rate = 1_000.0
    package var arrivals = Arrivals.poisson
    package var length = Length.operations(100_000)
    package var clients = 4
    package var seed: UInt64 = 1

    package init() {}

    /// Operations a second at most: times are whole nanoseconds.
    package static let highestRate = 1e8
    /// Beyond, all but one key are as good as never chosen.
    package static let highestSkew = 10.0
    /// Bytes of a key's name at most.
    package static let longestKey = 1_024
    /// Bytes of a value at most: what etcd takes by default (`--max-request-bytes`).
    package static let largestValue: Int64 = 1_572_864

    /// Why there is no such workload; nil if there is one.
    package func refusal(_ limits: GenerationLimits = GenerationLimits()) -> GenerationError? {
        if !(1...limits.keys).contains(keys) { return GenerationError(why: "keys are 1 to \(limits.keys)") }
        let shortest = SyntheticKeys.leastBytes(count: keys)
        if let keyBytes, !(shortest...Self.longestKey).contains(keyBytes) {
            return GenerationError(why: "names of \(keys) keys have \(shortest) to \(Self.longestKey) bytes")
        }
        if !(missing >= 0 && missing <= 1) { return GenerationError(why: "a share of missing keys is 0 to 1") }
        if !(1...limits.clients).contains(clients) { return GenerationError(why: "clients are 1 to \(limits.clients)") }
        if !(skew >= 0 && skew <= Self.highestSkew) {
            return GenerationError(why: "a skew is 0 to \(Int(Self.highestSkew))")
        }
        if !(rate > 0 && rate <= Self.highestRate) {
            return GenerationError(why: "a rate is above 0 and at most \(Int(Self.highestRate)) a second")
        }
        if valueBytes.lowerBound < 0 || valueBytes.upperBound > Self.largestValue {
            return GenerationError(why: "values are 0 to \(Self.largestValue) bytes")
        }
        let isMix = weights.count == Word.allCases.count && weights.allSatisfy { $0 >= 0 && $0 <= 1e9 }
        if !isMix || weights.reduce(0, +) <= 0 { return GenerationError(why: "a mix has a weight above 0") }
        let expected =
            switch length {
            case .operations(let count): Double(count)
            case .nanoseconds(let time): Double(time) / 1e9 * rate
            }
        if !(expected >= 1 && expected <= Double(limits.operations)) {
            return GenerationError(why: "operations are 1 to \(limits.operations)")
        }
        return nil
    }
}

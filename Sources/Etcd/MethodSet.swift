/// A set of the catalogue's methods: a bit for each, at the method's number.
public struct MethodSet: OptionSet, Sendable, Hashable {
    public var rawValue: UInt64
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Precondition: the number is one of the catalogue, below 64.
    init(_ method: MethodNumber) { rawValue = 1 << UInt64(method.rawValue) }

    /// Every method of the catalogue.
    public static let all = MethodSet(MethodCatalogue.methods)
    /// What a kube-apiserver calls, and nothing else (etcd's contract test for Kubernetes, tests/robustness of 3.6).
    static let kubernetes: MethodSet = MethodSet(
        MethodCatalogue.methods.filter {
            switch $0.kind {
            case .range, .rangeStream, .txn, .watch, .compact, .leaseGrant, .status: true
            default: false
            }
        })
    static let unary = MethodSet(MethodCatalogue.methods.filter { $0.streaming == .unary })
    static let bidirectional = MethodSet(MethodCatalogue.methods.filter { $0.streaming == .bidirectional })

    private init(_ methods: [Method]) {
        rawValue = methods.reduce(0) { $0 | 1 << UInt64($1.number.rawValue) }
    }

    public var count: Int { rawValue.nonzeroBitCount }

    /// The only method of the set; nil if it has none or several.
    var only: MethodNumber? {
        guard rawValue.nonzeroBitCount == 1 else { return nil }
        return MethodNumber(rawValue: UInt16(rawValue.trailingZeroBitCount))
    }

    /// The methods of the set, in the order of their numbers.
    public var numbers: [MethodNumber] {
        MethodCatalogue.methods.map(\.number).filter { contains(MethodSet($0)) }
    }
}

/// What a method was inferred from, strongest first (`docs/midway.md`). Raw values are stored in traces: never change
/// or reuse one.
public enum Inference: UInt8, Sendable, CaseIterable {
    /// Nothing was inferred: the method was seen, or is not known.
    case none = 0
    /// The calls that used the same table entry for their `:path`, together, leave one method.
    case entry = 1
    /// This call's own messages leave one method.
    case shape = 2
    /// As `entry` or `shape`, but only among the methods that a kube-apiserver calls.
    case closedSet = 3
    /// The calls of a table entry leave several methods, one of which is far more likely.
    case likelihood = 4
}

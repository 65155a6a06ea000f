/// What speaks for and against the writing and reading methods that identical messages leave, in points. It may decide
/// an entry that many calls used, never a lone call (`docs/midway.md`).
struct Likelihood: Sendable {
    var put = 0
    var range = 0

    /// Points by which a method must lead.
    private static let leadNeeded = 16
    /// Points of a call:
    /// the answer's revision was shown to somebody before the request began, so no write made it;
    private static let pointsAgainstPut = -24
    /// it is the next after the highest that was shown to anybody, as a write's is;
    private static let pointsForPut = 2
    /// most calls are ranges.
    private static let pointsForRange = 1

    /// What one call says.
    /// - Parameters:
    ///   - isOld: its answer's revision, or a higher one, was shown before the request began.
    ///   - isNext: it is the next after the highest that was shown.
    init(isOld: Bool, isNext: Bool) {
        range = Self.pointsForRange
        put = isOld ? Self.pointsAgainstPut : isNext ? Self.pointsForPut : 0
    }

    init() {}

    /// More calls than this say nothing new.
    private static let pointsLimit = 1 << 20

    mutating func add(_ other: Likelihood) {
        put = max(-Self.pointsLimit, min(Self.pointsLimit, put + other.put))
        range = min(Self.pointsLimit, range + other.range)
    }

    /// The method that leads far enough; nil for entries of a single call.
    func leader(among candidates: MethodSet, calls: Int) -> MethodNumber? {
        guard calls >= 2 else { return nil }
        var best: (points: Int, method: MethodNumber)?
        var second = Int.min
        for method in candidates.numbers {
            let points = points(of: method)
            if let leader = best, points <= leader.points {
                second = max(second, points)
            } else {
                second = best?.points ?? second
                best = (points, method)
            }
        }
        guard let best, second == .min || best.points - second >= Self.leadNeeded else { return nil }
        return best.method
    }

    private func points(of method: MethodNumber) -> Int {
        switch MethodCatalogue.method(method)?.kind {
        case .put: put
        case .range: range
        default: 0
        }
    }
}

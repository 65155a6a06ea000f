import ArgumentParser
import Generation

/// Values of the options of `generate`.
enum GenerateOption {
    /// `range=60,put=10,txn=20,delete=5,list=5`: weights in the order of the words; a word that is not named has none.
    static func mix(_ text: String) throws -> [Double] {
        let words = SyntheticOptions.Word.allCases
        let form = ValidationError(
            "a mix is such as range=60,put=10,txn=20,delete=5,list=5, with shares of any sum")
        var weights = Array(repeating: 0.0, count: words.count)
        var named: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let place = words.firstIndex(where: { $0.rawValue == halves[0] }),
                named.insert(place).inserted, let weight = Double(halves[1]), weight >= 0, weight <= 1e9
            else { throw form }
            weights[place] = weight
        }
        guard weights.contains(where: { $0 > 0 }) else { throw form }
        return weights
    }

    /// `1024` or `512-4096`.
    static func valueBytes(_ text: String) throws -> ClosedRange<Int64> {
        let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int64($0) }
        guard let low = halves.first ?? nil, let high = halves.last ?? nil, low >= 0, low <= high,
            high <= SyntheticOptions.largestValue
        else {
            throw ValidationError(
                "sizes of values are such as 1024 or 512-4096, at most \(SyntheticOptions.largestValue) bytes")
        }
        return low...high
    }

    static func skew(_ text: String) throws -> Double {
        guard let skew = Double(text), skew >= 0, skew <= SyntheticOptions.highestSkew else {
            throw ValidationError("a skew is 0 to \(Int(SyntheticOptions.highestSkew))")
        }
        return skew
    }

    /// A share of 0 to 1.
    static func share(_ text: String) throws -> Double {
        guard let share = Double(text), share >= 0, share <= 1 else { throw ValidationError("a share is 0 to 1") }
        return share
    }

    static func keyBytes(_ text: String) throws -> Int { try number(text, 2...SyntheticOptions.longestKey) }
    static func keys(_ text: String) throws -> Int { try number(text, 1...GenerationLimits().keys) }
    static func operations(_ text: String) throws -> Int { try number(text, 1...GenerationLimits().operations) }
    static func clients(_ text: String) throws -> Int { try number(text, 1...GenerationLimits().clients) }
    static func times(_ text: String) throws -> Int { try number(text, 1...GenerationLimits().copies) }

    /// With `k` for thousands and `M` for millions.
    private static func number(_ text: String, _ range: ClosedRange<Int>) throws -> Int {
        let scale = text.hasSuffix("M") ? 1_000_000 : text.hasSuffix("k") ? 1_000 : 1
        let (number, overflow) = (Int(scale == 1 ? text : String(text.dropLast())) ?? -1)
            .multipliedReportingOverflow(by: scale)
        guard !overflow, range.contains(number) else {
            throw ValidationError("it is \(range.lowerBound) to \(range.upperBound), also as 10k or 2M")
        }
        return number
    }
}

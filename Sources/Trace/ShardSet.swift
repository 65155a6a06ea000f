/// Which shards of a replay in several a trace holds.
///
/// As text `2/4`: the second of four. Of a merged trace `1,2,4/4`, in rising order.
package struct ShardSet: Equatable, Sendable {
    /// Numbers of the shards, from 1 to `count`, in rising order; at least one.
    package let numbers: [Int]
    /// Into how many the run was divided.
    package let count: Int

    /// Shards of a run at most: each is a process with a trace of its own.
    package static let limit = 1024

    /// Nil unless there is one at least, all lie within the count, and none comes twice.
    package init?(_ numbers: [Int], of count: Int) {
        let numbers = numbers.sorted()
        guard let first = numbers.first, let last = numbers.last, first >= 1, last <= count, count <= Self.limit,
            zip(numbers, numbers.dropFirst()).allSatisfy({ $0 != $1 })
        else { return nil }
        self.numbers = numbers
        self.count = count
    }

    /// Nil if the text is not as above.
    package init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let count = Int(halves[1]) else { return nil }
        let numbers = halves[0].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count <= Self.limit, !numbers.contains(nil) else { return nil }
        self.init(numbers.compactMap { $0 }, of: count)
    }

    package var text: String { numbers.map { "\($0)" }.joined(separator: ",") + "/\(count)" }

    package var isWhole: Bool { numbers.count == count }

    /// Those that are not in it.
    package var missing: [Int] {
        let present = Set(numbers)
        return (1...count).filter { !present.contains($0) }
    }
}

import Etcd
import Wire

/// What a shard's plan knows of the whole one, of which it holds its own calls only.
package struct PlannedShard: Sendable {
    package let shard: Shard
    /// Calls and messages of each shard, in the order of the shards; ends of streams apart.
    package internal(set) var callCounts: [Int] = []
    /// Of each call of this shard its number in the whole plan, ascending: what traces name it by. The end of a stream
    /// is in each shard that has messages on it.
    package internal(set) var numbers: [UInt32] = []
    /// Of each call of the whole plan, its time: the timetable is one for all shards.
    package internal(set) var times: [Int64] = []
    /// Calls of this shard, by their numbers in it, ascending, that have to do with calls of other shards and do not
    /// wait for them: each counts as executed out of order.
    package internal(set) var crossing: [UInt32] = []
    /// The same by kind.
    package internal(set) var crossingCounts = [Int](repeating: 0, count: OperationKind.allCases.count)
    /// Whether a call of another shard that crosses may write or delete keys of this one.
    package internal(set) var hasForeignWrites = false

    init(_ shard: Shard) { self.shard = shard }

    /// Whether the call of that number in the whole plan is one of `crossing`.
    package func isCrossing(number: UInt32) -> Bool {
        guard let place = Self.place(of: number, in: numbers) else { return false }
        return Self.place(of: UInt32(place), in: crossing) != nil
    }

    /// Where a number stands among ascending ones.
    private static func place(of number: UInt32, in numbers: [UInt32]) -> Int? {
        let place = numbers.partitioningIndex { $0 >= number }
        return place < numbers.count && numbers[place] == number ? place : nil
    }
}

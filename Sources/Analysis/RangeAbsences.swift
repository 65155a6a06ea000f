import Consistency
import Etcd

/// Ranges that returned all that there was: keys inside of them that they did not return were absent, those too that
/// the trace names later only.
struct RangeAbsences: Sendable {
    private struct Range: Sendable {
        var from: UInt32
        var to: UInt32
        /// The numbers of the keys returned, in `returned`.
        var returned: Swift.Range<Int>
        var read: HistoryOperation
    }

    private var ranges: [Range] = []
    private var ends = ByteTable()
    private var returned: [UInt32] = []

    /// Remembers a range of keys, `to` as etcd writes it (one zero byte: no end), and a read with the range's interval.
    mutating func append(from: [UInt8], to: [UInt8], returned numbers: [UInt32], _ read: HistoryOperation) {
        let start = returned.count
        returned.append(contentsOf: numbers)
        ranges.append(
            Range(
                from: ends.number(of: from.span), to: ends.number(of: to.span), returned: start..<returned.count,
                read: read))
    }

    /// Appends a read of nothing for every key of `keys` in a range that did not return it, up to `room` of them. How
    /// many there was no room for.
    func expand(over keys: ByteTable, room: Int, into history: inout History) -> Int {
        if ranges.isEmpty || keys.count == 0 { return 0 }
        let texts = (1...UInt32(keys.count)).map { keys.string($0) }
        let order = texts.indices.sorted { texts[$0].lexicographicallyPrecedes(texts[$1]) }
        // The range that returned each key last.
        var returner = [Int](repeating: -1, count: texts.count + 1)
        var room = room
        var left = 0
        for (number, range) in ranges.enumerated() {
            for key in returned[range.returned] { returner[Int(key)] = number }
            let (from, to) = (ends.string(range.from), ends.string(range.to))
            let first = Self.place(of: from, order, texts)
            let last = to == [0] ? order.count : Self.place(of: to, order, texts)
            guard first < last else { continue }
            for place in order[first..<last] where returner[place + 1] != number {
                if room == 0 {
                    left += 1
                    continue
                }
                room -= 1
                var read = range.read
                read.key = UInt32(place + 1)
                history.operations.append(read)
            }
        }
        return left
    }

    /// How many texts come before `text`.
    private static func place(of text: [UInt8], _ order: [Int], _ texts: [[UInt8]]) -> Int {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if texts[order[middle]].lexicographicallyPrecedes(text) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

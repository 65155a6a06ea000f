import Etcd
import Wire

/// Ranges of keys over elementary intervals: between two neighbouring ends of the ranges that a plan asks for lie keys
/// that every range holds all or none of.
///
/// A segment tree: a range is covered by few nodes, and a key lies below the nodes from its interval up to the root.
/// Nodes are numbered as in a heap, 1 is the root.
struct RangeTree {
    /// Numbers of the keys at which intervals begin, in etcd's order of keys; interval i reaches up to the next one's.
    private var bounds: [KeyNumber] = []
    /// Leaves, a power of two, at least the number of intervals.
    private var width = 1
    var nodeCount: Int { 2 * width }

    /// - Parameter ranges: key and range end of each; an end of one zero byte is the end of the key space.
    init(ranges: [(key: KeyNumber, end: KeyNumber)], keys: ByteTable) {
        var ends: [KeyNumber] = []
        for range in ranges {
            ends.append(range.key)
            if !Self.isOpen(range.end, keys) { ends.append(range.end) }
        }
        ends.sort { keys.precedes($0, $1) }
        for end in ends where bounds.last != end { bounds.append(end) }
        while width < bounds.count { width *= 2 }
    }

    /// The leaf node of the interval that the key lies in; nil if it lies in no range.
    func leaf(of key: KeyNumber, keys: ByteTable) -> Int? {
        let interval = interval(of: key, keys: keys)
        return interval < 0 ? nil : width + interval
    }

    /// Appends the nodes that cover the range. Precondition: it is one of those that the tree was made for.
    func cover(key: KeyNumber, end: KeyNumber, keys: ByteTable, into nodes: inout [Int]) {
        var low = width + max(0, interval(of: key, keys: keys))
        // The interval that the end begins is the first one outside.
        var high = Self.isOpen(end, keys) ? width + bounds.count : width + max(0, interval(of: end, keys: keys))
        while low < high {
            if low & 1 == 1 {
                nodes.append(low)
                low += 1
            }
            if high & 1 == 1 {
                high -= 1
                nodes.append(high)
            }
            low /= 2
            high /= 2
        }
    }

    /// The last interval that begins at or before the key; −1 if there is none.
    private func interval(of key: KeyNumber, keys: ByteTable) -> Int {
        bounds.partitioningIndex { keys.precedes(key, $0) } - 1
    }

    /// Whether it stands for the end of the key space (etcd rpc.proto, RangeRequest.range_end).
    static func isOpen(_ end: KeyNumber, _ keys: ByteTable) -> Bool {
        let place = keys.range(of: end)
        return place.count == 1 && keys.bytes[place.lowerBound] == 0
    }
}

extension ByteTable {
    /// Whether the string of that number comes before the other in etcd's order of keys.
    func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
        left != right && bytes.span.extracting(range(of: left)).precedes(bytes.span.extracting(range(of: right)))
    }
}

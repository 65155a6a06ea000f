import Etcd
import Wire

/// Reads and writes of every key of a trace.
struct KeyTable: Sendable {
    struct Counts: Sendable {
        var reads = 0
        var writes = 0
        /// Reads that count for `netcraq_iid`: `Range` calls, not count-only.
        var singleKeyReads = 0
        /// Those of them that were answered with "no such key".
        var emptyReads = 0

        static func += (left: inout Counts, right: Counts) {
            left.reads += right.reads
            left.writes += right.writes
            left.singleKeyReads += right.singleKeyReads
            left.emptyReads += right.emptyReads
        }
    }

    /// Keys in the order of their first appearance.
    private(set) var keys = ByteTable()
    /// `counts[n]` belongs to key n; `counts[0]` takes what could not be kept.
    var counts = [Counts()]
    /// Where the keys of the current batch are in `keys`; 0 where not looked up yet.
    private var places: [UInt32] = []
    private let limits: AnalysisLimits

    init(limits: AnalysisLimits) { self.limits = limits }

    /// Begins a batch: its key numbers are looked up once each, when they are first met.
    mutating func beginBatch(keyCount: Int) {
        places.removeAll(keepingCapacity: true)
        places.append(contentsOf: repeatElement(0, count: keyCount + 1))
    }

    /// The place in `counts` of the batch's key. Precondition: `key` is no more than the batch's count of keys.
    mutating func place(of key: KeyNumber, in table: borrowing ByteTable) -> Int {
        let known = places[Int(key)]
        if known != 0 { return Int(known) }
        let place = place(of: table.bytes.span.extracting(table.range(of: key)))
        places[Int(key)] = UInt32(place)
        return place
    }

    private mutating func place(of key: Span<UInt8>) -> Int {
        guard keys.count < limits.keys, keys.bytes.count + key.count <= limits.keyBytes else {
            // What is there goes on counting.
            return Int(keys.existingNumber(of: key))
        }
        let number = Int(keys.number(of: key))
        if number == counts.count { counts.append(Counts()) }
        return number
    }

    mutating func merge(_ other: borrowing KeyTable) {
        counts[0] += other.counts[0]
        for number in other.counts.indices.dropFirst() {
            counts[place(of: other.keys.bytes.span.extracting(other.keys.range(of: UInt32(number))))] +=
                other.counts[number]
        }
    }

    /// Keys by `count` descending, then by their bytes ascending; only those with a count, `limit` of them at most.
    func top(_ limit: Int, by count: (Counts) -> Int) -> [Int] {
        var places = counts.indices.dropFirst().filter { count(counts[$0]) > 0 }
        places.sort {
            let (left, right) = (count(counts[$0]), count(counts[$1]))
            return left != right ? left > right : isOrdered($0, before: $1)
        }
        return Array(places.prefix(limit))
    }

    func key(_ place: Int) -> [UInt8] { keys.string(UInt32(place)) }

    private func isOrdered(_ left: Int, before right: Int) -> Bool {
        let bytes = keys.bytes.span
        let (one, two) = (
            bytes.extracting(keys.range(of: UInt32(left))), bytes.extracting(keys.range(of: UInt32(right)))
        )
        for offset in 0..<min(one.count, two.count) where one[offset] != two[offset] {
            return one[offset] < two[offset]
        }
        return one.count < two.count
    }
}

/// Sizes of values: exact sums, extremes and order statistics in memory that depends on distinct sizes only.
struct ValueSizes: Sendable {
    private(set) var count = 0
    private(set) var bytes = 0
    private(set) var smallest = 0
    private(set) var largest = 0
    /// How many values have this size, for sizes below 64 KiB; grown to the largest met.
    private var small: [Int] = []
    private var large: [Int: Int] = [:]
    private let largeLimit: Int

    private static let smallSizes = 65_536

    init(largeLimit: Int) { self.largeLimit = largeLimit }

    /// Sizes outside 0...4 GiB cannot come from gRPC messages: a trace that has them is damaged or made up.
    static func clamped(_ size: Int64) -> Int { Int(min(max(size, 0), Int64(UInt32.max))) }

    /// `size`: as `clamped` gives it, so that sums stay in range whatever a trace says.
    mutating func add(_ size: Int) {
        smallest = count == 0 ? size : min(smallest, size)
        largest = max(largest, size)
        bytes += size
        add(size, times: 1)
    }

    private mutating func add(_ size: Int, times: Int) {
        count += times
        if size < Self.smallSizes {
            while small.count <= size { small.append(0) }
            small[size] += times
        } else {
            large[large.count < largeLimit || large[size] != nil ? size : size & ~4_095, default: 0] += times
        }
    }

    mutating func merge(_ other: ValueSizes) {
        guard other.count > 0 else { return }
        smallest = count == 0 ? other.smallest : min(smallest, other.smallest)
        largest = max(largest, other.largest)
        bytes += other.bytes
        for (size, times) in other.small.enumerated() where times > 0 { add(size, times: times) }
        for size in other.large.keys.sorted() { add(size, times: other.large[size, default: 0]) }
    }

    /// The value of rank ⌈count / 2⌉, counted from 1; 0 without values.
    var median: Int {
        let rank = (count + 1) / 2
        var passed = 0
        for (size, times) in small.enumerated() {
            passed += times
            if passed >= rank, times > 0 { return size }
        }
        for size in large.keys.sorted() {
            passed += large[size, default: 0]
            if passed >= rank { return size }
        }
        return 0
    }
}

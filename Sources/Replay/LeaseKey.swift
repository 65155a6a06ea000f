import Etcd

/// Keys of locks and elections: the name, a slash, and the lease's ID in lower-case hexadecimal without leading zeros
/// (etcd client/v3/concurrency: `fmt.Sprintf("%s%x", m.pfx, s.Lease())`).
struct LeaseKey: Sendable {
    /// The key that was made last.
    private(set) var bytes: [UInt8] = []

    /// Digits of the longest ID: one for four bits.
    static let digitsMax: Int64 = 16
    private static let digits = Array("0123456789abcdef".utf8)

    /// Makes a key of `keys` with another lease: what follows its last slash is replaced; without a slash nothing is.
    mutating func make(_ number: KeyNumber, of keys: borrowing ByteTable, lease: Int64) {
        let key = keys.bytes.span.extracting(keys.range(of: number))
        bytes.removeAll(keepingCapacity: true)
        var end = key.count
        while end > 0, key[end - 1] != UInt8(ascii: "/") { end -= 1 }
        if end == 0 { end = key.count }
        for place in 0..<end { bytes.append(key[place]) }
        if end == key.count, end == 0 || key[end - 1] != UInt8(ascii: "/") { return }
        // Go prints a negative number with its sign; lease IDs are positive.
        let number = UInt64(bitPattern: lease)
        var shift = max(0, (63 - number.leadingZeroBitCount) / 4 * 4)
        while shift >= 0 {
            bytes.append(Self.digits[Int(number >> UInt64(shift)) & 15])
            shift -= 4
        }
    }
}

import Etcd
import Wire

/// Names of the keys of copies.
///
/// Copy 3 of 10 has `/registry-3/pods/default/web` for `/registry/pods/default/web`: every copy has the key space below
/// a first segment of its own, as clusters that share an etcd have (`kube-apiserver --etcd-prefix`). The order of a
/// copy's keys stays, a range holds what it held, and all keys are longer by the same few bytes. Where a range goes
/// beyond what has one first segment (all keys, or all that begin with `foo`), all keys of the trace get the copy's
/// number as a first segment before theirs instead: `3//registry/pods/default/web`.
struct CopyKeys {
    /// Where the copy's number stands.
    enum Form: Sendable { case inFirstSegment, before }

    private(set) var form = Form.inFirstSegment
    private let width: Int
    private let copies: Int

    init(copies: Int) {
        self.copies = copies
        width = Self.digits(max(copies - 1, 0)).count
    }

    /// Bytes by which every key is longer.
    var addedBytes: Int { copies == 1 ? 0 : width + 1 }

    /// Takes note of a range that the trace names.
    mutating func survey(_ start: Span<UInt8>, to end: Span<UInt8>) {
        if form == .before { return }
        let root = Self.firstSegment(start)
        guard root < start.count, end.count > root,
            end.extracting(0..<root).isEqual(to: start.extracting(0..<root)),
            end[root] == Self.slash || end[root] == Self.slash + 1 && end.count == root + 1
        else {
            form = .before
            return
        }
    }

    /// Takes note of the folder that a watch from before the recording watches.
    mutating func survey(folder: Span<UInt8>) {
        if folder.count > 0, folder[folder.count - 1] == Self.slash, Self.firstSegment(folder) == folder.count {
            form = .before
        }
    }

    /// Puts the copy's name of the key into `name`, in place of what is there.
    func rename(
        _ number: KeyNumber, of table: borrowing ByteTable, copy: Int, leases: CopyLeases, into name: inout [UInt8]
    ) {
        let key = table.bytes.span.extracting(table.range(of: number))
        name.removeAll(keepingCapacity: true)
        append(key, numberAt: form == .before ? 0 : Self.firstSegment(key), copy, to: &name)
        // Locks and elections name their keys by their lease (concurrency.Mutex: `prefix/%x`).
        guard copy > 0, !leases.isEmpty, let lease = key.leaseSuffix, leases.contains(lease.number) else { return }
        name.removeLast(lease.digits)
        name.append(contentsOf: String(UInt64(bitPattern: leases.number(lease.number, copy: copy)), radix: 16).utf8)
    }

    /// Puts the copy's name of a range end into `name`. Precondition: the range was surveyed.
    func rename(
        end endNumber: KeyNumber, ofRangeFrom startNumber: KeyNumber, of table: borrowing ByteTable, copy: Int,
        into name: inout [UInt8]
    ) {
        let bytes = table.bytes.span
        let start = bytes.extracting(table.range(of: startNumber))
        let end = bytes.extracting(table.range(of: endNumber))
        name.removeAll(keepingCapacity: true)
        if copies == 1 { return name.append(copying: end) }
        guard form == .before else { return append(end, numberAt: Self.firstSegment(start), copy, to: &name) }
        if end.count == 1, end[0] == 0 {
            // The end of the key space becomes that of the copy's.
            append(end.extracting(0..<0), numberAt: 0, copy, to: &name)
            name[name.count - 1] += 1
        } else {
            append(end, numberAt: 0, copy, to: &name)
        }
    }

    private func append(_ key: Span<UInt8>, numberAt place: Int, _ copy: Int, to name: inout [UInt8]) {
        if copies == 1 { return name.append(copying: key) }
        name.append(copying: key.extracting(0..<place))
        if form == .inFirstSegment { name.append(UInt8(ascii: "-")) }
        let digits = Self.digits(copy)
        for _ in digits.count..<width { name.append(UInt8(ascii: "0")) }
        name.append(contentsOf: digits)
        if form == .before { name.append(Self.slash) }
        name.append(copying: key.extracting(place..<key.count))
    }

    private static let slash = UInt8(ascii: "/")

    /// Where the first segment ends: at the first slash that is not at the key's start, else at the key's end.
    private static func firstSegment(_ key: Span<UInt8>) -> Int {
        var place = 1
        while place < key.count, key[place] != slash { place += 1 }
        return Swift.min(place, key.count)
    }

    private static func digits(_ number: Int) -> String.UTF8View { String(number).utf8 }
}

extension Span<UInt8> {
    /// The number that a key ends with in hexadecimal behind its last slash, and its digits; nil if it has none.
    fileprivate var leaseSuffix: (number: Int64, digits: Int)? {
        var value: UInt64 = 0
        var digits = 0
        while digits < count, digits <= 16 {
            let digit: UInt64
            switch self[count - 1 - digits] {
            case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"):
                digit = UInt64(byte - UInt8(ascii: "0"))
            case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
                digit = UInt64(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "/"): return digits > 0 ? (Int64(bitPattern: value), digits) : nil
            default: return nil
            }
            if digits == 16 { return nil }
            value |= digit << (4 * UInt64(digits))
            digits += 1
        }
        return nil
    }
}

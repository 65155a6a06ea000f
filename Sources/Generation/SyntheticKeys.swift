import Etcd
import Wire

/// Names of synthetic keys, in the order of their numbers, a hundred of them in a folder: `/kvreel/ns-012/key-01234`,
/// or all of one length, `k0001234`. A key that never exists has the name of another with `none-`, or `n`.
struct SyntheticKeys: Sendable {
    let count: Int
    /// Bytes of every name; nil where they are paths.
    private let bytes: Int?
    private let folderDigits: Int
    private let keyDigits: Int
    private var name: [UInt8] = []

    static let keysOfFolder = 100

    /// Precondition: `bytes` are enough (`leastBytes`).
    init(count: Int, bytes: Int? = nil) {
        self.count = count
        self.bytes = bytes
        folderDigits = String(max(0, (count - 1) / Self.keysOfFolder)).utf8.count
        keyDigits = bytes.map { $0 - 1 } ?? String(max(0, count - 1)).utf8.count
    }

    /// Bytes of names of one length, at least: a letter, and digits for the end of the range over the last folder, too.
    static func leastBytes(count: Int) -> Int { 1 + String(count).utf8.count }

    func folder(of key: Int) -> Int { key / Self.keysOfFolder }
    func keys(of folder: Int) -> Range<Int> {
        folder * Self.keysOfFolder..<min(count, (folder + 1) * Self.keysOfFolder)
    }

    mutating func number(of key: Int, in table: inout ByteTable) -> KeyNumber {
        write(key, exists: true)
        return table.number(of: name.span)
    }

    /// Of the key that has the name of `key` as far as one that never exists can.
    mutating func number(ofMissing key: Int, in table: inout ByteTable) -> KeyNumber {
        write(key, exists: false)
        return table.number(of: name.span)
    }

    /// The numbers of where the range over a folder begins and ends.
    mutating func range(of folder: Int, in table: inout ByteTable) -> (key: KeyNumber, end: KeyNumber) {
        if bytes != nil {
            let keys = keys(of: folder)
            return (number(of: keys.lowerBound, in: &table), number(of: keys.upperBound, in: &table))
        }
        writeFolder(folder, end: UInt8(ascii: "/"))
        let key = table.number(of: name.span)
        writeFolder(folder, end: UInt8(ascii: "/") + 1)
        return (key, table.number(of: name.span))
    }

    private mutating func write(_ key: Int, exists: Bool) {
        if bytes == nil {
            writeFolder(folder(of: key), end: UInt8(ascii: "/"))
            name.append(contentsOf: exists ? "key-".utf8 : "none-".utf8)
        } else {
            name.removeAll(keepingCapacity: true)
            name.append(exists ? UInt8(ascii: "k") : UInt8(ascii: "n"))
        }
        append(key, digits: keyDigits)
    }

    private mutating func writeFolder(_ folder: Int, end: UInt8) {
        name.removeAll(keepingCapacity: true)
        name.append(contentsOf: "/kvreel/ns-".utf8)
        append(folder, digits: folderDigits)
        name.append(end)
    }

    private mutating func append(_ number: Int, digits: Int) {
        let start = name.count
        for _ in 0..<digits { name.append(UInt8(ascii: "0")) }
        var (rest, place) = (number, start + digits - 1)
        while rest > 0, place >= start {
            name[place] += UInt8(rest % 10)
            rest /= 10
            place -= 1
        }
    }
}

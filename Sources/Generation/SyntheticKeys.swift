import Etcd
import Wire

/// Names of synthetic keys: `/kvreel/ns-00012/key-0001234`, a hundred of them in a folder, in the order of their
/// numbers.
struct SyntheticKeys: Sendable {
    let count: Int
    private let folderDigits: Int
    private let keyDigits: Int
    private var name: [UInt8] = []

    static let keysOfFolder = 100

    init(count: Int) {
        self.count = count
        folderDigits = String(max(0, (count - 1) / Self.keysOfFolder)).utf8.count
        keyDigits = String(max(0, count - 1)).utf8.count
    }

    func folder(of key: Int) -> Int { key / Self.keysOfFolder }
    func keys(of folder: Int) -> Range<Int> {
        folder * Self.keysOfFolder..<min(count, (folder + 1) * Self.keysOfFolder)
    }

    mutating func number(of key: Int, in table: inout ByteTable) -> KeyNumber {
        writeFolder(folder(of: key), end: UInt8(ascii: "/"))
        name.append(contentsOf: "key-".utf8)
        append(key, digits: keyDigits)
        return table.number(of: name.span)
    }

    /// The numbers of a folder's name and of the end of the range over it.
    mutating func range(of folder: Int, in table: inout ByteTable) -> (key: KeyNumber, end: KeyNumber) {
        writeFolder(folder, end: UInt8(ascii: "/"))
        let key = table.number(of: name.span)
        writeFolder(folder, end: UInt8(ascii: "/") + 1)
        return (key, table.number(of: name.span))
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

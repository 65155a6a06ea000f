import Wire

/// Encodes the field sections of one client (RFC 7541): lists of fields that are sent again and again.
///
/// A field is inserted into the dynamic table when it is first sent and is an index from then on. Nothing is ever
/// evicted: what does not fit beside what is there is sent as a literal without indexing. A client of etcd has few
/// fields, five that are the same in every request and the paths of etcd's 49 methods, about 3.7 kB by the measure of
/// RFC 7541 §4.1 of the 4096 octets that a table begins with; so as a rule all of them are indexes. A block that held
/// no insertion is kept and copied as long as the table stays as it is.
package struct HPACKEncoder: Sendable {
    /// A field of a list.
    package struct Field: Sendable, Equatable {
        var name: [UInt8]
        var value: [UInt8]
        var isSecret: Bool

        /// - Parameters:
        ///   - name: in lower case (RFC 9113 §8.2).
        ///   - isSecret: never indexed, nowhere on the way (RFC 7541 §7.1.3): tokens and passwords.
        package init(_ name: String, _ value: String, isSecret: Bool = false) {
            self.name = Array(name.utf8)
            self.value = Array(value.utf8)
            self.isSecret = isSecret
        }

        /// RFC 7541 §4.1.
        fileprivate var size: Int { name.count + value.count + 32 }
    }

    private struct List: Sendable {
        var fields: [Field]
        /// The block as it is sent while the table is that of `generation`.
        var block: [UInt8] = []
        var generation = -1
    }

    /// The table that an encoder begins with, and the largest that this one uses (RFC 9113 §6.5.2).
    private static let tableBytes = 4096

    private var lists: [List] = []
    /// Oldest first.
    private var table: [Field] = []
    private var tableSize = 0
    private var tableSizeMax = HPACKEncoder.tableBytes
    /// Counts the changes of the table.
    private var generation = 0
    /// The next block begins with updates: the table is emptied, then has this size (RFC 7541 §4.2).
    private var pendingSize: Int?

    package init() {}

    /// The number of a new list of fields, pseudo-header fields first (RFC 9113 §8.3).
    package mutating func add(_ fields: [Field]) -> Int {
        lists.append(List(fields: fields))
        return lists.count - 1
    }

    /// Gives a list other fields. Precondition: it was added.
    package mutating func replace(_ list: Int, by fields: [Field]) { lists[list] = List(fields: fields) }

    /// Follows the other side's SETTINGS_HEADER_TABLE_SIZE. A table that it makes too small is emptied; a size above
    /// the first one is not used.
    package mutating func allow(tableSize size: Int) {
        let newMax = min(size, Self.tableBytes)
        guard newMax != tableSizeMax else { return }
        tableSizeMax = newMax
        pendingSize = newMax
        table.removeAll()
        tableSize = 0
        generation += 1
    }

    /// Appends the field block of a list. Blocks must be sent in the order in which they are made. Precondition: the
    /// list was added.
    package mutating func append(_ list: Int, to bytes: inout [UInt8]) {
        if lists[list].generation == generation, pendingSize == nil {
            let block = lists[list].block
            return bytes.append(copying: block.span)
        }
        if let size = pendingSize {
            Self.append(integer: 0, prefix: 5, first: 0x20, to: &bytes)
            if size > 0 { Self.append(integer: size, prefix: 5, first: 0x20, to: &bytes) }
            pendingSize = nil
        }
        let start = bytes.count
        let before = generation
        for field in lists[list].fields { append(field, to: &bytes) }
        guard generation == before else { return }
        lists[list].block = Array(bytes[start...])
        lists[list].generation = generation
    }

    private mutating func append(_ field: Field, to bytes: inout [UInt8]) {
        if !field.isSecret {
            if let index = FieldText.staticIndex(of: field.name.span, field.value.span) {
                return Self.append(integer: index, prefix: 7, first: 0x80, to: &bytes)
            }
            if let place = table.firstIndex(of: field) {
                // The newest entry stands behind the static table (RFC 7541 §2.3.3).
                let index = FieldText.staticTableCount + table.count - place
                return Self.append(integer: index, prefix: 7, first: 0x80, to: &bytes)
            }
        }
        let name = FieldText.staticIndex(ofName: field.name.span) ?? 0
        if !field.isSecret, tableSize + field.size <= tableSizeMax {
            Self.append(integer: name, prefix: 6, first: 0x40, to: &bytes)
            table.append(field)
            tableSize += field.size
            generation += 1
        } else {
            Self.append(integer: name, prefix: 4, first: field.isSecret ? 0x10 : 0, to: &bytes)
        }
        if name == 0 { Self.append(string: field.name, to: &bytes) }
        Self.append(string: field.value, to: &bytes)
    }

    /// RFC 7541 §5.1.
    private static func append(integer: Int, prefix: Int, first: UInt8, to bytes: inout [UInt8]) {
        let mask = 1 << prefix - 1
        if integer < mask { return bytes.append(first | UInt8(integer)) }
        bytes.append(first | UInt8(mask))
        var rest = integer - mask
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f | 0x80))
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// RFC 7541 §5.2, without Huffman code: a text is sent once.
    private static func append(string: [UInt8], to bytes: inout [UInt8]) {
        append(integer: string.count, prefix: 7, first: 0, to: &bytes)
        bytes.append(copying: string.span)
    }
}

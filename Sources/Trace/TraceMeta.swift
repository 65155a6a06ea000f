import Wire

/// Who recorded what, where and how: names and texts, in the order in which they were set.
///
/// Names in use: `tool` (name and version), `command`, `host`, `captures` (files, one a line), `clock` (resolution in
/// nanoseconds), `options`, `values` (`none`, `hash`, `full`), `keys` (`plain`, `pseudonym`), `generated` (by what,
/// where nobody recorded it), `part` (number of the file, from 1, where a recording is in several) and `merged` (how
/// many traces it was made of). Others are kept.
package struct TraceMeta: Equatable, Sendable {
    package private(set) var entries: [Entry] = []

    package struct Entry: Equatable, Sendable {
        package var name: String
        package var value: String
    }

    package init() {}

    /// The text of that name; nil removes it.
    package subscript(name: String) -> String? {
        get { entries.first { $0.name == name }?.value }
        set {
            let place = entries.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): entries[place].value = value
            case (let place?, nil): entries.remove(at: place)
            case (nil, let value?): entries.append(Entry(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// `kvreel 0.1.0`.
    package var tool: String? {
        get { self["tool"] }
        set { self["tool"] = newValue }
    }

    /// Capture files or the interface, in the order in which they were read.
    package var captures: [String] {
        get { self["captures"]?.split(separator: "\n").map(String.init) ?? [] }
        set { self["captures"] = newValue.isEmpty ? nil : newValue.joined(separator: "\n") }
    }

    /// What later text says of a name replaces what was said before.
    package mutating func merge(_ later: TraceMeta) {
        for entry in later.entries { self[entry.name] = entry.value }
    }
}

extension TraceMeta {
    /// The payload of a meta block: for each entry the lengths of name and value as varints, then both, UTF-8.
    func append(to bytes: inout [UInt8]) {
        for entry in entries {
            bytes.append(varint: UInt64(entry.name.utf8.count))
            bytes.append(varint: UInt64(entry.value.utf8.count))
            bytes.append(contentsOf: entry.name.utf8)
            bytes.append(contentsOf: entry.value.utf8)
        }
    }

    /// Nil if the payload is not such a list.
    init?(payload: [UInt8]) {
        let bytes = payload.span
        var offset = 0
        guard bytes.count <= TraceLimits.metaBytes else { return nil }
        while offset < bytes.count {
            guard let nameLength = bytes.varint(at: &offset, before: bytes.count),
                let valueLength = bytes.varint(at: &offset, before: bytes.count),
                nameLength <= UInt64(bytes.count - offset),
                valueLength <= UInt64(bytes.count - offset) - nameLength
            else { return nil }
            let middle = offset + Int(nameLength)
            let end = middle + Int(valueLength)
            let name = String(decoding: payload[offset..<middle], as: UTF8.self)
            let value = String(decoding: payload[middle..<end], as: UTF8.self)
            self[name] = value
            offset = end
        }
    }
}

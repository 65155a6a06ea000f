import Wire

/// The text that stands at the front of every reader's `fieldBytes`: the static table (RFC 7541 Appendix A) and the
/// names that have a meaning here, so that a static field or a known name costs no copy.
package enum FieldText {
    /// Names and values of the static table; entry 1 is the first.
    private static let staticFields: [(name: String, value: String)] = [
        (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
        (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
        (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
        ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
        ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
        ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
        ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""),
        ("etag", ""),
        ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
        ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
        ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
        ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
        ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
        ("www-authenticate", ""),
    ]

    private static let names: [(HeaderField.Name, String)] = [
        (.authority, ":authority"), (.method, ":method"), (.path, ":path"), (.scheme, ":scheme"), (.status, ":status"),
        (.contentType, "content-type"), (.userAgent, "user-agent"), (.te, "te"), (.grpcEncoding, "grpc-encoding"),
        (.grpcAcceptEncoding, "grpc-accept-encoding"), (.grpcTimeout, "grpc-timeout"), (.grpcStatus, "grpc-status"),
        (.grpcMessage, "grpc-message"), (.clientAPIVersion, "client-api-version"), (.hasLeader, "hasleader"),
    ]

    /// A name and a value, each as a place in `fieldBytes`.
    struct Field {
        var name: HeaderField.Name
        var nameBytes: Range<Int>
        var value: Range<Int>
    }

    private static let built = build()
    static let staticTableCount = 61
    /// The bytes that a reader's `fieldBytes` begins with.
    package static var prefix: [UInt8] { built.bytes }
    /// The static table by index; place 0 is not used.
    static var staticTable: [Field] { built.fields }
    /// The same as entries of a table.
    static let staticEntries: [DynamicTable.Entry] = staticTable.map {
        DynamicTable.Entry(
            name: $0.name, nameStart: Int32($0.nameBytes.lowerBound), nameEnd: Int32($0.nameBytes.upperBound),
            valueStart: Int32($0.value.lowerBound), valueEnd: Int32($0.value.upperBound))
    }
    /// Where the text of each name lies, by the name's raw value; empty for `unknown` and `other`.
    static var nameTexts: [Range<Int>] { built.nameTexts }

    private static func build() -> (bytes: [UInt8], fields: [Field], nameTexts: [Range<Int>]) {
        var bytes: [UInt8] = []
        func place(_ text: String) -> Range<Int> {
            let start = bytes.count
            bytes.append(contentsOf: text.utf8)
            return start..<bytes.count
        }
        var nameTexts = Array(repeating: 0..<0, count: HeaderField.Name.allCases.count)
        for (name, text) in names { nameTexts[Int(name.rawValue)] = place(text) }
        var fields = [Field(name: .other, nameBytes: 0..<0, value: 0..<0)]
        for (text, value) in staticFields {
            let name = names.first { $0.1 == text }?.0 ?? .other
            let nameBytes = name == .other ? place(text) : nameTexts[Int(name.rawValue)]
            fields.append(Field(name: name, nameBytes: nameBytes, value: place(value)))
        }
        return (bytes, fields, nameTexts)
    }

    /// The index of a field in the static table; nil if it is not there.
    static func staticIndex(of name: Span<UInt8>, _ value: Span<UInt8>) -> Int? {
        let text = built.bytes.span
        for index in 1...staticTableCount where text.extracting(staticTable[index].nameBytes).isEqual(to: name) {
            if text.extracting(staticTable[index].value).isEqual(to: value) { return index }
        }
        return nil
    }

    /// The lowest index of a field of that name in the static table; nil if there is none.
    static func staticIndex(ofName name: Span<UInt8>) -> Int? {
        let text = built.bytes.span
        for index in 1...staticTableCount where text.extracting(staticTable[index].nameBytes).isEqual(to: name) {
            return index
        }
        return nil
    }

    /// The meaning of a name; `prefix` holds the text that it is compared with.
    static func name(_ text: Span<UInt8>) -> HeaderField.Name {
        let candidates: (HeaderField.Name, HeaderField.Name?)
        switch text.count {
        case 2: candidates = (.te, nil)
        case 5: candidates = (.path, nil)
        case 7: candidates = text[1] == 0x73 ? (text[2] == 0x74 ? .status : .scheme, nil) : (.method, nil)
        case 9: candidates = (.hasLeader, nil)
        case 10: candidates = (.authority, .userAgent)
        case 11: candidates = (.grpcStatus, nil)
        case 12: candidates = (text[0] == 0x63 ? .contentType : (text[5] == 0x74 ? .grpcTimeout : .grpcMessage), nil)
        case 13: candidates = (.grpcEncoding, nil)
        case 18: candidates = (.clientAPIVersion, nil)
        case 20: candidates = (.grpcAcceptEncoding, nil)
        default: return .other
        }
        if matches(text, candidates.0) { return candidates.0 }
        if let second = candidates.1, matches(text, second) { return second }
        return .other
    }

    private static func matches(_ text: Span<UInt8>, _ name: HeaderField.Name) -> Bool {
        text.isEqual(to: built.bytes.span.extracting(nameTexts[Int(name.rawValue)]))
    }
}

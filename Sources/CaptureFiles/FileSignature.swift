import Wire

/// What the first bytes of a file that is no capture look like, and what to do about it.
struct FileSignature {
    /// "a TLS key log"
    var name: String
    var remedy: String

    /// `head` are the file's first bytes, some hundred if it has them. `path` goes into the remedy.
    init(of head: Span<UInt8>, path: String) {
        for known in Self.known where Self.starts(head, with: known.magic) {
            name = known.name
            remedy = known.remedy(path)
            return
        }
        let isText = Self.isText(head)
        name = isText ? "text" : "none of the formats that are known"
        remedy = "Give a pcap or pcapng file, such as tcpdump and Wireshark write."
    }

    private struct Known: Sendable {
        var magic: [UInt8]
        var name: String
        var remedy: @Sendable (String) -> String

        init(_ magic: String, _ name: String, _ remedy: @escaping @Sendable (String) -> String) {
            self.init(Array(magic.utf8), name, remedy)
        }

        init(_ magic: [UInt8], _ name: String, _ remedy: @escaping @Sendable (String) -> String) {
            self.magic = magic
            self.name = name
            self.remedy = remedy
        }
    }

    private static let known: [Known] = {
        let keyLog: @Sendable (String) -> String = { "Give it as --keylog \($0), and the capture with --read." }
        let unpack: @Sendable (String) -> String = { "Unpack \($0) first; zstd and gzip are read as they are." }
        let convert: @Sendable (String) -> String = { "Convert it: editcap -F pcapng \($0) converted.pcapng" }
        return [
            Known("KVREEL", "a kvreel trace") { "It is decoded already: kvreel analyze \($0)" },
            Known("CLIENT_RANDOM ", "a TLS key log", keyLog),
            Known("CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "a TLS key log", keyLog),
            Known("CLIENT_TRAFFIC_SECRET_0 ", "a TLS key log", keyLog),
            Known("SERVER_HANDSHAKE_TRAFFIC_SECRET ", "a TLS key log", keyLog),
            Known("SERVER_TRAFFIC_SECRET_0 ", "a TLS key log", keyLog),
            Known("EXPORTER_SECRET ", "a TLS key log", keyLog),
            Known("# SSL/TLS secrets log file", "a TLS key log", keyLog),
            Known([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "an xz file", unpack),
            Known("BZh", "a bzip2 file", unpack),
            Known([0x04, 0x22, 0x4d, 0x18], "an lz4 file", unpack),
            Known([0x50, 0x4b, 0x03, 0x04], "a zip archive", unpack),
            Known("snoop\0\0\0", "a snoop capture", convert),
            Known("GMBU", "a Microsoft Network Monitor capture", convert),
            Known("RTSS", "a Microsoft Network Monitor capture", convert),
            Known([0x7f, 0x45, 0x4c, 0x46], "an ELF program") { _ in "" },
        ]
    }()

    private static func starts(_ head: Span<UInt8>, with magic: [UInt8]) -> Bool {
        head.count >= magic.count && head.extracting(0..<magic.count).isEqual(to: magic.span)
    }

    private static func isText(_ head: Span<UInt8>) -> Bool {
        for index in head.indices {
            let byte = head[index]
            if byte < 0x20, byte != 0x09, byte != 0x0a, byte != 0x0d { return false }
        }
        return true
    }
}

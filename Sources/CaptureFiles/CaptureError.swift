package import Wire

/// Why a capture cannot be read at all, with what its reader can do about it.
package struct CaptureError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// There is no such file.
        case missing
        /// The file exists but may not be read, or reading failed.
        case unreadable
        case directory
        /// A file of no bytes.
        case empty
        /// The bytes are of another kind of file.
        case notACapture
        /// The file ends within its header, or is damaged before its first packet.
        case damaged
        /// The compressed file needs more memory than may be used.
        case windowTooLarge
        /// A link type that is not decoded.
        case unsupportedLinkType
        /// Standard input is named twice, or no file is named.
        case usage
        /// A live capture needs a privilege that this process lacks.
        case noPermission
        /// There is no such interface.
        case noInterface
        /// The live capture failed.
        case captureFailed
    }

    package var kind: Kind
    /// What could not be done, in a few words: "cannot read".
    package var what: String
    /// The file as the user named it ("standard input" for `-`), or the interface.
    package var path: String
    /// Byte (after decompression) at which the trouble lies, where there is one.
    package var offset: Int?
    package var why: String
    /// What to try next, a sentence; empty if nothing helps.
    package var remedy: String

    package init(kind: Kind, what: String, path: String, offset: Int? = nil, why: String, remedy: String = "") {
        self.kind = kind
        self.what = what
        self.path = path
        self.offset = offset
        self.why = why
        self.remedy = remedy
    }

    /// The error for packets of a link type that the packet decoder does not know.
    package static func unsupportedLinkType(_ type: LinkType, path: String) -> CaptureError {
        let name = type.registeredName.map { " (\($0))" } ?? ""
        return CaptureError(
            kind: .unsupportedLinkType, what: "cannot decode", path: path,
            why: "its packets are of link type \(type.rawValue)\(name)",
            remedy: "Record on an Ethernet, loopback or \"any\" interface.")
    }
}

extension CaptureError: CustomStringConvertible {
    /// `kvreel: WHAT: WHERE: WHY`, and the remedy on a second line if there is one.
    package var description: String {
        let place = offset.map { "\(path), byte \($0)" } ?? path
        let line = "kvreel: \(what): \(place): \(why)"
        return remedy.isEmpty ? line : "\(line)\n\(remedy)"
    }
}

extension LinkType {
    /// The name in the tcpdump registry of some link types that people do record and that are not decoded.
    var registeredName: String? {
        switch rawValue {
        case 6: "IEEE802_5, token ring"
        case 8: "SLIP"
        case 9, 50, 51: "PPP"
        case 105, 119, 127: "IEEE 802.11"
        case 147...162: "USER, private use"
        case 187, 201: "Bluetooth"
        case 189, 220, 249: "USB"
        case 253: "NETLINK"
        default: nil
        }
    }
}

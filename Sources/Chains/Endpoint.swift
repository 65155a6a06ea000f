/// An IPv4 address and a UDP port: a client's socket, or a switch's.
package struct Endpoint: Hashable, Comparable, BitwiseCopyable, Sendable, CustomStringConvertible {
    /// Host order: 127.0.0.10 is 0x7f00_000a.
    package var address: UInt32
    package var port: UInt16

    package init(address: UInt32, port: UInt16) {
        self.address = address
        self.port = port
    }

    package static func < (left: Endpoint, right: Endpoint) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }

    /// `127.0.0.10:8888`.
    package var description: String { "\(Self.text(of: address)):\(port)" }

    /// `127.0.0.10` for 0x7f00_000a.
    package static func text(of address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }
}

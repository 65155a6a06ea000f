import ArgumentParser
import Chains
import Simulation

/// A chain as people write it: `netcraq:4`, `netchain:3`.
struct ChainOption: Sendable {
    static let form = "a chain is netcraq:N or netchain:N, with N nodes, 1 to 9"

    var store: SimulationOptions.Store
    var nodes: Int

    init(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let store = SimulationOptions.Store(rawValue: String(parts[0])),
            let nodes = Int(parts[1]), (1...ChainPacket.hopsMax).contains(nodes)
        else { throw ValidationError(Self.form) }
        self.store = store
        self.nodes = nodes
    }

    /// The default variant's.
    var format: ChainFormat { store == .netcraq ? .cqx : .ncx }
}

extension OptionValue {
    /// `127.0.0.0/8`, or one address.
    static func network(_ text: String) throws -> IPv4Network {
        let words = "a network is such as 127.0.0.0/8, all bits behind the prefix 0"
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let bytes = parts.first?.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) } ?? []
        guard parts.count <= 2, bytes.count == 4 else { throw ValidationError(words) }
        var address: UInt32 = 0
        for byte in bytes {
            guard let byte else { throw ValidationError(words) }
            address = address << 8 | UInt32(byte)
        }
        let length = parts.count == 2 ? UInt8(parts[1]) : 32
        guard let length, length <= 32, length == 0 ? address == 0 : address << UInt32(length) == 0 else {
            throw ValidationError(words)
        }
        return IPv4Network(address: address, prefixLength: length)
    }

    /// `127.0.0.1:9000`.
    static func endpoint(_ text: String) throws -> Endpoint {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]),
            let place = try? network(String(parts[0])), place.prefixLength == 32
        else { throw ValidationError("an address and a port are such as 127.0.0.1:9000") }
        return Endpoint(address: place.address, port: port)
    }

    /// Bytes that a key's values have room for.
    static func valueBytes(_ text: String) throws -> WidthClass {
        guard let count = Int(text),
            let width = WidthClass.allCases.first(where: { $0.byteCount == count && count > 0 })
        else { throw ValidationError("room for values is 16, 128 or 1024 bytes") }
        return width
    }

    static func paperKeys(_ text: String) throws -> Int {
        guard let count = Int(text), (1...PaperLimits.keys).contains(count) else {
            throw ValidationError("a switch has registers for 1 to \(PaperLimits.keys) keys")
        }
        return count
    }

    /// Packets a second; k and M are thousands and millions.
    static func packetRate(_ text: String) throws -> Int {
        let units: [Character: Int] = ["k": 1000, "m": 1_000_000]
        let unit = text.last.flatMap { units[Character($0.lowercased())] }
        let (rate, overflow) = (Int(unit == nil ? text[...] : text.dropLast()) ?? -1)
            .multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, (1...1_000_000_000).contains(rate) else {
            throw ValidationError("a limit is 1 to 1000000000 packets a second, such as 500, 20k, 2M")
        }
        return rate
    }
}

import CaptureFiles
import Foundation
import Testing
import Wire

/// The filter is judged by libpcap itself: tcpdump applies it to a file.
@Suite("Port filter", .enabled(if: Tool.exists("tcpdump") || ProcessInfo.processInfo.environment["CI"] != nil))
struct PortFilterTests {
    enum Framing: Sendable, CaseIterable {
        case ethernet
        case vlan
        case qinq
        case cooked
        case raw

        var linkType: LinkType {
            switch self {
            case .ethernet, .vlan, .qinq: .ethernet
            case .cooked: .linuxCooked2
            case .raw: .rawIP
            }
        }

        func frame(_ packet: [UInt8]) -> [UInt8] {
            let protocolNumber: [UInt8] = packet[0] >> 4 == 4 ? [0x08, 0x00] : [0x86, 0xdd]
            let addresses = [UInt8](repeating: 2, count: 12)
            return switch self {
            case .ethernet: addresses + protocolNumber + packet
            case .vlan: addresses + [0x81, 0, 0, 5] + protocolNumber + packet
            case .qinq: addresses + [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6] + protocolNumber + packet
            case .cooked: protocolNumber + [0, 0, 0, 0, 0, 1, 0, 1, 0, 6] + [UInt8](repeating: 2, count: 8) + packet
            case .raw: packet
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var packet: [UInt8]
        var passes: Bool

        init(_ description: String, _ packet: [UInt8], passes: Bool) {
            testDescription = description
            self.packet = packet
            self.passes = passes
        }
    }

    static let cases = [
        Case("TCP from the port", ipv4(from: 2379, to: 50_000), passes: true),
        Case("TCP to the port, IPv4 options", ipv4(from: 50_000, to: 2379, options: 8), passes: true),
        Case("TCP to the second port", ipv4(from: 50_000, to: 2380), passes: true),
        Case("TCP of another port", ipv4(from: 50_000, to: 2378), passes: false),
        Case("UDP of the port", ipv4(from: 50_000, to: 2379, transport: 17), passes: false),
        Case("a first fragment of the port", ipv4(from: 50_000, to: 2379, fragment: 0x2000), passes: true),
        Case("a later fragment of TCP", ipv4(from: 1, to: 2, fragment: 0x00b9), passes: true),
        Case("a later fragment of UDP", ipv4(from: 1, to: 2, transport: 17, fragment: 0x00b9), passes: false),
        Case("TCP to the port, IPv6", ipv6(to: 2379), passes: true),
        Case("TCP of another port, IPv6", ipv6(to: 2378), passes: false),
        Case("an IPv6 fragment", ipv6(to: 2378, next: 44), passes: true),
        Case("IPv6 with hop-by-hop options", ipv6(to: 2378, next: 0), passes: true),
        Case("UDP, IPv6", ipv6(to: 2379, next: 17), passes: false),
    ]

    @Test("what may be of the ports passes, under any framing", arguments: Framing.allCases, cases)
    func passes(_ framing: Framing, _ example: Case) throws {
        let folder = try CaptureFolder()
        var file = CaptureBuilder()
        file.pcapHeader(linkType: framing.linkType.rawValue)
        file.pcapRecord(seconds: 1, fraction: 0, framing.frame(example.packet))
        let path = try folder.write("one.pcap", file.bytes)
        let expression = PortFilter(ports: [2379, 2380]).expression(for: framing.linkType)
        let lines = try Tool.run("tcpdump", ["-nn", "-t", "-r", path, expression])
        #expect(lines.isEmpty == !example.passes, "tcpdump printed \"\(lines)\"")
    }

    private static func ipv4(
        from source: UInt16, to destination: UInt16, transport: UInt8 = 6, fragment: UInt16 = 0, options: Int = 0
    ) -> [UInt8] {
        let length = 20 + options + 20
        return [UInt8(0x45 + options / 4), 0, 0, UInt8(length), 0, 1, UInt8(fragment >> 8), UInt8(fragment & 0xff)]
            + [64, transport, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1] + [UInt8](repeating: 1, count: options)
            + ports(source, destination)
    }

    private static func ipv6(to destination: UInt16, next: UInt8 = 6) -> [UInt8] {
        [0x60, 0, 0, 0, 0, 20, next, 64] + [UInt8](repeating: 1, count: 32) + ports(50_000, destination)
    }

    /// A TCP header without options.
    private static func ports(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
        [UInt8(source >> 8), UInt8(source & 0xff), UInt8(destination >> 8), UInt8(destination & 0xff)]
            + [0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0]
    }
}

import Chains
import Wire

extension NetChainPaperSwitch: PaperMachine {
    typealias Control = NetChainPaperControl

    init(_ options: ChainInput.Options, node: Int) {
        self.init(
            options.netChain, network: ChainPaperLaws.Chain.network(node, isLine: options.isLine), capacity: 4)
    }

    var outputsMost: Int { 1 }

    /// Addresses, a zero word, a header of known length and operation; a reply may be a header alone.
    func isWellFormed(_ payload: [UInt8]) -> (anywhere: Bool, asRequest: Bool) {
        let headerBytes = options.width == .bits16 ? 38 : 52
        let list = payload.count - headerBytes
        guard list >= 0, list % 4 == 0, list <= 40 else { return (false, false) }
        let words = stride(from: 0, to: list, by: 4).map { Array(payload[$0..<$0 + 4]) }
        let addresses = words.dropLast()
        guard words.isEmpty || words.last == [0, 0, 0, 0],
            addresses.allSatisfy({ $0[0] != 0 && $0[0] < 224 })
        else { return (false, false) }
        let operation = payload[list]
        let isRequest = (operation == 10 || operation == 12) && !addresses.isEmpty
        return (isRequest || operation == 11 || operation == 13, isRequest)
    }

    func repeats(_ payload: [UInt8]) -> Bool {
        guard let packet = NetChainPaperPacket(payload.span, width: options.width) else { return false }
        var bytes = payload.map { ~$0 }
        let header = payload.count - options.width.headerBytes
        packet.store(in: &bytes, at: header, width: options.width)
        return bytes[header...] == payload[header...] && packet.listWords * 4 == header
    }
}

extension NetChainPaperControl: ControlUnderLaw {
    mutating func take(key: UInt8, _ switches: inout [NetChainPaperSwitch]) { remove(UInt128(key), from: &switches) }
    mutating func rejoin(_ failed: UInt32, _ switches: inout [NetChainPaperSwitch]) {
        replace(failed, with: failed, &switches)
    }
}

extension NetCRAQPaperSwitch: PaperMachine {
    typealias Control = NetCRAQPaperControl

    init(_ options: ChainInput.Options, node: Int) {
        self.init(options.netCRAQ, network: ChainPaperLaws.Chain.network(node, isLine: options.isLine), capacity: 4)
    }

    /// The acknowledgements to the other nodes and the writer.
    var outputsMost: Int { ChainPaperLaws.Chain.count }

    func isWellFormed(_ payload: [UInt8]) -> (anywhere: Bool, asRequest: Bool) {
        guard payload.count == 22, payload[0] % 64 == 0, payload[1] == 0 else { return (false, false) }
        return (true, payload[0] == 0x00 || payload[0] == 0x80)
    }

    func repeats(_ payload: [UInt8]) -> Bool {
        guard let packet = NetCRAQPaperPacket(payload.span) else { return false }
        var bytes: [UInt8] = []
        packet.append(to: &bytes)
        return bytes == payload
    }
}

extension NetCRAQPaperControl: ControlUnderLaw {
    mutating func take(key: UInt8, _ switches: inout [NetCRAQPaperSwitch]) { remove(UInt32(key), from: &switches) }
    mutating func rejoin(_ failed: UInt32, _ switches: inout [NetCRAQPaperSwitch]) {
        join(failed, at: chain.count, &switches)
    }
}

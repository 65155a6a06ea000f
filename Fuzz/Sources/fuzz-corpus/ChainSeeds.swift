import FuzzLaws

/// Inputs of `chains-paper`: each packet of the papers' formats, written out by hand, for both protocols without any
/// setting and with each one.
enum ChainSeeds {
    static let all: [[UInt8]] = ([0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 32, 33] as [UInt8])
        .map { number in
            let options = ChainInput.Options(rawValue: number)
            var input = ChainInput(options)
            if options.isNetChain {
                addNetChain(&input, sequenceBytes: number & 2 != 0 ? 16 : 2)
            } else {
                addNetCRAQ(&input)
            }
            input.append(.failure, node: number % 3)
            input.append(.arrival)
            input.append(.recovery, node: number % 3, peer: number)
            input.append(.key, node: 1, peer: 1)
            return input.bytes
        }

    private static func word(_ node: UInt8) -> [UInt8] { [127, 0, 0, 10 + node] }
    private static let key = [UInt8](repeating: 0, count: 15) + [1]
    private static let value = [UInt8](repeating: 0, count: 15) + [222]
    private static let end: [UInt8] = [0, 0, 0, 0]

    private static func addNetChain(_ input: inout ChainInput, sequenceBytes: Int) {
        func packet(_ operation: UInt8, _ list: [UInt8], sequence: UInt8 = 0) -> [UInt8] {
            let number = [UInt8](repeating: 0, count: sequenceBytes - 1) + [sequence]
            return list + [operation, UInt8(list.count / 4)] + number + key + value + [0, 7]
        }
        input.append(.request, node: 0, peer: 1, packet(12, word(0) + word(1) + word(2) + end))
        for _ in 0..<2 { input.append(.arrival) }
        input.append(.request, node: 2, peer: 1, packet(10, word(2) + word(1) + word(0) + end))
        input.append(.request, node: 0, peer: 2, packet(10, word(2) + word(1) + word(0) + end))
        input.append(.arrival)
        input.append(.framed, node: 1, peer: 0x10, packet(12, word(1) + word(2) + end, sequence: 9))
        input.append(.framed, node: 1, peer: 0x42, packet(13, []))
        input.append(.framed, node: 1, peer: 0x42, packet(11, word(0) + end))
    }

    private static func addNetCRAQ(_ input: inout ChainInput) {
        func packet(_ operation: UInt8) -> [UInt8] { [operation << 6, 0, 0, 0, 0, 1] + value }
        input.append(.request, node: 0, peer: 1, packet(2))
        input.append(.request, node: 0, peer: 2, packet(2))
        input.append(.request, node: 0, peer: 3, packet(0))
        for _ in 0..<6 { input.append(.arrival) }
        input.append(.request, node: 1, peer: 1, packet(2))
        input.append(.framed, node: 1, peer: 0x10, packet(2))
        input.append(.framed, node: 1, peer: 0x12, packet(3))
        input.append(.framed, node: 1, peer: 0x20, packet(0))
        input.append(.framed, node: 1, peer: 0x42, packet(1))
        input.append(.arrival, node: 255)
    }
}

import FuzzLaws

/// Inputs of `chains`: for both protocols and each setting a write, a read, a CAS, a loss, a change of the chain, a
/// join.
enum ReplicaSeeds {
    static let all: [[UInt8]] = ([0, 1, 2, 4, 5, 8] as [UInt8]).map { number in
        var input = ReplicaInput(ReplicaInput.Options(rawValue: number))
        // Fields: operation (by row of the table), key, slot, request, version, aux, value length, epoch.
        let tail: UInt8 = 2
        input.append(.packet, node: 0, peer: 1, [0])
        input.append(.packet, node: 0, peer: 1, [4, 1, 1, 1, 0, 0, 9, 0])
        input.append(.packet, node: 0, peer: 1, [2, 1, 0, 1, 0, 0, 0, 0])
        for _ in 0..<5 { input.append(.arrival) }
        input.append(.packet, node: tail, peer: 1, [2, 1, 0, 2, 0, 0, 0, 0])
        input.append(.packet, node: 0, peer: 2, [6, 1, 2, 1, 0, 5, 16, 0])
        input.append(.packet, node: 0, peer: 2, [4, 2, 3, 1, 0, 0, 255, 0])
        input.append(.arrival, node: 255)
        input.append(.time, node: 7, peer: 6)
        input.append(.time, node: 7, peer: 0)
        for _ in 0..<6 { input.append(.arrival, peer: 1) }
        input.append(.packet, node: 0, peer: 1, [4, 1, 1, 1, 0, 0, 9, 0])
        input.append(.packet, node: 1, peer: 0, [11, 1, 1, 3, 13, 9, 16, 0])
        input.append(.packet, node: 1, peer: 2, [12, 1, 1, 3, 13, 0, 16, 0])
        input.append(.packet, node: 2, peer: 0, [8, 1, 1, 3, 0, 0, 0, 0])
        input.append(.packet, node: 2, peer: 0, [9, 1, 1, 3, 0, 0, 0, 0])
        input.append(.packet, node: 0, peer: 2, [10, 1, 1, 3, 5, 0, 0, 0])
        input.append(.join, node: 3, peer: 2)
        input.append(.change, node: 7, peer: 3)
        input.append(.join, node: 3, peer: 2)
        input.append(.change, node: 14, peer: 0)
        input.append(.time, node: 15, peer: 1)
        input.append(.key, node: 0, peer: 4)
        input.append(.key, node: 1, peer: 1)
        for kind in UInt8(0)..<10 { input.append(.control, node: 3, [kind, 0, 9, 1, 1, 4, 8, 12]) }
        input.append(.request, node: 0, peer: 1, [1, 10] + [UInt8](repeating: 0, count: 46))
        input.append(.framed, node: 0, peer: 1, [0x81, 24] + [UInt8](repeating: 0, count: 46))
        input.append(.fabric, node: 1, peer: 0, [0x4b, 0x56, 1, 64])
        return input.bytes
    }
}

/// Where NetChain's papers and source leave a choice, or differ.
package struct NetChainPaperOptions: Equatable, Sendable {
    /// When a node other than the head takes a write's SEQ for newer than its own.
    package enum SequenceRule: UInt8, BitwiseCopyable, Sendable {
        /// Unsigned `>`, as published. With 16 bits a node that stored 65 535 accepts nothing any more.
        case greater
        /// Serial number arithmetic over the width of SEQ (RFC 1982): `a` is newer than `b` when 0 < a - b modulo
        /// 2^16 < 2^15. Safe while no packet is late by 2^15 writes of its key, and no head changes.
        case serial
        /// Always: a mutant, to show that the comparison is needed.
        case always
    }

    /// Ways in which NetChain's BMv2 source falls short of its paper.
    package struct Quirks: OptionSet, BitwiseCopyable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The failure table compares VGROUP in its low eight bits.
        package static let groupInEightBits = Quirks(rawValue: 1)
        /// Head and tail are values of one field: a chain of one node has a head that is no tail.
        package static let oneRole = Quirks(rawValue: 2)
    }

    package var width = SequenceWidth.bits128
    package var rule = SequenceRule.greater
    /// Whether a node that is no tail answers a read addressed to it, as NSDI 2018 algorithm 1 has it; in the source it
    /// sends the packet to itself until the time to live ends.
    package var readsAnywhere = false
    package var quirks: Quirks = []

    package init() {}

    /// Whether `sequence` is newer than `stored`.
    func isNewer(_ sequence: UInt128, than stored: UInt128) -> Bool {
        switch rule {
        case .greater: return sequence > stored
        case .always: return true
        case .serial:
            if width == .bits16 { return Int16(truncatingIfNeeded: sequence &- stored) > 0 }
            return Int128(bitPattern: sequence &- stored) > 0
        }
    }
}

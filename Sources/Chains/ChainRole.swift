/// What a node is in its chain. A chain of one node is head and tail in one; a node that is neither is a replica.
package struct ChainRole: OptionSet, Hashable, BitwiseCopyable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let head = ChainRole(rawValue: 1)
    package static let tail = ChainRole(rawValue: 2)
    package static let replica: ChainRole = []

    /// The role of the node at `position` of a chain of `count` nodes, the head at 0.
    package init(position: Int, of count: Int) {
        self = position == 0 ? .head : .replica
        if position == count - 1 { insert(.tail) }
    }

    package var isHead: Bool { rawValue & 1 != 0 }
    package var isTail: Bool { rawValue & 2 != 0 }

    package var description: String { ["replica", "head", "tail", "head and tail"][Int(rawValue & 3)] }
}

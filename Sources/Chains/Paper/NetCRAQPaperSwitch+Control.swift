/// What NetCRAQ's control plane does to one switch. `network`, `takesWrites` and the parts of its place in the chain
/// can be set directly too.
extension NetCRAQPaperSwitch {
    /// What is kept of one key, as recovery copies it.
    package struct Entry: Equatable, Sendable {
        /// One for each version.
        package var cells: [UInt128]
        package var readIndex: Int
        package var writeIndex: Int
    }

    /// Reads answered or sent on, and writes stored here, of one key.
    package struct Hits: Equatable, BitwiseCopyable, Sendable {
        package var reads: Int
        package var writes: Int

        package init(reads: Int, writes: Int) {
            self.reads = reads
            self.writes = writes
        }
    }

    /// Writes role, next hop, tail address and multicast group for this node's place in `chain`, head first: at start,
    /// and again whenever a node fails or comes back. False, and nothing changes, when `chain` does not name this node
    /// or has more than 64.
    @discardableResult
    package mutating func join(_ chain: [UInt32]) -> Bool {
        guard chain.count <= PaperLimits.nodes, let last = chain.last,
            let position = chain.firstIndex(of: network.own)
        else { return false }
        role = ChainRole(position: position, of: chain.count)
        tail = last
        next = position + 1 < chain.count ? chain[position + 1] : network.own
        multicastGroup = chain.filter { $0 != network.own }
        return true
    }

    /// Gives `key` cells, all 0, which reads as deleted. False, and nothing changes, when it has them already or all
    /// are taken.
    package mutating func insert(_ key: UInt32) -> Bool { registers.insert(key) }

    /// Frees the cells of `key`; false when it has none.
    package mutating func remove(_ key: UInt32) -> Bool { registers.remove(key) }

    /// What the registers hold of `key`; nil without an entry.
    package func entry(of key: UInt32) -> Entry? {
        guard let slot = registers.index.slot(of: UInt128(key)) else { return nil }
        let first = slot * registers.versions
        return Entry(
            cells: Array(registers.cells[first..<first + registers.versions]),
            readIndex: Int(registers.readIndex[slot]), writeIndex: Int(registers.writeIndex[slot]))
    }

    /// Sets the registers of `key`. False, and nothing changes, without an entry for it, or when `entry` is of another
    /// number of versions or its indices lie outside.
    package mutating func restore(_ entry: Entry, of key: UInt32) -> Bool {
        guard let slot = registers.index.slot(of: UInt128(key)), entry.cells.count == registers.versions,
            entry.cells.indices.contains(entry.readIndex), (0...registers.versions).contains(entry.writeIndex)
        else { return false }
        for (version, value) in entry.cells.enumerated() {
            registers.cells[slot * registers.versions + version] = value
        }
        registers.readIndex[slot] = Int32(entry.readIndex)
        registers.writeIndex[slot] = Int32(entry.writeIndex)
        return true
    }

    /// How often `key` was read and written here since its insertion; nil without an entry.
    package func hits(of key: UInt32) -> Hits? {
        registers.index.slot(of: UInt128(key)).map { Hits(reads: registers.reads[$0], writes: registers.writes[$0]) }
    }

    /// Whether both hold the same tables and registers, whatever they have counted.
    package func hasSameState(as other: NetCRAQPaperSwitch) -> Bool {
        registers == other.registers && network == other.network && role == other.role && tail == other.tail
            && next == other.next && multicastGroup == other.multicastGroup && takesWrites == other.takesWrites
    }
}

/// What NetChain's controller does to the tables and registers of one switch. `failures`, `session` and `network` are
/// set directly.
extension NetChainPaperSwitch {
    /// What is kept of one key, as recovery copies it.
    package struct Entry: Equatable, BitwiseCopyable, Sendable {
        package var sequence: UInt128
        package var value: UInt128

        package init(sequence: UInt128, value: UInt128) {
            self.sequence = sequence
            self.value = value
        }
    }

    /// Reads answered and writes stored here, of one key.
    package struct Hits: Equatable, BitwiseCopyable, Sendable {
        package var reads: Int
        package var writes: Int

        package init(reads: Int, writes: Int) {
            self.reads = reads
            self.writes = writes
        }
    }

    /// Adds index and role entries for `key`, its registers 0. False, and nothing changes, when it has them already or
    /// all registers are taken.
    package mutating func insert(_ key: UInt128, role: ChainRole) -> Bool { registers.insert(key, role: role) }

    /// Takes the entries of `key` off and frees its registers; false when it has none.
    package mutating func remove(_ key: UInt128) -> Bool { registers.remove(key) }

    /// Sets the role for `key`; without an entry for it nothing happens.
    package mutating func setRole(_ role: ChainRole, of key: UInt128) {
        guard let slot = registers.index.slot(of: key) else { return }
        registers.role[slot] = role
    }

    /// Sets the role for all keys that have an entry now.
    package mutating func setRole(_ role: ChainRole) {
        for slot in registers.role.indices { registers.role[slot] = role }
    }

    /// Sets the role for the keys of virtual group `group` of `count`: a key's group is its number modulo their count.
    package mutating func setRole(_ role: ChainRole, ofGroup group: Int, of count: Int) {
        guard count > 0 else { return }
        for slot in registers.role.indices where registers.key[slot] % UInt128(count) == UInt128(max(0, group)) {
            registers.role[slot] = role
        }
    }

    /// The role for `key`; nil without an entry.
    package func role(of key: UInt128) -> ChainRole? { registers.index.slot(of: key).map { registers.role[$0] } }

    /// What the registers hold of `key`; nil without an entry.
    package func entry(of key: UInt128) -> Entry? {
        registers.index.slot(of: key).map { Entry(sequence: registers.sequence[$0], value: registers.value[$0]) }
    }

    /// Sets the registers of `key`; without an entry nothing happens.
    package mutating func restore(_ entry: Entry, of key: UInt128) {
        guard let slot = registers.index.slot(of: key) else { return }
        registers.sequence[slot] = options.width == .bits16 ? entry.sequence & 0xffff : entry.sequence
        registers.value[slot] = entry.value
    }

    /// How often `key` was read and written here since its insertion; nil without an entry.
    package func hits(of key: UInt128) -> Hits? {
        registers.index.slot(of: key).map { Hits(reads: registers.reads[$0], writes: registers.writes[$0]) }
    }

    /// Whether both hold the same tables and registers, whatever they have counted.
    package func hasSameState(as other: NetChainPaperSwitch) -> Bool {
        registers == other.registers && failures == other.failures && session == other.session
            && network == other.network
    }
}

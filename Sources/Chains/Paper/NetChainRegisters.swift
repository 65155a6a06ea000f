/// What one NetChain switch keeps of its keys: NSDI 2018 §4.1, an index table and register arrays behind it.
struct NetChainRegisters: Equatable, Sendable {
    private(set) var index: RegisterIndex
    /// By slot; 0 before the first write. 16 bits count in the narrow format.
    var sequence: [UInt128]
    var value: [UInt128]
    var role: [ChainRole]
    /// By slot: whose it is.
    private(set) var key: [UInt128]
    /// Reads answered and writes stored, by slot: what placement asks for.
    var reads: [Int]
    var writes: [Int]

    init(capacity: Int) {
        index = RegisterIndex(capacity: capacity)
        sequence = Array(repeating: 0, count: capacity)
        value = Array(repeating: 0, count: capacity)
        role = Array(repeating: .replica, count: capacity)
        key = Array(repeating: 0, count: capacity)
        reads = Array(repeating: 0, count: capacity)
        writes = Array(repeating: 0, count: capacity)
    }

    /// A slot with registers of zero for `key`; nil when it has one, or none is left.
    mutating func insert(_ key: UInt128, role: ChainRole) -> Bool {
        guard let slot = index.insert(key) else { return false }
        self.key[slot] = key
        self.role[slot] = role
        sequence[slot] = 0
        value[slot] = 0
        reads[slot] = 0
        writes[slot] = 0
        return true
    }

    mutating func remove(_ key: UInt128) -> Bool { index.remove(key) != nil }
}

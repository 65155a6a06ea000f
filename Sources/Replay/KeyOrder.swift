import Etcd

/// Who waits for whom over keys and ranges, of calls taken in the order of their places in the recorded history: a
/// call waits for all before it that its keys or ranges meet, if one of the two changed what they meet in.
struct KeyOrder {
    /// A key or a range that a call reads or changes.
    struct Access: Equatable {
        var key: KeyNumber
        /// 0 for a single key.
        var end: KeyNumber = 0
        var isWrite: Bool
    }

    private struct KeyState {
        /// The last call that changed it; `none` if none did.
        var writer = KeyOrder.none
        /// Those that read it since: the first in `readers`, as a list.
        var firstReader = KeyOrder.none
        /// Its interval's node in the tree; 0 where not looked up, −1 where it lies in no range.
        var leaf: Int32 = 0
    }

    /// What lies on a node of the tree. `cover`: ranges that cover the node and are held by it; `below`: keys and
    /// ranges in its subtree, its own included, kept only where a range asks for them.
    private struct NodeState {
        var coverReads = WaitChain()
        var coverWrites = WaitChain()
        var belowReads = WaitChain()
        var belowWrites = WaitChain()
        /// A range that reads, or one that writes, is covered by this node.
        var isRead = false
        var isWritten = false
    }

    private static let none = UInt32.max

    private let tree: RangeTree
    private var nodes: [NodeState]
    private var keyStates: [KeyState]
    /// Lists of readers: call and the next one's place.
    private var readers: [(call: UInt32, next: UInt32)] = []
    private var freeReader = KeyOrder.none
    private var covered: [Int] = []

    /// - Parameter ranges: every access of the plan that is a range.
    init(ranges: [Access], keys: ByteTable) {
        tree = RangeTree(ranges: ranges.map { ($0.key, $0.end) }, keys: keys)
        nodes = Array(repeating: NodeState(), count: tree.nodeCount)
        keyStates = Array(repeating: KeyState(), count: keys.count + 1)
        var covered: [Int] = []
        for range in ranges {
            covered.removeAll(keepingCapacity: true)
            tree.cover(key: range.key, end: range.end, keys: keys, into: &covered)
            for node in covered {
                if range.isWrite { nodes[node].isWritten = true } else { nodes[node].isRead = true }
            }
        }
    }

    /// Takes the next call with all that it accesses.
    /// - Parameter isWaitedFor: whether later calls have to wait for it.
    mutating func take(
        _ call: UInt32, _ accesses: [Access], isWaitedFor: Bool, keys: ByteTable, into edges: inout OrderEdges
    ) {
        for access in accesses {
            if access.end == 0 {
                waitOverKey(call, access, keys, &edges)
            } else {
                waitOverRange(call, access, keys, &edges)
            }
        }
        guard isWaitedFor else { return }
        for access in accesses {
            if access.end == 0 { enterKey(call, access, keys) } else { enterRange(call, access, keys) }
        }
    }

    // MARK: Keys

    private mutating func waitOverKey(
        _ call: UInt32, _ access: Access, _ keys: ByteTable, _ edges: inout OrderEdges
    ) {
        let key = Int(access.key)
        if keyStates[key].writer != Self.none { edges.add(before: keyStates[key].writer, after: call) }
        if access.isWrite {
            var place = keyStates[key].firstReader
            while place != Self.none {
                edges.add(before: readers[Int(place)].call, after: call)
                place = readers[Int(place)].next
            }
        }
        var node = leaf(of: access.key, keys)
        while node > 0 {
            if let tail = nodes[node].coverWrites.tail(in: &edges) { edges.add(before: tail, after: call) }
            if access.isWrite, let tail = nodes[node].coverReads.tail(in: &edges) {
                edges.add(before: tail, after: call)
            }
            node /= 2
        }
    }

    private mutating func enterKey(_ call: UInt32, _ access: Access, _ keys: ByteTable) {
        let key = Int(access.key)
        if access.isWrite {
            keyStates[key].writer = call
            freeReaders(of: key)
        } else if keyStates[key].writer != call {
            addReader(call, to: key)
        }
        var node = leaf(of: access.key, keys)
        while node > 0 {
            if access.isWrite {
                if nodes[node].isRead || nodes[node].isWritten { nodes[node].belowWrites.append(call) }
            } else if nodes[node].isWritten {
                nodes[node].belowReads.append(call)
            }
            node /= 2
        }
    }

    private mutating func leaf(of key: KeyNumber, _ keys: ByteTable) -> Int {
        let place = Int(key)
        if keyStates[place].leaf == 0 { keyStates[place].leaf = Int32(tree.leaf(of: key, keys: keys) ?? -1) }
        return Int(keyStates[place].leaf)
    }

    private mutating func addReader(_ call: UInt32, to key: Int) {
        let next = keyStates[key].firstReader
        if next != Self.none, readers[Int(next)].call == call { return }
        if freeReader != Self.none {
            let place = Int(freeReader)
            freeReader = readers[place].next
            readers[place] = (call, next)
            keyStates[key].firstReader = UInt32(place)
        } else {
            keyStates[key].firstReader = UInt32(readers.count)
            readers.append((call, next))
        }
    }

    private mutating func freeReaders(of key: Int) {
        let first = keyStates[key].firstReader
        guard first != Self.none else { return }
        var last = first
        while readers[Int(last)].next != Self.none { last = readers[Int(last)].next }
        readers[Int(last)].next = freeReader
        freeReader = first
        keyStates[key].firstReader = Self.none
    }

    // MARK: Ranges

    private mutating func waitOverRange(
        _ call: UInt32, _ access: Access, _ keys: ByteTable, _ edges: inout OrderEdges
    ) {
        covered.removeAll(keepingCapacity: true)
        tree.cover(key: access.key, end: access.end, keys: keys, into: &covered)
        for node in covered {
            if let tail = nodes[node].belowWrites.tail(in: &edges) { edges.add(before: tail, after: call) }
            if access.isWrite, let tail = nodes[node].belowReads.tail(in: &edges) {
                edges.add(before: tail, after: call)
            }
            var above = node / 2
            while above > 0 {
                if let tail = nodes[above].coverWrites.tail(in: &edges) { edges.add(before: tail, after: call) }
                if access.isWrite, let tail = nodes[above].coverReads.tail(in: &edges) {
                    edges.add(before: tail, after: call)
                }
                above /= 2
            }
        }
    }

    private mutating func enterRange(_ call: UInt32, _ access: Access, _ keys: ByteTable) {
        covered.removeAll(keepingCapacity: true)
        tree.cover(key: access.key, end: access.end, keys: keys, into: &covered)
        for covering in covered {
            if access.isWrite {
                nodes[covering].coverWrites.append(call)
            } else {
                nodes[covering].coverReads.append(call)
            }
            var node = covering
            while node > 0 {
                if access.isWrite {
                    if nodes[node].isRead || nodes[node].isWritten { nodes[node].belowWrites.append(call) }
                } else if nodes[node].isWritten {
                    nodes[node].belowReads.append(call)
                }
                node /= 2
            }
        }
    }
}

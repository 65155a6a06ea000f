/// What a NetChain switch does with packets for a node that failed (NSDI 2018 §5, and the table of NetChain's source).
package struct FailureTable: Equatable, Sendable {
    package enum Action: Equatable, BitwiseCopyable, Sendable {
        /// After recovery: the replacement takes the failed node's place in the list. Goes before all others.
        case redirect(to: UInt32)
        /// During recovery: nothing of the group passes.
        case drop
        /// The failed node's word is taken off, and the packet goes to the next one. If there is none, a write that
        /// some node has stored is answered, as NSDI 2018 algorithm 2 decides by the size of the list.
        case failOver
        /// NetChain's source decides by position: its rule for a failed tail makes a write's reply of any packet, reads
        /// included, whose value then is what the client sent, 0.
        case answerAsWrite

        /// Lower goes first.
        var priority: Int {
            switch self {
            case .redirect: 1
            case .drop: 2
            case .failOver, .answerAsWrite: 3
            }
        }
    }

    package struct Rule: Equatable, BitwiseCopyable, Sendable {
        /// The failed node.
        package var destination: UInt32
        /// The second word of the list, 0 for its end; nil: any.
        package var next: UInt32?
        /// The virtual group; nil: any.
        package var group: UInt16?
        package var action: Action

        package init(destination: UInt32, next: UInt32? = nil, group: UInt16? = nil, action: Action) {
            self.destination = destination
            self.next = next
            self.group = group
            self.action = action
        }
    }

    /// By priority; the later one first among equals, so that a second recovery of a node overrides the first.
    package private(set) var rules: [Rule] = []
    /// Rules that found the table full.
    package private(set) var refused = 0

    package init() {}

    /// Adds `rule`, in front of its equals in priority; one that is there already is moved. False, and nothing but
    /// `refused` changes, when the table is full.
    @discardableResult
    package mutating func install(_ rule: Rule) -> Bool {
        remove(rule)
        guard rules.count < PaperLimits.failureRules else {
            refused += 1
            return false
        }
        let place = rules.firstIndex { $0.action.priority >= rule.action.priority } ?? rules.count
        rules.insert(rule, at: place)
        return true
    }

    /// Takes off every rule equal to `rule`.
    package mutating func remove(_ rule: Rule) { rules.removeAll { $0 == rule } }

    /// Takes off every rule for packets to `destination`.
    package mutating func removeAll(for destination: UInt32) { rules.removeAll { $0.destination == destination } }

    /// What to do with a packet for `destination` of `group` whose second word is `next`; `groupMask` leaves the bits
    /// of the group that count.
    func action(destination: UInt32, next: UInt32, group: UInt16, groupMask: UInt16) -> Action? {
        for rule in rules where rule.destination == destination {
            if let wanted = rule.next, wanted != next { continue }
            if let wanted = rule.group, (wanted ^ group) & groupMask != 0 { continue }
            return rule.action
        }
        return nil
    }
}

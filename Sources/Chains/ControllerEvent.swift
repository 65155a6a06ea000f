/// What a controller did or saw, for its log.
package enum ControllerEvent: Equatable, Sendable, CustomStringConvertible {
    case nodeUp(UInt32)
    case nodeSuspected(UInt32, Suspicion)
    case sealing(group: UInt16, epoch: UInt32)
    case sealed(group: UInt16, epoch: UInt32, by: [UInt32])
    /// Service was away for `paused` nanoseconds.
    case activated(group: UInt16, epoch: UInt32, chain: [UInt32], paused: UInt64)
    case joining(group: UInt16, node: UInt32)
    /// What a joining node was given while the chain served, and while it was sealed.
    case copied(group: UInt16, node: UInt32, keys: Int, bytes: Int, keysWhileSealed: Int)
    case joinEnded(group: UInt16, node: UInt32)
    /// No node that holds the group answers.
    case unreachable(group: UInt16)
    case keyPlaced(ChainKey, group: UInt16)
    case keyRefused(ChainKey, group: UInt16, Refusal.Reason)
    case keyRemoved(ChainKey, group: UInt16)

    package enum Suspicion: UInt8, Sendable {
        case streamClosed
        case silent
        /// It answered neither SEAL nor ACTIVATE in time, or refused.
        case noAnswer
        /// An operator said so.
        case told
    }

    /// One line, without the time.
    package var description: String {
        switch self {
        case .nodeUp(let node): "node \(Endpoint.text(of: node)) up"
        case .nodeSuspected(let node, let suspicion): "node \(Endpoint.text(of: node)) suspected: \(suspicion)"
        case .sealing(let group, let epoch): "group \(group) epoch \(epoch) sealing"
        case .sealed(let group, let epoch, let nodes): "group \(group) epoch \(epoch) sealed by \(Self.text(nodes))"
        case .activated(let group, let epoch, let chain, let paused):
            "group \(group) epoch \(epoch) active chain \(Self.text(chain)) paused_ns \(paused)"
        case .joining(let group, let node): "group \(group) joining \(Endpoint.text(of: node))"
        case .copied(let group, let node, let keys, let bytes, let keysWhileSealed):
            "group \(group) copied to \(Endpoint.text(of: node)) keys \(keys) bytes \(bytes) sealed \(keysWhileSealed)"
        case .joinEnded(let group, let node): "group \(group) join of \(Endpoint.text(of: node)) ended"
        case .unreachable(let group): "group \(group) unreachable"
        case .keyPlaced(let key, let group): "key \(key) placed in group \(group)"
        case .keyRefused(let key, let group, let reason): "key \(key) refused in group \(group): \(reason)"
        case .keyRemoved(let key, let group): "key \(key) removed from group \(group)"
        }
    }

    private static func text(_ nodes: [UInt32]) -> String { nodes.map(Endpoint.text(of:)).joined(separator: ",") }
}

/// What goes over a stream to the controller's port: the messages of switches and clients, and what programs that share
/// no memory must say besides.
///
/// A node's stream: `node`, answered by `assignment`, then `ready`, then messages. A client's: `client`, answered by
/// `welcome`, then messages and questions. Answers come in the order of the questions.
package enum ControlFrame: Equatable, Sendable {
    /// A node that was started says with which ticket; nobody else has it.
    case node(ticket: UInt64)
    case assignment(NodeAssignment)
    /// The node's sockets are open.
    case ready
    case client
    case welcome(ChainDescription)
    case message(ControlMessage)
    /// Place a key, answered by `placed`; false: it is placed already, or there is no room.
    case place(name: [UInt8], WidthClass)
    case placed(Bool)
    case evict(name: [UInt8])
    /// Asked of a node, and by clients, of all.
    case statisticsRequest
    case statistics([NodeCounts])
    /// A node is to end, and tells its last statistics.
    case stop
}

/// What a node is to be.
package struct NodeAssignment: Equatable, Sendable {
    package var format: ChainFormat
    /// Which of `nodes` it is.
    package var index: UInt8
    package var nodes: [NodeAddress]
    package var clients: IPv4Network
    /// NetCRAQ: version cells a key.
    package var versions: UInt8
    /// Packets a second; nil: as many as it can.
    package var rate: UInt32?
    /// The core that its thread stays on.
    package var core: UInt16?
    /// Nanoseconds between its reports.
    package var heartbeat: UInt64

    package init(format: ChainFormat, index: UInt8, nodes: [NodeAddress], clients: IPv4Network, heartbeat: UInt64) {
        self.format = format
        self.index = index
        self.nodes = nodes
        self.clients = clients
        self.heartbeat = heartbeat
        versions = 8
    }
}

/// What a client must know before its first request.
package struct ChainDescription: Equatable, Sendable {
    package var format: ChainFormat
    /// In the chain's first order: head first.
    package var nodes: [NodeAddress]
    /// Where clients may be.
    package var clients: IPv4Network

    package init(format: ChainFormat, nodes: [NodeAddress], clients: IPv4Network) {
        self.format = format
        self.nodes = nodes
        self.clients = clients
    }
}

/// Statistics of a node as numbers, in an order that its program and those who ask agree on.
package struct NodeCounts: Equatable, Sendable {
    package var node: UInt32
    package var isRunning: Bool
    package var counts: [UInt64]

    package init(node: UInt32, isRunning: Bool, counts: [UInt64]) {
        self.node = node
        self.isRunning = isRunning
        self.counts = counts
    }
}

/// How long frames and their parts may be.
package enum ControlFrameLimits {
    /// Bytes of a frame behind its length. The longest that anybody has to send are entries of a copy: 1024 keys with
    /// 16 versions, 64 KiB of values and as many removed keys, some 1.6 MiB together.
    package static let frameBytes = 4 << 20
    /// Bytes of keys' names and of what stands beside them after which a directory goes on in the next frame.
    package static let directoryBytes = 256 << 10
    /// Versions of a key: the most that a switch can be told to have.
    package static let versions = 16
    /// Bytes of a key's name: what a controller takes.
    package static let nameBytes = ControllerLimits().nameBytes
    /// Numbers of one node's statistics: room for three times those there are.
    package static let counts = 64
}

extension DirectoryUpdate {
    /// The update in parts that fit a frame each, for who takes them one after the other: only the first may be whole.
    package var parts: [DirectoryUpdate] {
        var parts: [DirectoryUpdate] = []
        var part = DirectoryUpdate(serial: serial, isWhole: isWhole, groups: groups, keys: [], removed: [])
        var byteCount = 0
        func note(_ name: [UInt8]) {
            byteCount += name.count + PlacedKey.byteCountLeast
            guard byteCount > ControlFrameLimits.directoryBytes else { return }
            byteCount = 0
            parts.append(part)
            part = DirectoryUpdate(serial: serial, isWhole: false, groups: [], keys: [], removed: [])
        }
        for key in keys {
            part.keys.append(key)
            note(key.name)
        }
        for name in removed {
            part.removed.append(name)
            note(name)
        }
        let isEmpty = part.groups.isEmpty && part.keys.isEmpty && part.removed.isEmpty
        if !isEmpty || parts.isEmpty { parts.append(part) }
        return parts
    }
}

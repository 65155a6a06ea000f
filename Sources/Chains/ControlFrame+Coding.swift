import Wire

// A frame: the count of the bytes that follow in 32 bits, a byte that says what it is, its fields.
extension ControlFrame {
    /// The first bytes of `node` and `client`: a stream that begins otherwise is somebody else's. The last one counts
    /// the versions of these frames.
    private static let magic: UInt32 = 0x6b76_7201

    /// What a frame is. Numbers are never given to anything else.
    private enum Kind: UInt8 {
        case heartbeat = 1
        case lease, seal, sealed, join, joined, copyRead, entries, copyWrite, copied, activate, activated, insert
        case inserted, remove, removed, counters, counts, refused, subscribe, directory, slotRequest, slot
        case node = 64
        case assignment, ready, client, welcome, place, placed, evict, statisticsRequest, statistics, stop
    }

    /// Appends the frame. Precondition: it is no longer than `ControlFrameLimits.frameBytes`, as all are that a switch,
    /// controller or client of this module makes, directories in their `parts`.
    package func append(to bytes: inout [UInt8]) {
        let start = bytes.appendZeros(4)
        switch self {
        case .node(let ticket):
            bytes.append(Kind.node.rawValue)
            bytes.append(field: Self.magic)
            bytes.append(field: ticket)
        case .assignment(let assignment): Self.append(.assignment, assignment, to: &bytes)
        case .ready: bytes.append(Kind.ready.rawValue)
        case .client:
            bytes.append(Kind.client.rawValue)
            bytes.append(field: Self.magic)
        case .welcome(let description): Self.append(.welcome, description, to: &bytes)
        case .message(let message): Self.append(message, to: &bytes)
        case .place(let name, let width):
            bytes.append(Kind.place.rawValue)
            bytes.append(byteRow: name)
            bytes.append(width.rawValue)
        case .placed(let isPlaced): Self.append(.placed, isPlaced, to: &bytes)
        case .evict(let name):
            bytes.append(Kind.evict.rawValue)
            bytes.append(byteRow: name)
        case .statisticsRequest: bytes.append(Kind.statisticsRequest.rawValue)
        case .statistics(let nodes):
            bytes.append(Kind.statistics.rawValue)
            bytes.append(list: nodes)
        case .stop: bytes.append(Kind.stop.rawValue)
        }
        let count = bytes.count - start - 4
        precondition(count <= ControlFrameLimits.frameBytes, "a frame is within its limit")
        bytes.storeBigEndian32(UInt32(count), at: start)
    }

    private static func append(_ kind: Kind, _ field: some ControlField, to bytes: inout [UInt8]) {
        bytes.append(kind.rawValue)
        bytes.append(field: field)
    }

    private static func append(_ message: ControlMessage, to bytes: inout [UInt8]) {
        switch message {
        case .heartbeat(let content): append(.heartbeat, content, to: &bytes)
        case .lease(let content): append(.lease, content, to: &bytes)
        case .seal(let content): append(.seal, content, to: &bytes)
        case .sealed(let content): append(.sealed, content, to: &bytes)
        case .join(let content): append(.join, content, to: &bytes)
        case .joined(let content): append(.joined, content, to: &bytes)
        case .copyRead(let content): append(.copyRead, content, to: &bytes)
        case .entries(let content): append(.entries, content, to: &bytes)
        case .copyWrite(let content): append(.copyWrite, content, to: &bytes)
        case .copied(let content): append(.copied, content, to: &bytes)
        case .activate(let content): append(.activate, content, to: &bytes)
        case .activated(let content): append(.activated, content, to: &bytes)
        case .insert(let content): append(.insert, content, to: &bytes)
        case .inserted(let content): append(.inserted, content, to: &bytes)
        case .remove(let content): append(.remove, content, to: &bytes)
        case .removed(let content): append(.removed, content, to: &bytes)
        case .counters(let content): append(.counters, content, to: &bytes)
        case .counts(let content): append(.counts, content, to: &bytes)
        case .refused(let content): append(.refused, content, to: &bytes)
        case .subscribe: bytes.append(Kind.subscribe.rawValue)
        case .directory(let content): append(.directory, content, to: &bytes)
        case .slotRequest: bytes.append(Kind.slotRequest.rawValue)
        case .slot(let content): append(.slot, content, to: &bytes)
        }
    }

    /// Reads the frame whose bytes behind the length lie in `range`. Precondition: they lie inside.
    init(_ bytes: [UInt8], _ range: Range<Int>) throws(ControlFormatError) {
        var fields = FieldReader(bytes, range)
        let number = try fields.number8()
        guard let kind = Kind(rawValue: number) else { throw .unknownKind(number) }
        self = try Self.read(kind, &fields)
        try fields.finish()
    }

    private static func read(
        _ kind: Kind, _ fields: inout FieldReader
    ) throws(ControlFormatError) -> ControlFrame {
        switch kind {
        case .heartbeat: .message(.heartbeat(try fields.read()))
        case .lease: .message(.lease(try fields.read()))
        case .seal: .message(.seal(try fields.read()))
        case .sealed: .message(.sealed(try fields.read()))
        case .join: .message(.join(try fields.read()))
        case .joined: .message(.joined(try fields.read()))
        case .copyRead: .message(.copyRead(try fields.read()))
        case .entries: .message(.entries(try fields.read()))
        case .copyWrite: .message(.copyWrite(try fields.read()))
        case .copied: .message(.copied(try fields.read()))
        case .activate: .message(.activate(try fields.read()))
        case .activated: .message(.activated(try fields.read()))
        case .insert: .message(.insert(try fields.read()))
        case .inserted: .message(.inserted(try fields.read()))
        case .remove: .message(.remove(try fields.read()))
        case .removed: .message(.removed(try fields.read()))
        case .counters: .message(.counters(try fields.read()))
        case .counts: .message(.counts(try fields.read()))
        case .refused: .message(.refused(try fields.read()))
        case .subscribe: .message(.subscribe)
        case .directory: .message(.directory(try fields.read()))
        case .slotRequest: .message(.slotRequest)
        case .slot: .message(.slot(try fields.read()))
        case .node: try node(&fields)
        case .assignment: .assignment(try fields.read())
        case .ready: .ready
        case .client: try client(&fields)
        case .welcome: .welcome(try fields.read())
        case .place: .place(name: try fields.byteRow(most: ControlFrameLimits.nameBytes), try fields.word())
        case .placed: .placed(try fields.read())
        case .evict: .evict(name: try fields.byteRow(most: ControlFrameLimits.nameBytes))
        case .statisticsRequest: .statisticsRequest
        case .statistics: .statistics(try fields.list(NodeCounts.self, 0...ChainPacket.hopsMax))
        case .stop: .stop
        }
    }

    private static func node(_ fields: inout FieldReader) throws(ControlFormatError) -> ControlFrame {
        guard try fields.number32() == magic else { throw .value }
        return .node(ticket: try fields.number64())
    }

    private static func client(_ fields: inout FieldReader) throws(ControlFormatError) -> ControlFrame {
        guard try fields.number32() == magic else { throw .value }
        return .client
    }
}

extension NodeAddress: ControlField {
    static var byteCountLeast: Int { 8 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: address)
        bytes.append(field: requestPort)
        bytes.append(field: fabricPort)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(address: try fields.read(), requestPort: try fields.read(), fabricPort: try fields.read())
    }
}

extension IPv4Network: ControlField {
    static var byteCountLeast: Int { 5 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: address)
        bytes.append(field: prefixLength)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(address: try fields.read(), prefixLength: try fields.read())
        guard prefixLength <= 32 else { throw .value }
    }
}

extension NodeAssignment: ControlField {
    static var byteCountLeast: Int { 30 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: format.rawValue)
        bytes.append(field: index)
        bytes.append(list: nodes)
        bytes.append(field: clients)
        bytes.append(field: heartbeat)
        bytes.append(field: versions)
        bytes.append(optional: rate)
        bytes.append(optional: core)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            format: try fields.word(), index: try fields.read(),
            nodes: try fields.list(NodeAddress.self, 1...ChainPacket.hopsMax), clients: try fields.read(),
            heartbeat: try fields.read())
        versions = try fields.read()
        rate = try fields.optional()
        core = try fields.optional()
        guard Int(index) < nodes.count, (2...ControlFrameLimits.versions).contains(Int(versions)), rate != 0 else {
            throw .value
        }
    }
}

extension ChainDescription: ControlField {
    static var byteCountLeast: Int { 18 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: format.rawValue)
        bytes.append(list: nodes)
        bytes.append(field: clients)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            format: try fields.word(), nodes: try fields.list(NodeAddress.self, 1...ChainPacket.hopsMax),
            clients: try fields.read())
    }
}

extension NodeCounts: ControlField {
    static var byteCountLeast: Int { 9 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: node)
        bytes.append(field: isRunning)
        bytes.append(list: counts)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            node: try fields.read(), isRunning: try fields.read(),
            counts: try fields.list(UInt64.self, 0...ControlFrameLimits.counts))
    }
}

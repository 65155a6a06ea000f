import Wire

// The fields of control messages, in the order of their declarations.

extension ChainKey: ControlField {
    static var byteCountLeast: Int { 16 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: high)
        bytes.append(field: low)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(high: try fields.read(), low: try fields.read())
    }
}

extension ChainVersion: ControlField {
    static var byteCountLeast: Int { 12 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: epoch)
        bytes.append(field: number)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(epoch: try fields.read(), number: try fields.read())
    }
}

extension Endpoint: ControlField {
    static var byteCountLeast: Int { 6 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: address)
        bytes.append(field: port)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(address: try fields.read(), port: try fields.read())
    }
}

extension GroupEpoch: ControlField {
    static var byteCountLeast: Int { 6 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(field: epoch)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(group: try fields.read(), epoch: try fields.read())
    }
}

extension JoinTicket: ControlField {
    static var byteCountLeast: Int { 10 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(field: epoch)
        bytes.append(field: number)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(group: try fields.read(), epoch: try fields.read(), number: try fields.read())
    }
}

extension Heartbeat: ControlField {
    static var byteCountLeast: Int { 16 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: node)
        bytes.append(field: clock)
        bytes.append(list: active)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(node: try fields.read(), clock: try fields.read(), active: try fields.list())
    }
}

extension Lease: ControlField {
    static var byteCountLeast: Int { 20 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: clock)
        bytes.append(field: duration)
        bytes.append(list: groups)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(clock: try fields.read(), duration: try fields.read(), groups: try fields.list())
    }
}

extension SealReport: ControlField {
    static var byteCountLeast: Int { 22 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(field: epoch)
        bytes.append(field: UInt32(clamping: keyCount))
        bytes.append(field: highest)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            group: try fields.read(), epoch: try fields.read(), keyCount: Int(try fields.number32()),
            highest: try fields.read())
    }
}

extension Activation: ControlField {
    static var byteCountLeast: Int { 15 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(field: epoch)
        bytes.append(list: chain)
        bytes.append(list: closedSlots)
        bytes.append(field: comparesAndSets)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            group: try fields.read(), epoch: try fields.read(),
            chain: try fields.list(UInt32.self, 1...ChainPacket.hopsMax), closedSlots: try fields.list(),
            comparesAndSets: try fields.read())
    }
}

extension KeyEntry: ControlField {
    static var byteCountLeast: Int { 23 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: key)
        bytes.append(field: group)
        bytes.append(field: epoch)
        bytes.append(field: width.rawValue)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            key: try fields.read(), group: try fields.read(), epoch: try fields.read(), width: try fields.word())
    }
}

extension Refusal: ControlField {
    static var byteCountLeast: Int { 12 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: request.rawValue)
        bytes.append(field: reason.rawValue)
        bytes.append(field: group)
        bytes.append(field: epoch)
        bytes.append(field: join)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            try fields.word(), try fields.word(), group: try fields.read(), epoch: try fields.read(),
            join: try fields.read())
    }
}

// Copies.

extension CopyRequest: ControlField {
    static var byteCountLeast: Int { 26 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: ticket)
        bytes.append(field: since)
        bytes.append(field: cursor)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(ticket: try fields.read(), since: try fields.read(), cursor: try fields.read())
    }
}

extension CopyEntries: ControlField {
    static var byteCountLeast: Int { 31 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: ticket)
        bytes.append(list: keys)
        bytes.append(list: slots)
        bytes.append(list: removed)
        bytes.append(optional: next)
        bytes.append(field: stamp)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            ticket: try fields.read(), keys: try fields.list(), slots: try fields.list(), removed: try fields.list(),
            next: try fields.optional(), stamp: try fields.read())
    }
}

extension KeyCopy: ControlField {
    static var byteCountLeast: Int { 21 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: key)
        bytes.append(field: width.rawValue)
        bytes.append(list: versions)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            key: try fields.read(), width: try fields.word(),
            versions: try fields.list(VersionCopy.self, 1...ControlFrameLimits.versions))
    }
}

extension VersionCopy: ControlField {
    static var byteCountLeast: Int { 27 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: version)
        bytes.append(field: slot)
        bytes.append(field: request)
        bytes.append(field: client)
        bytes.append(field: value != nil)
        if let value { bytes.append(byteRow: value) }
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            version: try fields.read(), slot: try fields.read(), request: try fields.read(),
            client: try fields.read(),
            value: try fields.read(Bool.self) ? try fields.byteRow(most: WidthClass.bytes1024.byteCount) : nil)
    }
}

extension SlotCopy: ControlField {
    static var byteCountLeast: Int { 37 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: slot)
        bytes.append(field: request)
        bytes.append(field: key)
        bytes.append(field: version)
        bytes.append(field: status.rawValue)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            slot: try fields.read(), request: try fields.read(), key: try fields.read(),
            version: try fields.read(), status: try fields.word())
    }
}

// Counters.

extension CountersRequest: ControlField {
    static var byteCountLeast: Int { 10 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(field: cursor)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(group: try fields.read(), cursor: try fields.read())
    }
}

extension KeyCounts: ControlField {
    static var byteCountLeast: Int { 7 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(list: rows)
        bytes.append(optional: next)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(group: try fields.read(), rows: try fields.list(), next: try fields.optional())
    }
}

extension KeyCounts.Row: ControlField {
    static var byteCountLeast: Int { 48 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: key)
        bytes.append(field: counts.readsClean)
        bytes.append(field: counts.readsDirty)
        bytes.append(field: counts.writes)
        bytes.append(field: counts.rejections)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(key: try fields.read(), counts: KeyHits())
        counts.readsClean = try fields.read()
        counts.readsDirty = try fields.read()
        counts.writes = try fields.read()
        counts.rejections = try fields.read()
    }
}

// The directory.

extension DirectoryUpdate: ControlField {
    static var byteCountLeast: Int { 21 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: serial)
        bytes.append(field: isWhole)
        bytes.append(list: groups)
        bytes.append(list: keys)
        bytes.append(field: UInt32(removed.count))
        for name in removed { bytes.append(byteRow: name) }
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            serial: try fields.read(), isWhole: try fields.read(), groups: try fields.list(),
            keys: try fields.list(), removed: [])
        let count = Int(try fields.number32())
        guard count <= fields.leftCount / 4 else { throw .cut }
        for _ in 0..<count { removed.append(try fields.byteRow(most: ControlFrameLimits.nameBytes)) }
    }
}

extension GroupEntry: ControlField {
    static var byteCountLeast: Int { 12 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(field: group)
        bytes.append(field: epoch)
        bytes.append(field: state.rawValue)
        bytes.append(list: chain)
        bytes.append(field: comparesAndSets)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            group: try fields.read(), epoch: try fields.read(), state: try fields.word(),
            chain: try fields.list(UInt32.self, 0...ChainPacket.hopsMax), comparesAndSets: try fields.read())
    }
}

extension PlacedKey: ControlField {
    static var byteCountLeast: Int { 23 }
    func append(to bytes: inout [UInt8]) {
        bytes.append(byteRow: name)
        bytes.append(field: key)
        bytes.append(field: group)
        bytes.append(field: width.rawValue)
    }
    init(_ fields: inout FieldReader) throws(ControlFormatError) {
        self.init(
            name: try fields.byteRow(most: ControlFrameLimits.nameBytes), key: try fields.read(),
            group: try fields.read(), width: try fields.word())
    }
}

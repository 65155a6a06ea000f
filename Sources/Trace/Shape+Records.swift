import Etcd

// Which fields of records are in their shapes, and where.

extension Shape {
    /// Which optional fields of an operation there are.
    struct Presence: OptionSet {
        var rawValue: UInt8
        static let requestEnd = Presence(rawValue: 1)
        static let responseStart = Presence(rawValue: 2)
        static let responseEnd = Presence(rawValue: 4)
        /// `headerRevision` is not 0.
        static let headerRevision = Presence(rawValue: 8)
        /// `key` is not 0.
        static let key = Presence(rawValue: 16)
        static let all: Presence = [.requestEnd, .responseStart, .responseEnd, .headerRevision, .key]
    }

    /// Bits 0-7 role, 8-15 kind, 16-23 evidence, 24-31 presence, 32-47 completeness, 48-63 method;
    /// 0-39 status + 1 (0: nil), 40-63 the body's shape.
    @inline(__always)
    init(_ operation: Operation) {
        var presence: Presence = []
        if operation.requestEnd != Operation.absent { presence.insert(.requestEnd) }
        if operation.responseStart != Operation.absent { presence.insert(.responseStart) }
        if operation.responseEnd != Operation.absent { presence.insert(.responseEnd) }
        if operation.headerRevision != 0 { presence.insert(.headerRevision) }
        if operation.key != 0 { presence.insert(.key) }
        low = UInt64(operation.role.rawValue) | UInt64(operation.kind.rawValue) << 8
        low |= UInt64(operation.evidence.rawValue) << 16 | UInt64(presence.rawValue) << 24
        low |= UInt64(operation.completeness.rawValue) << 32 | UInt64(operation.method.rawValue) << 48
        if let status = operation.status { high = UInt64(status) + 1 }
    }

    var presence: Presence { Presence(rawValue: UInt8(low >> 24 & 0xff)) }

    var bodyNumber: Int {
        get { Int(high >> 40) }
        set { high = high & 0xff_ffff_ffff | UInt64(newValue) << 40 }
    }

    /// Bits 0-7 kind, 8-15 branch, 16-23 depth, 24-31 sort order, 32-39 sort target; flags, 32 key is not 0, 33 range
    /// end is not 0.
    @inline(__always)
    init(_ body: RequestOp) {
        low = UInt64(body.kind.rawValue) | UInt64(body.branch.rawValue) << 8 | UInt64(body.depth) << 16
        low |= UInt64(body.sortOrder) << 24 | UInt64(body.sortTarget) << 32
        high = UInt64(body.flags.rawValue)
        if body.key != 0 { high |= 1 << 32 }
        if body.rangeEnd != 0 { high |= 1 << 33 }
    }

    /// Of an operation: its role is call, event; its kind is put or delete. Read from the packed bits,
    /// which decoding has before the record.
    var isCall: Bool { byte(0) == 0 }
    var isEvent: Bool { byte(0) == 2 }
    var isPutOrDelete: Bool { byte(1) == 3 || byte(1) == 4 }

    var bodyIsNone: Bool { byte(0) == 0 }
    var bodyIsRange: Bool { byte(0) == 1 }
    var bodyIsPut: Bool { byte(0) == 2 }
    var bodyIsTransaction: Bool { byte(0) == 4 }
    var bodyHasSucceeded: Bool { high >> 9 & 1 == 1 }
    var bodyIsAnswered: Bool { high >> 10 & 1 == 1 }
    var bodyHasKey: Bool { high >> 32 & 1 == 1 }
    var bodyHasRangeEnd: Bool { high >> 33 & 1 == 1 }

    /// Byte n of the first word: fields of records with small fields only.
    func byte(_ index: UInt64) -> UInt8 { UInt8(low >> (8 * index) & 0xff) }

    init(bytes first: UInt8, _ second: UInt8 = 0, _ third: UInt8 = 0) {
        low = UInt64(first) | UInt64(second) << 8 | UInt64(third) << 16
    }
}

extension Operation {
    /// Takes the fields that are in the shape; false if one cannot be.
    mutating func take(_ shape: Shape) -> Bool {
        guard let role = Role(rawValue: shape.byte(0)), let kind = OperationKind(rawValue: shape.byte(1)),
            let evidence = Evidence(rawValue: shape.byte(2)), Shape.Presence.all.isSuperset(of: shape.presence)
        else { return false }
        self.role = role
        self.kind = kind
        self.evidence = evidence
        completeness = Completeness(rawValue: UInt16(shape.low >> 32 & 0xffff))
        method = MethodNumber(rawValue: UInt16(shape.low >> 48))
        let status = shape.high & 0xff_ffff_ffff
        guard status <= UInt64(UInt32.max) + 1 else { return false }
        self.status = status == 0 ? nil : UInt32(status - 1)
        return true
    }
}

extension RequestOp {
    mutating func take(_ shape: Shape) -> Bool {
        guard let kind = Kind(rawValue: shape.byte(0)), let branch = Branch(rawValue: shape.byte(1)) else {
            return false
        }
        self.kind = kind
        self.branch = branch
        depth = shape.byte(2)
        sortOrder = shape.byte(3)
        sortTarget = shape.byte(4)
        flags = Flags(rawValue: UInt32(shape.high & 0xffff_ffff))
        return true
    }
}

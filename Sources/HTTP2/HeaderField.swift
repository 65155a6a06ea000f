/// One field of a field section, as far as a passive listener knows it.
///
/// Stored in 32-bit offsets, as every request appends about ten of them.
public struct HeaderField: Sendable, Equatable {
    /// The names that gRPC and etcd give a meaning to; everything else is `other`.
    public enum Name: UInt8, Sendable, CaseIterable {
        /// The entry was inserted before the recording or in a gap: the name is not known.
        case unknown
        case other
        case authority, method, path, scheme, status
        case contentType, userAgent, te
        case grpcEncoding, grpcAcceptEncoding, grpcTimeout, grpcStatus, grpcMessage
        case clientAPIVersion, hasLeader
    }

    private var valueStart: Int32
    private var valueEnd: Int32
    private var nameStart: Int32
    private var nameEnd: Int32
    private var entryOrNone: Int64
    /// Counts how often the direction's dynamic table had to be forgotten; entry numbers of different epochs are
    /// unrelated.
    public var epoch: UInt32
    public var name: Name

    /// Where the value lies in the reader's `fieldBytes`; nil when the value is not known.
    public var value: Range<Int>? {
        get { valueStart < 0 ? nil : Int(valueStart)..<Int(valueEnd) }
        set { (valueStart, valueEnd) = Self.offsets(of: newValue) }
    }

    /// Where the name's text lies in the reader's `fieldBytes`; nil when the name is not known.
    public var nameBytes: Range<Int>? {
        get { nameStart < 0 ? nil : Int(nameStart)..<Int(nameEnd) }
        set { (nameStart, nameEnd) = Self.offsets(of: newValue) }
    }

    /// The dynamic-table entry that the field is or was inserted as, counted from the first insertion seen in this
    /// direction and epoch; negative for entries of before; nil for the static table, for literals without indexing,
    /// and while it is not known how many insertions a gap took (RFC 7541 §2.3.3). The same number always means the
    /// same entry.
    public var entry: Int64? {
        get { entryOrNone == .min ? nil : entryOrNone }
        set { entryOrNone = newValue ?? .min }
    }

    public init(
        name: Name, value: Range<Int>?, entry: Int64?, epoch: UInt32, nameBytes: Range<Int>? = nil
    ) {
        (valueStart, valueEnd) = Self.offsets(of: value)
        (nameStart, nameEnd) = Self.offsets(of: nameBytes)
        entryOrNone = entry ?? .min
        self.epoch = epoch
        self.name = name
    }

    /// A field that is the entry of this number: the hot path of every request.
    @inline(__always)
    init(_ entry: DynamicTable.Entry, number: Int64, epoch: UInt32) {
        valueStart = entry.valueStart
        valueEnd = entry.valueEnd
        nameStart = entry.nameStart
        nameEnd = entry.nameEnd
        entryOrNone = number
        self.epoch = epoch
        name = entry.name
    }

    /// Offsets beyond 31 bits cannot occur: `fieldBytes` is bounded by what one call brings and what two tables hold.
    private static func offsets(of range: Range<Int>?) -> (Int32, Int32) {
        guard let range, let start = Int32(exactly: range.lowerBound), let end = Int32(exactly: range.upperBound) else {
            return (-1, -1)
        }
        return (start, end)
    }
}

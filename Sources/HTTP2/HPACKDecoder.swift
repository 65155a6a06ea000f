package import Wire

/// Decodes the field blocks of one direction (RFC 7541) as a listener who may have come late or missed some.
///
/// Entries that were inserted before the recording or in a gap are not known, but their serial numbers are, so that
/// every use of one of them is recognised as the same entry. After lost bytes the table is *in doubt*: the number of
/// insertions that were missed is read off fields that are the same in every request (`TableAnchor`), or else the table
/// is forgotten and a new epoch begins. In doubt, only entries inserted since are referred to by name or number.
package struct HPACKDecoder {
    /// What is not known since bytes were lost.
    struct Doubt {
        /// Insertions before the gap; entries from here on are certain in relation to each other.
        var serial: Int64
        /// Bytes in which the missed insertions must have been.
        var lostBytes: Int
        /// Field sections decoded in doubt.
        var sections = 0
        /// Bytes of their blocks.
        var blockBytes = 0
        /// The highest stream of a field section before the gap.
        var stream: UInt32
    }

    private enum Outcome {
        case decoded
        /// No field block, or one that could not be read in any state.
        case malformed
        /// A reference that the table does not have: our state is wrong, or the encoder is.
        case wrongTable
    }

    package let direction: Direction
    private let limits: ConnectionLimits
    private let staticTable = FieldText.staticTable
    private let staticEntries = FieldText.staticEntries
    private let nameTexts = FieldText.nameTexts
    private(set) var table: DynamicTable
    /// Every insertion since the connection's start is accounted for, so that a reference to any other is an error.
    private(set) var isKnownFromStart: Bool
    private(set) var doubt: Doubt?
    package private(set) var epoch: UInt32 = 0
    private var anchor: TableAnchor
    /// The serial number that the epoch counts from.
    private var epochStart: Int64 = 0
    private var sectionsInEpoch = 0
    private var lastStream: UInt32 = 0

    /// Insertions before the next field block are not accounted for.
    package var isInDoubt: Bool { doubt != nil }

    /// In this epoch, entries of before a gap are known by inference.
    private(set) var isReanchored = false

    /// Gaps after which the table was known again.
    package private(set) var tablesReanchored = 0
    /// Tables that had to be forgotten.
    package private(set) var tablesForgotten = 0
    /// Size updates above what the decoder's side allowed, or above what is followed here.
    package private(set) var oddSizeUpdates = 0
    /// The largest table that the other side's SETTINGS allowed, nil as long as that is not known.
    package var sizeAllowed: Int?

    package init(_ direction: Direction, knownFromStart: Bool, limits: ConnectionLimits) {
        self.direction = direction
        self.limits = limits
        isKnownFromStart = knownFromStart
        // A server's table stays small, a client's fills the 4096 octets that both sides begin with.
        table = DynamicTable(room: direction == .request ? 128 : 16)
        anchor = TableAnchor(direction)
    }

    /// Takes over the memory of a decoder that is of no use any more. Precondition: nothing was decoded yet.
    mutating func takeMemory(of old: inout HPACKDecoder) {
        table.takeMemory(of: &old.table)
    }

    /// Decodes one whole field block and appends its fields; false when it could not be read, then nothing is appended
    /// and the table is in doubt.
    ///
    /// `text` holds the fields' text up to `used`; it is grown as needed, and never moved or shortened here.
    package mutating func decode(
        _ block: Span<UInt8>, stream: UInt32, into fields: inout [HeaderField], text: inout [UInt8], used: inout Int
    ) -> Bool {
        // Huffman code expands, and names and values are decoded before they are looked at.
        let room = used &+ HuffmanDecoder.bound(of: block.count)
        if text.count < room { text.append(contentsOf: repeatElement(0, count: max(room &- text.count, 4096))) }
        if doubt != nil { reanchor(by: block, stream: stream) }
        var isForgotten = false
        while true {
            let fieldCount = fields.count
            let usedBefore = used
            let insertedBefore = table.inserted
            let outcome = decodeOnce(block, into: &fields, text: &text, used: &used)
            if outcome == .decoded {
                lastStream = max(lastStream, stream)
                sectionsInEpoch &+= 1
                if doubt != nil { noteSectionInDoubt(block.count) }
                return true
            }
            fields.removeLast(fields.count &- fieldCount)
            used = usedBefore
            table.removeLast(downTo: insertedBefore)
            anchor.forget { $0 >= insertedBefore }
            if outcome == .malformed || isForgotten {
                missed(bytes: block.count)
                return false
            }
            forget()
            isForgotten = true
        }
    }

    /// Bytes were lost in which field blocks of this direction may have been.
    package mutating func missed(bytes: Int) {
        if doubt == nil {
            guard isKnownFromStart || sectionsInEpoch > 0 else { return }
            doubt = Doubt(serial: table.inserted, lostBytes: bytes, stream: lastStream)
            return
        }
        // What was inserted between two gaps has no certain place in relation to either side: count it as missed too.
        guard var both = doubt else { return }
        table.removeLast(downTo: both.serial)
        anchor.forget { $0 >= both.serial }
        both.lostBytes = both.lostBytes &+ bytes &+ both.blockBytes
        both.blockBytes = 0
        doubt = both
    }

    /// More of the bytes since the gap turned out to be lost.
    mutating func missedMore(bytes: Int) {
        doubt?.lostBytes &+= bytes
    }

    package mutating func moveText(from text: Span<UInt8>, prefix: Int, into newText: inout [UInt8]) {
        table.moveText(from: text, prefix: prefix, into: &newText)
    }

    // MARK: One field block

    private mutating func decodeOnce(
        _ block: Span<UInt8>, into fields: inout [HeaderField], text: inout [UInt8], used: inout Int
    ) -> Outcome {
        // As many as the field blocks of a segment have, mostly.
        if fields.capacity == 0 { fields.reserveCapacity(64) }
        var offset = 0
        var place = 0
        while offset < block.count {
            guard let line = FieldLine.next(in: block, at: &offset) else { return .malformed }
            switch line.kind {
            case .indexed:
                if line.number <= FieldText.staticTableCount {
                    fields.append(HeaderField(staticEntries[line.number], number: .min, epoch: epoch))
                } else {
                    let serial = table.inserted &- Int64(line.number &- FieldText.staticTableCount)
                    switch reference(to: serial) {
                    case .known:
                        let entry = table[serial]
                        anchor.learn(entry.name, serial: serial, place: place)
                        fields.append(
                            HeaderField(entry, number: serial &- epochStart, epoch: epoch))
                    case .unknown:
                        anchor.learnUnknown(serial: serial, place: place)
                        fields.append(
                            HeaderField(name: .unknown, value: nil, entry: serial &- epochStart, epoch: epoch))
                    case .undetermined:
                        fields.append(HeaderField(name: .unknown, value: nil, entry: nil, epoch: epoch))
                    case .invalid:
                        return .wrongTable
                    }
                }
            case .incremental, .notIndexed:
                var field = HeaderField(name: .unknown, value: nil, entry: nil, epoch: epoch)
                if line.number == 0 {
                    let start = used
                    guard copy(line.name, of: block, into: &text, used: &used) else { return .malformed }
                    field.name = FieldText.name(text.span.extracting(start..<used))
                    if field.name == .other {
                        field.nameBytes = start..<used
                    } else {
                        used = start
                        field.nameBytes = nameTexts[Int(field.name.rawValue)]
                    }
                } else if line.number <= FieldText.staticTableCount {
                    field.name = staticTable[line.number].name
                    field.nameBytes = staticTable[line.number].nameBytes
                } else {
                    let serial = table.inserted &- Int64(line.number &- FieldText.staticTableCount)
                    switch reference(to: serial) {
                    case .known:
                        field.name = table[serial].name
                        field.nameBytes = table[serial].nameBytes
                    case .unknown, .undetermined: break
                    case .invalid: return .wrongTable
                    }
                }
                let start = used
                guard copy(line.value, of: block, into: &text, used: &used) else { return .malformed }
                field.value = start..<used
                if line.kind == .incremental { insert(&field, place: place) }
                fields.append(field)
            case .sizeUpdate:
                // RFC 7541 §4.2: only at the beginning of a block.
                guard place == 0 else { return .malformed }
                resize(to: line.number)
                continue
            }
            place &+= 1
        }
        return .decoded
    }

    private enum Reference {
        case known, unknown
        /// Before the gap, but it is not known where.
        case undetermined
        case invalid
    }

    @inline(__always)
    private func reference(to serial: Int64) -> Reference {
        if doubt == nil, table.holds(serial) { return .known }
        if table.inserted &- serial > Int64(limits.tableBytes / 32) { return .invalid }
        if let doubt, serial < doubt.serial { return .undetermined }
        if table.holds(serial) { return .known }
        return isKnownFromStart ? .invalid : .unknown
    }

    private mutating func insert(_ field: inout HeaderField, place: Int) {
        var entry = DynamicTable.Entry(name: field.name)
        let value = field.value ?? 0..<0
        entry.valueStart = Int32(truncatingIfNeeded: value.lowerBound)
        entry.valueEnd = Int32(truncatingIfNeeded: value.upperBound)
        var size = 32 &+ value.count
        if let name = field.nameBytes {
            entry.nameStart = Int32(truncatingIfNeeded: name.lowerBound)
            entry.nameEnd = Int32(truncatingIfNeeded: name.upperBound)
            size &+= name.count
        }
        entry.size = Int32(clamping: size)
        guard let serial = table.insert(entry) else { return }
        anchor.learn(field.name, serial: serial, place: place)
        if doubt == nil { field.entry = serial &- epochStart }
    }

    private mutating func resize(to size: Int) {
        if let sizeAllowed, size > max(sizeAllowed, 4096) { oddSizeUpdates &+= 1 }
        if size > limits.tableBytes {
            // Not followed as far as that: what is dropped here may still be referred to.
            oddSizeUpdates &+= 1
            isKnownFromStart = false
        }
        table.resize(to: min(size, limits.tableBytes))
    }

    /// Decodes a string literal behind `used`; the caller has made room for it.
    private func copy(
        _ literal: FieldLine.Literal, of block: Span<UInt8>, into text: inout [UInt8], used: inout Int
    ) -> Bool {
        let code = block.extracting(literal.bytes)
        var bytes = text.mutableSpan
        if literal.isHuffman {
            guard let end = HuffmanDecoder.decode(code, into: &bytes, at: used) else { return false }
            used = end
        } else {
            for offset in 0..<code.count { bytes[used &+ offset] = code[offset] }
            used &+= code.count
        }
        return true
    }

    // MARK: Doubt

    private mutating func reanchor(by block: Span<UInt8>, stream: UInt32) {
        guard let doubt else { return }
        switch anchor.missedInsertions(
            block, table: table, isKnownFromStart: isKnownFromStart, doubt: doubt, stream: stream,
            limits: limits)
        {
        case .undecided: break
        case .contradiction: forget()
        case .missed(let count):
            table.insertUnknown(count, before: doubt.serial)
            anchor.shift(from: doubt.serial, by: Int64(count))
            self.doubt = nil
            isReanchored = true
            tablesReanchored &+= 1
        }
    }

    private mutating func noteSectionInDoubt(_ blockBytes: Int) {
        doubt?.sections &+= 1
        doubt?.blockBytes &+= blockBytes
        if let doubt, doubt.sections >= limits.sectionsInDoubt { forget() }
    }

    /// What was inferred of the table is wrong.
    mutating func refute() {
        if isReanchored { forget() }
    }

    /// Begins a new epoch: what was inserted before the gap is forgotten.
    private mutating func forget() {
        let start = doubt?.serial ?? table.inserted
        table.removeFirst(upTo: start)
        anchor.forget { $0 < start }
        epochStart = start
        epoch &+= 1
        isKnownFromStart = false
        sectionsInEpoch = 0
        doubt = nil
        isReanchored = false
        tablesForgotten &+= 1
    }
}

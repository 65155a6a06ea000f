import Wire

/// Finds how many insertions into a dynamic table a gap took, from fields that hardly ever change.
///
/// Requests of one client carry the same `:authority`, `content-type`, `user-agent`, ... as the same table entries in
/// the same places. After a gap all of them seem to have moved by the number of insertions missed: each is a vote.
/// Which places those are, their uses show, so that names need not be known: on a connection joined midway they may
/// never be.
struct TableAnchor {
    enum Verdict: Equatable {
        case missed(Int)
        /// Nothing in this field section tells.
        case undecided
        /// No number fits, or none could ever be found.
        case contradiction
    }

    /// What stood at one place of the latest field sections.
    private struct Place {
        /// The entry that was used there last; nil when none was.
        var serial: Int64?
        var name = HeaderField.Name.unknown
        /// How many sections in a row used it, as far as that matters.
        var uses: UInt8 = 0
    }

    /// For each place the number of missed insertions that it speaks for, if any.
    private typealias Votes = InlineArray<12, Int64?>

    /// Sections in a row with the same entry, from which on its place counts as one that does not change.
    private static let steadyUses: UInt8 = 2

    /// The places of a section that are looked at: clients send up to a dozen fields.
    private var places = InlineArray<12, Place>(repeating: Place())
    /// Where `:path` stands, -1 when not seen yet.
    private var pathPlace = -1
    /// How many places must agree: two for requests. Responses have one that is always there, and a table that hardly
    /// ever turns over.
    private let votesNeeded: Int

    init(_ direction: Direction) {
        votesNeeded = direction == .request ? 2 : 1
    }

    /// A field whose name and entry are certain was used at `place` of its section.
    @inline(__always)
    mutating func learn(_ name: HeaderField.Name, serial: Int64, place: Int) {
        // Trailers and responses differ in what stands where: of the server's fields only one is followed, by its name.
        guard place < places.count, votesNeeded > 1 || name == .contentType else { return }
        if name == .path { pathPlace = place }
        if places[place].serial == serial {
            places[place].uses = Self.steadyUses
        } else {
            // What is known to be a constant needs no second use to show it.
            places[place] = Place(serial: serial, name: name, uses: Self.isConstant(name) ? Self.steadyUses : 1)
        }
    }

    /// An entry of before the epoch, or of a gap, was used at `place`. This serves to count, never to name.
    @inline(__always)
    mutating func learnUnknown(serial: Int64, place: Int) {
        if votesNeeded > 1 { learn(.unknown, serial: serial, place: place) }
    }

    mutating func forget(where isGone: (Int64) -> Bool) {
        for index in places.indices {
            if let serial = places[index].serial, isGone(serial) { places[index] = Place() }
        }
    }

    mutating func shift(from serial: Int64, by count: Int64) {
        for index in places.indices {
            if let known = places[index].serial, known >= serial { places[index].serial = known &+ count }
        }
    }

    /// Reads `block` without effect on the table and lets the constants in it vote.
    func missedInsertions(
        _ block: Span<UInt8>, table: DynamicTable, isKnownFromStart: Bool, doubt: HPACKDecoder.Doubt, stream: UInt32,
        limits: ConnectionLimits
    ) -> Verdict {
        var known = 0
        for index in places.indices {
            if let serial = places[index].serial, places[index].uses >= Self.steadyUses, serial < doubt.serial,
                table.holds(serial) || !isKnownFromStart
            {
                known &+= 1
            }
        }
        guard known >= votesNeeded else { return .contradiction }
        let cast = votes(of: block, table: table, doubt: doubt)
        var votes = 0
        var most = 0
        var count: Int64 = 0
        for index in cast.indices {
            guard let vote = cast[index] else { continue }
            votes &+= 1
            var agreeing = 0
            for other in cast.indices where cast[other] == vote { agreeing &+= 1 }
            if agreeing > most {
                most = agreeing
                count = vote
            }
        }
        guard votes >= votesNeeded else { return .undecided }
        // An insertion takes two bytes at least: an index and an empty string.
        let possible = min(limits.reanchoredInsertions, doubt.lostBytes / 2)
        // One may dissent: `:path`, or a constant that was evicted and came again. Optional fields move those behind
        // them, so that of many two may.
        guard most >= votesNeeded, votes &- most <= (most >= 4 ? 2 : 1), count >= 0, count <= Int64(possible),
            missedStreams(doubt, stream) <= limits.reanchoredStreams,
            fits(block, count, table: table, isKnownFromStart: isKnownFromStart, doubt: doubt)
        else { return .contradiction }
        return .missed(Int(count))
    }

    /// Requests that were missed, by the stream numbers around the gap. A client's streams ascend by two (RFC 9113
    /// §5.1.1).
    private func missedStreams(_ doubt: HPACKDecoder.Doubt, _ stream: UInt32) -> Int {
        votesNeeded == 1 || stream <= doubt.stream ? 0 : Int((stream &- doubt.stream) / 2) &- 1
    }

    private func votes(of block: Span<UInt8>, table: DynamicTable, doubt: HPACKDecoder.Doubt) -> Votes {
        var votes = Votes(repeating: nil)
        var walk = Walk(inserted: table.inserted)
        // In responses the constant follows `:status`; trailers have none.
        if votesNeeded == 1, block.isEmpty || block[0] & 0x80 == 0 || block[0] & 0x7f > 14 { return votes }
        while let (line, serial, place) = walk.next(in: block) {
            guard line.kind == .indexed, let serial, serial < doubt.serial else { continue }
            guard place < places.count, places[place].uses >= Self.steadyUses, let last = places[place].serial,
                last < doubt.serial
            else { continue }
            votes[place] = last &- serial
        }
        return votes
    }

    /// Whether every known entry that the block refers to stands where its name belongs, when `count` were missed.
    private func fits(
        _ block: Span<UInt8>, _ count: Int64, table: DynamicTable, isKnownFromStart: Bool, doubt: HPACKDecoder.Doubt
    ) -> Bool {
        var walk = Walk(inserted: table.inserted)
        var misfits = 0
        while let (line, serial, place) = walk.next(in: block) {
            guard line.kind == .indexed, let serial, serial < doubt.serial else { continue }
            let entry = serial &+ count
            guard entry < doubt.serial else { continue }
            guard table.holds(entry) else {
                if isKnownFromStart { return false }
                continue
            }
            let name = table[entry].name
            if votesNeeded > 1, (name == .path) != (place == pathPlace), name != .unknown { return false }
            if votesNeeded > 1, Self.isConstant(name), place < places.count, Self.isConstant(places[place].name),
                places[place].name != name
            {
                misfits &+= 1
            }
        }
        return misfits <= 1
    }

    @inline(__always)
    private static func isConstant(_ name: HeaderField.Name) -> Bool {
        switch name {
        case .authority, .contentType, .userAgent, .te, .grpcAcceptEncoding: true
        default: false
        }
    }

    /// Steps through a block, keeping count of fields and insertions.
    private struct Walk {
        var inserted: Int64
        var offset = 0
        var place = -1

        mutating func next(in block: Span<UInt8>) -> (line: FieldLine, serial: Int64?, place: Int)? {
            while offset < block.count {
                guard let line = FieldLine.next(in: block, at: &offset) else { return nil }
                if line.kind == .sizeUpdate { continue }
                place &+= 1
                let index = line.number &- FieldText.staticTableCount
                let serial = index > 0 ? inserted &- Int64(index) : nil
                if line.kind == .incremental { inserted &+= 1 }
                return (line, serial, place)
            }
            return nil
        }
    }
}

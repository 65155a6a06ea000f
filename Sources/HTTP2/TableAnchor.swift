import Wire

/// Finds how many insertions into a dynamic table a gap took, from fields that hardly ever change.
///
/// Requests of one client carry the same `:authority`, `content-type`, `user-agent`, ... as the same table entries in
/// the same places. After a gap all of them seem to have moved by the number of insertions missed: each is a vote.
struct TableAnchor {
    enum Verdict: Equatable {
        case missed(Int)
        /// Nothing in this field section tells.
        case undecided
        /// No number fits, or none could ever be found.
        case contradiction
    }

    /// A field that is the same in all requests (responses) of a connection.
    private struct Constant {
        let name: HeaderField.Name
        /// The entry that it was last used as, and its place in that field section; nil when never seen.
        var serial: Int64?
        var place = -1
        /// The number of missed insertions that its place in the section at hand speaks for.
        var vote: Int64?
    }

    private var constants: [Constant]
    /// Where `:path` stands, -1 when not seen yet.
    private var pathPlace = -1
    /// How many constants must agree: two for requests. Responses have one that is always there, and a table that
    /// hardly ever turns over.
    private let votesNeeded: Int

    init(_ direction: Direction) {
        let names: [HeaderField.Name] =
            direction == .request ? [.authority, .contentType, .userAgent, .te, .grpcAcceptEncoding] : [.contentType]
        constants = names.map { Constant(name: $0) }
        votesNeeded = direction == .request ? 2 : 1
    }

    /// A field whose name and entry are certain was used at `place` of its section.
    @inline(__always)
    mutating func learn(_ name: HeaderField.Name, serial: Int64, place: Int) {
        let index: Int
        switch name {
        case .contentType: index = votesNeeded == 1 ? 0 : 1
        case .authority: index = 0
        case .userAgent: index = 2
        case .te: index = 3
        case .grpcAcceptEncoding: index = 4
        case .path:
            pathPlace = place
            return
        default: return
        }
        guard index < constants.count, constants[index].name == name,
            constants[index].serial != serial || constants[index].place != place
        else { return }
        constants[index].serial = serial
        constants[index].place = place
    }

    /// An entry of before the epoch was used at `place`: a constant that stood there before stands there still. This
    /// serves to count, never to name. Trailers and responses differ in what stands where, so it says nothing of them.
    mutating func learnUnknown(serial: Int64, place: Int) {
        guard votesNeeded > 1 else { return }
        for index in constants.indices where constants[index].place == place { constants[index].serial = serial }
    }

    mutating func forget(where isGone: (Int64) -> Bool) {
        for index in constants.indices {
            if let serial = constants[index].serial, isGone(serial) { constants[index].serial = nil }
        }
    }

    mutating func shift(from serial: Int64, by count: Int64) {
        for index in constants.indices {
            if let known = constants[index].serial, known >= serial { constants[index].serial = known &+ count }
        }
    }

    /// Reads `block` without effect on the table and lets the constants in it vote.
    mutating func missedInsertions(
        _ block: Span<UInt8>, table: DynamicTable, isKnownFromStart: Bool, doubt: HPACKDecoder.Doubt, stream: UInt32,
        limits: ConnectionLimits
    ) -> Verdict {
        var known = 0
        for index in constants.indices {
            constants[index].vote = nil
            if let serial = constants[index].serial, serial < doubt.serial, table.holds(serial) || !isKnownFromStart {
                known &+= 1
            }
        }
        guard known >= votesNeeded else { return .contradiction }
        vote(by: block, table: table, doubt: doubt)

        var votes = 0
        var most = 0
        var count: Int64 = 0
        for constant in constants {
            guard let vote = constant.vote else { continue }
            votes &+= 1
            var agreeing = 0
            for other in constants where other.vote == vote { agreeing &+= 1 }
            if agreeing > most {
                most = agreeing
                count = vote
            }
        }
        guard votes >= votesNeeded else { return .undecided }
        // An insertion takes two bytes at least: an index and an empty string.
        let possible = min(limits.reanchoredInsertions, doubt.lostBytes / 2)
        guard most >= votesNeeded, votes &- most <= 1, count >= 0, count <= Int64(possible),
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

    private mutating func vote(by block: Span<UInt8>, table: DynamicTable, doubt: HPACKDecoder.Doubt) {
        var walk = Walk(inserted: table.inserted)
        // In responses the constant follows `:status`; trailers have none.
        if votesNeeded == 1, block.isEmpty || block[0] & 0x80 == 0 || block[0] & 0x7f > 14 { return }
        while let (line, serial, place) = walk.next(in: block) {
            guard line.kind == .indexed, let serial, serial < doubt.serial else { continue }
            for index in constants.indices where constants[index].place == place {
                guard let last = constants[index].serial, last < doubt.serial else { continue }
                constants[index].vote = last &- serial
            }
        }
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
            for constant in constants where constant.name == name && constant.place != place { misfits &+= 1 }
        }
        return misfits <= 1
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

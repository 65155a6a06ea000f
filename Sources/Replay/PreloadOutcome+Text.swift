// How shard 1 tells the others what its preload was answered: as text in names of keys, since kvreel reads no values.

extension PreloadOutcome {
    /// `REVISION*PUTS,...;LEASE,...`: revisions in the order of the puts, those of one transaction together, and leases
    /// in hexadecimal; in pieces of at most `chunkBytes` bytes, at least 1. None where nothing was preloaded.
    func chunks(of chunkBytes: Int) -> [[UInt8]] {
        if revisions.isEmpty, leases.isEmpty { return [] }
        var text: [UInt8] = []
        var place = 0
        while place < revisions.count {
            var end = place + 1
            while end < revisions.count, revisions[end] == revisions[place] { end += 1 }
            if place > 0 { text.append(UInt8(ascii: ",")) }
            text += Array("\(revisions[place])*\(end - place)".utf8)
            place = end
        }
        text.append(UInt8(ascii: ";"))
        text += Array(leases.map { String($0, radix: 16) }.joined(separator: ",").utf8)
        return stride(from: 0, to: text.count, by: max(1, chunkBytes)).map {
            Array(text[$0..<min($0 + max(1, chunkBytes), text.count)])
        }
    }

    /// Reads what `chunks` wrote, put together again. Nil if it is not that, or not of so many puts and leases.
    init?(text: [UInt8], puts: Int, leases leaseCount: Int) {
        let halves = text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let comma = UInt8(ascii: ",")
        for run in halves[0].split(separator: comma) {
            let numbers = run.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
            guard numbers.count == 2, let revision = Self.number(numbers[0], radix: 10), revision >= 0,
                let count = Self.number(numbers[1], radix: 10), count > 0, count <= Int64(puts - revisions.count)
            else { return nil }
            revisions.append(contentsOf: repeatElement(revision, count: Int(count)))
        }
        for lease in halves[1].split(separator: comma) {
            guard leases.count < leaseCount, let number = Self.number(lease, radix: 16) else { return nil }
            leases.append(number)
        }
        guard revisions.count == puts, leases.count == leaseCount else { return nil }
    }

    private static func number(_ digits: ArraySlice<UInt8>, radix: Int) -> Int64? {
        Int64(String(decoding: digits, as: UTF8.self), radix: radix)
    }
}

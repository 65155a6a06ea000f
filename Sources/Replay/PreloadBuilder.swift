import Etcd
import Wire

/// What is to be written before a run, from what a trace shows of the store's content at its start.
struct PreloadBuilder: Sendable {
    private var known: [KeyNumber: ObservedRecord] = [:]
    /// In the order of their first appearance.
    private var order: [KeyNumber] = []
    private var counted: [ObservedRecord] = []

    /// Takes a fact whose keys are the plan's.
    mutating func take(_ record: ObservedRecord) {
        switch record.kind {
        case .absent: return
        case .counted: if record.key != 0, record.rangeEnd != 0 { counted.append(record) }
        case .present:
            guard record.key != 0 else { return }
            if var earlier = known[record.key] {
                earlier.complete(with: record)
                known[record.key] = earlier
            } else {
                known[record.key] = record
                order.append(record.key)
            }
        }
    }

    /// The plan's preload; fillers' keys are added to the plan's.
    consuming func finish(_ plan: inout ReplayPlan, limits: PlanLimits) -> PreloadPlan {
        var preload = PreloadPlan()
        let records = order.compactMap { known[$0] }
        preload.leases = Self.leases(records, of: plan)
        var places: [Int64: UInt32] = [:]
        for place in preload.leases.indices { places[preload.leases[place].recorded] = UInt32(place) }
        let sizes = records.map(\.valueSize).filter { $0 >= 0 }.sorted()
        let median = min(sizes.isEmpty ? Self.usualValueSize : sizes[(sizes.count - 1) / 2], limits.valueBytes)
        for key in fillers(beside: records, &plan, limits: limits) {
            preload.puts.append(PreloadPlan.Put(filler: key, valueSize: median))
        }
        let named = records.indices.sorted { (records[$0].modRevision, $0) < (records[$1].modRevision, $1) }
        for place in named {
            let record = records[place]
            preload.puts.append(
                PreloadPlan.Put(
                    key: record.key,
                    valueSize: record.valueSize < 0 ? median : min(record.valueSize, limits.valueBytes),
                    lease: places[record.lease],
                    nameLease: plan.keys.nameLease(of: record.key).flatMap { places[$0] },
                    modRevision: record.modRevision,
                    createRevision: record.createRevision, version: record.version, isFiller: false))
        }
        return preload
    }

    /// Bytes of a value where no size was seen at all: that of an object of a few dozen lines.
    private static let usualValueSize: Int64 = 1_024
    /// Seconds of a lease of which no TTL was seen.
    private static let usualTTL: Int64 = 3_600

    /// Leases that were granted before the recording: keys that existed have them, or calls of the plan name them.
    private static func leases(_ records: [ObservedRecord], of plan: ReplayPlan) -> [PreloadPlan.Lease] {
        var granted: Set<Int64> = []
        var named: [Int64] = records.map(\.lease)
        var ttls: [Int64: Int64] = [:]
        for call in plan.calls {
            switch call.kind {
            case .leaseGrant: if call.status == 0 { granted.insert(call.lease) }
            case .leaseRevoke, .leaseTimeToLive, .leaseKeepAlive:
                named.append(call.lease)
                if call.kind == .leaseKeepAlive, call.ttl > 0 { ttls[call.lease] = call.ttl }
            case .put: named.append(call.lease)
            default: break
            }
        }
        for part in plan.parts where part.kind == .put { named.append(part.lease) }
        for compare in plan.compares where compare.target == .lease { named.append(compare.operand) }
        var taken: Set<Int64> = [0]
        return named.compactMap { lease in
            guard !granted.contains(lease), taken.insert(lease).inserted else { return nil }
            return PreloadPlan.Lease(recorded: lease, ttl: ttls[lease] ?? usualTTL)
        }
    }

    /// Keys for those that were counted but never named, inside their ranges: the smallest ranges first, since what is
    /// in them is in the wider ones too.
    private func fillers(
        beside records: [ObservedRecord], _ plan: inout ReplayPlan, limits: PlanLimits
    ) -> [KeyNumber] {
        var names: [KeyNumber] = []
        let sorted = records.map(\.key).sorted { plan.keys.precedes($0, $1) }
        var done: [ObservedRecord] = []
        for range in counted.sorted(by: { ($0.count, $0.key, $0.rangeEnd) < ($1.count, $1.key, $1.rangeEnd) }) {
            let named = plan.keys.count(sorted, from: range.key, to: range.rangeEnd)
            let made = names.count { plan.keys.holds($0, from: range.key, to: range.rangeEnd) }
            var missing = range.count - Int64(named + made)
            var attempt = 0
            while missing > 0, names.count < limits.fillers, attempt < Self.attempts {
                guard let name = plan.keys.filler(attempt, in: range, outside: done) else {
                    attempt += 1
                    continue
                }
                names.append(name)
                missing -= 1
            }
            plan.notes.fillersLeftOut += Int(clamping: max(0, missing))
            done.append(range)
        }
        plan.notes.fillers = names.count
        return names
    }

    /// Ways to make a name inside a range.
    private static let attempts = 2
}

extension PreloadPlan.Put {
    fileprivate init(filler key: KeyNumber, valueSize: Int64) {
        self.init(
            key: key, valueSize: valueSize, lease: nil, nameLease: nil, modRevision: 0, createRevision: 0, version: 0,
            isFiller: true)
    }
}

extension ObservedRecord {
    /// Takes what another fact of the same key says and this one does not.
    fileprivate mutating func complete(with other: ObservedRecord) {
        if createRevision == 0 { createRevision = other.createRevision }
        if modRevision == 0 { modRevision = other.modRevision }
        if version == 0 { version = other.version }
        if lease == 0 { lease = other.lease }
        if valueSize < 0 { valueSize = other.valueSize }
    }
}

extension ByteTable {
    /// Whether the key lies in the range; an end of one zero byte is the end of the key space.
    func holds(_ key: KeyNumber, from start: KeyNumber, to end: KeyNumber) -> Bool {
        !precedes(key, start) && (RangeTree.isOpen(end, self) || precedes(key, end))
    }

    /// How many of the keys, which are sorted, lie in the range.
    fileprivate func count(_ sorted: [KeyNumber], from start: KeyNumber, to end: KeyNumber) -> Int {
        func place(of key: KeyNumber) -> Int { sorted.partitioningIndex { !precedes($0, key) } }
        return max(0, (RangeTree.isOpen(end, self) ? sorted.count : place(of: end)) - place(of: start))
    }

    /// A new key inside the range, and in none of the others; nil if there is none of that kind.
    fileprivate mutating func filler(
        _ attempt: Int, in range: ObservedRecord, outside others: [ObservedRecord]
    ) -> KeyNumber? {
        // Behind the range's first key: as a name, or, where the range ends before those, as its direct successors.
        var name = string(range.key) + (attempt == 0 ? Array("kvreel-".utf8) : [0])
        name += Array(Self.eightDigits(count).utf8)
        guard existingNumber(of: name.span) == 0 else { return nil }
        let end = string(range.rangeEnd)
        guard RangeTree.isOpen(range.rangeEnd, self) || name.span.precedes(end.span) else { return nil }
        for other in others {
            let (first, last) = (string(other.key), string(other.rangeEnd))
            let isInside =
                !name.span.precedes(first.span)
                && (RangeTree.isOpen(other.rangeEnd, self) || name.span.precedes(last.span))
            // A range that holds this one whole was filled before only if it is as large: then it counts this key too.
            if isInside, !(holds(range.key, from: other.key, to: other.rangeEnd) && other.count >= range.count) {
                return nil
            }
        }
        return number(of: name.span)
    }

    private static func eightDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The end of all keys that begin with this one, if it ends with a slash.
    mutating func folderEnd(of key: KeyNumber) -> KeyNumber? {
        var end = string(key)
        guard end.last == UInt8(ascii: "/") else { return nil }
        end[end.count - 1] += 1
        return number(of: end.span)
    }
}

package import Etcd
import Wire

/// A workload that never was: operations at seeded times on keys by Zipf's law, each with the answer of a store that
/// holds every key at the start and does an operation in the moment in which it ends.
///
/// A transaction is guarded by the revision that its key had when it began; where another write of the key ended in
/// between, it fails, as a late writer's does. Latencies are drawn: a fixed time and one of an exponential
/// distribution, both longer for writes.
package struct SyntheticWorkload: Sendable {
    private let options: SyntheticOptions
    private let total: Double
    private var draws: SplitMix64
    private let ranks: ZipfRanks
    /// The key of each rank: hot keys lie anywhere.
    private var keyOfRank: [UInt32]
    private var keys: SyntheticKeys
    private var store: SyntheticStore
    private var observed = 0
    private var hasConnections = false
    private var begun = 0
    /// When the next operation begins, in nanoseconds after the start; nil when there are no more.
    private var arrival: Int64?
    private var clock = 0.0
    /// Operations under way, and free places among them.
    private var pending: [Pending] = []
    private var free: [Int] = []
    private var heap = CopyHeap()
    private var nextStream: [UInt32]

    private struct Pending {
        var word: SyntheticOptions.Word
        var time: Int64
        var end: Int64
        var key: Int
        /// It asks for a key that never exists.
        var isMissing: Bool
        var client: Int
        /// The mod revision that the client knew.
        var known: Int64
        var valueSize: Int64
    }

    /// 2000-01-01T00:00:00Z: nobody recorded it.
    private static let start: Int64 = 946_684_800_000_000_000
    /// Nanoseconds: the least latency, and the mean of what is added to it.
    package static let readLatency: (least: Double, mean: Double) = (300_000, 200_000)
    package static let writeLatency: (least: Double, mean: Double) = (1_000_000, 1_000_000)

    package init(
        _ options: SyntheticOptions, limits: GenerationLimits = GenerationLimits()
    ) throws(GenerationError) {
        if let refusal = options.refusal(limits) { throw refusal }
        self.options = options
        total = options.weights.reduce(0, +)
        var draws = SplitMix64(seed: options.seed)
        ranks = ZipfRanks(count: options.keys, exponent: options.skew)
        keyOfRank = (0..<UInt32(options.keys)).map { $0 }
        for place in keyOfRank.indices.reversed() { keyOfRank.swapAt(place, draws.below(place + 1)) }
        keys = SyntheticKeys(count: options.keys, bytes: options.keyBytes)
        store = SyntheticStore(
            valueSizes: (0..<options.keys).lazy.map { _ in Self.valueSize(options.valueBytes, &draws) })
        nextStream = Array(repeating: 1, count: options.clients)
        self.draws = draws
        arrive()
    }

    /// Replaces the batch's content by the next operations, in the order in which they end; false when all are done.
    package mutating func next(into batch: inout OperationBatch) -> Bool {
        batch.removeAll()
        batch.health[.connections] = Int64(options.clients)
        if !hasConnections { appendConnections(to: &batch) }
        if observed < options.keys {
            appendObserved(to: &batch)
            return true
        }
        while batch.operations.count < Self.batchOperations, batch.keyValues.count < Self.batchKeyValues {
            if let arrival, heap.first.map({ pending[$0].end >= arrival }) ?? true {
                begin(at: arrival)
                arrive()
            } else if let place = heap.first {
                heap.replaceFirst(nil)
                end(pending[place], into: &batch)
                free.append(place)
            } else {
                break
            }
        }
        return !batch.operations.isEmpty || !batch.observed.isEmpty || !batch.connections.isEmpty
    }

    private static let batchOperations = 1 << 16
    private static let batchKeyValues = 1 << 18

    // MARK: The start

    private mutating func appendConnections(to batch: inout OperationBatch) {
        hasConnections = true
        let server = batch.texts.number(of: "198.19.255.254:2379")
        let agent = batch.texts.number(of: "kvreel-generate")
        for client in 0..<options.clients {
            let name = "198.18.\(client >> 8).\(client & 255):40000"
            var record = ConnectionRecord(
                number: UInt32(client), client: batch.texts.number(of: name), server: server,
                firstTime: CaptureTime(nanoseconds: Self.start))
            record.content = .http2
            record.userAgent = agent
            batch.connections.append(record)
        }
    }

    /// Every key was there: a replay's preload writes it.
    private mutating func appendObserved(to batch: inout OperationBatch) {
        let last = min(options.keys, observed + Self.batchOperations)
        for key in observed..<last {
            let state = store.states[key]
            var record = ObservedRecord(kind: .present, source: .rangeReply, key: keys.number(of: key, in: &batch.keys))
            record.createRevision = state.createRevision
            record.modRevision = state.modRevision
            record.version = state.version
            record.valueSize = state.valueSize
            batch.observed.append(record)
        }
        observed = last
    }

    // MARK: Operations

    /// Draws when the next operation begins.
    private mutating func arrive() {
        let gap = 1e9 / options.rate
        switch options.arrivals {
        case .constant: clock = Double(begun) * gap
        case .poisson: clock += draws.exponential(mean: gap)
        }
        switch options.length {
        case .operations(let count): arrival = begun < count ? Int64(clock) : nil
        case .nanoseconds(let time): arrival = clock < Double(time) ? Int64(clock) : nil
        }
    }

    private mutating func begin(at time: Int64) {
        begun += 1
        let word = self.word()
        let key = Int(keyOfRank[ranks.next(&draws)])
        let isWrite = word != .range && word != .list
        let latency = isWrite ? Self.writeLatency : Self.readLatency
        let isMissing = word == .range && options.missing > 0 && draws.chance(options.missing)
        let operation = Pending(
            word: word, time: time, end: time + Int64(latency.least + draws.exponential(mean: latency.mean)), key: key,
            isMissing: isMissing, client: draws.below(options.clients), known: store.states[key].modRevision,
            valueSize: word == .put || word == .txn ? Self.valueSize(options.valueBytes, &draws) : 0)
        if let place = free.popLast() {
            pending[place] = operation
            heap.add(place, at: operation.end)
        } else {
            pending.append(operation)
            heap.add(pending.count - 1, at: operation.end)
        }
    }

    private mutating func word() -> SyntheticOptions.Word {
        var rest = Double(draws.next() >> 11) / Double(1 << 53) * total
        for (place, word) in SyntheticOptions.Word.allCases.enumerated() where options.weights[place] > 0 {
            if rest < options.weights[place] { return word }
            rest -= options.weights[place]
        }
        // Sums of weights are rounded.
        let last = options.weights.lastIndex { $0 > 0 }
        return SyntheticOptions.Word.allCases[last ?? 0]
    }

    private static func valueSize(_ sizes: ClosedRange<Int64>, _ draws: inout SplitMix64) -> Int64 {
        sizes.lowerBound + Int64(draws.below(Int(sizes.upperBound - sizes.lowerBound) + 1))
    }

    /// Does the operation and appends it with its answer.
    private mutating func end(_ pending: Pending, into batch: inout OperationBatch) {
        let (kind, method) = Self.call(pending.word)
        var operation = Operation(
            time: CaptureTime(nanoseconds: Self.start + pending.time), connection: UInt32(pending.client),
            stream: stream(of: pending.client), role: .call, kind: kind, evidence: .seen, method: method)
        operation.requestEnd = 0
        operation.responseStart = pending.end - pending.time
        operation.responseEnd = pending.end - pending.time
        operation.completeness = .completed
        operation.status = 0
        operation.requestMessages = 1
        operation.responseMessages = 1
        switch pending.word {
        case .range where pending.isMissing: operation.body = rangeOfMissing(pending.key, &batch)
        case .range: operation.body = range(pending.key, .root, &batch)
        case .list: operation.body = list(keys.folder(of: pending.key), &batch)
        case .put: operation.body = put(pending.key, pending.valueSize, .root, &batch)
        case .delete:
            operation.body.kind = .delete
            operation.body.flags = .answered
            operation.body.key = keys.number(of: pending.key, in: &batch.keys)
            operation.body.count = store.delete(pending.key) ? 1 : 0
        case .txn: transact(pending, &operation, &batch)
        }
        operation.key = operation.kind == .txn ? batch.parts[batch.parts.count - 1].key : operation.body.key
        operation.headerRevision = store.revision
        batch.operations.append(operation)
    }

    private static func call(_ word: SyntheticOptions.Word) -> (OperationKind, MethodNumber) {
        let kind: OperationKind =
            switch word {
            case .range, .list: .range
            case .put: .put
            case .txn: .txn
            case .delete: .delete
            }
        return (kind, methods[Int(kind.rawValue)])
    }

    /// Of each kind of unary call on keys its method in the catalogue.
    private static let methods: [MethodNumber] = OperationKind.allCases.map { kind in
        MethodCatalogue.methods.first { $0.kind == kind }?.number ?? .unknown
    }

    /// Clients number their streams 1, 3, 5, ... (RFC 9113 §5.1.1), and begin anew when there are no more.
    private mutating func stream(of client: Int) -> UInt32 {
        let stream = nextStream[client]
        nextStream[client] = stream >= UInt32(Int32.max) - 2 ? 1 : stream + 2
        return stream
    }

    private mutating func range(
        _ key: Int, _ branch: RequestOp.Branch, _ batch: inout OperationBatch
    ) -> RequestOp {
        var body = RequestOp()
        body.kind = .range
        body.branch = branch
        body.flags = .answered
        body.key = keys.number(of: key, in: &batch.keys)
        let first = batch.keyValues.count
        store.append(key, body.key, to: &batch.keyValues)
        body.count = Int64(batch.keyValues.count - first)
        body.keyValues = Slice(start: UInt32(first), count: UInt32(batch.keyValues.count - first))
        return body
    }

    private mutating func rangeOfMissing(_ key: Int, _ batch: inout OperationBatch) -> RequestOp {
        var body = RequestOp()
        body.kind = .range
        body.flags = .answered
        body.key = keys.number(ofMissing: key, in: &batch.keys)
        body.keyValues = Slice(start: UInt32(batch.keyValues.count), count: 0)
        return body
    }

    private mutating func list(_ folder: Int, _ batch: inout OperationBatch) -> RequestOp {
        var body = RequestOp()
        body.kind = .range
        body.flags = [.answered, .hasRangeEnd]
        (body.key, body.rangeEnd) = keys.range(of: folder, in: &batch.keys)
        let first = batch.keyValues.count
        for key in keys.keys(of: folder) {
            store.append(key, keys.number(of: key, in: &batch.keys), to: &batch.keyValues)
        }
        body.count = Int64(batch.keyValues.count - first)
        body.keyValues = Slice(start: UInt32(first), count: UInt32(batch.keyValues.count - first))
        return body
    }

    private mutating func put(
        _ key: Int, _ valueSize: Int64, _ branch: RequestOp.Branch, _ batch: inout OperationBatch
    ) -> RequestOp {
        var body = RequestOp()
        body.kind = .put
        body.branch = branch
        body.key = keys.number(of: key, in: &batch.keys)
        body.valueSize = valueSize
        if branch == .root {
            body.flags = .answered
            store.put(key, valueSize: valueSize)
        }
        return body
    }

    private mutating func transact(
        _ pending: Pending, _ operation: inout Operation, _ batch: inout OperationBatch
    ) {
        operation.body.kind = .txn
        operation.body.flags = .answered
        operation.body.compares = Slice(start: UInt32(batch.compares.count), count: 1)
        operation.parts = Slice(start: UInt32(batch.parts.count), count: 2)
        var compare = Compare()
        compare.target = .modRevision
        compare.relation = .equal
        compare.key = keys.number(of: pending.key, in: &batch.keys)
        compare.operand = pending.known
        batch.compares.append(compare)
        var success = put(pending.key, pending.valueSize, .success, &batch)
        var failure: RequestOp
        if store.states[pending.key].modRevision == pending.known {
            operation.body.flags.insert(.succeeded)
            success.flags.insert(.answered)
            store.put(pending.key, valueSize: pending.valueSize)
            failure = RequestOp()
            failure.kind = .range
            failure.branch = .failure
            failure.key = compare.key
        } else {
            failure = range(pending.key, .failure, &batch)
        }
        batch.parts.append(success)
        batch.parts.append(failure)
    }
}

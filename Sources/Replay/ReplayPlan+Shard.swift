import Etcd

extension ReplayPlan {
    /// Keeps one shard's calls, each with its time and what it waits for among them. Of what is counted of the whole
    /// plan, the first shard keeps all and the others nothing, so that sums over the shards are the plan's; keys and
    /// preload stay as they are in each.
    ///
    /// The whole plan is made first, and cut then: which writes without an answer were executed, what a revision means,
    /// which reads are stale, all that depends on the answers to other shards' calls too.
    ///
    /// - Parameter shown: by call, the revision that its answer showed, or the recording had shown by then.
    mutating func cut(to shard: Shard, shown: [Int64], limits: PlanLimits) {
        let assignment = ShardAssignment(self, count: shard.count, limits: limits)
        var crossing = askCurrentRevisions(assignment, shown)
        if assignment.callCounts.count(where: { $0 > 0 }) > 1 {
            // Whether there is something to compact depends on all writes.
            for place in calls.indices where calls[place].kind == .compact { crossing[place] = true }
        }
        let borders = ShardBorders(order, assignment, known: crossing)
        var planned = PlannedShard(shard)
        planned.callCounts = assignment.callCounts
        planned.times = calls.map(\.time)
        let numbers = ownNumbers(of: UInt16(shard.index - 1), assignment)
        planned.numbers = numbers
        for place in numbers.indices where borders.isCrossing[Int(numbers[place])] {
            planned.crossing.append(UInt32(place))
            planned.crossingCounts[Int(calls[Int(numbers[place])].kind.rawValue)] += 1
        }
        planned.hasForeignWrites = calls.indices.contains { place in
            borders.isCrossing[place] && Int(assignment.shards[place]) != shard.index - 1 && mayWrite(calls[place])
        }
        order = order.part(numbers, of: calls.count, through: borders)
        keepStreams(assignment, of: shard)
        keep(numbers)
        if shard.index > 1 {
            omissions = OmissionTable()
            notes = PlanNotes()
            if expression != nil { expression = ExpressionTable() }
        }
        self.shard = planned
    }

    private func mayWrite(_ call: PlannedCall) -> Bool {
        switch call.request {
        case .put, .delete: true
        case .txn: parts[call.parts.range].contains { $0.kind == .put || $0.kind == .delete }
        case .range, .watchCreate, .other: false
        }
    }

    /// Where the answer to a call of another shard would tell a revision, the store's current one does, less as much as
    /// the recorded one lay behind what the store had come to. Which calls name such revisions.
    private mutating func askCurrentRevisions(_ assignment: ShardAssignment, _ shown: [Int64]) -> [Bool] {
        var asksOthers = Array(repeating: false, count: calls.count)
        for place in calls.indices {
            let call = calls[place]
            for number in call.patches.range where patches[number].isOfCall {
                let patch = patches[number]
                if assignment.shards[Int(patch.number)] == assignment.shards[place] { continue }
                asksOthers[place] = true
                patches[number].number = UInt32(place)
                guard patch.source == .revisionOfCall else {
                    patches[number].source = .nowhere
                    continue
                }
                patches[number].source = .currentRevision
                patches[number].offset = -max(0, shown[place].distance(since: recordedRevision(patch, call)))
            }
        }
        return asksOthers
    }

    private func recordedRevision(_ patch: Patch, _ call: PlannedCall) -> Int64 {
        switch patch.field {
        case .partRevision: parts[call.parts.range.lowerBound + Int(patch.index)].revision
        case .operand: compares[call.compares.range.lowerBound + Int(patch.index)].operand
        default: call.revision
        }
    }

    /// The numbers of a shard's calls, and of the ends of streams that it has messages on.
    private func ownNumbers(of shard: UInt16, _ assignment: ShardAssignment) -> [UInt32] {
        var isUsed = Array(repeating: false, count: streams.count)
        for place in calls.indices where assignment.shards[place] == shard {
            if case .message = calls[place].action { isUsed[Int(calls[place].stream)] = true }
        }
        return calls.indices.compactMap { place in
            let isOwn: Bool
            if case .endStream = calls[place].action {
                isOwn = isUsed[Int(calls[place].stream)]
            } else {
                isOwn = assignment.shards[place] == shard
            }
            return isOwn ? UInt32(place) : nil
        }
    }

    /// Recorded events of a stream are counted by the shard of its first message, or by the first.
    private mutating func keepStreams(_ assignment: ShardAssignment, of shard: Shard) {
        var owners = Array(repeating: UInt16?.none, count: streams.count)
        for place in calls.indices {
            if case .message = calls[place].action, owners[Int(calls[place].stream)] == nil {
                owners[Int(calls[place].stream)] = assignment.shards[place]
            }
        }
        for stream in streams.indices where Int(owners[stream] ?? 0) != shard.index - 1 {
            streams[stream].recordedEvents = 0
        }
    }

    /// Keeps the calls of those numbers and what they name; connections without any of them are left out.
    private mutating func keep(_ numbers: [UInt32]) {
        var places = Array(repeating: UInt32.max, count: calls.count)
        for place in numbers.indices { places[Int(numbers[place])] = UInt32(place) }
        var connections = Array(repeating: UInt32.max, count: connectionCount)
        var connected: UInt32 = 0
        var kept = (calls: [PlannedCall](), parts: [RequestOp](), compares: [Compare](), patches: [Patch]())
        kept.calls.reserveCapacity(numbers.count)
        for number in numbers {
            var call = calls[Int(number)]
            if connections[Int(call.connection)] == .max {
                connections[Int(call.connection)] = connected
                connected += 1
            }
            call.connection = connections[Int(call.connection)]
            let first = (part: kept.parts.count, compare: kept.compares.count, patch: kept.patches.count)
            // A call's compares lie together, and all slices of them with them.
            let shift = UInt32(first.compare) &- call.compares.start
            for place in call.parts.range {
                var part = parts[place]
                part.compares.start &+= shift
                kept.parts.append(part)
            }
            kept.compares += compares[call.compares.range]
            for place in call.patches.range {
                var patch = patches[place]
                if patch.isOfCall { patch.number = places[Int(patch.number)] }
                kept.patches.append(patch)
            }
            if case .txn(var txn) = call.request {
                txn.compares.start = UInt32(first.compare)
                txn.parts.start = UInt32(first.part)
                call.request = .txn(txn)
            }
            call.patches.start = UInt32(first.patch)
            kept.calls.append(call)
        }
        for stream in streams.indices {
            let connection = connections[Int(streams[stream].connection)]
            streams[stream].connection = connection == .max ? 0 : connection
        }
        connectionCount = Int(connected)
        (calls, parts, compares, patches) = kept
    }
}

extension Patch {
    /// Whether `number` is a call's.
    fileprivate var isOfCall: Bool {
        switch source {
        case .revisionOfCall, .currentRevision, .leaseOfCall, .watchOfCall: true
        case .nowhere, .revisionOfPreload, .leaseOfPreload, .constant: false
        }
    }
}

extension OrderGraph {
    /// The order of some of the calls. Two of them that were in order over joints, or over calls of others that cross
    /// the borders between shards, stay so: these become joints.
    ///
    /// - Parameters:
    ///   - numbers: of the calls, ascending; each one's place becomes its number.
    func part(_ numbers: [UInt32], of callCount: Int, through borders: ShardBorders) -> OrderGraph {
        var isOwn = Array(repeating: false, count: nodeCount)
        for number in numbers { isOwn[Int(number)] = true }
        func passes(_ node: Int) -> Bool { node >= callCount || borders.isCrossing[node] }
        // Whether own calls come before it and behind it, others that pass on between.
        var follows = isOwn
        var leads = isOwn
        for node in borders.sequence where follows[Int(node)] {
            for next in successors(of: Int(node)) where passes(next) { follows[next] = true }
        }
        for node in borders.sequence.reversed() where isOwn[Int(node)] || passes(Int(node)) {
            for next in successors(of: Int(node)) where leads[next] { leads[Int(node)] = true }
        }
        var places = Array(repeating: UInt32.max, count: nodeCount)
        for place in numbers.indices { places[Int(numbers[place])] = UInt32(place) }
        var count = UInt32(numbers.count)
        for node in 0..<nodeCount where !isOwn[node] && follows[node] && leads[node] {
            places[node] = count
            count += 1
        }
        var edges: [(before: UInt32, after: UInt32)] = []
        for node in 0..<nodeCount where places[node] != .max {
            for next in successors(of: node) where places[next] != .max {
                edges.append((places[node], places[next]))
            }
        }
        return OrderGraph(nodeCount: Int(count), edges: edges)
    }
}

package import Etcd

/// A recorded workload made ready for replay: its calls in the order in which they began, what each of them waits for,
/// and where the revisions and lease IDs in it come from. Flat arrays that name each other by number; nothing changes
/// once it is built.
package struct ReplayPlan: Sendable {
    /// In the order of `time`; the number of a call is its place.
    package var calls: [PlannedCall] = []
    /// Operations of transactions' branches, and compares, as recorded: their answers are the recorded ones.
    package var parts: [RequestOp] = []
    package var compares: [Compare] = []
    /// What of the requests is to be translated, by the calls' `patches`.
    package var patches: [Patch] = []
    /// Keys and range ends of calls and of the preload.
    package var keys = ByteTable()
    package var streams: [PlannedStream] = []
    /// Recorded connections that carry a planned call; their numbers are places from 0.
    package var connectionCount = 0
    /// What waits for what.
    package var order = OrderGraph()
    /// What is written before the run.
    package var preload = PreloadPlan()
    /// Calls of the trace that are not replayed, by reason.
    package var omissions = OmissionTable()
    /// What a chain does of the rest; nil for other stores.
    package var expression: ExpressionTable?
    package var notes = PlanNotes()
    /// Whose part of a plan it is; nil for a whole one.
    package internal(set) var shard: PlannedShard?

    package init() {}

    /// What traces name a call by: its number in the whole plan.
    package func number(of call: UInt32) -> UInt32 { shard?.numbers[Int(call)] ?? call }

    /// Keys that calls name, ends of ranges apart, in the order of their numbers.
    package var calledKeys: [KeyNumber] {
        var isCalled = Array(repeating: false, count: keys.count + 1)
        for call in calls { isCalled[Int(call.key)] = true }
        for part in parts { isCalled[Int(part.key)] = true }
        for compare in compares { isCalled[Int(compare.key)] = true }
        return (1..<KeyNumber(isCalled.count)).filter { isCalled[Int($0)] }
    }

    /// Leaves out of the preload what no call names: a chain has a place for each key.
    mutating func dropUncalledPuts() {
        let called = Set(calledKeys)
        preload.puts.removeAll { !called.contains($0.key) }
    }
}

/// What is to be known of how a plan was made.
package struct PlanNotes: Sendable, Equatable {
    /// Writes without an answer that the recording shows to have been executed.
    package var unansweredExecuted = 0
    /// Reads that saw an older state than had been shown before they began, as serializable ones may: nothing waits
    /// for them, and they may be answered otherwise.
    package var staleReads = 0
    /// Revisions and leases that nothing in the trace explains, by what they are for; sent as recorded.
    package var unmappedCompares = 0
    package var unmappedRevisions = 0
    package var unmappedLeases = 0
    /// Nodes of cycles in the order, where the recording contradicts itself, that wait for nothing.
    package var cyclesBroken = 0
    /// Keys that were counted but never named: those that are made up, and those for which no name was found.
    package var fillers = 0
    package var fillersLeftOut = 0
    /// Watches that were open before the recording, begun anew on what their events show.
    package var watchesBegunAnew = 0

    package init() {}
}

/// A bidirectional stream of the recording: a Watch or LeaseKeepAlive call.
package struct PlannedStream: Sendable {
    package var method: MethodNumber
    package var connection: UInt32
    /// Events that the recording shows on it.
    package var recordedEvents: Int64 = 0

    package init(method: MethodNumber, connection: UInt32) {
        self.method = method
        self.connection = connection
    }
}

/// A number of a request that means something else on the target, and where its meaning is learned.
package struct Patch: Sendable, Equatable {
    /// Which number of the request.
    package enum Field: UInt8, Sendable {
        /// The revision of the call's own range or watch, or of Compact and HashKV.
        case revision
        /// The revision of a range in a transaction; `index` counts from the call's first part.
        case partRevision
        /// A mod or create revision; `index` counts from the call's first compare, nested ones behind.
        case operand
        /// A version that a compare names: `offset` is taken from it.
        case version
        /// The lease of the call, of its put, or of a put in a transaction (`index` as above).
        case lease
        case putLease
        case partLease
        /// A lease that a compare names.
        case operandLease
        /// The key ends with a lease ID in hexadecimal, as keys of locks and elections do (v3lock: `name/lease`).
        case key
        case partKey
        case operandKey
        /// The watch ID of a cancel request.
        case watch
    }

    /// Where its meaning is learned.
    package enum Source: UInt8, Sendable {
        /// Nowhere: it is sent as recorded, and counted.
        case nowhere
        /// The header revision of the answer to call `number`.
        case revisionOfCall
        /// The revision that the preload gave key `number` of the preload's puts.
        case revisionOfPreload
        /// The lease that call `number`, a LeaseGrant or Lock, was answered.
        case leaseOfCall
        /// Lease `number` of the preload.
        case leaseOfPreload
        /// The watch that call `number`, a watch create, was answered.
        case watchOfCall
        /// The store's current revision, which is read just before: of call `number`, the patch's own.
        case currentRevision
        /// The number is known when the plan is made: `offset` says by how much it differs from the recorded one.
        case constant
    }

    package var field: Field
    package var source: Source
    /// Which part or compare.
    package var index: UInt32 = 0
    /// Call, put or lease, as `source` says.
    package var number: UInt32 = 0
    /// Added to what is learned; to the recorded number with `.constant`.
    package var offset: Int64 = 0

    package init(_ field: Field, from source: Source, index: UInt32 = 0, number: UInt32 = 0, offset: Int64 = 0) {
        self.field = field
        self.source = source
        self.index = index
        self.number = number
        self.offset = offset
    }
}

/// What is written before the run, so that the store holds what the recording shows to have been there.
package struct PreloadPlan: Sendable {
    package struct Lease: Sendable, Equatable {
        package var recorded: Int64
        /// Seconds.
        package var ttl: Int64
    }

    package struct Put: Sendable, Equatable {
        package var key: KeyNumber
        /// Bytes; the median of the known ones where the recording does not show it.
        package var valueSize: Int64
        /// Place in `leases`; nil without a lease.
        package var lease: UInt32?
        /// Place in `leases` of the one that the key's name ends with, as those of locks and elections do: the target's
        /// takes its place, as in the calls that name the key. Nil where the name is written as it is.
        package var nameLease: UInt32?
        /// As recorded; 0 where not known.
        package var modRevision: Int64
        package var createRevision: Int64
        package var version: Int64
        /// Whether it stands for a key that was counted but never named.
        package var isFiller: Bool
    }

    package var leases: [Lease] = []
    /// In the order of mod revision, unknown ones first, fillers before all.
    package var puts: [Put] = []

    package init() {}
}

package import Etcd
package import Wire

/// What an analysis found: the figures of `docs/analyze.md`, and a few more that the text for people shows.
///
/// A *request* is a call that began inside the recording. Counts of requests do not look at the outcome. Where a
/// request's message was lost or damaged, the request is counted as such, but in nothing that depends on what the
/// message said: a `Range` whose key is not certain is neither single-key nor prefix and reads no key.
package struct WorkloadReport: Sendable, Equatable {
    package var coverage = Coverage()
    /// From the first request's first byte to the last byte of an answer; nil without operations.
    package var window: Window?
    /// Methods with a known name, by name.
    package var methods: [MethodReport] = []
    package var range = RangeCounts()
    package var put = PutCounts()
    package var txn = TxnCounts()
    /// By requests descending, then by text.
    package var patterns: [Pattern] = []
    package var watch = WatchCounts()
    package var lease = LeaseCounts()
    /// Operations listed in transactions, nested ones and both branches too, whatever ran: the paper's view.
    package var requested = BranchCounts()
    /// Operations of the branches that ran.
    package var executed = BranchCounts()
    package var chain = ChainCounts()
    package var distinctKeys = 0
    package var topReads: [KeyCount] = []
    package var topWrites: [KeyCount] = []
    /// Nil with fewer than two keys.
    package var readSkew: ZipfFit?
    package var writeSkew: ZipfFit?
    package var values = ValueReport()
    package var dropped = Dropped()

    package struct Window: Sendable, Equatable {
        package var first: CaptureTime
        package var last: CaptureTime

        /// Never negative: the recorder's clock may have stepped back.
        package var nanoseconds: Int64 { max(0, last.nanoseconds(since: first)) }
        package var seconds: Double { Double(nanoseconds) / 1e9 }
    }

    package struct MethodReport: Sendable, Equatable {
        package var path: String
        package var kind: OperationKind
        package var requests = 0
        /// Requests whose end by the server was seen.
        package var completed = 0
        /// Whole gRPC messages, also of calls that were open before the recording.
        package var requestMessages = 0
        package var responseMessages = 0
        /// gRPC status of the completed requests, by code ascending; those whose status was not read are in none.
        package var statuses: [StatusCount] = []

        /// Completed requests with a status other than 0; nil where no status of them is known.
        package var errors: Int? {
            completed > 0 && statuses.isEmpty ? nil : statuses.reduce(0) { $0 + ($1.code == 0 ? 0 : $1.count) }
        }
        /// Completed requests whose status was not read.
        package var unknownOutcomes: Int { completed - statuses.reduce(0) { $0 + $1.count } }
    }

    package struct StatusCount: Sendable, Equatable {
        package var code: UInt32
        package var count: Int
    }

    /// Range and RangeStream calls; not ranges in transactions.
    package struct RangeCounts: Sendable, Equatable {
        package var requests = 0
        package var singleKey = 0
        /// Every one with a range end: prefixes, from-key and other intervals.
        package var prefix = 0
        package var serializable = 0
        package var countOnly = 0
        package var keysOnly = 0
        package var limited = 0
        package var atRevision = 0
        package var keysReturned = 0
    }

    /// Plain Put calls.
    package struct PutCounts: Sendable, Equatable {
        package var requests = 0
        package var withLease = 0
        package var valueBytes = 0
    }

    package struct TxnCounts: Sendable, Equatable {
        package var requests = 0
        package var succeeded = 0
        package var failed = 0
    }

    package struct Pattern: Sendable, Equatable {
        package var text: String
        package var requests = 0
        package var succeeded = 0
        package var failed = 0
    }

    /// Messages and events on Watch streams.
    package struct WatchCounts: Sendable, Equatable {
        package var creates = 0
        package var cancels = 0
        package var progress = 0
        /// The server's answers.
        package var created = 0
        package var canceled = 0
        package var responses = 0
        package var putEvents = 0
        package var deleteEvents = 0
    }

    /// Request messages.
    package struct LeaseCounts: Sendable, Equatable {
        package var grants = 0
        package var revokes = 0
        package var keepAlives = 0
        package var timeToLives = 0
        package var lists = 0
    }

    package struct BranchCounts: Sendable, Equatable {
        package var ranges = 0
        package var puts = 0
        package var deletes = 0
        /// Transactions without any operation in this view.
        package var empty = 0
    }

    /// The figures of the NetCRAQ paper (`netcraq_iid`).
    package struct ChainCounts: Sendable, Equatable {
        /// Range calls on exactly one key, not count-only.
        package var singleKeyReads = 0
        /// Those of them that were answered with "no such key".
        package var emptyReads = 0
        /// Calls that can change a key: Put, DeleteRange, Txn with a put or delete in any branch; one a call.
        package var writes = 0
        /// Calls with status 0 that etcd puts to consensus.
        package var proposals = 0
        /// Calls that etcd puts to consensus if it accepts them, and whose status was not seen or not read.
        package var unknownOutcomes = 0
        /// Reads of the 25 most-read keys among the single-key reads.
        package var hottestReads = 0
        /// The same, and all single-key reads, without health checks and revision probes.
        package var hottestReadsOfObjects = 0
        package var readsOfObjects = 0

        /// writes / (writes + single-key reads); 0 without either.
        package var writeShare: Double { share(writes, of: writes + singleKeyReads) }
        package var hottestShare: Double { share(hottestReads, of: singleKeyReads) }
        package var hottestShareOfObjects: Double { share(hottestReadsOfObjects, of: readsOfObjects) }
    }

    package struct KeyCount: Sendable, Equatable {
        package var key: [UInt8]
        package var count: Int
        package var identity: KeyIdentity
    }

    /// Values of puts, plain and in any branch of transactions.
    package struct ValueReport: Sendable, Equatable {
        package var count = 0
        package var bytes = 0
        package var smallest = 0
        package var largest = 0
        /// The size of rank ⌈count / 2⌉.
        package var median = 0
    }

    /// What a limit of the analysis kept out of the tables of keys, patterns and names.
    package struct Dropped: Sendable, Equatable {
        package var keyUses = 0
        package var patterns = 0
        package var methodCalls = 0

        package var isEmpty: Bool { self == Dropped() }
    }

    package init() {}
}

/// `part` of `whole`; 0 where there is nothing.
func share(_ part: Int, of whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }

extension WorkloadReport.RangeCounts {
    static func += (left: inout Self, right: Self) {
        left.requests += right.requests
        left.singleKey += right.singleKey
        left.prefix += right.prefix
        left.serializable += right.serializable
        left.countOnly += right.countOnly
        left.keysOnly += right.keysOnly
        left.limited += right.limited
        left.atRevision += right.atRevision
        left.keysReturned += right.keysReturned
    }
}

extension WorkloadReport.PutCounts {
    static func += (left: inout Self, right: Self) {
        left.requests += right.requests
        left.withLease += right.withLease
        left.valueBytes += right.valueBytes
    }
}

extension WorkloadReport.TxnCounts {
    static func += (left: inout Self, right: Self) {
        left.requests += right.requests
        left.succeeded += right.succeeded
        left.failed += right.failed
    }
}

extension WorkloadReport.WatchCounts {
    static func += (left: inout Self, right: Self) {
        left.creates += right.creates
        left.cancels += right.cancels
        left.progress += right.progress
        left.created += right.created
        left.canceled += right.canceled
        left.responses += right.responses
        left.putEvents += right.putEvents
        left.deleteEvents += right.deleteEvents
    }
}

extension WorkloadReport.LeaseCounts {
    static func += (left: inout Self, right: Self) {
        left.grants += right.grants
        left.revokes += right.revokes
        left.keepAlives += right.keepAlives
        left.timeToLives += right.timeToLives
        left.lists += right.lists
    }
}

extension WorkloadReport.BranchCounts {
    static func += (left: inout Self, right: Self) {
        left.ranges += right.ranges
        left.puts += right.puts
        left.deletes += right.deletes
        left.empty += right.empty
    }
}

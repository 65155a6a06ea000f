import Etcd

/// The keys by which the shards of a replay find each other. All that there is to say is in their names: kvreel reads
/// no values. Every key is bound to a lease of the shard that wrote it, and is gone when its shard is.
///
///     kvreel/shards/claim                         written by shard 1; its lease names the run
///     kvreel/shards/RUN/gate/identity/TEXT        what all shards must have in common
///     kvreel/shards/RUN/gate/preloaded/CHUNKS     the preload is done, and its outcome is there in so many keys
///     kvreel/shards/RUN/gate/ready/SHARD          written by the others
///     kvreel/shards/RUN/gate/start/WRITTEN/START  nanoseconds since the Unix epoch, by the clock of shard 1
///     kvreel/shards/RUN/outcome/CHUNK/TEXT        a piece of the outcome, from 0
package struct ShardGateKeys: Sendable {
    /// What all keys of gates begin with.
    package static let prefix = "kvreel/shards/"
    static let claim = prefix + "claim"
    /// The lease of the run's shard 1.
    let run: Int64

    private var own: String {
        let digits = String(UInt64(bitPattern: run), radix: 16)
        return Self.prefix + String(repeating: "0", count: 16 - digits.count) + digits + "/"
    }

    var gate: String { own + "gate/" }
    func identity(_ text: String) -> String { gate + "identity/" + text }
    func preloaded(chunks: Int) -> String { gate + "preloaded/\(chunks)" }
    func ready(_ shard: Int) -> String { gate + "ready/\(shard)" }
    func start(_ start: Int64, written: Int64) -> String { gate + "start/\(written)/\(start)" }
    func outcome(_ chunk: Int) -> String { own + "outcome/\(chunk)/" }
    /// All of the run but the claim.
    var all: String { own }
}

/// What the keys of a gate say at one time.
struct ShardGateNotices {
    var identity: String?
    /// In how many keys the outcome of the preload is.
    var chunks: Int?
    /// Of each shard, from 0.
    var isReady: [Bool]
    var start: (start: Int64, written: Int64)?
    /// A key of the gate that says what none does.
    var strange: String?

    /// - Parameter gate: what the names begin with.
    init(_ keys: KeyList, of records: [KeyValueRecord], gate: String, shards: Int, limits: ShardGateLimits) {
        isReady = Array(repeating: false, count: shards)
        for record in records where record.key != 0 {
            let name = String(decoding: keys.bytes[keys.range(of: record.key)], as: UTF8.self)
            guard name.hasPrefix(gate) else { continue }
            if !read(name.dropFirst(gate.count), limits) { strange = name }
        }
    }

    private mutating func read(_ name: Substring, _ limits: ShardGateLimits) -> Bool {
        let words = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2 else { return false }
        switch words[0] {
        case "identity":
            guard words[1].utf8.count <= limits.identityBytes else { return false }
            identity = String(words[1])
        case "preloaded":
            guard let count = Int(words[1]), count >= 0 else { return false }
            chunks = count
        case "ready":
            guard let shard = Int(words[1]), (1...isReady.count).contains(shard) else { return false }
            isReady[shard - 1] = true
        case "start":
            let numbers = words[1].split(separator: "/", omittingEmptySubsequences: false)
            guard numbers.count == 2, let written = Int64(numbers[0]), let start = Int64(numbers[1]),
                written > 0, start >= written, start - written <= limits.startAhead
            else { return false }
            self.start = (start, written)
        default: return false
        }
        return true
    }
}

/// What a gate asks for.
extension StoreRequest {
    private mutating func name(_ key: String) -> KeyNumber {
        let bytes = Array(key.utf8)
        return keys.number(of: bytes.span, at: 0..<bytes.count)
    }

    /// A range of the names that begin with `prefix`; of all names where it is empty.
    mutating func askForNames(_ prefix: String, limit: Int, isCount: Bool = false) {
        set(.range)
        body.kind = .range
        body.flags = [.hasRangeEnd, isCount ? .countOnly : .keysOnly]
        body.limit = isCount ? 0 : Int64(limit)
        nameRange(prefix)
    }

    /// The key of that name, without its value.
    mutating func askForName(_ key: String) {
        set(.range)
        body.kind = .range
        body.flags = .keysOnly
        body.key = name(key)
    }

    /// An empty value.
    mutating func put(_ key: String, lease: Int64) {
        set(.put)
        body.kind = .put
        body.key = name(key)
        body.lease = lease
    }

    /// Puts them unless the first one is there.
    mutating func putIfAbsent(_ names: [String], lease: Int64) {
        set(.txn)
        body.kind = .txn
        body.compares.start = 0
        body.compares.count = 1
        var compare = Compare()
        compare.target = .createRevision
        compare.key = name(names[0])
        compares.append(compare)
        for key in names {
            var part = RequestOp()
            part.kind = .put
            part.branch = .success
            part.key = name(key)
            part.lease = lease
            parts.append(part)
        }
    }

    mutating func delete(prefix: String) {
        set(.delete)
        body.kind = .delete
        body.flags = .hasRangeEnd
        nameRange(prefix)
    }

    private mutating func nameRange(_ prefix: String) {
        if prefix.isEmpty {
            let zero: [UInt8] = [0]
            body.key = keys.number(of: zero.span, at: 0..<1)
            body.rangeEnd = body.key
            return
        }
        body.key = name(prefix)
        // All names of gates end with a slash where they begin others: `0` is the byte behind it.
        body.rangeEnd = name(prefix.dropLast() + "0")
    }
}

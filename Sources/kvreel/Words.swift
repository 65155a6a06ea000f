import Etcd

// The words that people and scripts read for the values of the model; one place for all commands.

extension Operation.Evidence {
    var word: String {
        switch self {
        case .seen: "seen"
        case .inferred: "inferred"
        case .ambiguous: "ambiguous"
        }
    }
}

extension Inference {
    var word: String {
        switch self {
        case .none: "nothing"
        case .entry: "entry"
        case .shape: "shape"
        case .closedSet: "closed_set"
        case .likelihood: "likelihood"
        }
    }

    /// As in "inferred from ...".
    var phrase: String {
        switch self {
        case .none: "nothing"
        case .entry: "calls alike"
        case .shape: "its messages"
        case .closedSet: "what API servers call"
        case .likelihood: "likelihood"
        }
    }
}

extension OperationKind {
    var word: String {
        switch self {
        case .other: "other"
        case .range: "range"
        case .rangeStream: "range_stream"
        case .put: "put"
        case .delete: "delete"
        case .txn: "txn"
        case .compact: "compact"
        case .watch: "watch"
        case .watchCreate: "watch_create"
        case .watchCancel: "watch_cancel"
        case .watchProgress: "watch_progress"
        case .watchEvents: "watch_events"
        case .watchNotify: "watch_notify"
        case .watchCanceled: "watch_canceled"
        case .leaseGrant: "lease_grant"
        case .leaseRevoke: "lease_revoke"
        case .leaseKeepAlive: "lease_keepalive"
        case .leaseTimeToLive: "lease_timetolive"
        case .leaseLeases: "lease_list"
        case .alarm: "alarm"
        case .status: "status"
        case .hashKV: "hash_kv"
        case .snapshot: "snapshot"
        case .auth: "auth"
        case .cluster: "cluster"
        case .lock: "lock"
        case .election: "election"
        case .maintenance: "maintenance"
        }
    }

    var isOfWatch: Bool {
        switch self {
        case .watchCreate, .watchCancel, .watchEvents, .watchNotify, .watchCanceled: true
        default: false
        }
    }
}

extension RequestOp.Kind {
    var word: String {
        switch self {
        case .none: "none"
        case .range: "range"
        case .put: "put"
        case .delete: "delete"
        case .txn: "txn"
        case .watchCreate: "watch_create"
        }
    }
}

extension RequestOp.Flags {
    /// The flags of a request that `cat --json` shows, by their names in rpc.proto.
    static let named: [(RequestOp.Flags, String)] = [
        (.serializable, "serializable"), (.keysOnly, "keys_only"), (.countOnly, "count_only"), (.prevKv, "prev_kv"),
        (.ignoreValue, "ignore_value"), (.ignoreLease, "ignore_lease"), (.revisionFilter, "revision_filter"),
        (.more, "more"), (.progressNotify, "progress_notify"), (.fragment, "fragment"), (.noPut, "no_put"),
        (.noDelete, "no_delete"),
    ]
}

extension Compare.Target {
    /// As in rpc.proto, in lower case.
    var word: String {
        switch self {
        case .version: "version"
        case .createRevision: "create_revision"
        case .modRevision: "mod_revision"
        case .value: "value"
        case .lease: "lease"
        }
    }
}

extension Compare.Relation {
    var sign: String {
        switch self {
        case .equal: "="
        case .greater: ">"
        case .less: "<"
        case .notEqual: "!="
        }
    }
}

extension KeyValueRecord.Kind {
    var word: String {
        switch self {
        case .reply: "reply"
        case .previous: "previous"
        case .putEvent: "put"
        case .deleteEvent: "delete"
        }
    }
}

extension Operation.Completeness {
    private static let named: [(Operation.Completeness, String)] = [
        (.openedBefore, "opened_before"), (.requestHeadersLost, "request_headers_lost"),
        (.requestDamaged, "request_damaged"), (.responseDamaged, "response_damaged"),
        (.unfinished, "unfinished"), (.resetByClient, "reset_by_client"), (.resetByServer, "reset_by_server"),
        (.requestUndecoded, "request_undecoded"), (.responseUndecoded, "response_undecoded"), (.withdrawn, "withdrawn"),
    ]

    /// What is unusual about the operation.
    var words: [String] { Self.named.filter { contains($0.0) }.map(\.1) }
}

/// The name of an operation's method.
enum MethodName {
    /// The `:path`, or nil when it is not known.
    static func text(_ operation: Operation, in batch: OperationBatch) -> String? {
        if let method = MethodCatalogue.method(operation.method) { return method.path }
        if operation.methodText == 0 { return nil }
        return String(decoding: batch.texts.string(operation.methodText), as: UTF8.self)
    }
}

/// The clients of a trace's connections, by the connections' numbers.
struct ConnectionNames {
    private var clients: [UInt32: String] = [:]

    /// Takes what the batch says of connections; a later record replaces an earlier one.
    mutating func add(_ batch: borrowing OperationBatch) {
        for record in batch.connections {
            clients[record.number] = String(decoding: batch.texts.string(record.client), as: UTF8.self)
        }
    }

    func client(_ number: UInt32) -> String? { clients[number] }
}

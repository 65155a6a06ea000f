import Wire

/// Whether a connection carries what a kube-apiserver sends and nothing else: then its calls are among seven methods.
///
/// It does when every key lies where Kubernetes stores its objects, every transaction has one compare and at most one
/// operation a branch, and no call is known to be of another method.
struct ClosedSet: Sendable {
    /// Calls with keys that are a kube-apiserver's.
    private(set) var calls = 0
    /// Something was seen that is none.
    private(set) var isRefuted = false

    var holds: Bool { calls > 0 && !isRefuted }

    /// Where Kubernetes and OpenShift store objects (kube-apiserver `--etcd-prefix`; OpenShift's two), and the key by
    /// which API servers agree on who compacts.
    private static let prefixes = ["/registry/", "/kubernetes.io/", "/openshift.io/"].map { Array($0.utf8) }
    private static let compactKey = Array("compact_rev_key".utf8)

    /// Takes in a call whose method is known, and what was read of it.
    mutating func take(_ call: borrowing PendingCall) {
        if isRefuted { return }
        guard MethodSet.kubernetes.contains(MethodSet(call.method)), call.method != .uncatalogued else {
            isRefuted = true
            return
        }
        switch call.kind {
        case .range, .rangeStream:
            guard call.details.body.kind == .range else { return }
            take(key: call.details.keys, call.details.body.key)
        case .txn:
            guard call.details.body.kind == .txn else { return }
            takeTransaction(call.details)
        case .watch:
            if !call.firstKey.isEmpty { take(call.firstKey.span) }
        default: break
        }
    }

    private mutating func takeTransaction(_ details: borrowing CallDetails) {
        var success = 0
        var failure = 0
        for part in details.parts {
            if part.branch == .success { success += 1 } else { failure += 1 }
            take(key: details.keys, part.key)
            if part.kind == .txn { isRefuted = true }
        }
        for compare in details.compares { take(key: details.keys, compare.key) }
        if details.compares.count != 1 || success > 1 || failure > 1 { isRefuted = true }
    }

    /// Takes in a call of which only a set of methods is known, and its request.
    mutating func take(_ candidates: MethodSet, request: Span<UInt8>) {
        if isRefuted { return }
        let left = candidates.intersection(.kubernetes)
        guard !left.isEmpty else {
            isRefuted = true
            return
        }
        // Of these only a range begins with its key; transactions and watches are read once they are known.
        var fields = WireScanner(0..<request.count)
        guard left.hasRange, !left.hasNestedKeys, fields.next(in: request) == .field, fields.isBytes(1) else { return }
        take(request.extracting(fields.content))
    }

    private mutating func take(key keys: KeyList, _ number: UInt32) {
        if number != 0 { take(keys.bytes.span.extracting(keys.range(of: number))) }
    }

    private mutating func take(_ key: Span<UInt8>) {
        for prefix in Self.prefixes where key.begins(with: prefix.span) {
            calls += 1
            return
        }
        if key.isEqual(to: Self.compactKey.span) {
            calls += 1
        } else {
            isRefuted = true
        }
    }
}

extension MethodSet {
    fileprivate var hasRange: Bool { numbers.contains { MethodCatalogue.method($0)?.kind == .range } }
    fileprivate var hasNestedKeys: Bool {
        numbers.contains { [.txn, .watch].contains(MethodCatalogue.method($0)?.kind) }
    }
}

extension Span<UInt8> {
    fileprivate func begins(with prefix: Span<UInt8>) -> Bool {
        count >= prefix.count && extracting(0..<prefix.count).isEqual(to: prefix)
    }
}

import Wire

/// Which methods fit the messages of one call and the way it went (`docs/midway.md`). What is not there, because it
/// was lost or has not come yet, excludes nothing.
struct CallShape: Sendable {
    /// How a call went, beside its messages.
    struct Course: Sendable {
        /// HEADERS of the request were seen, and no byte of it is missing.
        var isRequestWhole = false
        /// The client has closed its side, by END_STREAM.
        var isRequestEnded = false
        /// Whole messages, of which the first ones are there.
        var requestMessages: UInt32 = 0
        var responseMessages: UInt32 = 0
        /// The call ended as a server ends it.
        var isCompleted = false
    }

    private let scanner = CanonicalScanner()
    private let requests: [(schema: MessageSchema, methods: MethodSet)]
    private let responses: [(schema: MessageSchema, methods: MethodSet)]
    /// The methods whose request and response have to agree in ways that only both together show.
    private let related: [(method: MethodSet, relation: Relation)]

    /// What holds between a request and its response.
    private enum Relation: UInt8, Sendable {
        case range, rangeStream, put, delete, txn, compact, leaseGrant, leaseRevoke, leaseIdentity, hashKV
        case randomIdentifier, moveLeader, lock, campaign, leader
    }

    init() {
        requests = Self.grouped { $0.request }
        responses = Self.grouped { $0.response }
        related = MethodCatalogue.methods.compactMap { method in
            Self.relation(of: method).map { (MethodSet(method.number), $0) }
        }
    }

    private static func grouped(
        by schema: (Method) -> MessageSchema
    ) -> [(schema: MessageSchema, methods: MethodSet)] {
        MessageSchema.allCases.compactMap { candidate in
            let methods = MethodCatalogue.methods.filter { schema($0) == candidate }
            if methods.isEmpty { return nil }
            return (candidate, methods.reduce(into: MethodSet()) { $0.insert(MethodSet($1.number)) })
        }
    }

    private static func relation(of method: Method) -> Relation? {
        switch (method.request, method.response) {
        case (.rangeRequest, .rangeResponse): .range
        case (.rangeRequest, _): .rangeStream
        case (.putRequest, _): .put
        case (.deleteRequest, _): .delete
        case (.txnRequest, _): .txn
        case (.compactionRequest, _): .compact
        case (.leaseGrantRequest, _): .leaseGrant
        case (.leaseRequest, .headerOnly): .leaseRevoke
        case (.leaseRequest, _), (.leaseTimeToLiveRequest, _): .leaseIdentity
        case (.hashKVRequest, _): .hashKV
        case (.memberRequest, _), (.memberUpdateRequest, _): .randomIdentifier
        case (.moveLeaderRequest, _): .moveLeader
        case (.lockRequest, _): .lock
        case (.campaignRequest, _): .campaign
        case (.electionRequest, _): .leader
        default: nil
        }
    }

    /// The methods of `candidates` that fit.
    func candidates(
        among candidates: MethodSet = .all, _ course: Course, _ messages: borrowing CollectedMessages
    ) -> MethodSet {
        var left = candidates
        exclude(by: course, &left)
        // A server that answered has found what it needs in the request.
        let isAnswered = messages.hasResponse
        for place in 0..<messages.count where !left.isEmpty && messages.isThere(place) {
            let bytes = messages.bytes.span
            let range = messages.range(place)
            switch messages.direction(place) {
            case .request:
                for group in requests where !left.isDisjoint(with: group.methods) {
                    guard let found = scanner.scan(group.schema, bytes, range), found.isComplete || !isAnswered else {
                        left.subtract(group.methods)
                        continue
                    }
                }
            case .response:
                for group in responses where !left.isDisjoint(with: group.methods) {
                    guard let found = scanner.scan(group.schema, bytes, range), found.isComplete,
                        found.has(1) || !scanner.hasHeader(group.schema)
                    else {
                        left.subtract(group.methods)
                        continue
                    }
                }
            }
        }
        relate(messages, course, &left)
        return left
    }

    /// Whether the bytes can be a request of that method, as far as a request alone tells.
    func fits(_ method: Method, request bytes: Span<UInt8>) -> Bool {
        scanner.scan(method.request, bytes, 0..<bytes.count) != nil
    }

    /// One message each way for unary calls, one request for server streams, and an end of the request for both.
    private func exclude(by course: Course, _ left: inout MethodSet) {
        if course.requestMessages > 1 { left.formIntersection(.bidirectional) }
        if course.responseMessages > 1 { left.subtract(.unary) }
        if course.isRequestWhole, course.requestMessages > 0, !course.isRequestEnded,
            course.isCompleted || course.responseMessages > 1
        {
            left.formIntersection(.bidirectional)
        }
    }

    // MARK: - Request and response together

    private func relate(_ messages: borrowing CollectedMessages, _ course: Course, _ left: inout MethodSet) {
        guard let request = messages.first(.request), let response = messages.first(.response) else { return }
        let bytes = messages.bytes.span
        for (method, relation) in related where left.contains(method) {
            // A stream's answer may be to a message that was lost; a unary call has but one of each.
            if MethodSet.bidirectional.contains(method), !course.isRequestWhole { continue }
            if !holds(relation, bytes, request, response) { left.subtract(method) }
        }
    }

    private func holds(
        _ relation: Relation, _ bytes: Span<UInt8>, _ request: Range<Int>, _ response: Range<Int>
    ) -> Bool {
        switch relation {
        case .range: return rangeHolds(bytes, request, response)
        case .rangeStream:
            guard let chunk = scanner.scan(.rangeStreamResponse, bytes, response) else { return false }
            return rangeHolds(bytes, request, chunk.first, isWhole: false)
        case .put: return putHolds(bytes, request, response)
        case .delete: return deleteHolds(bytes, request, response)
        case .txn: return txnHolds(bytes, request, response, depth: 0)
        case .compact:
            // What is compacted has happened.
            guard let asked = scanner.scan(.compactionRequest, bytes, request) else { return false }
            return asked.value1 <= revision(bytes, response, .headerOnly)
        case .hashKV:
            guard let asked = scanner.scan(.hashKVRequest, bytes, request) else { return false }
            return asked.value1 <= revision(bytes, response, .hashKVResponse)
        case .leaseRevoke:
            // Lease IDs are random numbers of 63 bits.
            guard let asked = scanner.scan(.leaseRequest, bytes, request) else { return false }
            return asked.value1 > revision(bytes, response, .headerOnly)
        case .randomIdentifier:
            // Members' IDs are hashes of 64 bits.
            guard let asked = scanner.scan(.memberUpdateRequest, bytes, request) else { return false }
            return asked.value1 >= 1 << 32
        case .moveLeader:
            // A lease's ID begins with the last 15 bits of the ID of the member that picked it (etcd pkg/idutil). The
            // hash of another member begins so once in 65 536 times.
            guard let asked = scanner.scan(.moveLeaderRequest, bytes, request) else { return false }
            let member = self.member(bytes, response, .headerOnly)
            return asked.value1 >= 1 << 32 && (member == 0 || asked.value1 >> 48 != member & 0x7fff)
        case .leaseGrant:
            // The server raises a TTL to its minimum, and picks an ID where none is asked for.
            guard let asked = scanner.scan(.leaseGrantRequest, bytes, request),
                let granted = scanner.scan(.leaseGrantResponse, bytes, response)
            else { return false }
            return asked.value1 <= Self.ttlLimit && granted.value3 >= asked.value1
                && (asked.value2 == 0 || asked.value2 == granted.value2)
        case .leaseIdentity:
            guard let asked = scanner.scan(.leaseTimeToLiveRequest, bytes, request),
                let answered = scanner.scan(.leaseTimeToLiveResponse, bytes, response)
                    ?? scanner.scan(.leaseKeepAliveResponse, bytes, response)
            else { return false }
            return asked.value1 == answered.value2
        case .lock:
            guard let asked = scanner.scan(.lockRequest, bytes, request),
                let answered = scanner.scan(.lockResponse, bytes, response)
            else { return false }
            return bytes.extracting(answered.second).isBelow(bytes.extracting(asked.first))
        case .campaign:
            guard let asked = scanner.scan(.campaignRequest, bytes, request),
                let answered = scanner.scan(.campaignResponse, bytes, response),
                let leader = scanner.scan(.leaderKey, bytes, answered.second)
            else { return false }
            return bytes.extracting(leader.first).isEqual(to: bytes.extracting(asked.first))
        case .leader:
            guard let asked = scanner.scan(.electionRequest, bytes, request),
                let answered = scanner.scan(.leaderResponse, bytes, response),
                let found = scanner.scan(.keyValue, bytes, answered.second)
            else { return false }
            return bytes.extracting(found.first).isBelow(bytes.extracting(asked.first))
        }
    }

    /// The longest TTL that etcd grants (lease.MaxLeaseTTL), in seconds.
    private static let ttlLimit: UInt64 = 9_000_000_000

    private func revision(_ bytes: Span<UInt8>, _ response: Range<Int>, _ schema: MessageSchema) -> UInt64 {
        header(bytes, response, schema)?.value3 ?? 0
    }

    /// The ID of the member that answered, 0 if it does not say.
    private func member(_ bytes: Span<UInt8>, _ response: Range<Int>, _ schema: MessageSchema) -> UInt64 {
        header(bytes, response, schema)?.value2 ?? 0
    }

    private func header(
        _ bytes: Span<UInt8>, _ response: Range<Int>, _ schema: MessageSchema
    ) -> CanonicalScanner.Found? {
        guard let found = scanner.scan(schema, bytes, response) else { return nil }
        return scanner.scan(.responseHeader, bytes, found.first, depth: 1)
    }

    /// Key-values lie in the range that was asked for, are no more than were counted, and none with `count_only`.
    private func rangeHolds(
        _ bytes: Span<UInt8>, _ request: Range<Int>, _ response: Range<Int>, isWhole: Bool = true
    ) -> Bool {
        guard let asked = scanner.scan(.rangeRequest, bytes, request),
            let answered = scanner.scan(.rangeChunk, bytes, response, depth: 1)
        else { return false }
        var keyValues: UInt64 = 0
        var fields = WireScanner(response)
        while let content = fields.nextMessage(2, in: bytes) {
            keyValues += 1
            guard isInside(bytes, content, key: asked.first, end: asked.second) else { return false }
        }
        if keyValues > 0, asked.has(9) { return false }
        if asked.value3 > 0, keyValues > asked.value3 { return false }
        if asked.second.isEmpty, max(answered.value4, keyValues) > 1 { return false }
        return !isWhole || keyValues <= answered.value4
    }

    /// A previous key-value only if it was asked for, of the same key.
    private func putHolds(_ bytes: Span<UInt8>, _ request: Range<Int>, _ response: Range<Int>) -> Bool {
        guard let asked = scanner.scan(.putRequest, bytes, request),
            let answered = scanner.scan(.putResponse, bytes, response, depth: 1)
        else { return false }
        if !answered.has(2) { return true }
        return asked.has(4) && isInside(bytes, answered.second, key: asked.first, end: 0..<0)
    }

    private func deleteHolds(_ bytes: Span<UInt8>, _ request: Range<Int>, _ response: Range<Int>) -> Bool {
        guard let asked = scanner.scan(.deleteRequest, bytes, request),
            let answered = scanner.scan(.deleteResponse, bytes, response, depth: 1)
        else { return false }
        if asked.second.isEmpty, answered.value2 > 1 { return false }
        var previous: UInt64 = 0
        var fields = WireScanner(response)
        while let content = fields.nextMessage(3, in: bytes) {
            previous += 1
            guard isInside(bytes, content, key: asked.first, end: asked.second) else { return false }
        }
        return previous == (asked.has(3) ? answered.value2 : 0)
    }

    /// The responses are those of the branch that ran, in number and kind.
    private func txnHolds(_ bytes: Span<UInt8>, _ request: Range<Int>, _ response: Range<Int>, depth: Int) -> Bool {
        guard depth < CanonicalScanner.depthLimit, let answered = scanner.scan(.txnResponse, bytes, response, depth: 1)
        else { return false }
        let branch: UInt32 = answered.has(2) ? 2 : 3
        var operations = WireScanner(request)
        var answers = WireScanner(response)
        while true {
            let operation = operations.nextMessage(branch, in: bytes)
            let answer = answers.nextMessage(3, in: bytes)
            guard let operation, let answer else { return operation == nil && answer == nil }
            var asked = WireScanner(operation)
            var given = WireScanner(answer)
            guard asked.next(in: bytes) == .field, given.next(in: bytes) == .field, asked.number == given.number else {
                return false
            }
            let isRight =
                switch asked.number {
                case 1: rangeHolds(bytes, asked.content, given.content)
                case 2: putHolds(bytes, asked.content, given.content)
                case 3: deleteHolds(bytes, asked.content, given.content)
                default: txnHolds(bytes, asked.content, given.content, depth: depth + 1)
                }
            if !isRight { return false }
        }
    }

    /// Whether the key of a KeyValue is the key, or lies in the range if there is an end.
    private func isInside(_ bytes: Span<UInt8>, _ keyValue: Range<Int>, key: Range<Int>, end: Range<Int>) -> Bool {
        var scanner = WireScanner(keyValue)
        guard scanner.next(in: bytes) == .field, scanner.isBytes(1) else { return false }
        let found = bytes.extracting(scanner.content)
        if end.isEmpty { return found.isEqual(to: bytes.extracting(key)) }
        if found.precedes(bytes.extracting(key)) { return false }
        let end = bytes.extracting(end)
        return end.count == 1 && end[0] == 0 || found.precedes(end)
    }
}

extension WireScanner {
    /// The content of the next length-delimited field of that number.
    mutating func nextMessage(_ field: UInt32, in bytes: Span<UInt8>) -> Range<Int>? {
        while next(in: bytes) == .field {
            if isBytes(field) { return content }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// Whether these bytes are `name`, a slash, and more: how locks and elections name their keys.
    fileprivate func isBelow(_ name: Span<UInt8>) -> Bool {
        guard count > name.count, self[name.count] == 0x2f else { return false }
        return extracting(0..<name.count).isEqual(to: name)
    }
}

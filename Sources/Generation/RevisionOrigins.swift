import Etcd
import Wire

/// Where the revisions that requests ask for come from: the answer that had told its client, most of the time on the
/// same connection. A copy's request asks for what that answer says in the copy, so that the chain from a list to the
/// watch behind it holds.
struct RevisionOrigins: Sendable {
    /// An answer with a revision.
    struct Answer: Sendable {
        var time: Int64
        var end: Int64
        var connection: UInt32
        var hasChanged: Bool
    }

    /// What a request asks for, in terms of an answer.
    struct Origin: Sendable, Equatable {
        var revision: Int64
        /// When the answer was seen; nil for that of a write, whose number is the revision's own.
        var seenAt: Int64?
        /// Added to the answer's: 1 for a watch that begins behind a list.
        var offset: Int64 = 0
    }

    /// A request, by batch and place.
    struct Place: Hashable, Sendable {
        var batch: Int
        var place: Int
    }

    private struct Request: Sendable {
        var place: Place
        var time: Int64
        var connection: UInt32
        var revision: Int64
        var isWatch: Bool
        var isPart: Bool
    }

    private var requests: [Request] = []
    private var answers: [Int64: [Answer]] = [:]
    private(set) var ofOperations: [Place: Origin] = [:]
    private(set) var ofParts: [Place: Origin] = [:]

    mutating func take(
        _ operation: Operation, _ batch: borrowing OperationBatch, batchNumber: Int, place: Int
    ) {
        let asked = operation.askedRevision
        if asked > 0 { ask(asked, operation, batchNumber, place, isPart: false) }
        for part in operation.parts.range where batch.parts[part].kind == .range && batch.parts[part].revision > 0 {
            ask(batch.parts[part].revision, operation, batchNumber, part, isPart: true)
        }
    }

    private mutating func ask(
        _ revision: Int64, _ operation: Operation, _ batch: Int, _ place: Int, isPart: Bool
    ) {
        requests.append(
            Request(
                place: Place(batch: batch, place: place), time: operation.time.nanoseconds,
                connection: operation.connection, revision: revision, isWatch: operation.kind == .watchCreate,
                isPart: isPart))
    }

    /// Looks up the answers, once all of the trace is there.
    mutating func resolve(_ batches: [OperationBatch]) {
        var wanted: Set<Int64> = []
        for request in requests {
            wanted.insert(request.revision)
            if request.isWatch { wanted.insert(request.revision - 1) }
        }
        if wanted.isEmpty { return }
        for batch in batches {
            for place in batch.operations.indices where wanted.contains(batch.operations[place].headerRevision) {
                let operation = batch.operations[place]
                if operation.role == .event || operation.headerRevision <= 0 { continue }
                answers[operation.headerRevision, default: []].append(
                    Answer(
                        time: operation.time.nanoseconds, end: operation.shownTime, connection: operation.connection,
                        hasChanged: operation.hasChanged(batch)))
            }
        }
        for revision in answers.keys { answers[revision]?.sort { ($0.time, $0.end) < ($1.time, $1.end) } }
        for request in requests {
            guard let origin = origin(of: request) else { continue }
            if request.isPart { ofParts[request.place] = origin } else { ofOperations[request.place] = origin }
        }
        answers = [:]
        requests = []
    }

    private func origin(of request: Request) -> Origin? {
        if request.isWatch, let origin = origin(request.revision - 1, of: request) {
            return Origin(revision: origin.revision, seenAt: origin.seenAt, offset: 1)
        }
        return origin(request.revision, of: request)
    }

    /// The last answer before the request, of its own connection if there is one.
    private func origin(_ revision: Int64, of request: Request) -> Origin? {
        var found: Answer?
        for answer in answers[revision] ?? [] where answer.end < request.time {
            if answer.connection == request.connection || found?.connection != request.connection { found = answer }
        }
        return found.map { Origin(revision: revision, seenAt: $0.hasChanged ? nil : $0.end) }
    }
}

extension Operation {
    /// The revision that the request itself asks for; 0 if it asks for none.
    var askedRevision: Int64 {
        switch kind {
        case .range, .rangeStream, .watchCreate: body.revision
        case .compact, .hashKV: revision
        default: 0
        }
    }
}

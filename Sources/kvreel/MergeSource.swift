import Etcd
import Trace
import Wire

/// A trace that is to be merged, and what must be known of it before: what it says of itself, and when it begins.
struct MergeFile {
    let path: String
    let identity: FileIdentity?
    /// Of a replay all of it; of a recording what stands at its start.
    let meta: TraceMeta
    let isReplay: Bool
    /// The last moment of its first operation; files of one recording are in the order of these.
    let begin: CaptureTime?
    /// What was read of standard input until here, which cannot be opened again.
    private let opened: (input: TraceInput, first: OperationBatch?)?

    init(_ path: String) throws {
        self.path = path
        let input = try TraceInput(path)
        identity = input.identity
        var batch = OperationBatch()
        let isEmpty = try !input.next(into: &batch)
        isReplay = input.meta.isOfReplay || !batch.replays.isEmpty
        begin = batch.operations.first.map { first in
            let shown = max(first.requestEnd, first.responseStart, first.responseEnd, 0)
            let (sum, overflow) = first.time.nanoseconds.addingReportingOverflow(shown)
            return CaptureTime(nanoseconds: overflow ? .max : sum)
        }
        if isReplay {
            if path == "-" {
                throw Failure(
                    .usage, "a replay is read twice to be merged, and standard input can be read once",
                    remedy: "Name a file.")
            }
            // What came of a replay stands at its end.
            while try input.next(into: &batch) {}
        }
        meta = input.meta
        opened = path == "-" ? (input, isEmpty ? nil : batch) : nil
    }

    /// To be read from its start.
    func open() throws -> (input: TraceInput, first: OperationBatch?) { try opened ?? (TraceInput(path), nil) }
}

/// One source of a merge: a trace, or the files of a recording in several, one after the other.
final class MergeSource {
    let files: [MergeFile]
    private var place = 0
    private var current: TraceInput?
    /// A batch that was read already.
    private var pending: OperationBatch?
    /// Totals of the files that are done with, and of the one that is read.
    private var finished = RecordingHealth()
    private var latest = RecordingHealth()
    /// Whether blocks from within its files are missing.
    private(set) var isIncomplete = false

    init(_ files: [MergeFile]) { self.files = files }

    /// The files by their recordings: those in several stand together, in the order of their parts.
    static func sources(of files: [MergeFile]) throws -> [MergeSource] {
        var recordings: [[MergeFile]] = []
        for file in files {
            if let place = recordings.firstIndex(where: { $0[0].meta.isSameRecording(as: file.meta) }) {
                recordings[place].append(file)
            } else {
                recordings.append([file])
            }
        }
        return try recordings.flatMap { try split($0) }.map { MergeSource($0) }
    }

    /// Files that say the same of themselves, by the recordings that they are of: one that was started again begins
    /// with a lower number.
    private static func split(_ files: [MergeFile]) throws -> [[MergeFile]] {
        var recordings: [[MergeFile]] = []
        // Stable, so that files without operations stay where they are named.
        let inTime = files.enumerated().sorted {
            ($0.element.begin ?? .distantPast, $0.offset) < ($1.element.begin ?? .distantPast, $1.offset)
        }.map(\.element)
        for file in inTime {
            guard let last = recordings.last?.last, let part = file.meta.part, let before = last.meta.part else {
                recordings.append([file])
                continue
            }
            if part == before, file.begin == last.begin {
                throw Failure(
                    .input, "cannot merge: \(file.path): it is the same part of a recording as \(last.path)",
                    remedy: "Every operation of it would count twice: name one of them.")
            }
            if part > before {
                recordings[recordings.count - 1].append(file)
            } else {
                recordings.append([file])
            }
        }
        return recordings
    }

    /// Reads the next batch in place of the one given, its health that of all files until there; false at the end.
    func next(into batch: inout OperationBatch) throws -> Bool {
        while true {
            if current == nil {
                guard place < files.count else { return false }
                (current, pending) = try files[place].open()
                place += 1
            }
            guard let input = current else { return false }
            if try takePending(&batch) || input.next(into: &batch) {
                latest = batch.health
                batch.health = finished + latest
                return true
            }
            if input.warnOfDamage() { isIncomplete = true }
            finished = finished + latest
            latest = RecordingHealth()
            current = nil
        }
    }

    private func takePending(_ batch: inout OperationBatch) -> Bool {
        guard let first = pending else { return false }
        batch = first
        pending = nil
        return true
    }
}

extension CaptureTime {
    fileprivate static let distantPast = CaptureTime(nanoseconds: .min)
}

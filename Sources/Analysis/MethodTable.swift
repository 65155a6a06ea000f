import Etcd
import Wire

/// Counts by method: catalogued ones by number, others by name.
struct MethodTable: Sendable {
    private struct Counts: Sendable {
        var requests = 0
        var completed = 0
        var requestMessages = 0
        var responseMessages = 0

        static func += (left: inout Counts, right: Counts) {
            left.requests += right.requests
            left.completed += right.completed
            left.requestMessages += right.requestMessages
            left.responseMessages += right.responseMessages
        }
    }

    /// Calls of methods that could not be kept.
    private(set) var dropped = 0
    /// Rows: first one for every number of the catalogue, then one for every other name in the order of appearance.
    private var counts: [Counts]
    /// `statuses[row * codes + code]`. gRPC names 17 codes; any other is UNKNOWN (2) to its clients, and here.
    private var statuses: [Int]
    /// By number in the catalogue.
    private let catalogue: [Method?]
    private let proposals: [Bool]
    private var names = ByteTable()
    /// Rows of the current batch's texts; −1 for those not kept.
    private var rowsOfTexts: [TextNumber: Int] = [:]

    private static let codes = 17

    init() {
        var catalogue: [Method?] = []
        for method in MethodCatalogue.methods {
            while catalogue.count <= Int(method.number.rawValue) { catalogue.append(nil) }
            catalogue[Int(method.number.rawValue)] = method
        }
        self.catalogue = catalogue
        proposals = catalogue.map { $0?.isProposal ?? false }
        counts = Array(repeating: Counts(), count: catalogue.count)
        statuses = Array(repeating: 0, count: catalogue.count * Self.codes)
    }

    /// Whether etcd puts an accepted call of it to consensus (for a transaction, if it can write).
    func isProposal(_ method: MethodNumber) -> Bool {
        let row = Int(method.rawValue)
        return row < proposals.count && proposals[row]
    }

    mutating func beginBatch() { rowsOfTexts.removeAll(keepingCapacity: true) }

    /// Counts a call whose method's name is known, and nothing else.
    mutating func count(_ call: Operation, isRequest: Bool, texts: borrowing ByteTable, limit: Int) {
        guard call.evidence != .ambiguous else { return }
        let row: Int
        if call.method == .uncatalogued {
            guard let named = self.row(ofText: call.methodText, in: texts, limit: limit) else { return }
            row = named
        } else {
            row = Int(call.method.rawValue)
            guard row < catalogue.count, catalogue[row] != nil else { return }
        }
        counts[row].requestMessages += Int(call.requestMessages)
        counts[row].responseMessages += Int(call.responseMessages)
        guard isRequest else { return }
        counts[row].requests += 1
        guard call.completeness.has(.completed) else { return }
        counts[row].completed += 1
        guard let status = call.status else { return }
        statuses[row * Self.codes + (status < UInt32(Self.codes) ? Int(status) : 2)] += 1
    }

    private mutating func row(ofText text: TextNumber, in texts: borrowing ByteTable, limit: Int) -> Int? {
        guard text != 0 else { return nil }
        let row: Int
        if let known = rowsOfTexts[text] {
            row = known
        } else {
            row = self.row(of: texts.bytes.span.extracting(texts.range(of: text)), limit: limit)
            rowsOfTexts[text] = row
        }
        if row < 0 { dropped += 1 }
        return row < 0 ? nil : row
    }

    private mutating func row(of name: Span<UInt8>, limit: Int) -> Int {
        guard names.count < limit else {
            // What is there goes on counting.
            let known = Int(names.existingNumber(of: name))
            return known == 0 ? -1 : catalogue.count + known - 1
        }
        let row = catalogue.count + Int(names.number(of: name)) - 1
        if row == counts.count {
            counts.append(Counts())
            statuses.append(contentsOf: repeatElement(0, count: Self.codes))
        }
        return row
    }

    mutating func merge(_ other: borrowing MethodTable, limit: Int) {
        dropped += other.dropped
        for theirs in other.counts.indices {
            var row = theirs
            if theirs >= catalogue.count {
                let name = other.names.string(UInt32(theirs - catalogue.count + 1))
                row = self.row(of: name.span, limit: limit)
                guard row >= 0 else {
                    dropped += other.counts[theirs].requests
                    continue
                }
            }
            counts[row] += other.counts[theirs]
            for code in 0..<Self.codes {
                statuses[row * Self.codes + code] += other.statuses[theirs * Self.codes + code]
            }
        }
    }

    /// The methods that were met, by name.
    func reports() -> [WorkloadReport.MethodReport] {
        var reports: [WorkloadReport.MethodReport] = []
        for (row, counts) in counts.enumerated() {
            guard counts.requests + counts.requestMessages + counts.responseMessages > 0 else { continue }
            let path: String
            if row < catalogue.count {
                path = catalogue[row]?.path ?? ""
            } else {
                path = KeyText.text(of: names.string(UInt32(row - catalogue.count + 1)))
            }
            var report = WorkloadReport.MethodReport(
                path: path, kind: row < catalogue.count ? catalogue[row]?.kind ?? .other : .other)
            report.requests = counts.requests
            report.completed = counts.completed
            report.requestMessages = counts.requestMessages
            report.responseMessages = counts.responseMessages
            for code in 0..<Self.codes where statuses[row * Self.codes + code] > 0 {
                report.statuses.append(
                    WorkloadReport.StatusCount(code: UInt32(code), count: statuses[row * Self.codes + code]))
            }
            reports.append(report)
        }
        return reports.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
}

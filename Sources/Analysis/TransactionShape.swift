package import Etcd
import Wire

/// The shape of a transaction as a short byte string: `COMPARES | SUCCESS | FAILURE` of `docs/analyze.md`, packed so
/// that it is made and looked up without text. Equal neighbours are one byte and a 32-bit count.
package struct TransactionShape {
    private(set) var bytes: [UInt8] = []
    private var lastToken: UInt8 = TransactionShape.separator
    private var runLength: UInt32 = 0

    private static let separator: UInt8 = 0xff

    mutating func begin() {
        bytes.removeAll(keepingCapacity: true)
        lastToken = Self.separator
        runLength = 0
    }

    mutating func add(_ compare: Compare) { add(token: compare.target.rawValue << 4 | compare.relation.rawValue) }
    mutating func add(_ kind: RequestOp.Kind) { add(token: kind.rawValue) }

    /// Ends the compares, the success branch or the failure branch.
    mutating func endSection() {
        endRun()
        bytes.append(Self.separator)
        lastToken = Self.separator
    }

    private mutating func add(token: UInt8) {
        if token != lastToken {
            endRun()
            lastToken = token
        }
        runLength += 1
    }

    private mutating func endRun() {
        guard runLength > 0 else { return }
        bytes.append(lastToken)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: runLength >> shift))
        }
        runLength = 0
    }

    /// Packs the call's transaction in place of what is there.
    mutating func pack(_ call: Operation, in batch: borrowing OperationBatch) {
        begin()
        for index in call.body.compares.range { add(batch.compares[index]) }
        endSection()
        for index in call.parts.range where batch.parts[index].depth == 0 && batch.parts[index].branch != .failure {
            add(batch.parts[index].kind)
        }
        endSection()
        for index in call.parts.range where batch.parts[index].depth == 0 && batch.parts[index].branch == .failure {
            add(batch.parts[index].kind)
        }
        endSection()
    }

    /// The pattern of one transaction in words, as the keys of the analysis' `patterns`.
    package static func text(of call: Operation, in batch: borrowing OperationBatch) -> String {
        var shape = TransactionShape()
        shape.pack(call, in: batch)
        return text(of: shape.bytes)
    }

    /// The pattern in words, from what `bytes` was.
    static func text(of bytes: [UInt8]) -> String {
        var sections: [String] = []
        var elements: [String] = []
        var offset = 0
        while offset < bytes.count {
            if bytes[offset] == separator {
                sections.append(elements.isEmpty ? "-" : elements.joined(separator: ","))
                elements.removeAll()
                offset += 1
                continue
            }
            let count = bytes.span.littleEndian32(at: offset + 1)
            let word = sections.isEmpty ? compareWord(bytes[offset]) : operationWord(bytes[offset])
            elements.append(count == 1 ? word : "\(word)*\(count)")
            offset += 5
        }
        return sections.joined(separator: " | ")
    }

    private static func compareWord(_ token: UInt8) -> String {
        let target =
            switch Compare.Target(rawValue: token >> 4) {
            case .version: "version"
            case .createRevision: "create_revision"
            case .modRevision: "mod_revision"
            case .value: "value"
            case .lease: "lease"
            case nil: "unknown"
            }
        let relation =
            switch Compare.Relation(rawValue: token & 15) {
            case .equal: "="
            case .greater: ">"
            case .less: "<"
            case .notEqual: "!="
            case nil: "?"
            }
        return target + relation
    }

    private static func operationWord(_ token: UInt8) -> String {
        switch RequestOp.Kind(rawValue: token) {
        case .range: "range"
        case .put: "put"
        case .delete: "delete"
        case .txn: "txn"
        case .watchCreate, .some(.none), nil: "unknown"
        }
    }
}

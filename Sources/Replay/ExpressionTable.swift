package import Etcd

/// How many of a trace's calls and messages a chain does, by kind and obstacle. With `omitted` they are the trace's.
package struct ExpressionTable: Sendable, Equatable {
    private static let obstacles = ChainObstacle.allCases.count
    private var done = Array(repeating: 0, count: OperationKind.allCases.count)
    private var near = Array(repeating: 0, count: OperationKind.allCases.count * obstacles)
    private var skipped = Array(repeating: 0, count: OperationKind.allCases.count * obstacles)
    /// Those that are replayed on no store: the total of the plan's `OmissionTable`.
    package internal(set) var omitted = 0

    package init() {}

    /// Done as recorded.
    package func executed(_ kind: OperationKind) -> Int { done[Int(kind.rawValue)] }
    /// Recorded calls that others stand for.
    package func approximated(_ kind: OperationKind, _ obstacle: ChainObstacle) -> Int {
        near[place(kind, obstacle)]
    }
    package func leftOut(_ kind: OperationKind, _ obstacle: ChainObstacle) -> Int { skipped[place(kind, obstacle)] }

    private func place(_ kind: OperationKind, _ obstacle: ChainObstacle) -> Int {
        Int(kind.rawValue) * Self.obstacles + Int(obstacle.rawValue)
    }

    mutating func count(_ expressed: Expressed, _ kind: OperationKind) {
        switch expressed {
        case .asRecorded: done[Int(kind.rawValue)] += 1
        case .approximated(let obstacle, let recorded, let isCounted):
            if isCounted { near[place(recorded, obstacle)] += 1 }
        case .leftOut(let obstacle): skipped[place(kind, obstacle)] += 1
        case .replaced: break
        }
    }

    package var executed: Int { done.reduce(0, +) }
    package var approximated: Int { near.reduce(0, +) }
    package var leftOut: Int { skipped.reduce(0, +) }
    package var total: Int { executed + approximated + leftOut + omitted }

    package func approximated(_ obstacle: ChainObstacle) -> Int {
        OperationKind.allCases.reduce(0) { $0 + approximated($1, obstacle) }
    }
    package func leftOut(_ obstacle: ChainObstacle) -> Int {
        OperationKind.allCases.reduce(0) { $0 + leftOut($1, obstacle) }
    }
}

// As traces hold it: a line each of what is not 0.
extension ExpressionTable {
    /// `executed txn 12`, `approximated txn lease 3`, `left-out range range 7`, `omitted 1`.
    package var text: String {
        var lines: [String] = []
        for kind in OperationKind.allCases where executed(kind) > 0 {
            lines.append("executed \(kind) \(executed(kind))")
        }
        for (word, counts) in [(Self.near, near), (Self.skipped, skipped)] {
            for kind in OperationKind.allCases {
                for obstacle in ChainObstacle.allCases where counts[place(kind, obstacle)] > 0 {
                    lines.append("\(word) \(kind) \(obstacle) \(counts[place(kind, obstacle)])")
                }
            }
        }
        if omitted > 0 { lines.append("omitted \(omitted)") }
        return lines.joined(separator: "\n")
    }

    private static let near = "approximated"
    private static let skipped = "left-out"

    /// Takes a text as above; lines of which a word is not known are passed over.
    package init(text: String) {
        self.init()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let count = words.last.flatMap({ Int($0) }), count >= 0, count < 1 << 48 else { continue }
            let kind = words.count > 2 ? OperationKind.allCases.first { "\($0)" == words[1] } : nil
            let obstacle = words.count > 3 ? ChainObstacle.allCases.first { "\($0)" == words[2] } : nil
            switch (words[0], kind, obstacle) {
            case ("executed", let kind?, nil): done[Int(kind.rawValue)] = count
            case (Self.near[...], let kind?, let obstacle?): near[place(kind, obstacle)] = count
            case (Self.skipped[...], let kind?, let obstacle?): skipped[place(kind, obstacle)] = count
            case ("omitted", nil, nil): omitted = count
            default: break
            }
        }
    }
}

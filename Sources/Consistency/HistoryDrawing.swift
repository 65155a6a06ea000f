/// A few operations as text: a line a client, their intervals on a common axis on which only the order of calls and
/// returns counts.
///
/// ```
/// client 1  |-write v1-||---read v1---|
/// client 2                               |-read v0-|
/// ```
///
/// A call stands above a return of the same time or left of it, since intervals are closed. What has no return goes on
/// to the right edge, with `>`. Where the names do not fit, operations are numbered and listed below.
package struct HistoryDrawing {
    private let operations: [HistoryOperation]
    private let words: OperationWords
    private let width: Int

    /// `operations`: of one key of the history. `width`: columns, 40 at least.
    package init(_ operations: [HistoryOperation], of history: borrowing History, width: Int) {
        self.operations = operations.sorted {
            ($0.call, $0.return, $0.client, $0.kind.rawValue) < ($1.call, $1.return, $1.client, $1.kind.rawValue)
        }
        words = OperationWords(history, width: 24)
        self.width = max(width, 40)
    }

    /// The drawing, each line with its line feed; the list alone if there are more operations than columns allow.
    package var text: String {
        let names = operations.map(words.label)
        if let drawing = drawing(names) { return drawing }
        let numbers = operations.indices.map { "\($0 + 1)" }
        var text = drawing(numbers) ?? ""
        for (number, operation) in operations.enumerated() {
            let until = operation.return == HistoryOperation.noReturn ? "..." : "\(operation.return)"
            text += "\(number + 1): client \(operation.client) \(names[number]), \(operation.call) to \(until)\n"
        }
        return text
    }

    /// Lanes of operations that do not overlap, those of one client next to each other.
    private func lanes(_ columns: [(from: Int, to: Int)]) -> [(client: Int64, members: [Int])] {
        var lanes: [(client: Int64, members: [Int])] = []
        let clients = Set(operations.map(\.client)).sorted()
        for client in clients {
            let first = lanes.count
            for index in operations.indices where operations[index].client == client {
                let free = lanes.indices.dropFirst(first).first { lane in
                    lanes[lane].members.last.map { columns[$0].to < columns[index].from } ?? true
                }
                if let free { lanes[free].members.append(index) } else { lanes.append((client, [index])) }
            }
        }
        return lanes
    }

    /// The columns of each operation's ends: as near to each other as the labels between them allow.
    private func columns(_ labels: [String]) -> (ends: [(from: Int, to: Int)], count: Int) {
        // Calls and returns by time; at one time calls first.
        var points: [(time: Int64, isReturn: Bool)] = []
        for operation in operations {
            points.append((operation.call, false))
            if operation.return != HistoryOperation.noReturn { points.append((operation.return, true)) }
        }
        points.sort { ($0.time, $0.isReturn ? 1 : 0) < ($1.time, $1.isReturn ? 1 : 0) }
        var distinct: [(time: Int64, isReturn: Bool)] = []
        for point in points where distinct.last.map({ $0 != point }) ?? true { distinct.append(point) }

        var ends = [(from: Int, to: Int)](repeating: (0, 0), count: operations.count)
        var column = -1
        for point in distinct {
            column += 1
            if point.isReturn {
                for index in operations.indices where operations[index].return == point.time {
                    column = max(column, ends[index].from + labels[index].count + 3)
                }
                for index in operations.indices where operations[index].return == point.time { ends[index].to = column }
            } else {
                for index in operations.indices where operations[index].call == point.time { ends[index].from = column }
            }
        }
        var last = column
        for index in operations.indices where operations[index].return == HistoryOperation.noReturn {
            last = max(last, ends[index].from + labels[index].count + 3)
        }
        for index in operations.indices where operations[index].return == HistoryOperation.noReturn {
            ends[index].to = last
        }
        return (ends, last + 1)
    }

    private func drawing(_ labels: [String]) -> String? {
        let (ends, count) = columns(labels)
        let lanes = lanes(ends)
        let heads = lanes.map { "client \($0.client)" }
        let indent = (heads.map(\.count).max() ?? 0) + 2
        guard indent + count <= width else { return nil }
        var text = ""
        for (number, lane) in lanes.enumerated() {
            var line = [Character](repeating: " ", count: count)
            for index in lane.members {
                let (from, to) = ends[index]
                for column in from...to { line[column] = "-" }
                line[from] = "|"
                line[to] = operations[index].return == HistoryOperation.noReturn ? ">" : "|"
                let label = Array(labels[index])
                let start = from + (to - from + 1 - label.count) / 2
                for (offset, character) in label.enumerated() { line[start + offset] = character }
            }
            let isFirst = number == 0 || lanes[number - 1].client != lane.client
            let head = isFirst ? heads[number] : ""
            text += head + String(repeating: " ", count: indent - head.count)
            text += String(line[...(line.lastIndex { $0 != " " } ?? 0)]) + "\n"
        }
        return text
    }
}

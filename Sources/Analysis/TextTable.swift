/// Rows and columns of text, rendered for a terminal.
package struct TextTable {
    package struct Column {
        package enum Alignment { case left, right }
        package var title: String
        package var alignment: Alignment

        package static func left(_ title: String) -> Column { Column(title: title, alignment: .left) }
        package static func right(_ title: String) -> Column { Column(title: title, alignment: .right) }
    }

    package var columns: [Column]
    package var rows: [[String]] = []
    /// Rows below a rule: sums.
    package var footer: [String]?

    package init(columns: [Column]) { self.columns = columns }

    /// Two spaces between columns and before the first. What does not fit in `width` of the last column, if that is
    /// left-aligned, or else of the first, is cut and ends in an ellipsis; without a width, nothing is cut.
    package func text(width: Int?) -> String {
        let all = rows + (footer.map { [$0] } ?? [])
        var widths = columns.map(\.title.count)
        for row in all { for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) } }
        if let width {
            let elastic = columns.last?.alignment == .left ? columns.count - 1 : 0
            let excess = widths.reduce(0) { $0 + $1 + 2 } - width
            if excess > 0 { widths[elastic] = max(1, columns[elastic].title.count, widths[elastic] - excess) }
        }

        var text = line(columns.map(\.title), widths)
        for row in rows { text += line(row, widths) }
        if let footer {
            text += "  " + String(repeating: "-", count: widths.reduce(-2) { $0 + $1 + 2 }) + "\n"
            text += line(footer, widths)
        }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let isLast = index == cells.count - 1
            var cell = cell
            if cell.count > widths[index] { cell = cell.prefix(widths[index] - 1) + "…" }
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            line += "  " + (columns[index].alignment == .left ? cell + (isLast ? "" : padding) : padding + cell)
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}

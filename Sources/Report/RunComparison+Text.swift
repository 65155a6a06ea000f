import Analysis

extension RunComparison {
    /// What brackets and marks mean; empty where there are none.
    var legend: [String] {
        if !hasRepeats { return [] }
        var lines = [
            "Median of runs [least .. greatest], from 5 on [least (quartiles) greatest].",
            "All calls: percentiles of the calls of all runs of a column together.",
        ]
        if columns.count > 1 {
            lines.append("~ Its spread meets that of the first column: the difference may be noise.")
        }
        return lines
    }

    /// A row's label and cells; a difference from the first column that its spread does not bear out is marked.
    private func texts(_ row: Row) -> [String] {
        var first: Figure?
        if case .figure(let figure)? = row.cells.first { first = figure }
        return [row.label]
            + row.cells.map { cell in
                switch cell {
                case .absent: "-"
                case .words(let words): words
                case .figure(let figure):
                    (first.map { figure.spread.mayBeNoise(beside: $0.spread) } ?? false ? "~ " : "") + figure.text
                }
            }
    }

    /// For people at a terminal: columns that do not fit in `width` beside the others stand below them.
    package func text(width: Int?) -> String {
        var text = legend.map { $0 + "\n" }.joined()
        for section in sections where !section.rows.isEmpty {
            if !text.isEmpty { text += "\n" }
            text += section.title + "\n"
            if let note = section.note { text += "  " + note + "\n" }
            let rows = section.rows.map { texts($0).map(Self.plain) }
            for block in Self.blocks(rows, titles.map(Self.plain), width: width) { text += block.text(width: nil) }
        }
        for remark in remarks {
            text += "\n\(Self.plain(remark.column))\n"
            for line in remark.lines { text += "  \(Self.plain(line))\n" }
        }
        return text
    }

    /// The rows' labels with as many of the columns as fit, with the next ones, and so on. Of a column that is too
    /// wide by itself the cells are cut.
    private static func blocks(_ rows: [[String]], _ titles: [String], width: Int?) -> [TextTable] {
        let gap = 2
        func columnWidth(_ place: Int) -> Int { rows.reduce(0) { max($0, $1[place].count) } }
        let labels = columnWidth(0) + gap
        var tables: [TextTable] = []
        var used = Int.max
        for (place, title) in titles.enumerated() {
            let wanted = max(columnWidth(place + 1), title.count) + gap
            if used > (width ?? .max) - wanted {
                tables.append(TextTable(columns: [.left("")]))
                tables[tables.count - 1].rows = rows.map { [$0[0]] }
                used = labels
            }
            let room = width.map { max($0 - labels - gap, 8) } ?? wanted
            let last = tables.count - 1
            tables[last].columns.append(.right(cut(title, to: room)))
            for row in rows.indices { tables[last].rows[row].append(cut(rows[row][place + 1], to: room)) }
            used += min(wanted, room + gap)
        }
        return tables
    }

    private static func cut(_ text: String, to room: Int) -> String {
        text.count > room ? text.prefix(room - 1) + "…" : text
    }

    /// What others wrote into a trace must not steer the terminal.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
    }

    /// A document with a table a section.
    package func markdown() -> String {
        var text = "# Replays\n"
        if hasRepeats { text += "\n" + legend.map { "- \(Self.escaped($0))\n" }.joined() }
        for section in sections where !section.rows.isEmpty {
            text += "\n## \(section.title)\n\n"
            if let note = section.note { text += note + "\n\n" }
            text += "| |" + titles.map { " \(Self.escaped($0)) |" }.joined() + "\n"
            text += "| --- |" + titles.map { _ in " ---: |" }.joined() + "\n"
            for row in section.rows.map(texts) {
                text += "|" + row.map { " \(Self.escaped(String($0.drop { $0 == " " }))) |" }.joined() + "\n"
            }
        }
        for remark in remarks {
            text += "\n## \(Self.escaped(remark.column))\n\n"
            for line in remark.lines { text += "- \(Self.escaped(line))\n" }
        }
        return text
    }

    /// What would end a cell or begin markup stands for itself.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if "|\\`*_<>[]#".contains(character) { escaped.append("\\") }
            escaped.append(character == "\n" ? " " : character)
        }
        return escaped
    }
}

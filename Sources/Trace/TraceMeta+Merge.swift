extension TraceMeta {
    /// What is to be said of a trace that was merged from recordings: of each name, what they say that is not the same,
    /// one a line, in their order; the capture files of all. That one was a part of a recording is not said.
    ///
    /// - Parameter recordings: one of each, whatever the number of its files.
    package static func merged(_ recordings: [TraceMeta]) -> TraceMeta {
        var merged = TraceMeta()
        for meta in recordings {
            for entry in meta.entries where entry.name != "part" {
                if entry.name == "captures" {
                    merged.captures += meta.captures
                    continue
                }
                var lines = merged[entry.name]?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
                for line in entry.value.split(separator: "\n", omittingEmptySubsequences: false)
                where !lines.contains(line) {
                    lines.append(line)
                }
                merged[entry.name] = lines.joined(separator: "\n")
            }
        }
        return merged
    }

    /// Whether both describe the same recording, of which the traces are different parts.
    package func isSameRecording(as other: TraceMeta) -> Bool {
        guard part != nil, other.part != nil else { return false }
        var (mine, theirs) = (self, other)
        mine["part"] = nil
        theirs["part"] = nil
        return mine == theirs
    }

    /// Number of the file, from 1, of a recording in several.
    package var part: Int? { self["part"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }
}

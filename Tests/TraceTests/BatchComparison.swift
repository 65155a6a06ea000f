import Etcd

/// The first thing in which two batches differ, in words; nil if they are equal in every field.
func difference(_ found: OperationBatch, _ expected: OperationBatch) -> String? {
    let differences: [String?] = [
        firstDifference("operation", found.operations, expected.operations),
        firstDifference("part", found.parts, expected.parts),
        firstDifference("compare", found.compares, expected.compares),
        firstDifference("key-value", found.keyValues, expected.keyValues),
        firstDifference("key byte", found.keys.bytes, expected.keys.bytes),
        firstDifference("key end", found.keys.ends, expected.keys.ends),
        firstDifference("text byte", found.texts.bytes, expected.texts.bytes),
        firstDifference("text end", found.texts.ends, expected.texts.ends),
        firstDifference("connection", found.connections, expected.connections),
        firstDifference("observed record", found.observed, expected.observed),
        firstDifference("replay record", found.replays, expected.replays),
        found.health == expected.health ? nil : "the health differs",
    ]
    return differences.lazy.compactMap { $0 }.first
}

private func firstDifference<Record: Equatable>(_ noun: String, _ found: [Record], _ expected: [Record]) -> String? {
    for (index, (left, right)) in zip(found, expected).enumerated() where left != right {
        return "\(noun) \(index) differs\n  expected  \(right)\n  found     \(left)"
    }
    return found.count == expected.count ? nil : "\(noun): \(found.count) found, \(expected.count) expected"
}

/// What the shards of one replay have in common: each says it of itself, and one that says otherwise than shard 1 is
/// not played with it.
package struct ShardIdentity: Sendable, Equatable {
    /// In the order in which differences are told.
    private let fields: [Field]

    private struct Field: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// Precondition: no name or value holds `;`, no name `=`.
    package init(_ fields: KeyValuePairs<String, String>) {
        self.fields = fields.map { Field(name: $0.key, value: $0.value) }
        precondition(
            self.fields.allSatisfy { !$0.name.contains("=") && !($0.name + $0.value).contains(";") },
            "; and = part the fields of an identity")
    }

    /// `NAME=VALUE;...`, at most `ShardGateLimits.identityBytes`.
    var text: String { fields.map { "\($0.name)=\($0.value)" }.joined(separator: ";") }

    /// In words, how another shard's text differs; nil where it does not.
    func difference(from other: String) -> String? {
        if other == text { return nil }
        var others: [String: String] = [:]
        for field in other.split(separator: ";") {
            guard let sign = field.firstIndex(of: "=") else { continue }
            others[String(field[..<sign])] = String(field[field.index(after: sign)...])
        }
        let differences = fields.compactMap { field -> String? in
            guard others[field.name] != field.value else { return nil }
            return "\(field.name) \(others[field.name] ?? "unknown") there, \(field.value) here"
        }
        return differences.isEmpty
            ? "it says more than this version of kvreel knows" : differences.joined(separator: "; ")
    }
}

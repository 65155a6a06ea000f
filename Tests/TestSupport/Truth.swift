package import Foundation

/// What the server itself logged of a recording (`truth.json`), to be compared with an analysis of the packets.
package struct Truth {
    package var json: [String: Any]

    package init(_ file: URL) throws {
        json = try Self.object(Data(contentsOf: file))
    }

    package static func object(_ data: Data) throws -> [String: Any] {
        guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw Repository.Missing(what: "a JSON object")
        }
        return object
    }

    package struct Rules {
        /// All counts are this many times the truth's.
        package var times = 1
        /// Only what the client sent can be known.
        package var requestsOnly = false
        package init(times: Int = 1, requestsOnly: Bool = false) {
            self.times = times
            self.requestsOnly = requestsOnly
        }
    }

    /// Where `analysis` differs from the truth, by the rules of the recordings' README: calls that are on the wire but
    /// that the server never read may be counted or not.
    package func differences(from analysis: [String: Any], _ rules: Rules = Rules()) -> [String] {
        var found: [String] = []
        let unread = json["unread"] as? [String: Int] ?? [:]
        let unreadCalls = unread.filter { !$0.key.contains("/Watch") }.values.reduce(0, +)
        let unreadWatch = unread["/etcdserverpb.Watch/Watch"] ?? 0
        let unreadRanges = unread["/etcdserverpb.KV/Range"] ?? 0

        func number(_ object: Any?, _ path: [String]) -> Double {
            var current = object
            for name in path { current = (current as? [String: Any])?[name] }
            return (current as? NSNumber)?.doubleValue ?? 0
        }
        func check(_ path: [String], slack: Int = 0, scale: Int? = nil) {
            let wanted = number(json, path) * Double(scale ?? rules.times)
            let got = number(analysis, path)
            if got < wanted - 1e-6 || got > wanted + Double(slack) + 1e-6 {
                found.append("\(path.joined(separator: ".")): the server says \(wanted), the analysis \(got)")
            }
        }

        let methods = json["methods"] as? [String: [String: Any]] ?? [:]
        let analysed = analysis["methods"] as? [String: [String: Any]] ?? [:]
        for (name, method) in methods.sorted(by: { $0.key < $1.key }) {
            check(["methods", name, "requests"])
            check(["methods", name, "request_messages"], slack: unread[name] ?? 0)
            if rules.requestsOnly { continue }
            check(["methods", name, "response_messages"])
            let got = analysed[name]?["status"] as? [String: Int] ?? [:]
            // Cancelled, deadline exceeded, unavailable: often without trailers on the wire. A success may be cut off
            // by the client's reset.
            for (code, count) in method["status"] as? [String: Int] ?? [:] where !["0", "1", "4", "14"].contains(code) {
                if got[code] ?? 0 != count * rules.times { found.append("\(name).status.\(code): \(count), \(got)") }
            }
        }
        let unimplemented = json["unimplemented"] as? [String: Int] ?? [:]
        for (name, method) in analysed where methods[name] == nil {
            if method["requests"] as? Int != unimplemented[name] { found.append("invented method \(name)") }
        }
        let answers: Set = ["keys_returned", "created", "canceled", "responses", "put_events", "delete_events"]
        for section in ["range", "put", "watch", "lease", "values"] {
            for field in (json[section] as? [String: Any] ?? [:]).keys.sorted() {
                if rules.requestsOnly, answers.contains(field) { continue }
                check(
                    [section, field], slack: section == "range" ? unreadCalls : section == "watch" ? unreadWatch : 0,
                    scale: ["min", "max", "p50"].contains(field) ? 1 : nil)
            }
        }
        let fields = rules.requestsOnly ? ["requests"] : ["requests", "succeeded", "failed"]
        for field in fields { check(["txn", field], slack: unreadCalls) }
        let patterns = (json["txn"] as? [String: Any])?["patterns"] as? [String: Any] ?? [:]
        for pattern in patterns.keys.sorted() {
            for field in fields { check(["txn", "patterns", pattern, field], slack: unreadCalls) }
        }
        for pattern in ((analysis["txn"] as? [String: Any])?["patterns"] as? [String: Any] ?? [:]).keys
        where patterns[pattern] == nil {
            found.append("invented pattern \(pattern)")
        }
        for view in rules.requestsOnly ? ["requested"] : ["requested", "executed"] {
            for row in ["range", "txn_range", "txn_put", "txn_delete", "watch_create"] {
                check(["edge_table1", view, row], slack: unreadCalls)
            }
        }
        if rules.requestsOnly { return found }
        for field in (json["netcraq_iid"] as? [String: Any] ?? [:]).keys.sorted() {
            if unreadRanges > 0 && field != "proposals" || unreadCalls > 0 && field == "write_share" { continue }
            let isShare = field.hasSuffix("share")
            let wanted = number(json, ["netcraq_iid", field])
            let got = number(analysis, ["netcraq_iid", field])
            if isShare {
                if abs(wanted - got) > 0.000_001_5 { found.append("netcraq_iid.\(field): \(wanted), \(got)") }
            } else {
                check(["netcraq_iid", field], slack: field == "writes" ? unreadCalls : 0)
            }
        }
        if unreadRanges == 0 {
            check(["keys", "distinct"], scale: 1)
            for (list, field) in [("top_reads", "reads"), ("top_writes", "writes")] {
                let wanted = entries(json, list, field, rules.times)
                let got = entries(analysis, list, field, 1)
                if wanted != got {
                    let first = zip(wanted, got).first { $0 != $1 }
                    found.append("keys.\(list) differs: \(first.map { "\($0)" } ?? "\(wanted.count), \(got.count)")")
                }
            }
        }
        return found
    }

    private func entries(_ object: [String: Any], _ list: String, _ field: String, _ scale: Int) -> [String] {
        ((object["keys"] as? [String: Any])?[list] as? [[String: Any]] ?? []).map {
            "\($0["key"] as? String ?? "?") \(($0[field] as? Int ?? 0) * scale)"
        }
    }

    /// Requests of all methods.
    package var requests: Int {
        (json["methods"] as? [String: [String: Any]] ?? [:]).values.reduce(0) { $0 + ($1["requests"] as? Int ?? 0) }
    }

    /// What must hold where bytes are missing: no more requests than the server saw, in total and of each method, and
    /// no method that it did not see. Returns the share of requests that were named, and what is violated.
    package func bounded(_ analysis: [String: Any]) -> (share: Double, violations: [String]) {
        let methods = json["methods"] as? [String: [String: Any]] ?? [:]
        let analysed = analysis["methods"] as? [String: [String: Any]] ?? [:]
        var violations: [String] = []
        var right = 0
        for (name, method) in analysed {
            let got = method["requests"] as? Int ?? 0
            let wanted = methods[name]?["requests"] as? Int ?? 0
            right += min(got, wanted)
            if got > wanted { violations.append("\(name): \(got) requests, the server saw \(wanted)") }
        }
        let coverage = (analysis["coverage"] as? [String: Any])?["requests"] as? Int ?? 0
        if coverage > requests { violations.append("\(coverage) requests, the server saw \(requests)") }
        return (Double(right) / Double(max(1, requests)), violations)
    }
}

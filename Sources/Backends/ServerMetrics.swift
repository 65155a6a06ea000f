/// What a server counts itself: the text form of Prometheus' metrics, as etcd gives it at `/metrics`.
///
/// A line is `name{label="value",...} number`, or a comment (prometheus.io, "Exposition formats", version 0.0.4). Lines
/// of another form are passed over.
package struct ServerMetrics: Sendable, Equatable {
    package struct Label: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct Sample: Sendable, Equatable {
        package var name: String
        package var labels: [Label]
        package var value: Double
    }

    /// Requests of a method, as gRPC's interceptors count them (`grpc_server_started_total`,
    /// `grpc_server_handled_total`): a stream is one request.
    package struct MethodCount: Sendable, Equatable {
        /// `/etcdserverpb.KV/Range`.
        package var method: String
        package var started: Int
        package var handled: Int

        package init(method: String, started: Int, handled: Int) {
            self.method = method
            self.started = started
            self.handled = handled
        }
    }

    /// How many values of a histogram are not above a bound; the last bucket's is infinite.
    package struct Bucket: Sendable, Equatable {
        package var bound: Double
        package var count: Double

        package init(bound: Double, count: Double) {
            self.bound = bound
            self.count = count
        }
    }

    /// In the server's order.
    package private(set) var samples: [Sample] = []

    package init(_ text: [UInt8]) {
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if let sample = Sample(line) { samples.append(sample) }
        }
    }

    /// The sum of the samples of that name that have all of these labels; nil if there is none.
    package func sum(_ name: String, where labels: [Label] = []) -> Double? {
        var sum: Double?
        for sample in samples where sample.name == name {
            if labels.allSatisfy({ sample.labels.contains($0) }) { sum = (sum ?? 0) + sample.value }
        }
        return sum
    }

    /// The buckets of the histogram of that name, by their bounds; empty if there is none.
    package func buckets(_ name: String) -> [Bucket] {
        samples.compactMap { sample in
            guard sample.name == name + "_bucket", let text = sample["le"],
                let bound = text == "+Inf" ? Double.infinity : Double(text), !bound.isNaN
            else { return nil }
            return Bucket(bound: bound, count: sample.value)
        }.sorted { $0.bound < $1.bound }
    }

    /// What came into a histogram since it had been so, of the same server; all of it where it had been empty.
    package static func differences(_ now: [Bucket], since before: [Bucket]) -> [Bucket] {
        guard now.map(\.bound) == before.map(\.bound) else { return now }
        return zip(now, before).map { Bucket(bound: $0.bound, count: $0.count - $1.count) }
    }

    /// The least bound that so large a share of the values is not above; nil where it is none but infinity, and of no
    /// values.
    package static func bound(of share: Double, _ buckets: [Bucket]) -> Double? {
        guard let all = buckets.last?.count, all > 0 else { return nil }
        return buckets.first { $0.count >= share * all }.flatMap { $0.bound.isFinite ? $0.bound : nil }
    }

    /// Methods that were asked for at least once, in the order of their names.
    package var methodCounts: [MethodCount] {
        var counts: [MethodCount] = []
        for sample in samples {
            let isStart = sample.name == "grpc_server_started_total"
            guard isStart || sample.name == "grpc_server_handled_total", let number = Int(exactly: sample.value),
                number > 0, let service = sample["grpc_service"], let name = sample["grpc_method"]
            else { continue }
            counts.append(
                MethodCount(
                    method: "/\(service)/\(name)", started: isStart ? number : 0, handled: isStart ? 0 : number))
        }
        return Self.total([counts])
    }

    /// The counts of several servers together, one a method, in the order of the methods' names.
    package static func total(_ counts: [[MethodCount]]) -> [MethodCount] {
        var totals: [MethodCount] = []
        for count in counts.joined().sorted(by: { $0.method < $1.method }) {
            if let last = totals.last, last.method == count.method {
                totals[totals.count - 1].started += count.started
                totals[totals.count - 1].handled += count.handled
            } else {
                totals.append(count)
            }
        }
        return totals
    }

    /// What these counts are above earlier ones of the same server; methods without a difference are left out.
    package static func differences(_ now: [MethodCount], since before: [MethodCount]) -> [MethodCount] {
        now.compactMap { count in
            var count = count
            if let old = before.first(where: { $0.method == count.method }) {
                count.started -= old.started
                count.handled -= old.handled
            }
            return count.started == 0 && count.handled == 0 ? nil : count
        }
    }
}

extension ServerMetrics.Sample {
    package subscript(label: String) -> String? { labels.first { $0.name == label }?.value }

    /// Nil if the line is no sample.
    fileprivate init?(_ line: ArraySlice<UInt8>) {
        var rest = line
        let name = rest.take { $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: " ") }
        guard let first = name.first, first != UInt8(ascii: "#") else { return nil }
        var labels: [ServerMetrics.Label] = []
        if rest.first == UInt8(ascii: "{") {
            rest.removeFirst()
            while rest.first != UInt8(ascii: "}") {
                let name = rest.take { $0 != UInt8(ascii: "=") }
                guard rest.starts(with: Array("=\"".utf8)) else { return nil }
                rest.removeFirst(2)
                guard let value = rest.takeQuoted() else { return nil }
                labels.append(ServerMetrics.Label(String(decoding: name, as: UTF8.self), value))
                if rest.first == UInt8(ascii: ",") { rest.removeFirst() }
            }
            rest.removeFirst()
        }
        guard rest.first == UInt8(ascii: " ") else { return nil }
        rest.removeFirst()
        // A time may follow.
        let number = rest.take { $0 != UInt8(ascii: " ") }
        guard let value = Double(String(decoding: number, as: UTF8.self)) else { return nil }
        self.init(name: String(decoding: name, as: UTF8.self), labels: labels, value: value)
    }
}

extension ArraySlice<UInt8> {
    /// Takes the bytes away up to the first one that is not wanted.
    fileprivate mutating func take(while isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let taken = prefix(while: isWanted)
        removeFirst(taken.count)
        return taken
    }

    /// Takes away a label's value and the quotation mark behind it; `\\`, `\"` and `\n` stand for what they do in C.
    fileprivate mutating func takeQuoted() -> String? {
        var value: [UInt8] = []
        while let byte = popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = popFirst() else { return nil }
                value.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
            default: value.append(byte)
            }
        }
        return nil
    }
}

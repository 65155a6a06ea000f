/// What a member says over HTTP on its client port: plain GET on the loopback, one connection each.
package enum LoopbackHTTP {
    /// Of a response's body: etcd's metrics take about 100 KB.
    static let bodyLimit = 8 << 20

    package struct Response: Sendable, Equatable {
        package var status: Int
        package var body: [UInt8]

        package init(status: Int, body: [UInt8]) {
            self.status = status
            self.body = body
        }
    }

    /// Nil: no whole response by the deadline of the monotonic clock.
    static func get(_ path: String, port: UInt16, until deadline: UInt64) -> Response? {
        // Of version 1.0, so that the body comes as it is and the connection's end is its end.
        let request = "GET \(path) HTTP/1.0\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
        guard
            let bytes = try? LoopbackCalls.exchange(
                Array(request.utf8), port: port, until: deadline, limit: bodyLimit)
        else { return nil }
        return parse(bytes)
    }

    /// The status line, the fields up to an empty line, the body. Nil if it is not that, or less than it says to be.
    package static func parse(_ bytes: [UInt8]) -> Response? {
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { return nil }
        let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = head.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { return nil }
        let body = Array(bytes[(end + 4)...])
        for field in head.dropFirst() where field.lowercased().hasPrefix("content-length:") {
            let length = field.split(separator: ":", maxSplits: 1).last.map { $0.drop { $0 == " " } }
            guard let length, Int(length) == body.count else { return nil }
        }
        return Response(status: status, body: body)
    }
}

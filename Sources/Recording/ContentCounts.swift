import HTTP2

/// How many connections with payload carry what.
struct ContentCounts {
    var http2 = 0
    var tls = 0
    var http1 = 0
    var other = 0

    mutating func count(_ content: ConnectionContent, _ change: Int) {
        switch content {
        case .unknown: break
        case .http2: http2 += change
        case .tls: tls += change
        case .http1: http1 += change
        case .other: other += change
        }
    }
}

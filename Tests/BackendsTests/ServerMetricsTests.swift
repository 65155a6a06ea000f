import Backends
import Testing

@Suite("Server metrics: what a server counts itself")
struct ServerMetricsTests {
    private func metrics(_ text: String) -> ServerMetrics { ServerMetrics(Array(text.utf8)) }

    @Test("samples are read with their labels, and summed over those that are asked for")
    func samples() {
        let found = metrics(
            #"""
            # HELP grpc_server_started_total Total number of RPCs started on the server.
            # TYPE grpc_server_started_total counter
            grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 12
            grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"} 3
            etcd_server_has_leader 1
            etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 1.5e+03 1795223434
            odd{path="a\\b\"c\nd",empty=""} -0.25
            """#)
        #expect(found.samples.count == 5)
        #expect(found.sum("grpc_server_started_total") == 15)
        #expect(found.sum("grpc_server_started_total", where: [.init("grpc_method", "Put")]) == 3)
        #expect(found.sum("grpc_server_started_total", where: [.init("grpc_method", "Txn")]) == nil)
        #expect(found.sum("etcd_server_has_leader") == 1)
        #expect(found.sum("etcd_disk_wal_fsync_duration_seconds_bucket", where: [.init("le", "+Inf")]) == 1500)
        #expect(found.samples.last?.labels == [.init("path", "a\\b\"c\nd"), .init("empty", "")])
        #expect(found.samples.last?.value == -0.25)
    }

    @Test("a histogram's share is within the least bucket that holds so many, of what came since")
    func histogram() {
        func buckets(_ counts: [Int]) -> [ServerMetrics.Bucket] {
            metrics(
                zip(["0.001", "0.002", "0.004", "+Inf"], counts).reversed()
                    .map { "fsync_seconds_bucket{le=\"\($0)\"} \($1)" }.joined(separator: "\n")
            ).buckets("fsync_seconds")
        }
        let (before, after) = (buckets([100, 100, 100, 100]), buckets([150, 198, 199, 200]))
        let since = ServerMetrics.differences(after, since: before)
        #expect(since.map(\.count) == [50, 98, 99, 100])
        #expect(since.map(\.bound) == [0.001, 0.002, 0.004, .infinity])
        #expect([0.5, 0.51, 0.98, 0.99].map { ServerMetrics.bound(of: $0, since) } == [0.001, 0.002, 0.002, 0.004])
        // Beyond the last bound nothing is known.
        #expect(ServerMetrics.bound(of: 0.995, since) == nil)
        #expect(ServerMetrics.bound(of: 0.5, buckets([0, 0, 0, 0])) == nil)
        #expect(ServerMetrics.differences(after, since: []) == after)
        #expect(metrics("fsync_seconds_bucket{le=\"x\"} 1").buckets("fsync_seconds") == [])
    }

    @Test(
        "a line of another form is passed over",
        arguments: [
            "", "# only a comment", "name", "name ", "name{", "name{a", "name{a=1} 2", #"name{a="1"#, #"name{a="1"}"#,
            #"name{a="1"} x"#, #"name{a="1\"#, #"{a="1"} "#, "name one",
        ])
    func malformed(_ line: String) {
        let found = metrics("first 1\n\(line)\nlast 2\n")
        #expect(found.samples.map(\.name) == ["first", "last"])
    }

    @Test("requests are counted by method, over all status codes, and what came since is a difference")
    func methods() {
        let before = metrics(
            """
            grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 2
            grpc_server_handled_total{grpc_code="OK",grpc_method="Range",grpc_service="etcdserverpb.KV"} 2
            grpc_server_started_total{grpc_method="Txn",grpc_service="etcdserverpb.KV",grpc_type="unary"} 5
            """)
        let after = metrics(
            """
            grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"} 1
            grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 10
            grpc_server_handled_total{grpc_code="OK",grpc_method="Range",grpc_service="etcdserverpb.KV"} 7
            grpc_server_handled_total{grpc_code="OutOfRange",grpc_method="Range",grpc_service="etcdserverpb.KV"} 2
            grpc_server_started_total{grpc_method="Txn",grpc_service="etcdserverpb.KV",grpc_type="unary"} 5
            grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"} 0
            """)
        #expect(
            after.methodCounts == [
                .init(method: "/etcdserverpb.KV/Range", started: 10, handled: 9),
                .init(method: "/etcdserverpb.KV/Txn", started: 5, handled: 0),
                .init(method: "/etcdserverpb.Watch/Watch", started: 1, handled: 0),
            ])
        #expect(
            ServerMetrics.differences(after.methodCounts, since: before.methodCounts) == [
                .init(method: "/etcdserverpb.KV/Range", started: 8, handled: 7),
                .init(method: "/etcdserverpb.Watch/Watch", started: 1, handled: 0),
            ])
    }

    @Test("a response is its status and its whole body")
    func response() {
        let text = "HTTP/1.0 503 Service Unavailable\r\nContent-Length: 3\r\nX: y\r\n\r\na\r\n"
        #expect(LoopbackHTTP.parse(Array(text.utf8)) == .init(status: 503, body: Array("a\r\n".utf8)))
        #expect(LoopbackHTTP.parse(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)) == .init(status: 200, body: []))
    }

    @Test(
        "what is no whole response is none",
        arguments: [
            "", "HTTP/1.0 200 OK\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.0\r\n\r\n", "HTTP/1.0 abc\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nabc", "HTTP/1.0 200 OK\r\ncontent-length:\r\n\r\nabc",
            "\r\n\r\n",
        ])
    func noResponse(_ text: String) {
        #expect(LoopbackHTTP.parse(Array(text.utf8)) == nil)
    }
}

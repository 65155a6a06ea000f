import BackendConformance
import Backends
import Etcd
import Foundation
import Replay
import TestSupport
import Testing

@Suite("A client of a real etcd", .enabled(if: Repository.hasEtcd), .timeLimit(.minutes(2)))
struct EtcdBackendTests {
    private func cluster(_ members: Int = 1) throws -> LocalCluster {
        try LocalCluster(LocalClusterOptions(members: members))
    }

    private func options(_ cluster: LocalCluster) throws -> EtcdOptions {
        try EtcdOptions(name: cluster.name, addresses: cluster.endpoints, isSecure: false)
    }

    private func etcdctl(_ cluster: LocalCluster, _ arguments: [String]) throws -> String {
        let run = try ProgramRun.run(
            "etcdctl", ["--endpoints", cluster.endpoints[0]] + arguments, environment: ["ETCDCTL_API": "3"])
        return run.status == 0 ? run.output.trimmingCharacters(in: .newlines) : "failed: \(run.errors)"
    }

    /// Runs one driver after the other on as many connections.
    private func run(_ options: EtcdOptions, connections: Int = 1, _ drivers: [ScriptedDriver]) throws {
        let backend = try EtcdBackend(options)
        defer { backend.close() }
        try backend.open(connections: connections)
        for driver in drivers { try backend.run(driver) }
    }

    @Test("every kind of call is answered with what etcd did")
    func calls() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        var lease: Int64 = 0
        let first = ScriptedDriver([
            { $0.put("/a", size: 1_000) }, { $0.range("/a") }, { $0.update("/a", ifModified: 2) },
            { $0.update("/a", ifModified: 2) }, { $0.range("/", to: "0", kind: .rangeStream) }, { $0.delete("/a") },
            { $0.delete("/a") }, { $0.range("/a") },
            {
                $0.set(.leaseGrant, "/etcdserverpb.Lease/LeaseGrant")
                $0.ttl = 600
            },
        ])
        first.heard = { if $0.answer.details.answeredLease != 0 { lease = $0.answer.details.answeredLease } }
        let second = ScriptedDriver([
            { $0.put("/leased", lease: lease) },
            {
                $0.set(.leaseTimeToLive, "/etcdserverpb.Lease/LeaseTimeToLive")
                $0.lease = lease
            },
            {
                $0.message(.leaseKeepAlive, on: 1)
                $0.lease = lease
            },
            {
                $0.message(.leaseKeepAlive, on: 1)
                $0.lease = lease
            },
            { $0.endStream(1, .leaseKeepAlive) },
            {
                $0.set(.leaseRevoke, "/etcdserverpb.Lease/LeaseRevoke")
                $0.lease = lease
            },
            { $0.range("/leased") },
            {
                $0.set(.compact, "/etcdserverpb.KV/Compact")
                $0.revision = 3
            },
            {
                $0.range("/a")
                $0.body.revision = 2
            },
            { $0.set(.status, "/etcdserverpb.Maintenance/Status") },
            { $0.set(.cluster, "/etcdserverpb.Cluster/MemberList") },
            { $0.set(.hashKV, "/etcdserverpb.Maintenance/HashKV") },
            { $0.set(.snapshot, "/etcdserverpb.Maintenance/Snapshot") },
            { $0.set(.leaseLeases, "/etcdserverpb.Lease/LeaseLeases") },
            { $0.set(.other, "/etcdserverpb.KV/Put") },
        ])
        try run(options(cluster), [first, second])

        #expect(first.answer(0)?.details.headerRevision == 2)
        let read = try #require(first.answer(1))
        #expect(read.status == 0 && read.details.answer.count == 1)
        #expect(read.details.keyValues.map(\.valueSize) == [1_000])
        #expect(first.answers[1]?.first?.keys == ["/a"])
        #expect(read.sent > 0 && read.firstByte >= read.sent && read.done >= read.firstByte)
        #expect(read.requestBytes == 4 && read.responseBytes > 1_000)
        #expect(first.answer(2)?.details.answer.flags.contains(.succeeded) == true)
        #expect(first.answer(3)?.details.answer.flags.contains(.succeeded) == false)
        #expect(first.answer(3)?.details.keyValues.map(\.valueSize) == [5_000])
        // This etcd has no RangeStream.
        #expect(first.answer(4)?.note == .fellBack)
        #expect(first.answer(4)?.details.answer.count == 1)
        #expect(first.answer(5)?.details.answer.count == 1)
        #expect(first.answer(6)?.details.answer.count == 0)
        #expect(first.answer(7)?.details.answer.count == 0)
        #expect(lease != 0)
        #expect(second.answer(0)?.status == 0)
        #expect(second.answer(1)?.details.answeredLease == lease)
        #expect(second.answer(2)?.details.answeredTTL == 600)
        #expect(second.answer(3)?.details.answeredLease == lease)
        #expect(second.answer(4)?.status == 0)
        #expect(second.answer(5)?.status == 0)
        #expect(second.answer(6)?.details.answer.count == 0)
        #expect(second.answer(7)?.status == 0)
        #expect(second.answer(8)?.status == 11)
        #expect(second.answers[8]?.first?.error == "etcdserver: mvcc: required revision has been compacted")
        for place in 9...13 { #expect(second.answer(place)?.status == 0, "request \(place)") }
        #expect(second.answer(12)?.responseBytes ?? 0 > 16_384)
        #expect(second.answer(14)?.note == .unsupported)
        #expect(second.ends.isEmpty && second.events.isEmpty)
    }

    @Test("values are what etcdctl reads: of their size, beginning with their ID")
    func values() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        try run(options(cluster), [ScriptedDriver([{ $0.put("/v", size: 300_000) }])])
        let value = try etcdctl(cluster, ["get", "/v", "--print-value-only"])
        #expect(value.utf8.count == 300_000)
        #expect(value.hasPrefix("kvreel01{") || value.hasPrefix("kvreel01"))
    }

    @Test("a watch hears what is written after it, and is over when it is cancelled")
    func watch() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        var watchID: Int64 = -7
        let driver = ScriptedDriver([
            {
                $0.message(.watchCreate, on: 9)
                $0.body.kind = .watchCreate
                $0.body.key = $0.name("/w/")
                $0.body.rangeEnd = $0.name("/w0")
                $0.body.flags = .prevKv
            },
            { $0.put("/w/1") }, { $0.put("/w/1") }, { $0.delete("/w/1") },
            { $0.message(.watchProgress, on: 9) },
            {
                $0.message(.watchCancel, on: 9)
                $0.watchID = watchID
            },
            { $0.put("/w/2") }, { $0.endStream(9, .watch) },
        ])
        driver.heard = {
            if $0.answer.number == 0, $0.answer.details.watch.isCreated { watchID = $0.answer.details.watch.watchID }
        }
        try run(options(cluster), [driver])
        #expect(watchID == 0)
        #expect(driver.answers.count == 8)
        for place in 0..<8 {
            let answer = driver.answer(place)
            #expect(answer?.status == 0, "request \(place): \(answer?.note ?? StoreAnswer.Note.none)")
        }
        let kinds = driver.events.flatMap { $0.answer.details.keyValues.map(\.kind) }
        #expect(kinds == [.putEvent, .putEvent, .previous, .deleteEvent, .previous])
        #expect(driver.events.allSatisfy { $0.answer.stream == 9 && $0.keys.allSatisfy { $0 == "/w/1" } })
        #expect(driver.answer(5)?.details.watch.isCanceled == true)
        #expect(driver.ends.isEmpty)
    }

    @Test("what one driver leaves open is not told to the next")
    func abandoned() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        let first = ScriptedDriver([
            {
                $0.message(.watchCreate, on: 3)
                $0.body.kind = .watchCreate
                $0.body.key = $0.name("/left")
            }
        ])
        let second = ScriptedDriver([{ $0.put("/left") }, { $0.range("/left") }, { $0.range("/left") }])
        try run(options(cluster), [first, second])
        #expect(first.answer(0)?.status == 0)
        #expect((0..<3).allSatisfy { second.answer($0)?.status == 0 })
        #expect(second.events.isEmpty && second.ends.isEmpty)
    }

    @Test("many requests on many connections are answered once each, and etcd has counted as many")
    func many() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        let before = try #require(cluster.metrics(of: 0)).methodCounts
        let driver = ScriptedDriver(
            inFlight: 400,
            (0..<4_000).map { number in
                { request in
                    request.put("/many/\(number)", size: Int64(number))
                    request.connection = UInt32(number)
                }
            })
        try run(options(cluster), connections: 8, [driver])
        #expect(driver.answers.count == 4_000)
        #expect(driver.answers.values.allSatisfy { $0.count == 1 && $0[0].answer.status == 0 })
        #expect(Set(driver.answers.values.map { $0[0].answer.details.headerRevision }) == Set(2..<4_002))
        let after = try #require(cluster.metrics(of: 0)).methodCounts
        #expect(
            ServerMetrics.differences(after, since: before) == [
                .init(method: "/etcdserverpb.KV/Put", started: 4_000, handled: 4_000)
            ])
        let written = try etcdctl(cluster, ["get", "/many/", "--prefix", "--keys-only"]).split(separator: "\n")
        #expect(written.count == 4_000)
    }

    @Test("a member is killed: what was in flight is answered so, and once; with the member, the connection is back")
    func killed() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        let driver = ScriptedDriver(
            inFlight: 50,
            (0..<3_000).map { number in { $0.put("/k/\(number)") } })
        var heard = 0
        var restart: Result<Void, any Error>?
        driver.heard = { _ in
            heard += 1
            if heard == 1_000 {
                cluster.kill(0)
                restart = Result { try cluster.restart(0) }
            }
        }
        try run(options(cluster), connections: 2, [driver])
        try restart?.get()
        #expect(driver.answers.count == 3_000 && driver.answers.values.allSatisfy { $0.count == 1 })
        let lost = driver.answers.values.map { $0[0] }.filter { $0.answer.status != 0 }
        #expect((1...100).contains(lost.count))
        #expect(lost.allSatisfy { $0.answer.status == 14 && $0.answer.note == .connectionLost })
        // Of those that were lost, etcd may have done some.
        let written = try etcdctl(cluster, ["get", "/k/", "--prefix", "--keys-only"]).split(separator: "\n")
        #expect((3_000 - lost.count...3_000).contains(written.count))
    }

    @Test("a member that stands still: calls end in their time, with status 4")
    func paused() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        var options = try options(cluster)
        options.callTimeout = 300_000_000
        let backend = try EtcdBackend(options)
        defer { backend.close() }
        try backend.open(connections: 1)
        cluster.pause(0)
        let late = ScriptedDriver(inFlight: 10, (0..<10).map { number in { $0.put("/p/\(number)") } })
        try backend.run(late)
        #expect(
            late.answers.values.allSatisfy {
                $0.count == 1 && $0[0].answer.status == 4 && $0[0].answer.note == .timedOut
            })
        cluster.resume(0)
        let again = ScriptedDriver([{ $0.put("/p/again") }])
        try backend.run(again)
        #expect(again.answer(0)?.status == 0)
    }

    @Test("the driver is asked when it is due or was answered, and not all the time")
    func timetable() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        let driver = ScriptedDriver(inFlight: 100, (0..<20).map { _ in { $0.range("/t") } })
        driver.pause = 5_000_000
        try run(options(cluster), [driver])
        let sent = (0..<20).compactMap { driver.answer($0)?.sent }
        #expect(sent.count == 20)
        #expect(zip(driver.asks, sent).allSatisfy { $0 <= $1 })
        #expect(zip(driver.asks, driver.asks.dropFirst()).allSatisfy { $1 - $0 >= 5_000_000 })
        // One for each time that is due, one for each answer, and a few when the clock is ahead of the timer.
        #expect(driver.turns <= 100, "\(driver.turns) turns")
    }

    // MARK: What goes wrong at the start

    @Test("nobody is there: who, why, and what to do")
    func down() throws {
        let options = try EtcdOptions(name: "etcd://127.0.0.1:1", addresses: ["127.0.0.1:1"], isSecure: false)
        let backend = try EtcdBackend(options)
        #expect(
            throws: BackendError(
                .system, what: "cannot connect to etcd", location: "127.0.0.1:1",
                why: "127.0.0.1:1: Connection refused",
                remedy: "Is it running there? Ask: etcdctl --endpoints 127.0.0.1:1 endpoint health")
        ) { try backend.open(connections: 3) }
        backend.close()
    }

    @Test("one of two endpoints is down: the other is asked")
    func halfDown() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        let options = try EtcdOptions(name: "etcd", addresses: ["127.0.0.1:1"] + cluster.endpoints, isSecure: false)
        let driver = ScriptedDriver(
            (0..<4).map { number in
                { request in
                    request.put("/h")
                    request.connection = UInt32(number)
                }
            })
        try run(options, connections: 4, [driver])
        #expect(driver.answers.values.allSatisfy { $0[0].answer.status == 0 })
    }

    @Test("addresses that are none", arguments: ["localhost", "a:0", "a:70000", ":2379", "a:b", ""])
    func addresses(_ address: String) {
        #expect(throws: BackendError.self) { try EtcdEndpoint(address) }
    }

    @Test("addresses as etcdctl takes them")
    func forms() throws {
        #expect(try EtcdEndpoint("http://10.0.0.1:2379").text == "10.0.0.1:2379")
        #expect(try EtcdEndpoint("https://[fd00::1]:2379/") == EtcdEndpoint("[fd00::1]:2379"))
        #expect(try EtcdEndpoint("[fd00::1]:2379").host == "fd00::1")
    }

    @Test("who asks for users is one, or is told that he is none")
    func authentication() throws {
        let cluster = try cluster()
        defer { cluster.close() }
        var options = try options(cluster)
        options.user = "root"
        options.password = "secret"
        let backend = try EtcdBackend(options)
        let disabled = #expect(throws: BackendError.self) { try backend.open(connections: 2) }
        #expect(disabled?.remedy?.hasPrefix("Leave out --user") == true)
        #expect(try etcdctl(cluster, ["user", "add", "root:secret"]).contains("created"))
        #expect(try etcdctl(cluster, ["auth", "enable"]).contains("Enabled"))
        let driver = ScriptedDriver([{ $0.put("/auth") }, { $0.range("/auth") }])
        try run(options, connections: 2, [driver])
        #expect(driver.answer(0)?.status == 0 && driver.answer(1)?.details.answer.count == 1)
        options.password = "wrong"
        let refused = try EtcdBackend(options)
        let error = #expect(throws: BackendError.self) { try refused.open(connections: 2) }
        #expect(error?.what == "cannot authenticate as root")
        #expect(error?.why.contains("invalid user ID or password") == true, "\(error?.why ?? "")")
        options.user = nil
        let anonymous = ScriptedDriver([{ $0.put("/auth") }])
        try run(options, [anonymous])
        #expect(anonymous.answers[0]?.first?.error.contains("user name is empty") == true)
    }
}

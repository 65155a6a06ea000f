import BackendConformance
import ChainBackends
import ChainRuntime
import Chains
import Etcd
import Replay
import Testing

@Suite("A chain as a store", .timeLimit(.minutes(2)))
struct ChainBackendTests {
    private func open(
        _ store: String = "netcraq", keys: [String] = ["a", "b", "c"],
        change: (inout ChainBackendOptions) -> Void = { _ in }
    ) throws -> ChainBackend {
        var options = ChainBackendOptions.forTests(store, nodes: 2, keys: keys)
        change(&options)
        let backend = ChainBackend(options)
        try backend.open(connections: 1)
        return backend
    }

    // MARK: What is written

    @Test("a value begins with its ID and has the recorded size, the ID at least", arguments: ["netcraq", "netchain"])
    func values(_ store: String) throws {
        let backend = try open(store)
        defer { backend.close() }
        let sizes: [Int64] = [0, 3, 8, 9, 128, 1_024]
        let chain = try #require(backend.localChain)
        let connection = try ChainConnection(to: chain)
        _ = try connection.wait(atMost: 60_000_000_000) { $0.key(named: Array("a".utf8)) != nil }
        let key = try #require(connection.directory.key(named: Array("a".utf8)))
        for (number, size) in sizes.enumerated() {
            let id = 0x0102_0304_0506_0700 + UInt64(number)
            let answers = try Conversation.hold(
                [
                    { request, _ in
                        request.put("a", size: size)
                        request.valueID = id
                    }, { request, _ in request.range("a") },
                ], with: backend)
            let found = try #require(try connection.perform(.read, key))
            #expect(found.outcome == .ok && found.value.count == max(8, Int(size)))
            #expect(found.value.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } == id)
            #expect(answers[1].details.keyValues.map(\.valueSize) == [max(8, size)])
            #expect(ChainRevision.version(of: answers[1].details.headerRevision) == found.version)
            #expect(answers[0].details.headerRevision == answers[1].details.keyValues.first?.modRevision)
        }
        let refused = try Conversation.hold(
            [{ request, _ in request.put("a", size: 1_025) }, { request, _ in request.range("a") }], with: backend)
        #expect(refused[0].status == 3 && refused[0].sent == 0 && refused[0].note == .none)
        #expect(refused[1].details.keyValues.map(\.valueSize) == [1_024])
    }

    @Test("more writes than sessions wait for them, in their order")
    func fewSessions() throws {
        let prefix = "/few/"
        var options = ChainBackendOptions.forTests(
            "netchain", nodes: 2, keys: BackendConformance.keys(below: prefix))
        options.limits.sessions = 2
        let found = BackendConformance(features: [.keys, .comparisons], prefix: prefix).run(on: ChainBackend(options))
        #expect(found.isEmpty, "\(found)")
    }

    // MARK: What is asked

    /// Calls that a chain has nothing like.
    private static let others: [(name: String, step: @Sendable (inout StoreRequest) -> Void)] = [
        ("a range of several keys", { $0.range("a", to: "c") }),
        (
            "a range at a revision",
            {
                $0.range("a")
                $0.body.revision = 7
            }
        ), ("a range with a filter", { $0.range("a", flags: .revisionFilter) }),
        ("a put with a lease", { $0.put("a", lease: 9) }),
        (
            "a put that asks for what was there",
            {
                $0.put("a")
                $0.body.flags.insert(.prevKv)
            }
        ),
        (
            "a delete of several keys",
            {
                $0.delete("a")
                $0.body.flags.insert(.hasRangeEnd)
                $0.body.rangeEnd = $0.name("c")
            }
        ),
        (
            "a comparison of a value",
            {
                $0.update("a", ifModified: 0)
                $0.compares[0].target = .value
            }
        ),
        (
            "a version above 0",
            {
                $0.update("a", ifModified: 1)
                $0.compares[0].target = .version
            }
        ),
        (
            "a comparison by order",
            {
                $0.update("a", ifModified: 1)
                $0.compares[0].relation = .greater
            }
        ),
        (
            "a comparison of another key",
            {
                $0.update("a", ifModified: 1)
                $0.compares[0].key = $0.name("b")
            }
        ),
        (
            "a read of another key",
            {
                $0.update("a", ifModified: 1)
                $0.parts[1].key = $0.name("b")
            }
        ),
        (
            "two writes",
            {
                $0.update("a", ifModified: 1)
                $0.parts[1] = $0.parts[0]
            }
        ), ("a key that was not named before", { $0.put("d") }), ("a watch", { $0.watch("a", on: 3) }),
        ("a lease", { $0.grantLease(seconds: 10) }),
    ]

    @Test("what a chain has nothing like is answered so, and not sent")
    func unsupported() throws {
        let backend = try open()
        defer { backend.close() }
        let answers = try Conversation.hold(
            Self.others.map { other in { request, _ in other.step(&request) } }, with: backend)
        for (other, answer) in zip(Self.others, answers) {
            #expect(
                answer.note == .unsupported && answer.status == 12 && answer.sent == 0 && !answer.errorText.isEmpty,
                "\(other.name)")
        }
        let left = try Conversation.hold(
            ["a", "b", "c"].map { key in
                {
                    $0.range(key); _ = $1
                }
            }, with: backend)
        #expect(left.allSatisfy { $0.details.answer.count == 0 })
    }

    // MARK: A chain that runs

    private func count(_ backend: ChainBackend) throws -> Int64? {
        let probe = SingleCall.countOfAllKeys()
        try backend.run(probe)
        return probe.answer.flatMap { $0.status == 0 ? $0.details.answer.count : nil }
    }

    @Test("all keys that hold a value are counted, those of others too", arguments: ["netcraq", "netchain"])
    func counting(_ store: String) throws {
        var configuration = LocalChainConfiguration(store == "netcraq" ? .cqx : .ncx, nodes: 2)
        configuration.times = ChainBackendOptions.forTests(store, nodes: 2, keys: []).times
        configuration.control = Endpoint(address: 0x7f00_0001, port: 0)
        let chain = try LocalChain(configuration)
        defer { chain.stop() }
        let control = try #require(chain.control).endpoint
        let other = try ChainConnection(control: control)
        #expect(try other.place(Array("other".utf8), width: .bytes16))
        _ = try other.wait(atMost: 60_000_000_000) { $0.keyCount == 1 }

        let backend = try open(store) { $0.place = .running(control) }
        #expect(try count(backend) == 0)
        let key = try #require(other.directory.key(named: Array("other".utf8)))
        #expect(try other.perform(.write, key, value: [1])?.outcome == .ok)
        #expect(try count(backend) == 1)
        _ = try Conversation.hold(
            [
                { request, _ in request.put("a") }, { request, _ in request.put("b") },
                { request, _ in request.delete("a") },
            ],
            with: backend)
        #expect(try count(backend) == 2)
        backend.close()

        // Keys are there already for the next one; one with other room for its values is not taken.
        let again = try open(store) { $0.place = .running(control) }
        #expect(try count(again) == 2)
        again.close()
        let narrow = #expect(throws: BackendError.self) {
            try open(store, keys: ["other"]) { $0.place = .running(control) }
        }
        #expect(narrow?.why.contains("room for other values") == true)
        let foreign = #expect(throws: BackendError.self) {
            try open(store == "netcraq" ? "netchain" : "netcraq") { $0.place = .running(control) }
        }
        #expect(foreign?.why.contains("a chain of") == true)
    }

    @Test("more keys than a chain has room for are said before anything is started")
    func tooManyKeys() {
        let keys = (0...ControllerLimits().keys).map { "/\($0)" }
        let error = #expect(throws: BackendError.self) { try open(keys: keys) }
        #expect(error?.why == "the run names 16385 keys, and a chain has room for 16384")
    }

    @Test("nobody at the control interface")
    func nobody() throws {
        let error = #expect(throws: BackendError.self) {
            try open { $0.place = .running(Endpoint(address: 0x7f00_0001, port: 1)) }
        }
        #expect(error?.why.contains("Connection refused") == true)
    }

    // MARK: Revisions

    @Test("revisions are versions in their order, and back")
    func revisions() {
        let versions = [
            ChainVersion.none, ChainVersion(epoch: 1, number: 1), ChainVersion(epoch: 1, number: 1 << 40 - 1),
            ChainVersion(epoch: 2, number: 1), ChainVersion(epoch: 1 << 23 - 1, number: 1 << 40 - 1),
        ]
        let revisions = versions.map(ChainRevision.revision)
        #expect(revisions == revisions.sorted() && Set(revisions).count == versions.count)
        #expect(revisions[0] == 0 && revisions[1] == 1 << 40 | 1 && revisions[4] == .max)
        #expect(revisions.map(ChainRevision.version) == versions)
        #expect(ChainRevision.version(of: -1) == nil)
        // Beyond what fits there is no other order, but no trap.
        #expect(ChainRevision.revision(of: ChainVersion(epoch: .max, number: .max)) == .max)
    }
}

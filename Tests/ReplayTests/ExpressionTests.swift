import Etcd
import Replay
import Testing
import Wire

@Suite("What a chain expresses")
struct ExpressionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var make: @Sendable (inout HandmadeTrace) -> Void
        var skipped: [String]
        var approximated: [String]
        var chain = ChainAbilities(valueBytes: 1024)
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "reads, writes, deletes and comparisons of a key are done",
            make: {
                $0.put("/a")
                $0.range("/a") { $0.flags.formUnion([.countOnly, .serializable]) }
                $0.compareAndSet("/b", 0)
                $0.compareAndSet("/b", 7, .delete, reads: false)
                $0.delete("/a")
            },
            skipped: [
                "put /a 100 done", "range /a done", "txn(put /b 100,range /b ?) done", "txn(delete /b) done",
                "delete /a done",
            ],
            approximated: [
                "put /a 100 done", "range /a done", "txn(put /b 100,range /b ?) done", "txn(delete /b) done",
                "delete /a done",
            ]),
        Case(
            name: "a key with a lease, before and after it had one",
            make: {
                $0.range("/a") { $0.count = 0 }
                $0.put("/a") { $0.lease = 5 }
                $0.compareAndSet("/a", 1)
                $0.compareAndSet("/a", 0, succeeded: false)
                $0.compareAndSet("/a", 0, reads: false, succeeded: false)
                $0.put("/b")
            },
            skipped: [
                "range /a left out: lease", "put /a 100 leased left out: lease",
                "txn(put /a 100,range /a ?) left out: lease", "txn(put /a 100,range /a) left out: lease",
                "txn(put /a 100) left out: lease", "put /b 100 done",
            ],
            approximated: [
                "range /a for a range: lease", "put /a 100 for a put: lease", "txn(put /a 100,range /a ?) replaced",
                "txn(put /a 100,range /a) replaced", "txn(put /a 100) replaced", "put /b 100 done",
                "put /a 100 for a txn: lease", "range /a for a txn: lease", "range /a ? for a txn: lease",
            ]),
        Case(
            name: "a value that does not fit: its key is still compared",
            make: {
                $0.compareAndSet("/a", 0, size: 2000)
                $0.compareAndSet("/a", 1, size: 1024)
                $0.put("/b") { $0.valueSize = 1025 }
            },
            skipped: [
                "txn(put /a 2000,range /a ?) left out: valueTooLarge",
                "txn(put /a 1024,range /a ?) left out: valueTooLarge", "put /b 1025 left out: valueTooLarge",
            ],
            approximated: [
                "txn(put /a 16,range /a ?) for a txn: valueTooLarge",
                "txn(put /a 1024,range /a ?) for a txn: valueTooLarge", "put /b 16 for a put: valueTooLarge",
            ]),
        Case(
            name: "other compares: those of absence are done",
            make: {
                $0.transaction([$0.compare("/a", .version, .equal, 0)], success: [$0.body(.put, "/a")])
                $0.transaction([$0.compare("/b", .createRevision, .equal, 0)], success: [$0.body(.put, "/b")])
                $0.transaction([$0.compare("/c", .version, .equal, 3)], success: [$0.body(.put, "/c")])
                $0.transaction([$0.compare("/d", .value, .equal, 3)], success: [$0.body(.delete, "/d")])
                $0.transaction([$0.compare("/e", .modRevision, .greater, 3)], success: [$0.body(.put, "/e")])
                $0.transaction(
                    [$0.compare("/f", .version, .equal, 3)], success: [$0.body(.put, "/f") { $0.valueSize = 3000 }])
            },
            skipped: [
                "txn(put /a 100) done", "txn(put /b 100) done", "txn(put /c 100) left out: compare",
                "txn(delete /d) left out: compare", "txn(put /e 100) left out: compare",
                "txn(put /f 3000) left out: compare",
            ],
            approximated: [
                "txn(put /a 100) done", "txn(put /b 100) done", "txn(put /c 100) replaced", "txn(delete /d) replaced",
                "txn(put /e 100) replaced", "txn(put /f 3000) replaced", "put /c 100 for a txn: compare",
                "delete /d for a txn: compare",
                "put /e 100 for a txn: compare", "put /f 16 for a txn: compare",
            ]),
        Case(
            name: "a transaction over several keys: what it compares and changes is no longer done alone",
            make: {
                $0.transaction(
                    [$0.compare("/a", .modRevision, .equal, 1)],
                    success: [$0.body(.put, "/a"), $0.body(.put, "/b"), $0.body(.range, "/c")])
                $0.put("/a")
                $0.range("/b")
                $0.range("/c")
            },
            skipped: [
                "txn(put /a 100,put /b 100,range /c) left out: transaction", "put /a 100 left out: transaction",
                "range /b left out: transaction", "range /c done",
            ],
            approximated: [
                "txn(put /a 100,put /b 100,range /c) replaced", "put /a 100 for a put: transaction",
                "range /b for a range: transaction", "range /c done", "put /a 100 for a txn: transaction",
                "put /b 100 for the txn: transaction", "range /c for the txn: transaction",
            ]),
        Case(
            name: "ranges, and reads of the past, change nothing",
            make: {
                $0.list("/", end: "0", ["/a", "/b"])
                $0.list("/x", end: "/y", [])
                $0.range("/a") { $0.revision = 3 }
                $0.put("/a")
            },
            skipped: [
                "range / left out: range", "range /x left out: range", "range /a left out: pastRevision",
                "put /a 100 done",
            ],
            approximated: [
                "range / replaced", "range /x left out: range", "range /a ? for a range: pastRevision",
                "put /a 100 done", "range /a for a range: range", "range /b for the range: range",
            ]),
        Case(
            name: "a range that is deleted takes its keys along, if there were any",
            make: {
                $0.delete("/a", end: "/c", deleted: 2)
                $0.delete("/d", end: "/f", deleted: 0)
                $0.delete("/b", end: "/bb", deleted: 1)
                for key in ["/Z", "/a", "/bz", "/c", "/e"] { $0.put(key) }
            },
            skipped: [
                "delete /a left out: deletedRange", "delete /d left out: deletedRange",
                "delete /b left out: deletedRange", "put /Z 100 done", "put /a 100 left out: deletedRange",
                "put /bz 100 left out: deletedRange", "put /c 100 done", "put /e 100 done",
            ],
            approximated: [
                "delete /a left out: deletedRange", "delete /d left out: deletedRange",
                "delete /b left out: deletedRange", "put /Z 100 done", "put /a 100 for a put: deletedRange",
                "put /bz 100 for a put: deletedRange", "put /c 100 done", "put /e 100 done",
            ]),
        Case(
            name: "puts that need what was there",
            make: {
                $0.put("/a") { $0.flags.insert(.prevKv) }
                $0.put("/b") {
                    $0.flags.insert(.ignoreValue)
                    $0.valueSize = 0
                }
                $0.put("/c") { $0.flags.insert(.ignoreLease) }
                $0.compareAndSet("/a", 1)
            },
            skipped: [
                "put /a 100 left out: previousValue", "put /b 0 left out: keptValue", "put /c 100 left out: lease",
                "txn(put /a 100,range /a ?) left out: previousValue",
            ],
            approximated: [
                "put /a 100 for a put: previousValue", "put /b 0 for a put: keptValue", "put /c 100 for a put: lease",
                "txn(put /a 100,range /a ?) for a txn: previousValue",
            ]),
        Case(
            name: "what nothing comes near",
            make: {
                $0.call(.watch)
                $0.call(.watchCreate) { $0.role = .message }
                $0.call(.leaseGrant)
                $0.call(.leaseKeepAlive) { $0.role = .message }
                $0.call(.compact)
                $0.call(.status)
                $0.call(.lock)
                $0.call(.put, $0.body(.put, "/a")) { $0.status = 8 }
                $0.put("/a")
            },
            skipped: [
                "watch left out: watch", "watchCreate left out: watch", "leaseGrant left out: leaseCall",
                "leaseKeepAlive left out: leaseCall", "compact left out: compaction", "status left out: maintenance",
                "lock left out: lock", "put /a 100 left out: refused", "put /a 100 done",
            ],
            approximated: [
                "watch left out: watch", "watchCreate left out: watch", "leaseGrant left out: leaseCall",
                "leaseKeepAlive left out: leaseCall", "compact left out: compaction", "status left out: maintenance",
                "lock left out: lock", "put /a 100 left out: refused", "put /a 100 done",
            ]),
        Case(
            name: "a paper's chain compares nothing, and so deletes nothing",
            make: {
                $0.compareAndSet("/a", 1, size: 8)
                $0.delete("/b")
                $0.range("/a")
                $0.put("/c") { $0.valueSize = 8 }
            },
            skipped: [
                "txn(put /a 8,range /a ?) left out: noCompare", "delete /b left out: noCompare",
                "range /a left out: noCompare", "put /c 8 done",
            ],
            approximated: [
                "txn(put /a 8,range /a ?) replaced", "delete /b left out: noCompare", "range /a for a range: noCompare",
                "put /c 8 done", "put /a 8 for a txn: noCompare",
            ], chain: ChainAbilities(valueBytes: 16, hasCompare: false)),
        Case(
            name: "what was not answered, or not seen whole, is nothing that others could stand for",
            make: {
                $0.transaction(
                    [], success: [$0.body(.put, "/a") { $0.lease = 1 }, $0.body(.put, "/b")], succeeded: true)
                $0.batch.operations[0].status = nil
                $0.batch.operations[0].body.flags.remove(.answered)
                $0.put("/lost")
                $0.batch.operations[1].completeness = .requestDamaged
                $0.put("/withdrawn") { $0.lease = 9 }
                $0.batch.operations[2].completeness = .withdrawn
                $0.put("/withdrawn")
            },
            skipped: [
                "txn(put /a 100 leased,put /b 100) left out: transaction", "put /lost 100 done",
                "put /withdrawn 100 leased done", "put /withdrawn 100 done",
            ],
            approximated: [
                "txn(put /a 100 leased,put /b 100) left out: transaction", "put /lost 100 done",
                "put /withdrawn 100 leased done", "put /withdrawn 100 done",
            ]),
    ]

    @Test("each call is done, stood for or left out", arguments: cases)
    func fates(_ each: Case) throws {
        var trace = HandmadeTrace()
        each.make(&trace)
        #expect(try trace.expressed(by: each.chain, .skip) == each.skipped)
        #expect(try trace.expressed(by: each.chain, .approximate) == each.approximated)
    }

    @Test("with fail, the first call that a chain cannot do is named, and one without such goes through")
    func failure() throws {
        var trace = HandmadeTrace()
        trace.put("/registry/a")
        #expect(try trace.expressed(.fail) == ["put /registry/a 100 done"])
        trace.put("/registry/b") { $0.lease = 4 }
        trace.range("/registry/c", end: "/registry/d")
        #expect {
            try trace.expressed(.fail)
        } throws: { error in
            guard let error = error as? PlanError else { return false }
            return error.why == "a chain cannot do its put of \"/registry/b\" at 1000 ns: key with a lease"
        }
    }

    @Test("what answers, events and the state before show of a key stands against it", arguments: [0, 1, 2])
    func shown(_ where: Int) throws {
        var trace = HandmadeTrace()
        trace.put("/a")
        switch `where` {
        case 0: trace.observe("/a", lease: 3)
        case 1: trace.list("/", end: "0", ["/a"])
        default: trace.list("/", end: "0", ["/a"])
        }
        if `where` > 0 {
            trace.batch.keyValues[0].kind = `where` == 1 ? .reply : .putEvent
            trace.batch.keyValues[0].lease = 3
        }
        #expect(try trace.expressed(.skip).first == "put /a 100 left out: lease")
    }

    @Test("a chain is preloaded with keys that calls name, without leases, in sizes that fit")
    func preload() throws {
        var trace = HandmadeTrace()
        trace.range("/a")
        trace.range("/leased")
        trace.range("/large")
        trace.list("/", end: "0", ["/a", "/other"])
        trace.observe("/a", valueSize: 1000, revision: 1)
        trace.observe("/leased", lease: 3, revision: 2)
        trace.observe("/large", valueSize: 5000, revision: 3)
        trace.observe("/other", revision: 4)
        var counted = ObservedRecord(kind: .counted, source: .rangeReply, key: trace.key("/"))
        counted.rangeEnd = trace.key("0")
        counted.count = 20
        trace.batch.observed.append(counted)
        func puts(_ policy: UnsupportedPolicy) throws -> [String] {
            let plan = try ChainAbilities(valueBytes: 1024).plan(of: [trace.batch], policy)
            #expect(plan.preload.leases.isEmpty)
            return plan.preload.puts.map {
                "\(String(decoding: plan.keys.string($0.key), as: UTF8.self)) \($0.valueSize)"
            }
        }
        #expect(try puts(.skip) == ["/a 1000"])
        #expect(try puts(.approximate) == ["/a 1000", "/leased 10", "/large 16", "/other 10"])
    }

    @Test("a table is what its text says")
    func text() throws {
        var trace = HandmadeTrace()
        trace.put("/a") { $0.lease = 1 }
        trace.put("/b")
        trace.list("/", end: "0", ["/a", "/b"])
        trace.call(.watch)
        trace.put("/lost")
        trace.batch.operations[4].completeness = .requestDamaged
        let table = try #require(try ChainAbilities(valueBytes: 16).plan(of: [trace.batch], .approximate).expression)
        #expect(
            table.text == """
                approximated range range 1
                approximated put lease 1
                approximated put valueTooLarge 1
                left-out watch watch 1
                omitted 1
                """)
        #expect(table.total == 5)
        #expect(ExpressionTable(text: table.text) == table)
        #expect(ExpressionTable(text: "executed nothing 3\nnew words 4\nexecuted txn 5\n-").text == "executed txn 5")
    }

    @Test("what a chain does is what its text says", arguments: RealExpressionTests.chains)
    func abilities(_ chain: ChainAbilities) {
        #expect(ChainAbilities(text: chain.text) == chain)
        #expect(ChainAbilities(text: chain.text + "!") == nil)
    }
}

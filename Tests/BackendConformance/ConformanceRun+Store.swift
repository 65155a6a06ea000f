import Etcd
import Replay

// What a store with state answers (etcd API, rpc.proto).

extension ConformanceRun {
    /// Puts, ranges and deletes, one after the other.
    func store() {
        let key = key("store/a")
        let driver = play([
            { request, _ in request.range(key) },
            { request, _ in request.put(key, size: 1_000) },
            { request, _ in request.range(key) },
            { request, _ in request.put(key, size: 20) },
            { request, _ in request.put(self.key("store/b"), size: 30) },
            { request, _ in request.range(self.key("store/"), to: self.key("store0")) },
            { request, _ in request.delete(key) },
            { request, _ in request.delete(key) },
            { request, _ in request.range(key) },
            { request, _ in request.range(self.key("burst/"), to: self.key("burst0")) },
            { request, _ in request.set(.other, "/etcdserverpb.KV/Put") },
        ])
        succeeded(driver, 0..<10)
        expectCount(driver, 0, 0, .range)
        expectRange(driver, 2, of: key, size: 1_000, put: 1, version: 1)
        expectCount(driver, 5, 2, .count)
        let both = driver.answer(5).details
        driver.expect(driver.keys(5) == [key, self.key("store/b")], .count, "\(driver.keys(5))")
        driver.expect(both.keyValues.map(\.valueSize) == [20, 30], .count, "\(both.keyValues.map(\.valueSize))")
        driver.expect(
            both.keyValues.map(\.version) == [2, 1], .twice, "versions \(both.keyValues.map(\.version)), not [2, 1]")
        expectCount(driver, 6, 1, .delete)
        expectCount(driver, 7, 0, .delete)
        expectCount(driver, 8, 0, .range)
        let burst = driver.answer(9).details.keyValues
        driver.expect(burst.count == 300, .count, "\(burst.count) of 300 keys")
        driver.expect(burst.allSatisfy { $0.version == 1 }, .twice, "a version above 1 of a key that was put once")
        expectLater(driver, [1, 3, 4, 6])
        let bytes = [1, 2].map { driver.answer($0) }
        driver.expect(
            bytes[0].requestBytes > 1_000 && bytes[0].responseBytes > 0 && bytes[1].requestBytes > 0
                && bytes[1].responseBytes > 1_000, .bytes,
            "\(bytes.map(\.requestBytes)) asked, \(bytes.map(\.responseBytes)) answered")
    }

    /// Both branches, with several operations.
    func transactions() {
        let key = key("transaction/a")
        let driver = play([
            { request, _ in request.put(key, size: 100) },
            { request, driver in request.update(key, ifModified: driver.answer(0).details.headerRevision) },
            { request, driver in request.update(key, ifModified: driver.answer(0).details.headerRevision) },
            { request, _ in
                request.update(key, ifModified: 0)
                let other = request.name(self.key("transaction/b"))
                // Two writes of one key are none of etcd's transactions.
                for (kind, key) in [
                    (RequestOp.Kind.put, other), (.range, other), (.delete, request.parts[0].key),
                    (.range, request.parts[0].key),
                ] {
                    var part = RequestOp()
                    part.kind = kind
                    part.branch = .failure
                    part.key = key
                    request.parts.append(part)
                }
            },
        ])
        succeeded(driver, 0..<4)
        expectLater(driver, [0, 1, 3])
        expectTransaction(driver, 1, true, [.put], [0])
        expectTransaction(driver, 2, false, [.range], [1])
        let read = driver.answer(2).details.keyValues
        driver.expect(
            read.map(\.modRevision) == [driver.answer(1).details.headerRevision] && read.map(\.valueSize) == [5_000],
            .transaction, "\(read)")
        expectTransaction(driver, 3, false, [.range, .put, .range, .delete, .range], [1, 0, 1, 1, 0])
    }

    func expectTransaction(
        _ driver: ProbeDriver, _ place: Int, _ succeeded: Bool, _ kinds: [RequestOp.Kind], _ counts: [Int64]
    ) {
        let details = driver.answer(place).details
        let flags = details.answer.flags
        driver.expect(flags.contains(.succeeded) == succeeded, .transaction, "the other branch, request \(place)")
        driver.expect(
            details.answers.map(\.kind) == kinds && details.answers.map(\.count) == counts, .transaction,
            "request \(place): \(details.answers.map(\.kind)) counting \(details.answers.map(\.count))")
    }

    /// A lease from its grant to its end, and one that is none.
    func leases() {
        let key = key("lease/a")
        let driver = play([
            { request, _ in request.grantLease(seconds: 600) },
            { request, _ in request.grantLease(seconds: 900) },
            { request, driver in request.put(key, size: 10, lease: driver.answer(0).details.answeredLease) },
            { request, _ in request.range(key) },
            { request, driver in request.keepAlive(driver.answer(0).details.answeredLease, on: 1) },
            { request, driver in request.keepAlive(driver.answer(1).details.answeredLease, on: 1) },
            { request, _ in request.endStream(1, .leaseKeepAlive) },
            { request, driver in request.revokeLease(driver.answer(0).details.answeredLease) },
            { request, _ in request.range(key) },
            { request, driver in request.revokeLease(driver.answer(1).details.answeredLease) },
            { request, driver in request.revokeLease(driver.answer(1).details.answeredLease) },
            { request, driver in request.put(key, size: 10, lease: driver.answer(1).details.answeredLease) },
        ]) { $0.together = 4..<6 }
        succeeded(driver, 0..<6)
        succeeded(driver, 7..<10)
        let leases = [0, 1].map { driver.answer($0).details.answeredLease }
        let times = [0, 1].map { driver.answer($0).details.answeredTTL }
        driver.expect(
            leases[0] != 0 && leases[1] != 0 && leases[0] != leases[1], .lease, "granted \(leases)")
        driver.expect(times == [600, 900], .lease, "\(times) s, not [600, 900]")
        expectRange(driver, 3, of: key, size: 10, put: 2, version: 1, lease: leases[0])
        for (place, (lease, time)) in zip([4, 5], zip(leases, times)) {
            let details = driver.answer(place).details
            driver.expect(
                details.answeredLease == lease && (1...max(1, time)).contains(details.answeredTTL), .keepAlive,
                "lease \(details.answeredLease) for \(details.answeredTTL) s, asked was \(lease)")
        }
        expectEnd(driver, 6)
        expectCount(driver, 8, 0, .leaseEnd)
        for place in [10, 11] {
            let answer = driver.answer(place)
            let text = String(decoding: answer.errorText, as: UTF8.self)
            driver.expect(
                answer.status == 5 && text == "etcdserver: requested lease not found", .leaseUnknown,
                "status \(answer.status), \"\(text)\"")
        }
    }

    // MARK: What is expected

    func succeeded(_ driver: ProbeDriver, _ places: Range<Int>) {
        for place in places {
            let answer = driver.answer(place)
            driver.expect(
                answer.status == 0 && answer.note == .none, .status,
                "request \(place): status \(answer.status), note \(answer.note)")
        }
    }

    /// A stream that was asked to end has ended, and said so once.
    func expectEnd(_ driver: ProbeDriver, _ place: Int) {
        let answer = driver.answer(place)
        driver.expect(answer.done > 0 && answer.status == 0, .endStream, "status \(answer.status) at \(answer.done)")
        driver.expect(driver.ends.isEmpty, .endStream, "\(driver.ends.count) events of an end")
    }

    func expectCount(_ driver: ProbeDriver, _ place: Int, _ count: Int64, _ rule: Violation.Rule) {
        let seen = driver.answer(place).details.answer.count
        driver.expect(seen == count, rule, "\(seen), not \(count), request \(place)")
    }

    func expectLater(_ driver: ProbeDriver, _ places: [Int]) {
        let revisions = places.map { driver.answer($0).details.headerRevision }
        driver.expect(
            revisions[0] > 0 && zip(revisions, revisions.dropFirst()).allSatisfy { $0 < $1 }, .revision,
            "\(revisions)")
    }

    private func expectRange(
        _ driver: ProbeDriver, _ place: Int, of key: String, size: Int64, put: Int, version: Int64, lease: Int64 = 0
    ) {
        var wanted = KeyValueRecord()
        wanted.modRevision = driver.answer(put).details.headerRevision
        wanted.createRevision = wanted.modRevision
        wanted.version = version
        wanted.lease = lease
        wanted.valueSize = size
        let seen = driver.answer(place).details
        for record in seen.keyValues { wanted.key = record.key }
        driver.expect(
            seen.answer.count == 1 && seen.keyValues == [wanted] && driver.keys(place) == [key], .range,
            "\(seen.answer.count): \(driver.keys(place)) \(seen.keyValues), not \(wanted)")
    }
}

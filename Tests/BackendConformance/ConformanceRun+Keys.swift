import Etcd
import Replay

// What a store of single keys answers: what all stores with state have in common.

extension ConformanceRun {
    /// What these scripts and those of the loop name, below the prefix: a store that has to be told of its keys is.
    static func names() -> [String] {
        ["idle", "timetable", "after", "key/a", "compare/a", "compare/b"] + (0..<300).map { "burst/\($0)" }
            + (0..<50).map { "abandoned/\($0)" } + (0..<updaters).map { "key/\($0)" }
    }

    private static let updaters = 20

    /// Puts, ranges and deletes of one key, one after the other.
    func keys() {
        let key = key("key/a")
        let driver = play([
            { request, _ in request.range(key) },
            { request, _ in request.put(key, size: 1_000) },
            { request, _ in request.range(key) },
            { request, _ in request.put(key, size: 20) },
            { request, _ in request.range(key, flags: .countOnly) },
            { request, _ in request.range(key, flags: .keysOnly) },
            { request, _ in request.range(key, flags: .serializable) },
            { request, _ in request.delete(key) },
            { request, _ in request.delete(key) },
            { request, _ in request.range(key) },
            { request, _ in request.put(key, size: 16) },
            { request, _ in request.range(key) },
            { request, _ in request.range(self.key("burst/299")) },
        ])
        succeeded(driver, 0..<13)
        for (place, count) in zip([0, 4, 7, 8, 9], [0, 1, 1, 0, 0] as [Int64]) {
            expectCount(driver, place, count, place == 7 || place == 8 ? .delete : .range)
        }
        expectRead(driver, 2, of: key, size: 1_000, put: 1)
        expectRead(driver, 5, of: key, size: 0, put: 3)
        expectRead(driver, 6, of: key, size: 20, put: 3)
        expectRead(driver, 11, of: key, size: 16, put: 10)
        expectCount(driver, 12, 1, .range)
        driver.expect(driver.answer(4).details.keyValues.isEmpty, .range, "a key that was only to be counted")
        expectLater(driver, [1, 3, 7, 10])
        let bytes = [1, 2].map { driver.answer($0) }
        driver.expect(
            bytes[0].requestBytes > 1_000 && bytes[0].responseBytes > 0 && bytes[1].requestBytes > 0
                && bytes[1].responseBytes > 1_000, .bytes,
            "\(bytes.map(\.requestBytes)) asked, \(bytes.map(\.responseBytes)) answered")
    }

    /// Writes of one key under the condition that it is as it was.
    func comparisons() {
        let key = key("compare/a")
        let first = { (driver: ProbeDriver) in driver.answer(0).details.headerRevision }
        let second = { (driver: ProbeDriver) in driver.answer(2).details.headerRevision }
        let driver = play([
            { request, _ in request.update(key, ifModified: 0, size: 500) },
            { request, _ in request.update(key, ifModified: 0, size: 510) },
            { request, driver in request.update(key, ifModified: first(driver), size: 520) },
            { request, driver in request.update(key, ifModified: first(driver), size: 530) },
            { request, driver in
                request.update(key, ifModified: second(driver), size: 0)
                request.parts[0].kind = .delete
            },
            { request, driver in
                request.update(key, ifModified: second(driver), size: 0)
                request.parts[0].kind = .delete
            },
            { request, _ in
                request.update(key, ifModified: 0, size: 540)
                request.compares[0].target = .createRevision
            },
            { request, _ in
                request.update(key, ifModified: 0, size: 550)
                request.compares[0].target = .version
                request.parts.removeLast()
            },
        ])
        succeeded(driver, 0..<8)
        expectLater(driver, [0, 2, 4, 6])
        for (place, kind) in [(0, RequestOp.Kind.put), (2, .put), (4, .delete), (6, .put)] {
            expectTransaction(driver, place, true, [kind], [kind == .delete ? 1 : 0])
        }
        expectTransaction(driver, 1, false, [.range], [1])
        expectTransaction(driver, 3, false, [.range], [1])
        expectTransaction(driver, 5, false, [.range], [0])
        expectTransaction(driver, 7, false, [], [])
        expectRecord(driver, 1, of: key, size: 500, put: 0)
        expectRecord(driver, 3, of: key, size: 520, put: 2)
    }

    /// Many at once, of which one finds the key as it was; and many that nothing keeps from being done.
    func competition() {
        let key = key("compare/b")
        let driver = play(
            [{ request, _ in request.put(key) }]
                + (0..<Self.updaters).map { number in
                    { request, driver in
                        request.update(
                            key, ifModified: driver.answer(0).details.headerRevision, size: 100 + Int64(number))
                    }
                }
                + (0..<Self.updaters).map { number in
                    { request, _ in request.update(self.key("key/\(number)"), ifModified: 0, size: 10) }
                } + [{ request, _ in request.range(key) }]
        ) { $0.together = 1..<2 * Self.updaters + 1 }
        let last = 2 * Self.updaters + 1
        succeeded(driver, 0..<last + 1)
        let winners = (1...Self.updaters).filter { driver.answer($0).details.answer.flags.contains(.succeeded) }
        driver.expect(winners.count == 1, .transaction, "\(winners.count) of \(Self.updaters) found the key as it was")
        if let winner = winners.first {
            expectRead(driver, last, of: key, size: 99 + Int64(winner), put: winner)
        }
        let alone = (Self.updaters + 1..<last).filter { !driver.answer($0).details.answer.flags.contains(.succeeded) }
        driver.expect(alone.isEmpty, .transaction, "\(alone.count) of \(Self.updaters) keys that were not there")
    }

    // MARK: What is expected

    /// A range found the key as that put left it.
    private func expectRead(_ driver: ProbeDriver, _ place: Int, of key: String, size: Int64, put: Int) {
        expectCount(driver, place, 1, .range)
        expectRecord(driver, place, of: key, size: size, put: put)
    }

    private func expectRecord(_ driver: ProbeDriver, _ place: Int, of key: String, size: Int64, put: Int) {
        let seen = driver.answer(place).details.keyValues
        let revision = driver.answer(put).details.headerRevision
        driver.expect(
            seen.map(\.modRevision) == [revision] && seen.map(\.valueSize) == [size] && driver.keys(place) == [key],
            .range, "\(driver.keys(place)) \(seen), not revision \(revision), size \(size)")
    }
}

import Etcd
import Replay

extension ConformanceRun {
    /// Two watches on one stream: what each hears, and what one hears that the other's cancellation does not end.
    func watches() {
        let first = key("watch/a")
        let second = key("watch/b")
        let stream: UInt32 = 7
        let driver = play([
            { request, _ in request.put(first) },
            { request, _ in request.watch(first, on: stream) },
            { request, _ in request.watch(second, on: stream) },
            { request, _ in request.put(first, size: 40) },
            { request, _ in request.put(second, size: 50) },
            { request, _ in request.delete(first) },
            { request, driver in request.cancelWatch(driver.answer(1).details.watch.watchID, on: stream) },
            { request, _ in request.put(first) },
            { request, _ in request.put(second, size: 60) },
        ]) {
            $0.together = 1..<3
            $0.eventsWanted = 4
        }
        succeeded(driver, 0..<9)
        let watches = [1, 2].map { driver.answer($0).details.watch }
        driver.expect(
            watches.allSatisfy { $0.isCreated && !$0.isCanceled } && watches[0].watchID != watches[1].watchID, .watch,
            "\(watches)")
        let cancelled = driver.answer(6).details.watch
        driver.expect(
            cancelled.isCanceled && cancelled.watchID == watches[0].watchID, .cancel, "\(cancelled)")
        driver.expect(
            driver.events.count <= 4, .cancel, "\(driver.events.count) events, not 4")
        driver.expect(driver.ends.isEmpty, .endStream, "an end that nobody asked for")

        // Events of one key come in their order; those of two may cross.
        let wanted: [(watch: Int, write: Int, kind: KeyValueRecord.Kind, key: String, size: Int64)] = [
            (0, 3, .putEvent, first, 40), (0, 5, .deleteEvent, first, 0), (1, 4, .putEvent, second, 50),
            (1, 8, .putEvent, second, 60),
        ]
        let heard = driver.events.filter { $0.keys == [first] } + driver.events.filter { $0.keys == [second] }
        driver.expect(heard.count == wanted.count, .event, "\(driver.events.map(\.keys))")
        for (event, wish) in zip(heard, wanted) {
            let record = event.answer.details.keyValues[0]
            let revision = driver.answer(wish.write).details.headerRevision
            driver.expect(
                event.answer.stream == stream && event.keys == [wish.key] && record.kind == wish.kind
                    && record.modRevision == revision && record.valueSize == wish.size, .event,
                "\(record) on stream \(event.answer.stream), not revision \(revision), size \(wish.size)")
            // Created in another order, a watch would be on the other's key.
            let watchID = event.answer.details.watch.watchID
            driver.expect(
                watchID == watches[wish.watch].watchID, .streamOrder, "\(event.keys) heard by watch \(watchID)")
        }
        endWatch(key("watch/c"))
    }

    /// A stream is ended by who opened it.
    private func endWatch(_ key: String) {
        let driver = play([
            { request, _ in request.watch(key, on: 8) },
            { request, _ in request.endStream(8, .watch) },
            { request, _ in request.put(key) },
            { request, _ in request.range(key) },
        ])
        succeeded(driver, 0..<1)
        expectEnd(driver, 1)
        driver.expect(driver.events.isEmpty, .endStream, "\(driver.events.count) events after it")
    }
}

import Etcd
import Replay

/// The scripts, one after the other on one backend that is open.
final class ConformanceRun {
    static let connections = 3

    private let backend: any Backend
    let prefix: String
    private let patience: Int64
    /// Kept, so that one that is called after its run takes that down.
    private var drivers: [ProbeDriver] = []

    init(_ backend: any Backend, prefix: String, patience: Int64) {
        self.backend = backend
        self.prefix = prefix
        self.patience = patience
    }

    var violations: [Violation] {
        var all: [Violation] = []
        for violation in drivers.flatMap(\.violations) where !all.contains(violation) { all.append(violation) }
        return all
    }

    /// Runs a script to its end.
    @discardableResult
    func play(_ script: [ProbeDriver.Step], _ change: (ProbeDriver) -> Void = { _ in }) -> ProbeDriver {
        // Far from the numbers of the others, also where they are read with a bit turned.
        let base = UInt32(drivers.count + 1) << 16
        let driver = ProbeDriver(backend, base: base, patience: patience, script)
        change(driver)
        drivers.append(driver)
        do throws(BackendError) {
            try backend.run(driver)
            driver.finish(nil)
        } catch {
            driver.finish(error)
        }
        return driver
    }

    func key(_ name: String) -> String { prefix + name }

    // MARK: The loop

    /// Nothing to ask for 20 ms, and then one thing.
    func idle() {
        play([{ request, _ in request.range(self.key("idle")) }]) { $0.delay = 20_000_000 }
    }

    /// One request each 2 ms: the loop sleeps in between, and wakes by itself.
    func timetable() {
        play((0..<10).map { _ in { request, _ in request.range(self.key("timetable")) } }) {
            $0.inFlight = 10
            $0.pause = 2_000_000
        }
    }

    /// One request each 0.2 ms, whatever is answered meanwhile: answers come when the next one is due, too.
    func pace() {
        let count = 1000
        let ranges = (0..<count).map { number -> ProbeDriver.Step in
            { request, _ in
                request.range(self.key("pace"))
                request.connection = UInt32(number % Self.connections)
            }
        }
        play(ranges) {
            $0.inFlight = count
            $0.pause = 200_000
        }
    }

    /// As many at once as a backend gets at a moment of much load, on all connections in turn.
    func burst() {
        let count = 300
        let puts = (0..<count).map { number -> ProbeDriver.Step in
            { request, _ in
                request.put(self.key("burst/\(number)"))
                request.connection = UInt32(number % Self.connections)
            }
        }
        play(puts) { $0.inFlight = count }
    }

    /// A driver that is done while its requests are on the way; the next hears nothing of them.
    func abandoned() {
        let puts = (0..<50).map { number -> ProbeDriver.Step in
            { request, _ in
                request.put(self.key("abandoned/\(number)"))
                request.connection = UInt32(number % Self.connections)
            }
        }
        play(puts) {
            $0.inFlight = 50
            $0.leavesOpen = true
        }
        play((0..<20).map { _ in { request, _ in request.range(self.key("after")) } })
    }
}

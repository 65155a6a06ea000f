import ChainRuntime
package import Chains
import Replay

/// Which chain a replay runs on, and for what.
package struct ChainBackendOptions: Sendable {
    package enum Place: Sendable {
        /// Started on this machine for the run, with so many nodes, 1 to 9.
        case local(nodes: Int)
        /// One that runs, by its control interface (`kvreel serve`).
        case running(Endpoint)
    }

    package enum Variant: Sendable {
        case `default`
        /// Of the published protocols; started here, with values of 16 bytes.
        case paperNetCRAQ(NetCRAQPaperOptions)
        case paperNetChain(NetChainPaperOptions)
    }

    /// As reports print it: `netcraq:4`.
    package var name: String
    package var format: ChainFormat
    package var place: Place
    package var variant = Variant.default
    /// The keys that the run will name, whether they ever exist or not.
    package var keys: [[UInt8]]
    /// Room for each value, of a default variant.
    package var width = WidthClass.bytes1024
    /// NetCRAQ, started here: version cells a key, 2 to 16.
    package var versions = 8
    /// Of a chain that is started here.
    package var times = ControlTimes()
    /// Nanoseconds until a call must be answered, by a default variant: a client of the published protocols asks
    /// eight times, 50 ms apart.
    package var patience: UInt64 = 30_000_000_000
    package var limits = ChainBackendLimits()

    package init(name: String, format: ChainFormat, place: Place, keys: [[UInt8]]) {
        self.name = name
        self.format = format
        self.place = place
        self.keys = keys
    }

    // MARK: Failures

    func failure(_ why: String, remedy: String? = nil) -> BackendError {
        BackendError(.system, what: "cannot use the chain", location: name, why: why, remedy: remedy)
    }

    /// What the system refuses is said as a backend's failure.
    func system<Result>(_ body: () throws(SystemError) -> Result) throws(BackendError) -> Result {
        do { return try body() } catch {
            throw failure("\(error.what): \(error.words)")
        }
    }
}

/// What a chain's client holds at most.
package struct ChainBackendLimits: Sendable {
    /// Sessions, each with one write under way; a write beyond them waits, and all that is to be sent after it. With a
    /// round trip of 0.1 ms they carry some millions of writes a second, more than any node takes.
    package var sessions = 512
    /// Keys that are on their way into the chain at a time.
    package var keysAtOnce = 256
    /// Nanoseconds until the chain is formed, each such number of keys is placed, and sessions are had.
    package var opening: UInt64 = 10_000_000_000
    /// Datagrams that wait for each other to be sent: what the system takes at a time.
    package var sendsAtOnce = 64
    /// Nanoseconds before a request is made again that a node had no room for, or whose key was busy: about what the
    /// word takes that frees it. Doubled with each time up to the most.
    package var pause: UInt64 = 50_000
    package var pauseMax: UInt64 = 2_000_000

    package init() {}
}

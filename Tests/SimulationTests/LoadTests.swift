import Chains
import Simulation
import TestSupport
import Testing

@Suite("Loads of clients that ask once")
struct LoadTests {
    private static func run(_ model: NetworkModel, _ load: LoadModel, seed: UInt64 = 1) -> LoadResult {
        let machines = PaperChain.netCRAQ(NetCRAQPaperOptions(), chain: 3, keys: load.keys)
        let network = Network(model, switches: machines, clients: load.clients.count, seed: seed)
        var run = LoadRun(network, load, PaperCodec(.netCRAQ, chain: PaperChain.addresses(3)), seed: seed)
        run.run()
        return run.result
    }

    @Test("in a closed loop, what is under way is rate times time (Little 1961)", arguments: ModelSet.allCases, [1, 4])
    func closed(_ set: ModelSet, _ window: Int) {
        var load = LoadModel(
            clients: [0, 1, 2], arrivals: .closed(window: window), writeShare: 0.2, keys: 16, warmUp: 10_000_000,
            duration: 100_000_000)
        load.timeout = 1_000_000_000
        let result = Self.run(set.network, load)
        let classes = result.reads + result.writes
        let time = Double(classes.map(\.latency.sum).reduce(0, +))
        let underWay = time / Double(result.duration)
        #expect(abs(underWay / Double(3 * window) - 1) < 0.02, "\(set): \(underWay)")
        #expect(classes.allSatisfy { $0.timedOut == 0 })
    }

    @Test("a set of numbers is slower than the one before it: hardware, software, shared host")
    func sets() {
        let load = LoadModel(
            clients: [0, 1, 2], arrivals: .closed(window: 1), keys: 16, warmUp: 1_000_000, duration: 50_000_000)
        let times = ModelSet.allCases.map { Self.run($0.network, load).reads[0].latency.percentile(0.5) }
        #expect(times == times.sorted() && Set(times).count == 3, "\(times)")
    }

    @Test("open arrivals keep their rate, whatever comes back", arguments: seeds(1, 2, 3))
    func open(_ seed: UInt64) {
        // A tenth of what the switches can do, and ten times as much.
        for perSecond in [20_000.0, 2_000_000.0] {
            let wanted = perSecond / 5
            for arrivals in [LoadModel.Arrivals.poisson(perSecond: perSecond), .constant(perSecond: perSecond)] {
                let load = LoadModel(
                    clients: [0], arrivals: arrivals, keys: 16, warmUp: 1_000_000, duration: 200_000_000)
                let result = Self.run(ModelSet.softwareSwitch.network, load, seed: seed)
                let asked = Double(result.reads[0].sent + result.unsent)
                // A Poisson count varies by its root; five of them are too many.
                #expect(abs(asked - wanted) < 5 * wanted.squareRoot() + 1, "\(arrivals): \(asked)")
                if perSecond < 100_000 { #expect(result.unsent == 0 && result.reads[0].timedOut == 0) }
            }
        }
    }

    @Test("exponential times have the variance of their mean's square")
    func exponential() {
        // Poisson counts in slots: the variance equals the mean.
        let load = LoadModel(
            clients: [0], arrivals: .poisson(perSecond: 100_000), keys: 1, warmUp: 0, duration: 1_000_000)
        let counts = (1...400).map { seed in
            Double(Self.run(ModelSet.hardwareSwitch.network, load, seed: UInt64(seed)).reads[0].sent)
        }
        let mean = counts.reduce(0, +) / 400
        let variance = counts.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 399
        #expect(abs(mean - 100) < 2.5 && abs(variance / mean - 1) < 0.3, "mean \(mean), variance \(variance)")
    }

    @Test("lost requests time out and are counted, and the loop goes on")
    func losses() {
        var model = ModelSet.softwareSwitch.network
        model.faults = LinkFaults(loss: 0.05)
        var load = LoadModel(
            clients: [0, 1], arrivals: .closed(window: 2), keys: 16, warmUp: 0, duration: 2_000_000_000)
        load.timeout = 1_000_000
        let result = Self.run(model, load)
        let sent = result.reads.map(\.sent).reduce(0, +)
        let lost = result.reads.map(\.timedOut).reduce(0, +)
        // A request or its reply: 1 - 0.95 * 0.95.
        #expect(abs(Double(lost) / Double(sent) - 0.0975) < 0.01)
        #expect(result.reads.map(\.done).reduce(0, +) + lost + 4 >= sent)
    }
}

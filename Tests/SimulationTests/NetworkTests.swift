import Chains
import Simulation
import TestSupport
import Testing
import Wire

/// A world of `EchoSwitch`es, and what its clients got.
private struct EchoWorld {
    var network: Network<EchoSwitch>
    /// When answers came, in their order, and to which port.
    var answers: [(time: UInt64, client: Int, port: UInt16)] = []
    var times: [UInt64] { answers.map { $0.time } }
    var ports: [UInt16] { answers.map { $0.port } }

    init(
        _ count: Int, topology: Topology = .direct, link: LinkModel = LinkModel(),
        service: ServiceModel = .instant, clients: Int = 1, processors: Int? = nil, seed: UInt64 = 1,
        period: UInt64 = 0
    ) {
        let model = NetworkModel(
            topology: topology, link: link, switchService: service, clientService: .instant, processors: processors)
        network = Network(model, switches: EchoSwitch.chain(count, period: period), clients: clients, seed: seed)
    }

    mutating func send(_ byteCount: Int = 20, from client: Int = 0, port: UInt16 = 5000, to target: Int = 0) {
        let payload = [UInt8](repeating: 7, count: byteCount)
        network.send(payload.span, from: client, port: port, toSwitch: target)
    }

    mutating func run(until end: UInt64 = .max) {
        while let happening = network.next(before: end) {
            if case .delivery(let client, let packet) = happening {
                answers.append((network.now, client, network.port(of: packet)))
                network.release(packet)
            }
        }
    }
}

@Suite("Discrete events")
struct EventQueueTests {
    @Test("events come by time, those of one time in the order of scheduling", arguments: seeds(1, 2, 3))
    func order(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = EventQueue()
        var expected: [(UInt64, Int)] = []
        var found: [(UInt64, Int)] = []
        for number in 0..<5000 {
            let time = UInt64(random.below(300))
            queue.schedule(.owner, at: time, argument: number)
            expected.append((time, number))
        }
        expected.sort { ($0.0, $0.1) < ($1.0, $1.1) }
        while let event = queue.next() { found.append((event.time, Int(event.argument))) }
        #expect(found.elementsEqual(expected, by: ==))
    }
}

@Suite("Simulated network")
struct NetworkTests {
    @Test("a packet takes the link's delay, its bytes' time and each switch's service")
    func times() {
        let service = ServiceModel(perPacket: 100, perByte: 2000, queueLimit: 9)
        var world = EchoWorld(3, link: LinkModel(delay: 1000, perByte: 8000), service: service)
        world.send(20)
        world.run()
        // Four links of 1000 + 20 * 8, three switches of 100 + 20 * 2.
        #expect(world.times == [5060])
        #expect(world.network.traffic.datagrams == 4 && world.network.traffic.datagramBytes == 80)
    }

    @Test("in a line every packet crosses each link between, clients' too, and costs the switches that it passes")
    func line() {
        let service = ServiceModel(perPacket: 100, perByte: 0, queueLimit: 9, chargesReplies: false)
        var world = EchoWorld(4, topology: .line, link: LinkModel(delay: 10), service: service)
        world.network.attach(client: 0, to: 1)
        world.send(to: 3)
        world.run()
        // To switches 1, 2 and 3, and the same way back, where nothing is charged.
        #expect(world.network.traffic.crossings == 6 && world.network.traffic.datagrams == 2)
        #expect(world.times == [60 + 300])
        #expect(world.network.stations[2].counts.served == 2 && world.network.stations[0].counts.served == 0)
    }

    @Test("a full queue drops what comes, and counts it")
    func overflow() {
        var world = EchoWorld(1, service: ServiceModel(perPacket: 100, perByte: 0, queueLimit: 4))
        for port in 0..<10 { world.send(port: 5000 + UInt16(port)) }
        world.run()
        // One is served, four wait; service is in order.
        #expect(world.ports == [5000, 5001, 5002, 5003, 5004])
        #expect(world.times == [100, 200, 300, 400, 500])
        #expect(world.network.stations[0].counts.overflows == 5)
        #expect(world.network.packetsInFlight == 0)
    }

    @Test("stations that share processors wait for one, the longest waiting first", arguments: [1, 2, 3])
    func processors(_ count: Int) {
        var world = EchoWorld(
            1, service: ServiceModel(perPacket: 300, perByte: 0, queueLimit: 99), clients: 1, processors: count)
        var wide = EchoWorld(
            3, service: ServiceModel(perPacket: 300, perByte: 0, queueLimit: 99), clients: 1, processors: count)
        for port in 0..<6 { world.send(port: 5000 + UInt16(port)) }
        world.run()
        #expect(world.answers.last?.time == 1800, "one switch serves one packet at a time on any number of processors")
        for port in 0..<12 { wide.send(port: 5000 + UInt16(port), to: 2) }
        for port in 0..<12 { wide.send(port: 6000 + UInt16(port), to: 1) }
        wide.run()
        #expect(wide.answers.count == 24)
        // 36 services of 300 in all: switch 2 has 24 of them, so more than two processors do not help.
        #expect(wide.answers.last?.time == (count == 1 ? 36 * 300 : 24 * 300))
    }

    @Test("a queue with random arrivals waits as Pollaczek and Khinchine say")
    func queueing() {
        // M/D/1 at 60 % load: mean wait is load / (2 (1 - load)) services.
        var world = EchoWorld(1, service: ServiceModel(perPacket: 1000, perByte: 0, queueLimit: 100_000))
        var random = SplitMix64(seed: 5)
        var time: UInt64 = 0
        var sent: [UInt16: UInt64] = [:]
        var waits = 0.0
        let count = 200_000
        for number in 0..<count {
            // The sum of geometric steps of 1/64 of the mean is close to exponential.
            var step = 1
            while !random.chance(1.0 / 64) { step += 1 }
            time += UInt64(Double(step) * 1000 / 0.6 / 64)
            world.run(until: time)
            world.network.schedule(at: time)
            world.run(until: time + 1)
            for answer in world.answers { waits += Double(answer.time - (sent[answer.port] ?? 0)) - 1000 }
            world.answers.removeAll()
            let port = UInt16(number % 50_000 + 1)
            sent[port] = time
            world.send(port: port)
        }
        #expect(abs(waits / Double(count) / 1000 - 0.6 / 0.8) < 0.03)
    }

    @Test("links lose, double and reorder the share they are told to")
    func faults() {
        var world = EchoWorld(1, link: LinkModel(delay: 1000))
        world.network.faults = LinkFaults(loss: 0.1, duplication: 0.2, reordering: 0.3, holdMax: 5000)
        for number in 0..<10_000 {
            world.send(port: UInt16(number + 1))
            world.run(until: UInt64(number + 1) * 100)
        }
        world.run()
        let traffic = world.network.traffic
        let crossings = Double(traffic.crossings)
        #expect(abs(Double(traffic.lost) / crossings - 0.1) < 0.01)
        #expect(abs(Double(traffic.duplicated) / (crossings * 0.9) - 0.2) < 0.01)
        #expect(abs(Double(traffic.reordered) / (crossings * 0.9) - 0.3) < 0.015)
        let ports = world.ports
        let outOfOrder = zip(ports, ports.dropFirst()).count { $0 > $1 }
        #expect(outOfOrder > 1000)
        #expect(world.network.packetsInFlight == 0)
    }

    @Test("without faults a link with jitter keeps the order")
    func jitterKeepsOrder() {
        var world = EchoWorld(2, link: LinkModel(delay: 1000, jitter: 5000))
        for number in 0..<2000 {
            world.send(port: UInt16(number + 1))
            world.run(until: UInt64(number + 1) * 100)
        }
        world.run()
        #expect(world.ports == (1...2000).map { UInt16($0) })
    }

    @Test("a crash loses what waits and what comes; a restarted switch goes on")
    func crash() {
        var world = EchoWorld(1, service: ServiceModel(perPacket: 100, perByte: 0, queueLimit: 9))
        for port in 0..<5 { world.send(port: 5000 + UInt16(port)) }
        world.run(until: 250)
        world.network.crash(0)
        world.send(port: 6000)
        world.run()
        #expect(world.ports == [5000, 5001])
        #expect(world.network.packetsInFlight == 0 && world.network.stations[0].counts.lostWhileDown == 1)
        world.network.restart(0, with: EchoSwitch(index: 0, count: 1))
        world.send(port: 7000)
        world.run()
        #expect(world.answers.last?.port == 7000)
    }

    @Test("a paused switch does nothing, loses nothing and sees the time at which it goes on")
    func pause() {
        var world = EchoWorld(1, service: ServiceModel(perPacket: 100, perByte: 0, queueLimit: 9))
        world.send(port: 5000)
        world.send(port: 5001)
        world.network.pause(0, until: 10_000)
        world.run()
        #expect(world.times == [10_100, 10_200])
        #expect(world.network.switches[0].received.allSatisfy { $0 >= 10_000 })
    }

    @Test("deadlines come in time, on the switch's own clock", arguments: [0, 1000, -1000])
    func deadlines(_ drift: Int) {
        var world = EchoWorld(1, period: 20_000_000)
        world.network.setClock(of: 0, drift: drift, start: 7_000_000_000)
        world.send()
        world.run(until: 1_000_000_000)
        let calls = world.network.switches[0].calls
        #expect(calls.count >= 49 && calls.count <= 51)
        for (earlier, later) in zip(calls, calls.dropFirst()) {
            #expect(later - earlier >= 20_000_000 && later - earlier < 20_050_000)
        }
    }

    @Test("one seed gives one run, byte for byte; another seed another one", arguments: seeds(11, 12))
    func determinism(_ seed: UInt64) {
        func run(_ seed: UInt64) -> (UInt64, [UInt8]) {
            var world = EchoWorld(3, link: LinkModel(delay: 1000, jitter: 700), clients: 3, seed: seed)
            world.network.faults = LinkFaults(loss: 0.1, duplication: 0.1, reordering: 0.1, holdMax: 5000)
            world.network.log = EventLog(switchCount: 3)
            for number in 0..<300 { world.send(from: number % 3, port: UInt16(number + 1)) }
            world.run()
            return (world.network.digest.value, world.network.log?.text ?? [])
        }
        let (first, second, other) = (run(seed), run(seed), run(seed + 1))
        #expect(first == second)
        #expect(!first.1.isEmpty && first.0 != other.0 && first.1 != other.1)
    }
}

@Suite("Latency histogram")
struct LatencyHistogramTests {
    @Test("percentiles are those of the sorted times, 1.6 % too large at most", arguments: seeds(1, 2))
    func percentiles(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var histogram = LatencyHistogram()
        var halves = (LatencyHistogram(), LatencyHistogram())
        var times: [UInt64] = []
        for number in 0..<5000 {
            let time = random.next() >> UInt64(20 + random.below(44))
            times.append(time)
            histogram.add(time)
            if number % 2 == 0 { halves.0.add(time) } else { halves.1.add(time) }
        }
        times.sort()
        for share in [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1] {
            let exact = times[max(0, Int((Double(times.count) * share).rounded(.up)) - 1)]
            let found = histogram.percentile(share)
            #expect(found >= exact && Double(found) <= Double(exact) * 1.016 + 1)
        }
        #expect(histogram.min == times.first && histogram.max == times.last && histogram.count == times.count)
        halves.0.add(halves.1)
        #expect(halves.0 == histogram)
    }
}

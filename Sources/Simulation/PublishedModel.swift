package import Chains

/// The model by which the published throughput ratios of NetCRAQ and NetChain are predicted: each switch is a queue
/// with one server; a request costs every switch that it passes `perPacket` and `perByte`, a reply and an
/// acknowledgement nothing; a client hangs on each loaded switch, with one request outstanding; links take no time.
///
/// One number is taken from the measurements: with all four switches loaded NetCRAQ served 4.73 times the reads of
/// NetChain. There NetChain's tail and every switch of NetCRAQ are busy all the time, so that the ratio is four times
/// that of their costs a packet, r = 4.73 / 4: (a + 72 b) / (a + 22 b) = r gives a = 252 b. The unit of time is free.
package struct PublishedModel: Sendable {
    /// The point of calibration.
    package static let calibration = 4.73
    /// NetChain's header with four nodes and 128-bit SEQ, and NetCRAQ's.
    package static let netChainBytes = 72
    package static let netCRAQBytes = 22
    /// Picoseconds a byte: the unit.
    package static let perByte: UInt64 = 10_000

    /// Cost of a NetChain packet as it was measured over that of a NetCRAQ packet.
    package static var costRatio: Double { calibration / 4 }

    /// Nanoseconds a packet that make it so.
    package static var perPacket: UInt64 {
        let bytes = (Double(netChainBytes) - costRatio * Double(netCRAQBytes)) / (costRatio - 1)
        return UInt64(bytes * Double(perByte) / 1000 + 0.5)
    }

    /// How many bytes NetChain's packets cost.
    package enum HeaderBytes: String, CaseIterable, Sendable {
        /// What they have: 4 more for each node.
        case growing = "header growth on"
        /// 72 for every chain.
        case fixed = "header growth off"
        /// 22, as NetCRAQ's: what is left is the protocol's part.
        case equal = "equal headers"
    }

    package var nodes = 4
    package var headers = HeaderBytes.growing
    package var chargesAcknowledgements = false
    package var versions = 8
    package var keys = 64
    package var writeShare = 0.0
    package var window = 1
    package var waitsForWrites = true
    /// Nanoseconds that are counted: some thousand operations, so that a rate is off by less than a thousandth.
    package var duration: UInt64 = 50_000_000

    package init() {}

    private func network(assumedBytes: Int?) -> NetworkModel {
        var service = ServiceModel(
            perPacket: Self.perPacket, perByte: Self.perByte, queueLimit: SimulationLimits.queuedPackets,
            chargesReplies: false, chargesAcknowledgements: chargesAcknowledgements)
        service.assumedBytes = assumedBytes
        // A client that waits for no answer still needs the time of a packet to send the next.
        var host = ServiceModel.instant
        host.perPacket = waitsForWrites ? 0 : Self.perPacket
        host.chargesReplies = false
        return NetworkModel(
            topology: .line, link: LinkModel(), switchService: service, clientService: host)
    }

    private func load(_ positions: [Int]) -> LoadModel {
        var load = LoadModel(
            clients: positions, arrivals: .closed(window: window), writeShare: writeShare, keys: keys,
            warmUp: duration / 10, duration: duration)
        load.waitsForWrites = waitsForWrites
        return load
    }

    /// NetChain with a client at each of `positions`.
    package func netChain(_ positions: [Int], seed: UInt64 = 1) -> LoadOutcome<NetChainPaperSwitch> {
        let bytes: Int? =
            switch headers {
            case .growing: nil
            case .fixed: Self.netChainBytes
            case .equal: Self.netCRAQBytes
            }
        let machines = PaperChain.netChain(NetChainPaperOptions(), chain: nodes, keys: keys)
        let network = Network(network(assumedBytes: bytes), switches: machines, clients: positions.count, seed: seed)
        let codec = PaperCodec(.netChain(.bits128), chain: PaperChain.addresses(nodes))
        var run = LoadRun(network, load(positions), codec, seed: seed)
        run.run()
        return LoadOutcome(result: run.result, switches: run.network.switches, stations: run.network.stations)
    }

    /// NetCRAQ with the same. `isDirty`: every key has an uncommitted version on all switches but the tail, for as long
    /// as the run lasts.
    package func netCRAQ(
        _ positions: [Int], isDirty: Bool = false, seed: UInt64 = 1
    ) -> LoadOutcome<NetCRAQPaperSwitch> {
        var options = NetCRAQPaperOptions()
        options.versions = versions
        var machines = PaperChain.netCRAQ(options, chain: nodes, keys: keys)
        if isDirty {
            for index in 0..<nodes - 1 {
                for key in 1...UInt32(keys) { Self.makeDirty(key, of: &machines[index]) }
            }
        }
        let network = Network(network(assumedBytes: nil), switches: machines, clients: positions.count, seed: seed)
        let codec = PaperCodec(.netCRAQ, chain: PaperChain.addresses(nodes))
        var run = LoadRun(network, load(positions), codec, seed: seed)
        run.run()
        return LoadOutcome(result: run.result, switches: run.network.switches, stations: run.network.stations)
    }

    private static func makeDirty(_ key: UInt32, of machine: inout NetCRAQPaperSwitch) {
        guard var entry = machine.entry(of: key) else { return }
        entry.readIndex = 1
        entry.writeIndex = 2
        _ = machine.restore(entry, of: key)
    }
}

/// A finished load: what came back, and the switches as they are then.
package struct LoadOutcome<Switch: SwitchMachine>: Sendable {
    package var result: LoadResult
    package var switches: [Switch]
    package var stations: [Station]
}

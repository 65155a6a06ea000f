import Chains

/// Figure 4: reads beside writes.
extension PublishedFigures {
    /// Operations a second at one share of writes.
    package struct Mix: Sendable {
        package var writeShare: Double
        package var netChainReads = 0.0
        package var netChainWrites = 0.0
        package var netCRAQReads = 0.0
        /// Acknowledged to the client.
        package var netCRAQWrites = 0.0
        /// Writes dropped since all cells of the key were in use, and stored in a cell above the first ("dirty
        /// commits"), at all switches together.
        package var dropped = 0.0
        package var dirtyCommits = 0.0
        /// Packets dropped since a switch's queue was full.
        package var overflows = 0.0
    }

    package static let writeShares = [0, 0.25, 0.5, 0.75, 1]

    private static func mix(_ base: PublishedModel, _ share: Double) -> Mix {
        var model = base
        model.writeShare = share
        let positions = Array(0..<model.nodes)
        let chain = model.netChain(positions)
        let craq = model.netCRAQ(positions)
        // Counters of the switches began with the run; the results leave the warm-up out.
        let seconds = Double(model.duration + model.duration / 10) / 1e9
        var mix = Mix(writeShare: share)
        mix.netChainReads = chain.result.readRate
        mix.netChainWrites = chain.result.writeRate
        mix.netCRAQReads = craq.result.readRate
        mix.netCRAQWrites = craq.result.writeRate
        mix.dropped = Double(craq.switches.map(\.counters.versionOverflows).reduce(0, +)) / seconds
        mix.dirtyCommits = Double(craq.switches.map(\.dirtyWrites).reduce(0, +)) / seconds
        mix.overflows = Double(craq.stations.map(\.counts.overflows).reduce(0, +)) / seconds
        return mix
    }

    /// A client at each of the four switches, reads asked of the switch that it hangs on, writes of the head; each
    /// waits for its answer.
    package static func mixes(
        _ headers: PublishedModel.HeaderBytes, chargesAcknowledgements: Bool = false
    ) -> [Mix] {
        var model = PublishedModel()
        model.headers = headers
        model.chargesAcknowledgements = chargesAcknowledgements
        return writeShares.map { mix(model, $0) }
    }

    /// The same on 25 keys, but writes are sent and forgotten: their number is bounded by the clients' pace, not by
    /// answers, so that cells run out. By NUMBER_OF_VERSIONS.
    package static func versions(_ headers: PublishedModel.HeaderBytes) -> [(versions: Int, mixes: [Mix])] {
        [2, 4, 8, 16, 32].map { versions in
            var model = PublishedModel()
            model.headers = headers
            model.versions = versions
            model.keys = 25
            model.waitsForWrites = false
            return (versions, writeShares.dropFirst().dropLast().map { mix(model, $0) })
        }
    }

    /// What the text says of figure 4, beside the model.
    package static func writes(_ headers: PublishedModel.HeaderBytes) -> [Row] {
        let mixes = mixes(headers)
        guard let readsOnly = mixes.first, let most = mixes.first(where: { $0.writeShare == 0.75 }) else { return [] }
        var rows = mixes.dropFirst().dropLast().map { mix in
            Row(
                name: "fig. 4, \(Int(mix.writeShare * 100)) % writes", what: "ratio of reads, published as above 2",
                published: 2, predicted: mix.netCRAQReads / mix.netChainReads)
        }
        rows.append(
            Row(
                name: "fig. 4, NetChain's fall", what: "reads left at 75 % writes, of those without writes",
                published: 0.15, predicted: most.netChainReads / readsOnly.netChainReads))
        rows.append(
            Row(
                name: "fig. 4, NetCRAQ's fall", what: "reads left at 75 % writes, of those without writes",
                published: 0.15, predicted: most.netCRAQReads / readsOnly.netCRAQReads))
        return rows
    }
}

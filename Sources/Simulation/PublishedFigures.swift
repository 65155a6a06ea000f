/// The published ratios of NetCRAQ to NetChain beside what the model predicts of them.
package enum PublishedFigures {
    package struct Row: Sendable {
        package var name: String
        package var what: String
        package var published: Double
        package var predicted: Double
        package var isCalibration = false

        /// Share of the published number, negative where the prediction is too small.
        package var error: Double { predicted / published - 1 }
    }

    /// All subsets of the positions 0 to 3 with `count` members.
    static func placements(_ count: Int, of nodes: Int = 4) -> [[Int]] {
        (0..<1 << nodes).map { set in (0..<nodes).filter { set >> $0 & 1 == 1 } }.filter { $0.count == count }
    }

    private static func mean(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }

    /// Reads a second, averaged over all placements of `count` clients.
    private static func congested(_ model: PublishedModel, _ count: Int) -> (netChain: Double, netCRAQ: Double) {
        let placements = placements(count, of: model.nodes)
        return (
            mean(placements.map { model.netChain($0).result.readRate }),
            mean(placements.map { model.netCRAQ($0).result.readRate })
        )
    }

    private static func ratio(_ rates: (netChain: Double, netCRAQ: Double)) -> Double { rates.netCRAQ / rates.netChain }

    /// Every published ratio of reads.
    package static func reads(_ headers: PublishedModel.HeaderBytes) -> [Row] {
        var model = PublishedModel()
        model.headers = headers
        let tail = model.nodes - 1
        let atHead = model.netChain([0]).result.readRate
        let atTail = model.netChain([tail]).result.readRate
        let clean = model.netCRAQ([0]).result.readRate
        let dirtyAtTail = model.netCRAQ([tail], isDirty: true).result.readRate
        let dirtyAtHead = model.netCRAQ([0], isDirty: true).result.readRate
        let quarter = congested(model, 1)
        let ratios = (0..<model.nodes).map {
            model.netCRAQ([$0]).result.readRate / model.netChain([$0]).result.readRate
        }
        var eight = model
        eight.nodes = 8
        return [
            Row(
                name: "fig. 2, clean, head", what: "clean read at the head", published: 4.08,
                predicted: clean / atHead),
            Row(
                name: "fig. 2, dirty, tail", what: "dirty read at the tail", published: 1.22,
                predicted: dirtyAtTail / atTail),
            Row(
                name: "fig. 2, dirty, head", what: "dirty read at the head", published: 1.105,
                predicted: dirtyAtHead / atHead),
            Row(
                name: "fig. 3, 25 %", what: "1 of 4 switches loaded, all placements averaged", published: 2.25,
                predicted: ratio(quarter)),
            Row(name: "fig. 3, 50 %", what: "2 of 4", published: 2.8, predicted: ratio(congested(model, 2))),
            Row(
                name: "fig. 3, 100 %", what: "4 of 4: the point of calibration", published: 4.73,
                predicted: ratio(congested(model, 4)), isCalibration: true),
            Row(
                name: "fig. 5, n = 8", what: "clean read at the head of eight", published: 9.46,
                predicted: eight.netCRAQ([0]).result.readRate / eight.netChain([0]).result.readRate),
            Row(
                name: "average", what: "ratio of the mean rates over the four entry positions", published: 2.3,
                predicted: ratio(quarter)),
            Row(
                name: "average, other reading", what: "mean of the four ratios", published: 2.3,
                predicted: mean(ratios)),
        ]
    }

    /// Figure 2: rates by distance from the tail.
    package struct Distance: Sendable {
        package var distance: Int
        package var netChain: Double
        package var clean: Double
        package var dirty: Double
    }

    package static func distances(_ headers: PublishedModel.HeaderBytes) -> [Distance] {
        var model = PublishedModel()
        model.headers = headers
        return (0..<model.nodes).map { distance in
            let position = model.nodes - 1 - distance
            return Distance(
                distance: distance, netChain: model.netChain([position]).result.readRate,
                clean: model.netCRAQ([position]).result.readRate,
                dirty: model.netCRAQ([position], isDirty: true).result.readRate)
        }
    }

    /// Figure 5: clean reads at the head by the length of the chain.
    package struct Length: Sendable {
        package var nodes: Int
        package var netChain: Double
        package var netCRAQ: Double
    }

    package static func lengths(_ headers: PublishedModel.HeaderBytes) -> [Length] {
        (4...8).map { nodes in
            var model = PublishedModel()
            model.headers = headers
            model.nodes = nodes
            return Length(
                nodes: nodes, netChain: model.netChain([0]).result.readRate,
                netCRAQ: model.netCRAQ([0]).result.readRate)
        }
    }

    /// Figure 3: rates by the number of loaded switches.
    package struct Congestion: Sendable {
        package var loaded: Int
        package var netChain: Double
        package var netCRAQ: Double
    }

    package static func congestion(_ headers: PublishedModel.HeaderBytes) -> [Congestion] {
        var model = PublishedModel()
        model.headers = headers
        return (1...4).map { loaded in
            let rates = congested(model, loaded)
            return Congestion(loaded: loaded, netChain: rates.netChain, netCRAQ: rates.netCRAQ)
        }
    }
}

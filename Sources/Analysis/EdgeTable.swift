import Etcd

/// Table 1 of the EdgeSys paper (Jeffery, Howard, Mortier, *Rearchitecting Kubernetes for the Edge*, 2021), made from
/// one or more recorded runs and put beside the published numbers.
///
/// Rows whose share of all classes (requested view) is below `threshold` are left out of the total and listed apart, as
/// the paper did; the paper's own rows always stand.
package struct EdgeTable: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package var name: String
        /// Operations listed in transactions, whatever ran, and requests: the paper's view.
        package var requested: Double
        /// Operations of the branches that ran, and requests.
        package var executed: Double
        package var published: Published?
        /// Per cent of the printed rows; 0 for omitted ones.
        package var requestedPercent = 0.0
        package var executedPercent = 0.0
    }

    package struct Published: Sendable, Equatable {
        package var count: Int
        package var percent: Double
    }

    package private(set) var rows: [Row] = []
    package private(set) var total = Row(name: "Total", requested: 0, executed: 0, published: publishedTotal)
    /// Classes that occurred and are not in the total, by requested count descending.
    package private(set) var omitted: [Row] = []
    package let runs: Int

    /// Share of all classes below which a class is omitted.
    package static let threshold = 0.01
    private static let publishedTotal = Published(count: 2951, percent: 100)

    package init(runs: [WorkloadReport]) {
        self.runs = runs.count
        let classes = Self.means(of: runs)
        let sum = classes.reduce(0) { $0 + $1.requested }
        let others = classes.filter { $0.published == nil && $0.requested + $0.executed > 0 }
            .sorted {
                $0.requested != $1.requested
                    ? $0.requested > $1.requested : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
            }
        rows = classes.filter { $0.published != nil } + others.filter { $0.requested >= Self.threshold * sum }
        omitted = others.filter { $0.requested < Self.threshold * sum }
        total.requested = rows.reduce(0) { $0 + $1.requested }
        total.executed = rows.reduce(0) { $0 + $1.executed }
        for index in rows.indices {
            rows[index].requestedPercent = Self.percent(rows[index].requested, of: total.requested)
            rows[index].executedPercent = Self.percent(rows[index].executed, of: total.executed)
        }
        total.requestedPercent = Self.percent(total.requested, of: total.requested)
        total.executedPercent = Self.percent(total.executed, of: total.executed)
    }

    private static func percent(_ part: Double, of whole: Double) -> Double { whole > 0 ? part / whole * 100 : 0 }

    private static func means(of runs: [WorkloadReport]) -> [Row] {
        var sums: [Row] = []
        var places: [String: Int] = [:]
        for run in runs {
            for row in classes(of: run) {
                let place = places[row.name] ?? sums.count
                if place == sums.count {
                    places[row.name] = place
                    sums.append(Row(name: row.name, requested: 0, executed: 0, published: row.published))
                }
                sums[place].requested += row.requested
                sums[place].executed += row.executed
            }
        }
        for place in sums.indices {
            sums[place].requested /= Double(runs.count)
            sums[place].executed /= Double(runs.count)
        }
        return sums
    }

    /// Every class of one run, the paper's first and in its order.
    private static func classes(of run: WorkloadReport) -> [Row] {
        func both(_ name: String, _ count: Int, _ published: Published? = nil) -> Row {
            Row(name: name, requested: Double(count), executed: Double(count), published: published)
        }
        func listed(
            _ name: String, _ count: KeyPath<WorkloadReport.BranchCounts, Int>, _ published: Published? = nil
        ) -> Row {
            Row(
                name: name, requested: Double(run.requested[keyPath: count]),
                executed: Double(run.executed[keyPath: count]), published: published)
        }
        var classes = [
            both("Range", run.range.requests, Published(count: 1542, percent: 52.3)),
            listed("Txn Range", \.ranges, Published(count: 476, percent: 16.1)),
            listed("Txn Put", \.puts, Published(count: 866, percent: 29.3)),
            both("Watch create", run.watch.creates, Published(count: 67, percent: 2.3)),
            both("Put", run.put.requests),
            listed("Txn Delete", \.deletes),
            listed("Txn empty", \.empty),
            both("Watch cancel", run.watch.cancels),
            both("Watch progress", run.watch.progress),
            both("Lease grant", run.lease.grants),
            both("Lease revoke", run.lease.revokes),
            both("Lease keepalive", run.lease.keepAlives),
            both("Lease TTL", run.lease.timeToLives),
            both("Lease list", run.lease.lists),
        ]
        for method in run.methods {
            switch method.kind {
            case .range, .rangeStream, .put, .txn, .watch, .watchCreate, .watchCancel, .watchProgress, .watchEvents,
                .watchNotify, .watchCanceled, .leaseGrant, .leaseRevoke, .leaseKeepAlive, .leaseTimeToLive,
                .leaseLeases:
                continue
            case .delete: classes.append(both("Delete", method.requests))
            case .compact: classes.append(both("Compact", method.requests))
            case .alarm, .status, .hashKV, .snapshot, .auth, .cluster, .lock, .election, .maintenance, .other:
                classes.append(both(shortName(of: method.path), method.requests))
            }
        }
        return classes
    }

    /// `Maintenance/Status` of `/etcdserverpb.Maintenance/Status`.
    static func shortName(of path: String) -> String {
        for package in ["/etcdserverpb.", "/v3lockpb.", "/v3electionpb."] where path.hasPrefix(package) {
            return String(path.dropFirst(package.count))
        }
        return KeyText.harmless(path)
    }

    // MARK: Rendering

    var table: TextTable {
        var table = TextTable(columns: [
            .left("class"), .right("requested"), .right("%"), .right("executed"), .right("%"), .right("paper"),
            .right("%"), .right("points"),
        ])
        table.rows = rows.map(cells)
        table.footer = cells(of: total)
        return table
    }

    private func cells(of row: Row) -> [String] {
        var cells = [
            row.name, count(row.requested), Figures.decimal(row.requestedPercent, places: 1), count(row.executed),
            Figures.decimal(row.executedPercent, places: 1),
        ]
        if let published = row.published {
            let difference = row.requestedPercent - published.percent
            cells += [Figures.count(published.count), Figures.decimal(published.percent, places: 1)]
            cells.append(row.name == total.name ? "" : Figures.signed(difference, places: 1))
        } else {
            cells += ["-", "-", "-"]
        }
        return cells
    }

    /// Whole numbers for one run, means with one decimal for several.
    private func count(_ number: Double) -> String { Figures.decimal(number, places: runs > 1 ? 1 : 0) }

    /// The omitted classes with their requested counts, in a sentence; empty when there are none.
    var omittedText: String {
        guard !omitted.isEmpty else { return "" }
        let list = omitted.map { "\($0.name) \(count($0.requested))" }.joined(separator: ", ")
        return "Left out of the total, each below \(Figures.percent(Self.threshold)) %: \(list)."
    }
}

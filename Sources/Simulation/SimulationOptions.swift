package import Chains

/// What a series of runs is of; with a seed, one run.
package struct SimulationOptions: Sendable {
    package enum Store: String, CaseIterable, Sendable {
        case netchain
        case netcraq
    }

    package enum Variant: String, CaseIterable, Sendable {
        /// kvreel's, linearizable.
        case `default`
        /// As published.
        case paper
    }

    /// How a write that was sent again stands in a paper variant's history.
    package enum Retries: String, CaseIterable, Sendable {
        /// As several writes, of which all but the last have no known outcome: what the stores do.
        case several
        /// As one write, answered once: what a user sees who asked once.
        case one
    }

    package var store: Store
    package var nodes: Int
    package var variant = Variant.default
    package var clients = 4
    /// Of all clients together.
    package var operations = 500
    package var keys = 8
    /// Operations that a client has under way at a time.
    package var window = 1
    package var faults: FaultKinds = []
    package var model = ModelSet.softwareSwitch
    /// Of the paper variants; default variants take the number of versions from here.
    package var netChain = NetChainPaperOptions()
    package var netCRAQ = NetCRAQPaperOptions()
    /// Default variants: mistakes on purpose.
    package var mutations: Mutations = []
    /// NetCRAQ's default variant: dirty reads ask the tail for a version instead of being sent on.
    package var asksForVersions = false
    /// Paper variants.
    package var retries = Retries.several
    /// Writes every key once, before anything goes wrong: what is shown then is not the fault of first writes.
    package var writesFirst = false
    /// Position of the switch that fails; nil: drawn.
    package var failurePosition: Int?
    /// Lines of what happened.
    package var keepsLog = false

    package init(_ store: Store, nodes: Int) {
        self.store = store
        self.nodes = nodes
    }
}

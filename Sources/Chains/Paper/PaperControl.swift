/// The control plane of a paper variant, as a run of the simulator needs it.
package protocol PaperControl: Sendable {
    associatedtype Switch: SwitchMachine
    /// The chain goes on without `failed`.
    mutating func failOver(of failed: UInt32, _ switches: inout [Switch])
    /// What stops while a new node is being filled.
    func stop(for failed: UInt32, _ switches: inout [Switch])
    /// `spare` takes the place of `failed`.
    mutating func recover(_ failed: UInt32, with spare: UInt32, at position: Int, _ switches: inout [Switch])
}

extension NetCRAQPaperControl: PaperControl {
    package func stop(for failed: UInt32, _ switches: inout [NetCRAQPaperSwitch]) { stopWrites(&switches) }

    package mutating func recover(
        _ failed: UInt32, with spare: UInt32, at position: Int, _ switches: inout [NetCRAQPaperSwitch]
    ) {
        join(spare, at: position, &switches)
    }
}

extension NetChainPaperControl: PaperControl {
    package func stop(for failed: UInt32, _ switches: inout [NetChainPaperSwitch]) { stop(failed, &switches) }

    package mutating func recover(
        _ failed: UInt32, with spare: UInt32, at position: Int, _ switches: inout [NetChainPaperSwitch]
    ) {
        replace(failed, with: spare, &switches)
    }
}

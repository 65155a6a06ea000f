/// What the target answered to the writing of a preload.
package struct PreloadOutcome: Sendable, Equatable {
    /// The revision that each of the preload's puts got; 0 where it failed.
    package var revisions: [Int64] = []
    /// The ID of each of the preload's leases; 0 where it failed.
    package var leases: [Int64] = []

    package init() {}
}

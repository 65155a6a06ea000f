import Foundation

/// The seeds of a property test: those named, and the one in `KVREEL_SEED` if it is set, so that a failure can be
/// repeated and a run can try a fresh one.
package func seeds(_ fixed: UInt64...) -> [UInt64] {
    guard let text = ProcessInfo.processInfo.environment["KVREEL_SEED"] else { return fixed }
    let seed = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    return fixed + (seed.map { [$0] } ?? [])
}

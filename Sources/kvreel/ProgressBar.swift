import Glibc

/// How far a decode is, on standard error, only if that is a terminal and nobody asked for quiet.
struct ProgressBar {
    private let isShown: Bool
    private let start = SystemCalls.monotonicNanoseconds()
    private var lastDrawn: UInt64 = 0
    private var isDrawn = false
    /// Ten times a second: smooth to the eye, nothing to the processor.
    private static let interval: UInt64 = 100_000_000

    init(quiet: Bool) { isShown = !quiet && SystemCalls.isTerminal(STDERR_FILENO) }

    /// `total` is nil where the end is not known (a pipe, a live interface).
    mutating func update(done: Int, total: Int?, packets: Int64, operations: Int) {
        guard isShown else { return }
        let now = SystemCalls.monotonicNanoseconds()
        guard now - lastDrawn >= Self.interval else { return }
        lastDrawn = now
        isDrawn = true
        let counts = "\(Terminal.grouped(packets)) packets, \(Terminal.grouped(operations)) operations"
        guard let total, total > 0 else { return StandardError.write("\r\u{1b}[K\(counts)") }
        let share = min(1, Double(done) / Double(total))
        let width = 24
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        StandardError.write("\r\u{1b}[K[\(bar)] \(Int(share * 100)) %  \(counts)")
    }

    /// Takes the bar away, so that what follows begins on a clean line.
    mutating func clear() {
        if isDrawn { StandardError.write("\r\u{1b}[K") }
        isDrawn = false
    }
}

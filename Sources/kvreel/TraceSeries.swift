import CaptureFiles
import Foundation
import Wire

/// The files of a recording that goes on in another file when one is large or old enough: `etcd.kvr` stands for
/// `etcd-000001.kvr`, `etcd-000002.kvr`, and so on from the number after the highest that is there.
struct TraceSeries {
    /// When a file ends; nil where it does not matter.
    struct Limits {
        /// Bytes from which on a file ends, with the block that reaches them.
        var bytes: Int64?
        /// Nanoseconds of the packets' clock, counted from the first packet of the recording.
        var nanoseconds: Int64?
        /// How many finished files stay; older ones of this series are removed.
        var files: Int?
    }

    let limits: Limits
    private let folder: String
    private let prefix: String
    private let suffix: String
    private var number: Int
    private(set) var fileCount = 0
    /// The first moment that belongs to another file.
    private var end: CaptureTime?

    init(path: String, limits: Limits) {
        self.limits = limits
        let slash = path.lastIndex(of: "/")
        folder = slash.map { String(path[...$0]) } ?? ""
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let dot = name.dropFirst().lastIndex(of: ".")
        prefix = (dot.map { String(name[..<$0]) } ?? String(name)) + "-"
        suffix = dot.map { String(name[$0...]) } ?? ""
        number = 0
        number = existing.last ?? 0
    }

    /// The path of the next file.
    mutating func next() -> String {
        number += 1
        fileCount += 1
        return path(number)
    }

    /// `2 files, a-000001.kvr to a-000002.kvr`; the first `count` that this recording made.
    func names(_ count: Int) -> String {
        let first = number - fileCount + 1
        if count < 2 { return path(first) }
        return "\(Terminal.counted(count, "file")), \(path(first)) to \(path(first + count - 1))"
    }

    /// Removes the oldest files, so that as many stay as wanted; to be called when a file is finished. One that cannot
    /// be removed stays: no reason to lose what is being recorded.
    func removeOldest() {
        guard let files = limits.files else { return }
        for number in existing.dropLast(files) { try? FileManager.default.removeItem(atPath: path(number)) }
    }

    /// The number of the first packet, from `first` on, that belongs to another file; nil if there is none.
    mutating func firstPacketBeyond(_ packets: ArraySlice<CapturedPacket>) -> Int? {
        guard let nanoseconds = limits.nanoseconds, let first = packets.first else { return nil }
        let end = end ?? first.time.advanced(by: nanoseconds)
        self.end = end
        // Nothing comes after the end of time, where readers put what is later still.
        return end.nanoseconds == .max ? nil : packets.firstIndex { $0.time >= end }
    }

    /// Whether the file's time is over at `time`; the next one's then begins, a whole number of times later.
    mutating func passes(_ time: CaptureTime) -> Bool {
        guard let nanoseconds = limits.nanoseconds, let end, time >= end else { return false }
        let passed = time.nanoseconds(since: end) / nanoseconds
        self.end = end.advanced(by: passed.multipliedReportingOverflow(by: nanoseconds).partialValue)
            .advanced(by: nanoseconds)
        return true
    }

    private func path(_ number: Int) -> String { folder + prefix + Terminal.padded(number, to: Self.digits) + suffix }

    private static let digits = 6

    /// Numbers of the files of this series that are there, in order.
    private var existing: [Int] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
        return (names ?? []).compactMap(number(of:)).sorted()
    }

    /// The number in a name of this series; nil in another's.
    private func number(of name: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.count > prefix.count + suffix.count else {
            return nil
        }
        let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
        guard digits.count >= Self.digits, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(digits).flatMap { $0 < Int.max ? $0 : nil }
    }
}

extension CaptureTime {
    /// Clamped at the end of time.
    fileprivate func advanced(by nanoseconds: Int64) -> CaptureTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return CaptureTime(nanoseconds: overflow ? .max : sum)
    }
}

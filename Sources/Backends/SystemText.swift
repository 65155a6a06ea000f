/// What Linux says of a machine and its processes in the texts below `/proc` (proc(5)). Nil where a text does not say
/// it.
package enum SystemText {
    /// The model's name in `/proc/cpuinfo`, of the first processor.
    package static func processor(cpuinfo: String) -> String? {
        for line in cpuinfo.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            // ARM's kernels name no model, but may name the machine's.
            guard parts.count == 2, ["model name", "Model", "cpu model"].contains(trimmed(parts[0])) else { continue }
            let name = trimmed(parts[1])
            if !name.isEmpty { return String(name) }
        }
        return nil
    }

    /// Bytes of memory in `/proc/meminfo`.
    package static func memoryBytes(meminfo: String) -> Int64? {
        for line in meminfo.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let words = line.split(separator: " ")
            guard words.count >= 3, words[2] == "kB", let size = Int64(words[1]), (0..<1 << 50).contains(size) else {
                return nil
            }
            return size << 10
        }
        return nil
    }

    /// The averages over 1, 5 and 15 minutes in `/proc/loadavg`.
    package static func load(loadavg: String) -> String? {
        let words = loadavg.split(whereSeparator: { $0 == " " || $0 == "\n" }).prefix(3)
        return words.count == 3 && words.allSatisfy({ Double($0) != nil }) ? words.joined(separator: " ") : nil
    }

    /// Ticks of processor time, in user and kernel mode, in `/proc/PID/stat`: fields 14 and 15. The program's name
    /// before them stands in parentheses and may hold some.
    package static func processorTicks(stat: String) -> UInt64? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let words = stat[stat.index(after: end)...].split(separator: " ")
        guard words.count > 12, let user = UInt64(words[11]), let kernel = UInt64(words[12]) else { return nil }
        let (sum, overflow) = user.addingReportingOverflow(kernel)
        return overflow ? nil : sum
    }

    /// What of the memory in `/proc/PID/maps` belongs to the process alone and may be written: of each piece of it the
    /// multiples of `unit` bytes, where these are `least` or more.
    ///
    /// `7f0000000000-7f0004000000 rw-p 00000000 00:00 0 [heap]`: the fifth field is 0 where no file lies behind it.
    package static func ownMemory(maps: String, unit: UInt64, least: UInt64) -> [Range<UInt64>] {
        maps.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 5, words[1] == "rw-p", words[4] == "0", words.count == 5 || words[5] != "[stack]"
            else { return nil }
            let ends = words[0].split(separator: "-").map { UInt64($0, radix: 16) }
            guard ends.count == 2, let start = ends[0], let end = ends[1], start <= end, end <= .max - unit else {
                return nil
            }
            let first = (start + unit - 1) / unit * unit
            let last = end / unit * unit
            return first < last && last - first >= least ? first..<last : nil
        }
    }

    /// Where a file lies.
    package struct Mount: Equatable, Sendable {
        package var fileSystem: String
        package var device: String

        package init(fileSystem: String, device: String) {
            self.fileSystem = fileSystem
            self.device = device
        }
    }

    /// Of the mounts in `/proc/self/mountinfo` the one with the file of that absolute path, which has no links in it:
    /// the longest mount point that the path begins with, and of two the later, which lies over the other.
    ///
    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: the fifth field is the mount point; behind the
    /// dash are type and device. Spaces are written as `\040`.
    package static func mount(of path: String, mountinfo: String) -> Mount? {
        var best: (length: Int, mount: Mount)?
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 2 < fields.count else {
                continue
            }
            let point = unescaped(fields[4])
            let isAbove = path == point || path.hasPrefix(point == "/" ? "/" : point + "/")
            let length = point.utf8.count
            guard isAbove, length >= best?.length ?? 0 else { continue }
            best = (length, Mount(fileSystem: unescaped(fields[dash + 1]), device: unescaped(fields[dash + 2])))
        }
        return best?.mount
    }

    /// `\040` and the like as the bytes that they stand for.
    private static func unescaped(_ field: Substring) -> String {
        let bytes = Array(field.utf8)
        var plain: [UInt8] = []
        var place = 0
        while place < bytes.count {
            let digits = bytes[place...].dropFirst().prefix(3)
            if bytes[place] == UInt8(ascii: "\\"), digits.count == 3,
                let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                plain.append(byte)
                place += 4
            } else {
                plain.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isSpace)
        while text.last.map(isSpace) ?? false { text.removeLast() }
        return text
    }
}

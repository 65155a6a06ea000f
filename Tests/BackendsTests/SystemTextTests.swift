import Backends
import Foundation
import Testing

/// Texts in the forms that proc(5) gives, and such as machines have.
@Suite("What Linux says of a machine")
struct SystemTextTests {
    @Test(
        "the model of the first processor",
        arguments: [
            (
                "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763 64-Core\nmodel name\t: other\n",
                "AMD EPYC 7763 64-Core"
            ),
            ("processor\t: 0\nBogoMIPS\t: 50.00\n\nHardware\t: BCM\nModel\t\t: Raspberry Pi 4\n", "Raspberry Pi 4"),
            ("processor\t: 0\nCPU part\t: 0xd0c\n", nil), ("model name\t:\n", nil), ("", nil),
        ])
    func processor(cpuinfo: String, model: String?) {
        #expect(SystemText.processor(cpuinfo: cpuinfo) == model)
    }

    @Test("memory in bytes")
    func memory() {
        #expect(SystemText.memoryBytes(meminfo: "MemTotal:       24682416 kB\nMemFree: 1 kB\n") == 25_274_793_984)
        for text in ["", "MemTotal: 3\n", "MemTotal: x kB\n", "MemTotal: 9223372036854775807 kB\n"] {
            #expect(SystemText.memoryBytes(meminfo: text) == nil, "\(text)")
        }
    }

    @Test("the load averages")
    func load() {
        #expect(SystemText.load(loadavg: "7.53 5.56 3.51 9/144 1735\n") == "7.53 5.56 3.51")
        #expect(SystemText.load(loadavg: "7.53 5.56") == nil)
        #expect(SystemText.load(loadavg: "") == nil)
    }

    @Test("memory of the process alone, in whole units")
    func ownMemory() {
        let maps = """
            00400000-00800000 rw-p 00000000 08:01 42 /usr/bin/kvreel
            10001000-10800000 rw-p 00000000 00:00 0                  [heap]
            20000000-20800000 r--p 00000000 00:00 0
            20800000-21000000 rw-p 00000000 00:00 0
            30000000-30800000 rw-s 00000000 00:00 0
            40000000-405fffff rw-p 00000000 00:00 0 [anon: x]
            50000000-50100000 rw-p 00000000 00:00 0
            7ffc00000000-7ffc10000000 rw-p 00000000 00:00 0 [stack]
            60000000 rw-p 00000000 00:00 0
            60000000-zz rw-p 00000000 00:00 0
            60000000-50000000 rw-p 00000000 00:00 0
            fffffffffff00000-ffffffffffffffff rw-p 00000000 00:00 0
            60000000-70000000

            """
        let unit: UInt64 = 2 << 20
        #expect(
            SystemText.ownMemory(maps: maps, unit: unit, least: 0)
                == [0x1020_0000..<0x1080_0000, 0x2080_0000..<0x2100_0000, 0x4000_0000..<0x4040_0000])
        #expect(SystemText.ownMemory(maps: maps, unit: unit, least: 8 << 20) == [0x2080_0000..<0x2100_0000])
    }

    @Test("what is in memory stays what it is, and lies in large pages where the kernel has them")
    func largePages() throws {
        let numbers = (0..<8 << 20).map { UInt64($0) &* 0x9e37_79b9_7f4a_7c15 }
        let collapsed = LargePages.collapse()
        #expect(try collapsed < numbers.count * 7 || Self.largePageBytes() >= numbers.count * 7)
        #expect(numbers.indices.allSatisfy { numbers[$0] == UInt64($0) &* 0x9e37_79b9_7f4a_7c15 })
    }

    /// AnonHugePages in `/proc/self/smaps_rollup`.
    private static func largePageBytes() throws -> UInt64 {
        let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("AnonHugePages:") })
        return try #require(UInt64(line.split(separator: " ")[1])) << 10
    }

    @Test("a process's time, whatever its program is called")
    func ticks() {
        let fields = "S 1 1 1 0 -1 4194560 2 3 4 5 1204 33 7 8 20 0 9 0 200"
        for name in ["etcd", "a b", ") R 1 (x", ""] {
            #expect(SystemText.processorTicks(stat: "1735 (\(name)) \(fields)\n") == 1_237)
        }
        for text in ["", "1735 (etcd)", "1735 etcd \(fields)", "1 (x) " + fields.replacing("1204", with: "-")] {
            #expect(SystemText.processorTicks(stat: text) == nil, "\(text)")
        }
        let largest = fields.replacing("1204", with: "18446744073709551615")
        #expect(SystemText.processorTicks(stat: "1 (x) \(largest)") == nil)
    }

    @Test(
        "a file lies on the deepest mount above it, and on the later of two at one place",
        arguments: [
            ("/data/etcd/member", "ext4 /dev/sdb"), ("/data", "ext4 /dev/sdb"), ("/database/x", "ext4 /dev/vda"),
            ("/tmp/a", "tmpfs tmpfs"), ("/my disk/a", "xfs /dev/sd c"), ("/", "ext4 /dev/vda"),
        ])
    func mount(path: String, expected: String) throws {
        let mountinfo = #"""
            22 27 0:21 / /proc rw,relatime - proc proc rw
            27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
            36 27 98:0 /mnt1 /data rw,noatime master:1 shared:2 - ext4 /dev/sdb rw
            37 27 98:1 / /tmp rw - ext4 /dev/sdd rw
            38 27 0:30 / /tmp rw - tmpfs tmpfs rw
            39 27 98:2 / /my\040disk rw - xfs /dev/sd\040c rw
            40 27 98:2 / /data/etcd/member/deeper rw - xfs /dev/sde rw
            """#
        let mount = try #require(SystemText.mount(of: path, mountinfo: mountinfo))
        #expect("\(mount.fileSystem) \(mount.device)" == expected)
    }

    @Test("lines that are none are passed over", arguments: ["", "a b c", "27 1 254:0 / / rw -", "1 2 3 4 / 6 7 8 9"])
    func noMount(_ mountinfo: String) {
        #expect(SystemText.mount(of: "/tmp", mountinfo: mountinfo) == nil)
    }
}

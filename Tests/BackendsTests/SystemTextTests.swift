import Backends
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

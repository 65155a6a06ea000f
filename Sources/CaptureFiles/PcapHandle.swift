import CPcap
import Glibc
import Wire

/// What libpcap refused, in its words.
struct PcapFailure: Error {
    enum Kind {
        case noPermission
        case noInterface
        case other
    }

    var kind: Kind
    var words: String
}

/// A packet ring of the kernel, met through libpcap. Never waits but in `wait`.
@safe final class PcapHandle {
    private let handle: OpaquePointer
    /// Becomes readable when the kernel hands over a block of its ring.
    private let descriptor: Int32
    let hasNanoseconds: Bool
    let linkType: LinkType
    private var lastReceived: UInt32 = 0
    private var lastDropped: UInt32 = 0
    private var lastDroppedByInterface: UInt32 = 0
    private var sums = LiveStatistics()

    /// Opens `interface` and keeps what `ports` says. `isPromiscuous`: also what is not for this host.
    init(
        interface: String, ports: PortFilter, snapLength: Int32, bufferBytes: Int32, timeoutMilliseconds: Int32,
        isPromiscuous: Bool
    ) throws(PcapFailure) {
        var text = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = unsafe pcap_create(interface, &text) else {
            throw PcapFailure(kind: .other, words: Self.string(text))
        }
        do throws(PcapFailure) {
            unsafe pcap_set_snaplen(handle, snapLength)
            unsafe pcap_set_promisc(handle, isPromiscuous ? 1 : 0)
            unsafe pcap_set_timeout(handle, timeoutMilliseconds)
            unsafe pcap_set_buffer_size(handle, bufferBytes)
            hasNanoseconds = unsafe pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0
            // Below zero are errors; above are warnings, such as that promiscuous mode is not to be had.
            let status = unsafe pcap_activate(handle)
            if status < 0 { throw unsafe Self.failure(of: handle, status: status) }
            // Version 2 of the cooked header is what tcpdump records on "any"; version 1 is read as well.
            if unsafe pcap_datalink(handle) == DLT_LINUX_SLL {
                unsafe pcap_set_datalink(handle, DLT_LINUX_SLL2)
            }
            let dataLink = unsafe pcap_datalink(handle)
            linkType = dataLink == DLT_RAW ? .rawIP : LinkType(rawValue: UInt32(bitPattern: dataLink))
            let expression = ports.expression(for: linkType)
            try unsafe Self.install(expression, on: handle)
            if Self.hardware(of: interface) == Self.loopback { unsafe Self.leaveOutSent(expression, of: handle) }
            guard unsafe pcap_setnonblock(handle, 1, &text) == 0 else {
                throw PcapFailure(kind: .other, words: Self.string(text))
            }
        } catch {
            unsafe pcap_close(handle)
            throw error
        }
        descriptor = unsafe pcap_get_selectable_fd(handle)
        unsafe self.handle = handle
    }

    deinit {
        unsafe pcap_close(handle)
    }

    /// Waits until packets are there, a signal came, or the time is over.
    func wait(milliseconds: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&request, 1, milliseconds)
    }

    /// Appends the next packet that is there; `nil` if none is.
    func read(into storage: inout [UInt8]) throws(PcapFailure) -> CapturedPacket? {
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var bytes: UnsafePointer<UInt8>?
        let status = unsafe pcap_next_ex(handle, &header, &bytes)
        if status == 0 { return nil }
        guard status == 1, let header = unsafe header?.pointee, let bytes = unsafe bytes else {
            throw unsafe Self.failure(of: handle, status: status)
        }
        let first = storage.count
        unsafe storage.append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(header.caplen)))
        // In nanosecond precision libpcap puts nanoseconds where the field's name says microseconds.
        let fraction = Int64(header.ts.tv_usec) * (hasNanoseconds ? 1 : 1000)
        return CapturedPacket(
            time: CaptureTime(nanoseconds: Int64(header.ts.tv_sec) * 1_000_000_000 + fraction),
            bytes: first..<storage.count, originalLength: Int(max(header.caplen, header.len)), linkType: linkType,
            interface: 0)
    }

    /// Counts since the start. libpcap's are of 32 bits and wrap; they must be asked for at least every 2^32 packets.
    func statistics() throws(PcapFailure) -> LiveStatistics {
        var now = pcap_stat()
        let status = unsafe pcap_stats(handle, &now)
        guard status == 0 else { throw unsafe Self.failure(of: handle, status: status) }
        sums.received += UInt64(now.ps_recv &- lastReceived)
        sums.droppedByKernel += UInt64(now.ps_drop &- lastDropped)
        sums.droppedByInterface += UInt64(now.ps_ifdrop &- lastDroppedByInterface)
        (lastReceived, lastDropped, lastDroppedByInterface) = (now.ps_recv, now.ps_drop, now.ps_ifdrop)
        return sums
    }

    /// Milliseconds of a clock that only goes forward.
    static func monotonicMilliseconds() -> Int {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    /// Names of the network interfaces whose packets can be decoded; none if they cannot be listed.
    static func interfaceNames() -> [String] {
        var text = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        var first: UnsafeMutablePointer<pcap_if_t>?
        guard unsafe pcap_findalldevs(&first, &text) == 0 else { return [] }
        var names: [String] = []
        var next = unsafe first
        while let interface = unsafe next {
            if let name = unsafe interface.pointee.name.map({ unsafe String(cString: $0) }), isDecodable(name) {
                names.append(name)
            }
            unsafe next = unsafe interface.pointee.next
        }
        unsafe pcap_freealldevs(first)
        return names
    }

    /// Whether the kernel knows the interface as one that carries Ethernet or bare IP: libpcap also lists USB, D-Bus,
    /// Bluetooth and firewall logs.
    private static func isDecodable(_ name: String) -> Bool {
        if name == "any" { return true }
        // ARPHRD_ of Linux: ETHER, PPP, TUNNEL, TUNNEL6, LOOPBACK, SIT, IPGRE, IP6GRE, NONE.
        return hardware(of: name).map([1, 512, 768, 769, loopback, 776, 778, 823, 65534].contains) ?? false
    }

    private static let loopback = 772

    /// ARPHRD_ of the interface; nil where there is none.
    private static func hardware(of name: String) -> Int? {
        var text = [UInt8](repeating: 0, count: 16)
        guard let type = try? FileBytes(path: "/sys/class/net/\(name)/type", isStream: false),
            let count = try? type.read(into: &text, from: 0)
        else { return nil }
        let digits = text[..<count].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static func install(_ expression: String, on handle: OpaquePointer) throws(PcapFailure) {
        var program = unsafe bpf_program()
        // A netmask is only asked for by "broadcast", which is not in the filter.
        guard unsafe pcap_compile(handle, &program, expression, 1, UInt32.max) == 0 else {
            throw unsafe failure(of: handle, status: PCAP_ERROR)
        }
        let status = unsafe pcap_setfilter(handle, &program)
        unsafe pcap_freecode(&program)
        guard status == 0 else { throw unsafe failure(of: handle, status: status) }
    }

    /// On the loopback each packet comes as sent and as received, and libpcap passes over the first: it need not take
    /// room in the kernel's buffer.
    ///
    /// Not by `pcap_setfilter`: that also filters by itself at first, where packets have no direction. Where the kernel
    /// refuses, all is as it was.
    private static func leaveOutSent(_ expression: String, of handle: OpaquePointer) {
        var program = unsafe bpf_program()
        guard unsafe pcap_compile(handle, &program, "inbound and (\(expression))", 1, UInt32.max) == 0 else { return }
        var filter = unsafe socket_filter(
            length: UInt16(clamping: program.bf_len), instructions: program.bf_insns)
        unsafe setsockopt(
            pcap_fileno(handle), SOL_SOCKET, SO_ATTACH_FILTER, &filter, socklen_t(MemoryLayout<socket_filter>.size))
        unsafe pcap_freecode(&program)
    }

    private static func failure(of handle: OpaquePointer, status: Int32) -> PcapFailure {
        let kind: PcapFailure.Kind =
            switch status {
            case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED: .noPermission
            case PCAP_ERROR_NO_SUCH_DEVICE: .noInterface
            default: .other
            }
        let general = unsafe pcap_statustostr(status).map { unsafe String(cString: $0) } ?? "error \(status)"
        let particular = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) } ?? ""
        return PcapFailure(kind: kind, words: particular.isEmpty ? general : particular)
    }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

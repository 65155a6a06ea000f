import Chains
import Glibc

/// A TCP connection of a test that sends any bytes.
final class RawStream {
    private let descriptor: Int32

    init(to endpoint: Endpoint) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = endpoint.port.bigEndian
        peer.sin_addr.s_addr = endpoint.address.bigEndian
        let result = unsafe withUnsafePointer(to: &peer) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(code: errno) }
    }

    struct POSIXError: Error { var code: Int32 }

    deinit { close(descriptor) }

    /// Sends all of it; false: the other side takes no more.
    func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(
                    descriptor, $0.baseAddress.map { unsafe $0 + offset }, bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return false }
            offset += sent
        }
        return true
    }

    func send(_ frame: ControlFrame) -> Bool {
        var bytes: [UInt8] = []
        frame.append(to: &bytes)
        return send(bytes)
    }

    /// Waits for the next bytes; none: the other side has ended.
    func receive() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count > 0 ? Array(bytes.prefix(count)) : []
    }

    func waitForEnd() { while !receive().isEmpty {} }
}

import CLinux
import Foundation
import Glibc

/// What the system refused.
struct SystemFailure: Error, Equatable {
    /// `errno`.
    var code: Int32

    var words: String { unsafe String(cString: clinux_error_text(code)) }

    static var last: SystemFailure { SystemFailure(code: errno) }

    var isOutOfMemory: Bool { code == ENOMEM }
}

enum SystemClock {
    /// In which the system counts processes' time (sysconf(3), _SC_CLK_TCK).
    static var ticksPerSecond: Int { max(1, sysconf(Int32(_SC_CLK_TCK))) }
}

enum SystemFile {
    /// The text at that path; empty if it cannot be read.
    static func text(_ path: String) -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { return "" }
        defer { try? file.close() }
        return String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
    }
}

enum MemoryPages {
    static let largeBytes = UInt64(CLINUX_LARGE_PAGE)

    /// Makes one large page of what lies there, at a multiple of `largeBytes` (madvise(2), MADV_COLLAPSE).
    static func collapse(at address: UInt64) throws(SystemFailure) {
        let result = clinux_collapse_page(address)
        if result != 0 { throw SystemFailure(code: -result) }
    }
}

enum MonotonicClock {
    /// Nanoseconds of a clock that only grows.
    static var now: UInt64 { clinux_monotonic_time() }

    /// Sleeps until that time; a signal may end it before.
    static func sleep(until time: UInt64) { clinux_sleep_until(time) }

    /// Lets sleeps of the calling thread end within a nanosecond, as far as the clock allows; the system's own choice
    /// is 50 microseconds (prctl, PR_SET_TIMERSLACK).
    static func wakePrecisely() { clinux_timers_precise() }
}

/// Processes that a thread of this one starts, and that end with that thread.
enum ChildCalls {
    /// How a process ended.
    enum End: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    /// Runs `program`; what it prints is appended to the file at `output`. Variables of the environment that begin
    /// with `hidden` are not handed on.
    static func start(
        _ program: String, _ arguments: [String], hiding hidden: String, output: String
    ) throws(SystemFailure) -> Int32 {
        var words: [UInt8] = []
        for word in [program] + arguments { words += Array(word.utf8) + [0] }
        words.append(0)
        let process = unsafe words.withUnsafeBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return -EINVAL }
            return unsafe base.withMemoryRebound(to: CChar.self, capacity: buffer.count) {
                unsafe clinux_process_start_bound(program, $0, hidden, output)
            }
        }
        if process <= 0 { throw SystemFailure(code: -process) }
        return process
    }

    /// Waits until a child has ended. Its id stays its own until `reap`.
    static func wait(for process: Int32) { _ = clinux_process_wait(process) }

    static func reap(_ process: Int32) -> End {
        let status = clinux_process_reap(process)
        return status >= 256 ? .signal(status - 256) : .exit(status)
    }

    static func signal(_ process: Int32, _ number: Int32) { clinux_process_signal(process, number) }
}

/// Sockets of TCP on the loopback, 127.0.0.1.
enum LoopbackCalls {
    static let address: UInt32 = 0x7f00_0001

    /// So many different ports that nobody has now. They are asked for together and given back together, so that
    /// none is named twice; somebody else may take one before it is used.
    static func freePorts(_ count: Int) throws(SystemFailure) -> [UInt16] {
        var listeners: [Int32] = []
        defer { for listener in listeners { clinux_close(listener) } }
        var ports: [UInt16] = []
        for _ in 0..<count {
            let listener = clinux_stream_listen(address, 0)
            if listener < 0 { throw SystemFailure(code: -listener) }
            listeners.append(listener)
            ports.append(UInt16(truncatingIfNeeded: clinux_socket_port(listener)))
        }
        return ports
    }

    /// Sends `request` to `port` and reads what comes until the other side ends, at most `limit` bytes. Nothing takes
    /// longer than until `deadline` of the monotonic clock.
    static func exchange(
        _ request: [UInt8], port: UInt16, until deadline: UInt64, limit: Int
    ) throws(SystemFailure) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { throw .last }
        defer { clinux_close(descriptor) }
        try limitTime(of: descriptor, until: deadline)
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        peer.sin_addr.s_addr = address.bigEndian
        let connected = unsafe withUnsafePointer(to: &peer) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if connected != 0 { throw .last }
        var sent = 0
        while sent < request.count {
            try limitTime(of: descriptor, until: deadline)
            let count = unsafe request.withUnsafeBytes { buffer in
                unsafe send(
                    descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw .last }
            sent += count
        }
        return try receive(from: descriptor, until: deadline, limit: limit)
    }

    private static func receive(
        from descriptor: Int32, until deadline: UInt64, limit: Int
    ) throws(SystemFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            try limitTime(of: descriptor, until: deadline)
            let room = min(1 << 16, limit - bytes.count)
            if room == 0 { throw SystemFailure(code: EMSGSIZE) }
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: room))
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe recv(descriptor, buffer.baseAddress.map { unsafe $0 + start }, room, 0)
            }
            let failure = SystemFailure.last
            bytes.removeLast(room - max(0, count))
            if count == 0 { return bytes }
            if count < 0, failure.code != EINTR { throw failure }
        }
    }

    /// No call on the socket waits beyond the deadline.
    private static func limitTime(of descriptor: Int32, until deadline: UInt64) throws(SystemFailure) {
        let now = MonotonicClock.now
        if now >= deadline { throw SystemFailure(code: ETIMEDOUT) }
        let left = deadline - now
        var time = timeval(tv_sec: Int(left / 1_000_000_000), tv_usec: max(1, Int(left % 1_000_000_000) / 1000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let result = unsafe setsockopt(
                descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
            if result != 0 { throw .last }
        }
    }
}

/// Folders and their locks.
enum FolderCalls {
    /// Makes a folder that only its owner may enter; fails if there is something of that name.
    static func create(_ path: String) throws(SystemFailure) {
        if unsafe mkdir(path, 0o700) != 0 { throw .last }
    }

    /// Makes a file and takes its lock: whoever can take it too knows that this process has ended. The descriptor,
    /// which is to stay open as long as the lock is to hold.
    static func createLocked(_ path: String) throws(SystemFailure) -> Int32 {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw .last }
        // It is new, so nobody else has its lock. Where the file system has no locks, nobody can take this one either.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
        return descriptor
    }

    static func rename(_ old: String, to new: String) throws(SystemFailure) {
        if unsafe Glibc.rename(old, new) != 0 { throw .last }
    }

    /// Whether it is a folder, and of the user who runs this process.
    static func isOwn(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
    }

    /// Whether the file's lock belongs to nobody now; false too when it cannot be opened.
    static func isUnlocked(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 { return false }
        defer { clinux_close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    static func close(_ descriptor: Int32) { clinux_close(descriptor) }
}

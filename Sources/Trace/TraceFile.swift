import Glibc
import Wire

/// A file descriptor, the one file of this module that calls the system.
struct TraceFile: ~Copyable {
    /// What stands for the path in messages.
    let name: String
    private var descriptor: Int32
    private let closesAtEnd: Bool

    enum Kind { case regular, directory, other }

    /// A failed system call.
    struct Failure: Error {
        var code: Int32
        var text: String { unsafe String(cString: strerror(code)) }
        var isClosedPipe: Bool { code == EPIPE }
        var isExisting: Bool { code == EEXIST }
        var isLocked: Bool { code == EWOULDBLOCK }

        /// What a person can do about it.
        var remedy: String? {
            switch code {
            case ENOENT, ENOTDIR: "Make the folder first."
            case ENOSPC, EDQUOT: "Make room, or write to another disk."
            case EFBIG: "The size of files is limited here: see ulimit -f."
            default: nil
            }
        }

        static var last: Failure { Failure(code: errno) }
    }

    private init(name: String, descriptor: Int32, closesAtEnd: Bool) {
        self.name = name
        self.descriptor = descriptor
        self.closesAtEnd = closesAtEnd
    }

    deinit { if closesAtEnd, descriptor >= 0 { _ = Glibc.close(descriptor) } }

    var isStandardInput: Bool { descriptor == 0 && !closesAtEnd }

    /// No file: what is read lies in memory already.
    static func memory(name: String) -> TraceFile { TraceFile(name: name, descriptor: -1, closesAtEnd: false) }
    static func standardInput() -> TraceFile { TraceFile(name: "standard input", descriptor: 0, closesAtEnd: false) }
    static func standardOutput() -> TraceFile { TraceFile(name: "standard output", descriptor: 1, closesAtEnd: false) }

    static func open(forReading path: String) throws(Failure) -> TraceFile {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw .last }
        return TraceFile(name: path, descriptor: descriptor, closesAtEnd: true)
    }

    /// Makes a new file of mode 0600; fails with EEXIST if there is something.
    static func create(_ path: String) throws(Failure) -> TraceFile {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw .last }
        return TraceFile(name: path, descriptor: descriptor, closesAtEnd: true)
    }

    /// Opens what is there for writing, without changing it yet.
    static func open(forWriting path: String) throws(Failure) -> TraceFile {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CLOEXEC)
        if descriptor < 0 { throw .last }
        return TraceFile(name: path, descriptor: descriptor, closesAtEnd: true)
    }

    static func remove(_ path: String) { _ = unsafe unlink(path) }

    func kind() throws(Failure) -> Kind {
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { throw .last }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .regular
        case S_IFDIR: return .directory
        default: return .other
        }
    }

    /// Which file this is; nil if it is not a regular one.
    func regularIdentity() -> FileIdentity? {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Takes the file for this process until it is closed; fails with `isLocked` if another one has it. File systems
    /// without locks are written to without.
    func lock() throws(Failure) {
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { throw .last }
    }

    /// Empties a regular file and makes it its owner's alone, where the owner is who runs this: others may write to a
    /// file but not change its mode.
    func empty() throws(Failure) {
        _ = fchmod(descriptor, 0o600)
        if ftruncate(descriptor, 0) != 0 { throw .last }
    }

    /// Takes away what lies behind the first `byteCount` bytes of a regular file.
    func cut(to byteCount: Int64) { _ = ftruncate(descriptor, off_t(byteCount)) }

    /// Writes all bytes.
    func write(_ bytes: [UInt8]) throws(Failure) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
            }
            if count <= 0 {
                if count == 0 { throw Failure(code: EIO) }
                switch errno {
                case EINTR: continue
                case EAGAIN: waitUntilWritable()
                default: throw .last
                }
            } else {
                written += count
            }
        }
    }

    private func waitUntilWritable() {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&request, 1, 1000)
    }

    /// Appends up to `count` bytes to `bytes`; 0 at the end of the file.
    func read(_ count: Int, into bytes: inout [UInt8]) throws(Failure) -> Int {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        while true {
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress.map { unsafe $0 + start }, count)
            }
            if read < 0, errno == EINTR { continue }
            let failure = Failure.last
            bytes.removeLast(count - max(read, 0))
            if read < 0 { throw failure }
            return read
        }
    }

    /// Closes the file; what the system could not write until now is said here.
    mutating func close() throws(Failure) {
        if !closesAtEnd || descriptor < 0 { return }
        let result = Glibc.close(descriptor)
        descriptor = -1
        if result != 0, errno != EINTR { throw .last }
    }
}

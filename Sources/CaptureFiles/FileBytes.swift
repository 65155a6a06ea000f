import Glibc
import Wire

/// A failed system call, in the system's words.
struct SystemFailure: Error {
    var code: Int32

    var isMissing: Bool { code == ENOENT || code == ENOTDIR }

    var words: String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// What a path names, found without opening it.
struct FileFacts {
    enum Kind {
        case regular
        case directory
        /// A pipe, a terminal, a socket, a device.
        case stream
    }

    var kind: Kind
    /// Bytes of a regular file.
    var byteCount: Int
    var identity: FileIdentity

    /// Standard input for `nil`.
    init(path: String?) throws(SystemFailure) {
        var facts = stat()
        let result =
            if let path { unsafe stat(path, &facts) } else { unsafe fstat(STDIN_FILENO, &facts) }
        guard result == 0 else { throw SystemFailure(code: errno) }
        switch facts.st_mode & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        default: kind = .stream
        }
        byteCount = Int(facts.st_size)
        identity = FileIdentity(device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino))
        if let path, unsafe access(path, R_OK) != 0 { throw SystemFailure(code: errno) }
    }
}

/// An open file or standard input, read from front to back.
final class FileBytes {
    private let descriptor: Int32
    private let isOwned: Bool
    /// A pipe, a terminal, a device: it may bring nothing for long.
    private let isStream: Bool
    /// How long a read of a stream waits, so that the reader can look whether it is to end.
    private static let waitMilliseconds: Int32 = 100

    /// Opens `path`, or standard input for `nil`. Does not wait for the other end of a pipe.
    init(path: String?, isStream: Bool) throws(SystemFailure) {
        self.isStream = isStream
        guard let path else {
            descriptor = STDIN_FILENO
            isOwned = false
            return
        }
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | (isStream ? O_NONBLOCK : 0))
        isOwned = true
        guard descriptor >= 0 else { throw SystemFailure(code: errno) }
        // Advice only: it may fail on a pipe, and nothing depends on it.
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        if isOwned, descriptor >= 0 { close(descriptor) }
    }

    /// Reads into `storage` from `offset` to its end, as much as there is at the moment but at least a byte.
    /// Returns how many bytes came, 0 at the end of the file, `nil` if a stream brought nothing for 100 ms. Interrupted
    /// reads are repeated.
    func read(into storage: inout [UInt8], from offset: Int) throws(SystemFailure) -> Int? {
        precondition(offset >= 0 && offset < storage.count, "there must be room to read into")
        while true {
            // Also before the first read: a pipe that nobody writes to yet would seem to be at its end.
            if isStream, !isReadable() { return nil }
            let count = unsafe storage.withUnsafeMutableBytes { buffer in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[offset...])
                return unsafe Glibc.read(descriptor, room.baseAddress, room.count)
            }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN where isStream: continue
            default: throw SystemFailure(code: errno)
            }
        }
    }

    /// Waits until a read has something to say: bytes, the end or an error.
    private func isReadable() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&request, 1, Self.waitMilliseconds) != 0
    }
}

import Foundation
import Synchronization
import Wire

/// The few system calls that Swift does not show safely. The only file of the command line that may say `unsafe`.
enum SystemCalls {
    enum WriteResult {
        case written
        /// The other end of the pipe was closed.
        case readerGone
        case failed(String, remedy: String?)
    }

    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> WriteResult {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe write(descriptor, buffer.baseAddress.map { unsafe $0 + offset }, buffer.count - offset)
            }
            if count > 0 {
                offset += count
                continue
            }
            switch count == 0 ? EIO : errno {
            case EPIPE: return .readerGone
            case EINTR: continue
            case EAGAIN: waitUntilWritable(descriptor)
            case let code:
                let remedy = code == ENOSPC || code == EDQUOT ? "Make room, or write to another disk." : nil
                return .failed(unsafe String(cString: strerror(code)), remedy: remedy)
            }
        }
        return .written
    }

    enum OpenResult {
        case file(Int32, isRegular: Bool)
        case failed(String)
    }

    /// Opens a file or a pipe for reading; a directory is refused.
    static func openForReading(_ path: String) -> OpenResult {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        var facts = stat()
        guard descriptor >= 0, unsafe fstat(descriptor, &facts) == 0 else {
            return .failed(unsafe String(cString: strerror(errno)))
        }
        if facts.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            return .failed("it is a directory")
        }
        return .file(descriptor, isRegular: facts.st_mode & S_IFMT == S_IFREG)
    }

    /// Writes a file; an existing regular one only with `force`.
    static func writeFile(_ bytes: [UInt8], to path: String, force: Bool) -> WriteResult {
        var descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST {
            descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
            var facts = stat()
            let isKnown = unsafe fstat(descriptor, &facts) == 0
            let isRegular = isKnown && facts.st_mode & S_IFMT == S_IFREG
            if isRegular, !force {
                close(descriptor)
                return .failed("it exists", remedy: "Use --force to write over it.")
            }
            if isRegular { _ = ftruncate(descriptor, 0) }
        }
        guard descriptor >= 0 else {
            let remedy = errno == ENOENT || errno == ENOTDIR ? "Make the folder first." : nil
            return .failed(unsafe String(cString: strerror(errno)), remedy: remedy)
        }
        let result = writeAll(bytes, to: descriptor)
        close(descriptor)
        return result
    }

    /// A shell may hand down a standard output that is set not to block.
    private static func waitUntilWritable(_ descriptor: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&request, 1, -1)
    }

    /// Writing to a closed pipe, or beyond the size that files may have, is an error to look at, not a signal to die
    /// of.
    static func ignoreWriteSignals() {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
    }

    /// Opens /dev/null for each standard descriptor that is closed, in the direction in which it is not used: its use
    /// fails as before, and no file that is opened later gets its number.
    static func occupyStandardDescriptors() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
            _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// The number of the first argument that is not UTF-8, and that Swift therefore shows with other letters.
    static func firstArgumentNotUTF8() -> Int? {
        let arguments = unsafe UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return arguments.indices.first { index in
            guard let argument = unsafe arguments[index] else { return false }
            return unsafe String(validatingCString: argument) == nil
        }
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    static func environment(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

    /// Columns of the terminal at the descriptor; nil if it is none.
    static func terminalWidth(_ descriptor: Int32) -> Int? {
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Nanoseconds of the monotonic clock.
    static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Processor time of the calling thread.
    static func threadProcessorNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Lets the calling thread run whenever it wakes, before all threads of ordinary priority (sched(7), SCHED_FIFO);
    /// false where the system does not grant that: without CAP_SYS_NICE, or a limit of real-time priority
    /// (RLIMIT_RTPRIO).
    static func takeRealTimePriority() -> Bool {
        // SCHED_RESET_ON_FORK of <bits/sched.h>: threads that it starts are ordinary ones.
        let resetOnFork: Int32 = 0x4000_0000
        var parameters = sched_param()
        parameters.sched_priority = sched_get_priority_min(SCHED_FIFO)
        return unsafe sched_setscheduler(0, SCHED_FIFO | resetOnFork, &parameters) == 0
    }

    /// The time of day, which packets carry as well, less some nanoseconds.
    static func realTime(minus nanoseconds: Int64) -> CaptureTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return CaptureTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - nanoseconds)
    }

    /// Blocks SIGINT and SIGTERM in this thread and those it starts, and waits for them in a thread of its own: the
    /// first one calls `first`, a second one ends the process at once.
    static func watchSignals(first: @escaping @Sendable () -> Void) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let watched = signals
        let thread = Thread {
            var signals = watched
            var number: Int32 = 0
            unsafe sigwait(&signals, &number)
            first()
            unsafe sigwait(&signals, &number)
            _exit(ExitStatus.interrupted.rawValue)
        }
        thread.start()
    }
}

/// Whether SIGINT or SIGTERM came. The command looks between two pieces of work and then ends cleanly.
final class Interruption: Sendable {
    private let flag = Atomic<Bool>(false)
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    /// Begins to watch; at most once in a process.
    static func watch() -> Interruption {
        let interruption = Interruption()
        SystemCalls.watchSignals {
            interruption.flag.store(true, ordering: .releasing)
            interruption.action.withLock { $0 }?()
        }
        return interruption
    }

    var isRequested: Bool { flag.load(ordering: .acquiring) }

    /// Called once, from another thread, when the signal comes: to end a wait.
    func onRequest(_ body: @escaping @Sendable () -> Void) {
        action.withLock { $0 = body }
        if isRequested { body() }
    }
}

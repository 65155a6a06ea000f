package import Foundation

/// A program that ran to its end, and what it printed.
package struct ProgramRun {
    package var status: Int32
    /// The signal that ended it, if one did.
    package var signal: Int32?
    package var output: String
    package var errors: String

    /// Runs `program` with `arguments` to its end. Output and errors go through files, so that no pipe can fill up.
    package static func run(
        _ program: String, _ arguments: [String], input: String? = nil, output: String? = nil,
        environment: [String: String] = [:]
    ) throws -> ProgramRun {
        let folder = try TemporaryFolder()
        let running = try RunningProgram(
            program, arguments, input: input, output: output ?? folder.path("out"), errors: folder.path("err"),
            environment: environment)
        return try running.wait(folder)
    }

    /// Runs the tool.
    package static func kvreel(_ arguments: [String], input: String? = nil, output: String? = nil) throws -> ProgramRun
    {
        try run(Repository.tool.path, arguments, input: input, output: output)
    }

    /// Runs the tool in a terminal of so many columns; the lines of progress that it drew, one over the other.
    package static func progress(
        of arguments: [String], columns: Int, terminal: String = "xterm"
    ) throws -> [String] {
        let script = """
            import fcntl, os, pty, struct, sys, termios
            child, terminal = pty.fork()
            if child == 0:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[1]), 0, 0))
                os.execv(sys.argv[2], sys.argv[2:])
            shown = b""
            while True:
                try: part = os.read(terminal, 65536)
                except OSError: break
                if not part: break
                shown += part
            os.waitpid(child, 0)
            for line in shown.decode().split("\\r\\x1b[K")[1:]:
                if line.startswith("["): print(line.split("\\r")[0])
            """
        let run = try run(
            "python3", ["-c", script, "\(columns)", Repository.tool.path] + arguments, environment: ["TERM": terminal])
        if run.status != 0 { throw Repository.Missing(what: "the progress of \(arguments) (\(run.errors))") }
        return run.output.split(separator: "\n").map(String.init)
    }

    /// The JSON object that it printed.
    package var json: [String: Any] {
        get throws {
            do { return try Truth.object(Data(output.utf8)) } catch {
                throw Repository.Missing(what: "a JSON object in what the program printed (\(errors))")
            }
        }
    }

    /// Decodes a recording of `traces/` into a trace in `folder`; its path.
    package static func trace(of recording: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.path("\(recording).kvr")
        let capture = Repository.traces.appending(path: "\(recording).pcap.zst").path
        let run = try kvreel(["capture", "--read", capture, "-o", path, "--quiet"])
        if run.status != 0 { throw Repository.Missing(what: "the trace of \(recording) (\(run.errors))") }
        return path
    }
}

/// A program that runs beside the test.
package final class RunningProgram {
    package let process = Process()
    package let output: String
    package let errors: String

    package init(
        _ program: String, _ arguments: [String], input: String? = nil, output: String, errors: String,
        environment: [String: String] = [:]
    ) throws {
        self.output = output
        self.errors = errors
        process.executableURL = URL(fileURLWithPath: try Self.find(program))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input.flatMap { FileHandle(forReadingAtPath: $0) } ?? FileHandle.nullDevice
        process.standardOutput = try Self.handle(output)
        process.standardError = try Self.handle(errors)
        try process.run()
    }

    private static func handle(_ path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let handle = FileHandle(forWritingAtPath: path) else { throw Repository.Missing(what: path) }
        return handle
    }

    /// The program's place in PATH or, since not everybody's has them, in the administrator's folders.
    static func find(_ program: String) throws -> String {
        if program.contains("/") { return program }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.components(separatedBy: ":") + ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        for folder in folders where FileManager.default.isExecutableFile(atPath: folder + "/" + program) {
            return folder + "/" + program
        }
        throw Repository.Missing(what: "the program \(program)")
    }

    package func wait(_ folder: TemporaryFolder? = nil) throws -> ProgramRun {
        process.waitUntilExit()
        let bySignal = process.terminationReason == .uncaughtSignal
        return ProgramRun(
            status: process.terminationStatus, signal: bySignal ? process.terminationStatus : nil,
            output: Self.text(output), errors: Self.text(errors))
    }

    /// Waits until the program has written `text` to its errors (or ended). Looks every few milliseconds: the program
    /// has no other way to tell.
    package func waitForErrors(containing text: String) throws {
        while !Self.text(errors).contains(text) {
            guard process.isRunning else {
                throw Repository.Missing(what: "'\(text)' in what the program said: \(Self.text(errors))")
            }
            usleep(5_000)
        }
    }

    private static func text(_ path: String) -> String {
        guard !path.hasPrefix("/dev/"), let data = FileManager.default.contents(atPath: path) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}

import ArgumentParser
import Glibc

/// The command line: parses, calls, prints, and maps every end to an exit status.
@main
struct Kvreel: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "kvreel",
        abstract: "Record what a Kubernetes control plane asks of etcd, show what that workload is, and replay it.",
        discussion: """
            Decodes packet captures of etcd's port (pcap, pcapng, plain or compressed, or a live interface) into a \
            trace of operations, and analyses traces: operations, hot keys, transactions, and the tables of two \
            research papers. Replays them on another store, in their order and at their times, and compares what came \
            of it. Checks whether what clients were told is consistent.

              kvreel capture --read etcd.pcap -o etcd.kvr
              kvreel analyze etcd.kvr
              kvreel replay etcd.kvr --backend etcd:3 --preload -o three.kvr

            Exit status: 0 done; 1 done, but the result must not be trusted; 2 wrong usage; 3 the input is unusable; \
            4 output or system failed; 130 interrupted after a clean end.
            """,
        version: version,
        subcommands: [
            CaptureCommand.self, InfoCommand.self, CatCommand.self, MergeCommand.self, AnalyzeCommand.self,
            CheckCommand.self,
            ReplayCommand.self, ReportCommand.self, GenerateCommand.self, SimulateCommand.self, ServeCommand.self,
            NodeCommand.self,
        ])

    static func main() {
        SystemCalls.occupyStandardDescriptors()
        SystemCalls.ignoreWriteSignals()
        do {
            do {
                try ArgumentCheck(Array(CommandLine.arguments.dropFirst())).run()
                var command = try parseAsRoot(MemberFault.joined(Array(CommandLine.arguments.dropFirst())))
                try command.run()
            } catch let error where !(error is Failure || error is ExitStatus) {
                try answer(usageOrHelp: error)
            }
        } catch let failure as Failure {
            StandardError.write(failure.lines)
            Glibc.exit(failure.status.rawValue)
        } catch let status as ExitStatus {
            Glibc.exit(status.rawValue)
        } catch {
            StandardError.write(Failure(.system, "\(error)").lines)
            Glibc.exit(ExitStatus.system.rawValue)
        }
    }

    /// Help and version go to standard output; everything else that the parser says is wrong usage.
    private static func answer(usageOrHelp error: any Error) throws {
        if exitCode(for: error) == .success { return try StandardOutput.print(fullMessage(for: error) + "\n") }
        let text = message(for: error).split(separator: "\n").joined(separator: " ")
        let check = ArgumentCheck(Array(CommandLine.arguments.dropFirst()))
        throw check.failure(text.prefix(1).lowercased() + text.dropFirst())
    }
}

// Fail-over of chains over UDP, each node a process that is ended by SIGKILL under closed-loop load, and recovery with
// a replacement: for both protocols, at the head, in the middle and at the tail of the present chain.
//
// usage: bench-failover [KILLS]    kills a position (20)
//
// A line a protocol and position; times are medians over kills and clients, with the greatest. Exit status 1: service
// is back later than 100 ms after a kill (median), an acknowledged write was lost, or the history is not linearizable.
import ChainRuntime
import Chains
import Foundation

/// A node of a chain, started by this program.
func runNode(_ arguments: [String]) throws {
    let parts = arguments[2].split(separator: ":")
    let bytes = parts[0].split(separator: ".").compactMap { UInt32($0) }
    guard bytes.count == 4, let port = UInt16(parts[1]), let parent = Int32(arguments[3]),
        let ticket = readLine().flatMap({ UInt64($0) })
    else { throw BenchFailure(description: "bad arguments of a node: \(arguments)") }
    let address = bytes.reduce(0) { $0 << 8 | $1 }
    try NodeChild.run(control: Endpoint(address: address, port: port), parent: parent, ticket: ticket)
}

/// A line at once: a pipe would hold them until the end.
func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

do {
    let arguments = CommandLine.arguments
    if arguments.count == 4, arguments[1] == "node" {
        try runNode(arguments)
        exit(0)
    }
    let kills = max(1, arguments.dropFirst().first.flatMap { Int($0) } ?? 20)
    var isMet = true
    for (format, name) in [(ChainFormat.cqx, "NetCRAQ"), (.ncx, "NetChain")] {
        for position in Position.allCases {
            let figures = FailoverFigures(try FailoverRun(format, position, kills: kills))
            say(figures.line(name, position))
            isMet = isMet && figures.isMet
        }
    }
    say("asked: service back within 100 ms, nothing acknowledged lost, linearizable: \(isMet ? "met" : "not met")")
    exit(isMet ? 0 : 1)
} catch {
    say("bench-failover: \(error)")
    exit(4)
}

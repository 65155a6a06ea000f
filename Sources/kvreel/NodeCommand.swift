import ArgumentParser
import ChainRuntime
import Chains

/// A node of `kvreel serve --processes`, which starts it; of no use to people.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve-node", abstract: "A node's process of serve --processes.", shouldDisplay: false)

    @Argument(help: "Where the controller listens.", transform: OptionValue.endpoint)
    var control: Endpoint

    @Argument(help: "The process that started this one.")
    var parent: Int32

    mutating func run() throws {
        guard let ticket = readLine().flatMap({ UInt64($0) }) else {
            throw Failure(.usage, "serve-node is started by kvreel serve --processes")
        }
        do {
            try NodeChild.run(control: control, parent: parent, ticket: ticket)
        } catch {
            throw Failure(error)
        }
    }
}

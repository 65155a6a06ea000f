package import Chains
import Synchronization

/// The controller of a chain on a thread of its own. What it has for nodes and clients is handed on from that thread,
/// to mailboxes of this process or to streams.
package final class ControllerThread: Sendable {
    private enum Command: Sendable {
        case connected(any ChainNode)
        /// The node has ended; another one of the same address may be there already.
        case ended(UInt32, generation: Int)
        case fromNode(UInt32, generation: Int, ControlMessage)
        case subscribed(UInt64, @Sendable (ControlMessage) -> Void)
        case fromClient(UInt64, ControlMessage)
        case left(UInt64)
        case place([UInt8], WidthClass, Answer<Bool>)
        case evict([UInt8])
        case stop
    }

    private let mailbox: Mailbox<Command>
    private let thread: RunningThread
    private let nextClient = Atomic<UInt64>(1)

    /// `event` gets what the controller logs, with its time, on the controller's thread.
    package init(
        _ configuration: ControllerConfiguration, event: @escaping @Sendable (ControllerEvent, UInt64) -> Void
    ) throws(SystemError) {
        let mailbox = try Mailbox<Command>()
        self.mailbox = mailbox
        thread = RunningThread("controller") {
            var loop = Loop(configuration, mailbox, event)
            loop.run()
            for command in mailbox.close() {
                if case .place(_, _, let answer) = command { answer.give(false) }
            }
        }
    }

    // Nodes.

    /// The stream to a node is open. `generation` tells one life of a node from the next.
    func connect(_ node: any ChainNode) { mailbox.post(.connected(node)) }

    func ended(_ address: UInt32, generation: Int) { mailbox.post(.ended(address, generation: generation)) }

    func receive(_ message: ControlMessage, from address: UInt32, generation: Int) {
        mailbox.post(.fromNode(address, generation: generation, message))
    }

    // Clients.

    /// Opens a client's stream: `push` gets what the controller has for it, on the controller's thread. Answers the
    /// client's number.
    func open(_ push: @escaping @Sendable (ControlMessage) -> Void) -> UInt64 {
        let client = nextClient.add(1, ordering: .relaxed).oldValue
        mailbox.post(.subscribed(client, push))
        return client
    }

    func receive(_ message: ControlMessage, fromClient client: UInt64) { mailbox.post(.fromClient(client, message)) }

    func close(_ client: UInt64) { mailbox.post(.left(client)) }

    // Keys.

    /// Begins to place a key; false: it is placed already, its name too long, or there is no room. Clients hear of it
    /// once the whole chain has it.
    package func place(_ name: [UInt8], width: WidthClass) -> Bool {
        let answer = Answer<Bool>()
        return mailbox.post(.place(name, width, answer)) && answer.wait() == true
    }

    /// Begins to take a key out.
    package func evict(_ name: [UInt8]) { mailbox.post(.evict(name)) }

    /// Ends the thread and waits until it has.
    package func stop() {
        mailbox.post(.stop)
        thread.join()
    }

    /// What the thread does.
    private struct Loop {
        private var controller: Controller
        private let mailbox: Mailbox<Command>
        private let event: @Sendable (ControllerEvent, UInt64) -> Void
        private var nodes: [UInt32: any ChainNode] = [:]
        private var clients: [UInt64: @Sendable (ControlMessage) -> Void] = [:]
        private var actions: [ControllerAction] = []

        init(
            _ configuration: ControllerConfiguration, _ mailbox: Mailbox<Command>,
            _ event: @escaping @Sendable (ControllerEvent, UInt64) -> Void
        ) {
            controller = Controller(configuration, at: SystemClock.monotonic)
            self.mailbox = mailbox
            self.event = event
        }

        mutating func run() {
            var isGoingOn = true
            while isGoingOn {
                // A wait that the system refuses becomes a look at the mailbox at once.
                _ = try? Readiness.wait(
                    nil, nil, mailbox.wakeup, until: controller.nextDeadline ?? .max, now: SystemClock.monotonic)
                for command in mailbox.take() where isGoingOn { isGoingOn = obey(command, at: SystemClock.monotonic) }
                let now = SystemClock.monotonic
                controller.advance(to: now, into: &actions)
                perform(at: now)
            }
        }

        private mutating func obey(_ command: Command, at now: UInt64) -> Bool {
            switch command {
            case .connected(let node):
                nodes[node.address.address] = node
                controller.connected(node: node.address.address, at: now, into: &actions)
            case .ended(let address, let generation):
                guard nodes[address]?.generation == generation else { break }
                nodes[address] = nil
                controller.disconnected(node: address, at: now, into: &actions)
            case .fromNode(let address, let generation, let message):
                guard nodes[address]?.generation == generation else { break }
                controller.receive(message, fromNode: address, at: now, into: &actions)
            case .subscribed(let client, let push): clients[client] = push
            case .fromClient(let client, let message):
                controller.receive(message, fromClient: client, into: &actions)
            case .left(let client):
                clients[client] = nil
                controller.disconnected(client: client)
            case .place(let name, let width, let answer):
                answer.give(controller.place(name, width: width, into: &actions) != nil)
            case .evict(let name): controller.evict(name, at: now, into: &actions)
            case .stop: return false
            }
            perform(at: now)
            return true
        }

        /// The record lives as long as the chain does, in the controller itself: there is nothing to store it in.
        private mutating func perform(at now: UInt64) {
            for action in actions {
                switch action {
                case .store: break
                case .send(let message, let address): nodes[address]?.receive(control: message)
                case .push(let message, let client): clients[client]?(message)
                case .log(let logged): event(logged, now)
                }
            }
            actions.removeAll(keepingCapacity: true)
        }
    }
}

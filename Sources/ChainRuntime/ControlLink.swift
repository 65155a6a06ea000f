import Chains

/// A client's way to the controller: within the process, or over a stream. For the client's thread alone.
final class ControlLink {
    private enum Road {
        case local(LocalChain, Mailbox<ControlMessage>, number: UInt64)
        case stream(ControlStream)
    }

    private let road: Road
    private var reader = ControlFrameReader()
    private var isReadable = false
    private var answer: ControlFrame?
    let description: ChainDescription

    init(to chain: LocalChain) throws(SystemError) {
        let inbox = try Mailbox<ControlMessage>()
        let number = chain.controller.open { inbox.post($0) }
        road = .local(chain, inbox, number: number)
        description = ChainDescription(
            format: chain.configuration.format, nodes: chain.addresses, clients: chain.configuration.clients)
    }

    init(to control: Endpoint) throws(SystemError) {
        let stream = try ControlStream(to: control)
        road = .stream(stream)
        stream.send(.client)
        guard case .welcome(let description) = try stream.next(&reader) else {
            throw SystemError(what: "talk to a chain at \(control)", code: SystemError.streamEnded)
        }
        self.description = description
    }

    deinit { if case .local(let chain, _, let number) = road { chain.controller.close(number) } }

    /// The chain, if it is of this process.
    var local: LocalChain? { if case .local(let chain, _, _) = road { chain } else { nil } }

    func send(_ frame: ControlFrame) {
        switch (road, frame) {
        case (.stream(let stream), _): stream.send(frame)
        case (.local(let chain, _, let number), .message(let message)):
            chain.controller.receive(message, fromClient: number)
        case (.local(let chain, _, _), .evict(let name)): chain.controller.evict(name)
        default: break
        }
    }

    /// Waits until `socket` has datagrams, which is answered, or there is something to `take`.
    func wait(with socket: DatagramSocket, until deadline: UInt64) throws(SystemError) -> Bool {
        switch road {
        case .local(_, let inbox, _):
            let ready = try Readiness.wait(
                socket, nil, inbox.wakeup, until: deadline, now: SystemClock.monotonic)
            isReadable = ready.contains(.wakeup)
            return ready.contains(.first)
        case .stream(let stream):
            var requests = [
                PollRequest(socket.descriptor), PollRequest(stream.descriptor, wantsWrite: stream.hasOutput),
            ]
            try PollRequest.wait(&requests, until: deadline, now: SystemClock.monotonic)
            if requests[1].isWritable { stream.flush() }
            isReadable = requests[1].isReadable
            return requests[0].isReadable
        }
    }

    /// What the controller has sent since.
    func take() throws(SystemError) -> [ControlMessage] {
        guard isReadable else { return [] }
        switch road {
        case .local(_, let inbox, _): return inbox.take()
        case .stream(let stream):
            var messages: [ControlMessage] = []
            var isOpen = stream.receive(into: &reader)
            do throws(ControlFormatError) {
                while let frame = try reader.next() {
                    if case .message(let message) = frame { messages.append(message) } else { answer = frame }
                }
            } catch {
                isOpen = false
            }
            // What came before the end counts.
            guard isOpen || !messages.isEmpty || answer != nil else {
                throw SystemError(what: "talk to the chain's controller", code: SystemError.streamEnded)
            }
            return messages
        }
    }

    /// The answer to what was asked last, if it came.
    func takeAnswer() -> ControlFrame? {
        defer { answer = nil }
        return answer
    }
}

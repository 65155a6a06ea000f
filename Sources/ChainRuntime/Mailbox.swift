import Synchronization

/// Messages for one thread from any others, in order. Whoever waits for sockets is woken up by the first one.
package final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    package let wakeup: Wakeup

    package init() throws(SystemError) { wakeup = try Wakeup() }

    /// False: the mailbox is closed, and nobody will read the message.
    @discardableResult
    package func post(_ message: Message) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.messages.append(message)
            return true
        }
        if isTaken { wakeup.set() }
        return isTaken
    }

    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// All messages since the last call.
    package func take() -> [Message] {
        wakeup.clear()
        return state.withLock { state in
            let messages = state.messages
            state.messages = []
            return messages
        }
    }

    /// Takes no more; answers what nobody has read.
    package func close() -> [Message] {
        state.withLock { state in
            state.isClosed = true
            let messages = state.messages
            state.messages = []
            return messages
        }
    }
}

/// What clients ask and are told.
extension Controller {
    /// Takes a message of the client that the shell calls `client`.
    package mutating func receive(
        _ message: ControlMessage, fromClient client: UInt64, into actions: inout [ControllerAction]
    ) {
        switch message {
        case .subscribe:
            guard clients.contains(client) || clients.count < configuration.limits.clients else { return }
            if !clients.contains(client) { clients.append(client) }
            actions.append(.push(.directory(directory), toClient: client))
        case .slotRequest:
            if nextSlot >= record.nextSlot {
                let (end, overflow) = record.nextSlot.addingReportingOverflow(configuration.limits.slotsPerStore)
                guard !overflow else { return }
                record.nextSlot = end
                store(into: &actions)
            }
            actions.append(.push(.slot(nextSlot), toClient: client))
            nextSlot += 1
        default: break
        }
    }

    package mutating func disconnected(client: UInt64) { clients.removeAll { $0 == client } }

    /// Everything a client may know. A group whose nodes are being activated is sealed for clients until its head is: a
    /// request would come too early, and nothing would tell the client when to send it again.
    package var directory: DirectoryUpdate {
        let entries = record.groups.indices.map { group in
            var entry = record.groups[group].entry
            if case .activating = groups[group].phase { entry.state = .sealed }
            return entry
        }
        return DirectoryUpdate(
            serial: directorySerial, isWhole: true, groups: entries,
            keys: record.keys.filter { $0.state == .placed }.map(\.placed), removed: [])
    }

    mutating func publish(groups: [GroupEntry], into actions: inout [ControllerAction]) {
        publish(groups: groups, keys: [], removed: [], into: &actions)
    }

    mutating func publish(keys: [PlacedKey], removed: [[UInt8]], into actions: inout [ControllerAction]) {
        publish(groups: [], keys: keys, removed: removed, into: &actions)
    }

    private mutating func publish(
        groups: [GroupEntry], keys: [PlacedKey], removed: [[UInt8]], into actions: inout [ControllerAction]
    ) {
        directorySerial += 1
        let update = DirectoryUpdate(
            serial: directorySerial, isWhole: false, groups: groups, keys: keys, removed: removed)
        for client in clients { actions.append(.push(.directory(update), toClient: client)) }
    }
}

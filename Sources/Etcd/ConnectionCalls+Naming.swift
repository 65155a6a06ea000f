// Names of calls whose `:path` was not seen: by the entries that their requests used, by their messages, and by what
// else is on the connection.

import HTTP2
import Wire

extension ConnectionCalls {
    // MARK: - Requests

    /// Finds the entry that a request without a known path used for it; calls whose entry has a name are named at once.
    mutating func placeUnnamed(_ call: inout PendingCall, _ fields: Span<HeaderField>, _ output: inout CallOutput) {
        call.marks.insert(.collecting)
        guard let method = Self.place(of: .method, in: fields, min(4, fields.count)),
            let place = Self.pathPlace(in: fields, known: names.knownPathPlace(methodPlace: method)),
            let index = names.use(place)
        else { return }
        call.entry = Int32(index)
        nameByEntry(&call, &output)
    }

    /// What stands for `:path` among the fields. Pseudo-header fields come first (RFC 9113 §8.3), `:method` and
    /// `:scheme` of gRPC are entries of the static table: of the first four, what is left is the path and the
    /// authority.
    private static func pathPlace(in fields: Span<HeaderField>, known: Int) -> EntryNames.Place? {
        let count = min(4, fields.count)
        var first = -1
        var second = -1
        var isRequest = false
        for place in 0..<count {
            let field = fields[place]
            if field.name == .scheme { isRequest = true }
            guard field.name == .unknown, field.value == nil else { continue }
            guard field.entry != nil else { return nil }
            if first < 0 { first = place } else { second = place }
        }
        guard isRequest, first >= 0 else { return nil }
        // Where the client's order was seen, there is no doubt.
        if known >= 0, known == first || known == second { (first, second) = (known, -1) }
        guard let entry = fields[first].entry else { return nil }
        var path = EntryNames.Place(epoch: fields[first].epoch, entry: entry)
        if second >= 0, let other = fields[second].entry { path.other = other }
        return path
    }

    private static func place(of name: HeaderField.Name, in fields: Span<HeaderField>, _ count: Int) -> Int? {
        for place in 0..<count where fields[place].name == name { return place }
        return nil
    }

    /// A request whose path was read.
    mutating func seeName(_ method: MethodNumber, _ fields: Span<HeaderField>, path: Int) {
        guard let methodPlace = Self.place(of: .method, in: fields, min(4, fields.count)) else { return }
        names.see(
            method, epoch: fields[path].epoch, entry: fields[path].entry, place: path,
            methodPlace: methodPlace)
    }

    private func nameByEntry(_ call: inout PendingCall, _ output: inout CallOutput) {
        let index = Int(call.entry)
        guard index >= 0, let name = names.entries[index].name else { return }
        call.infer(name, names.entries[index].inference, &output)
    }

    // MARK: - Open calls

    /// Streams stay open for as long as a recording: they are judged when they have said something new.
    mutating func judgeOpen(_ slot: Int, _ context: inout CallContext) {
        nameByEntry(&context.calls[slot], &context.output)
        let count = context.calls[slot].collected.count
        guard context.calls[slot].marks.contains(.collecting), count & (count - 1) == 0, count > 0,
            context.calls[slot].responseMessages > 0 || !context.calls[slot].marks.contains(.requestHeaders)
        else { return }
        let candidates = context.calls[slot].candidates(context.output)
        guard let name = candidates.only, MethodSet.bidirectional.contains(candidates) else { return }
        if context.calls[slot].entry >= 0 {
            let isNews = names.take(candidates, at: Int(context.calls[slot].entry))
            nameByEntry(&context.calls[slot], &context.output)
            if isNews { releaseNamed(&context) }
        } else {
            context.calls[slot].infer(name, .shape, &context.output)
        }
    }

    // MARK: - Calls that are over

    /// Names a call that is over, or lets it wait.
    mutating func concludeUnnamed(_ slot: Int, _ stream: UInt32, at time: Int64, _ context: inout CallContext) {
        let isInside = hasBegunInside(stream)
        context.calls[slot].stopDeferring(&context.output)
        let candidates = context.calls[slot].candidates(context.output)
        context.calls[slot].candidates = candidates
        takeForClosedSet(&context.calls[slot], candidates)
        let index = Int(context.calls[slot].entry)
        var isNews = false
        if index >= 0 {
            isNews = takeShape(&context.calls[slot], candidates, at: index, context.output)
            nameByEntry(&context.calls[slot], &context.output)
        } else if let name = candidates.only {
            context.calls[slot].infer(name, .shape, &context.output)
        }
        // What may still name it: other calls of its entry, or what is on the connection.
        let isHopeless =
            candidates.isEmpty
            || (index >= 0
                ? names.entries[index].isContradicted
                : closedSet.isRefuted || candidates.intersection(.kubernetes).only == nil)
        if !context.calls[slot].marks.contains(.collecting) || isHopeless
            || !context.park(slot, begunInside: isInside, at: time)
        {
            if context.holds(slot, connection: connection, stream: stream) {
                write(slot, begunInside: isInside, &context)
            }
        } else {
            if firstWaiting == Operation.absent { firstWaiting = time }
            if index >= 0 {
                names.wait(slot, stream: stream, at: index)
            } else {
                lone.append((Int32(slot), stream))
            }
        }
        if isNews { releaseNamed(&context) }
    }

    /// What a call says of its entry.
    private mutating func takeShape(
        _ call: inout PendingCall, _ candidates: MethodSet, at index: Int, _ output: borrowing CallOutput
    ) -> Bool {
        names.weigh(call.likelihood(output), at: index)
        // Where bytes are missing a call is no witness, but what it is can still be told by others.
        let damages: Operation.Completeness = [.requestDamaged, .responseDamaged]
        if !call.completeness.isDisjoint(with: damages), candidates.isEmpty { return false }
        return names.take(candidates, at: index)
    }

    private mutating func takeForClosedSet(_ call: inout PendingCall, _ candidates: MethodSet) {
        let collected = call.collected
        guard let request = collected.first(.request) else { return }
        closedSet.take(candidates, request: collected.bytes.span.extracting(request))
    }

    /// Writes a call that is over.
    mutating func write(_ slot: Int, begunInside: Bool, _ context: inout CallContext) {
        if context.calls[slot].marks.contains(.methodKnown), !isFromStart || !names.isEmpty || !lone.isEmpty {
            closedSet.take(context.calls[slot])
        }
        concludeStatus(&context.calls[slot])
        if context.calls[slot].marks.contains(.nameRefuted) { refuteName(&context.calls[slot]) }
        context.emit(slot, begunInside: begunInside)
    }

    /// The request does not fit the name that was read for it. If the server answered it all the same, the table is
    /// not what it seemed: the name is worth nothing, and what the table says from now on.
    private mutating func refuteName(_ call: inout PendingCall) {
        let damages: Operation.Completeness = [.requestDamaged, .responseDamaged]
        guard call.responseMessages > 0, call.status ?? 0 == 0,
            call.completeness.isDisjoint(with: damages)
        else { return }
        call.unname()
        tableIsRefuted = true
    }

    // MARK: - Waiting calls

    /// Writes the calls of entries that have got a name, or can get none.
    mutating func releaseNamed(_ context: inout CallContext) {
        for index in names.entries.indices
        where names.entries[index].name != nil || names.entries[index].isContradicted {
            release(names.takeWaiting(index), &context)
        }
    }

    private mutating func release(_ waiting: [(slot: Int32, stream: UInt32)], _ context: inout CallContext) {
        context.unpark(waiting.count)
        for call in waiting {
            let slot = Int(call.slot)
            guard context.holds(slot, connection: connection, stream: call.stream) else { continue }
            nameByEntry(&context.calls[slot], &context.output)
            let index = Int(context.calls[slot].entry)
            if index >= 0, !names.entries[index].isContradicted {
                context.calls[slot].candidates = names.entries[index].candidates
            }
            write(slot, begunInside: context.calls[slot].marks.contains(.begunInside), &context)
        }
    }

    /// Calls that have waited for long are written with what is known by now.
    mutating func endLongWaits(at time: Int64, _ context: inout CallContext) {
        let (limit, overflow) = time.subtractingReportingOverflow(context.limits.namingPatience)
        guard !overflow, firstWaiting <= limit else { return }
        concludeNames(&context)
    }

    /// Decides what can be decided, and writes all calls that wait.
    mutating func concludeNames(_ context: inout CallContext) {
        firstWaiting = Operation.absent
        for index in names.entries.indices {
            if closedSet.holds { names.close(index, to: .kubernetes) }
        }
        for index in names.entries.indices { names.decideByLikelihood(index) }
        for index in names.entries.indices { release(names.takeWaiting(index), &context) }
        let waiting = lone
        lone.removeAll()
        context.unpark(waiting.count)
        for call in waiting where context.holds(Int(call.slot), connection: connection, stream: call.stream) {
            let slot = Int(call.slot)
            let candidates = context.calls[slot].candidates.intersection(.kubernetes)
            if closedSet.holds, let name = candidates.only {
                context.calls[slot].infer(name, .closedSet, &context.output)
            }
            write(slot, begunInside: context.calls[slot].marks.contains(.begunInside), &context)
        }
    }

    /// The reader begins anew, as if the connection was joined now: its table entries are counted from there.
    package mutating func forgetTables(context: inout CallContext) {
        concludeNames(&context)
        names = EntryNames(limit: context.limits.entryNames)
        statuses = StatusEntries()
        for (stream, slot) in table.all where context.holds(slot, connection: connection, stream: stream) {
            context.calls[slot].entry = -1
            context.calls[slot].statusEntry = nil
        }
    }

    // MARK: - Status

    /// Learns from a unary call that was answered whole what its status entry says, or gives the call the status that
    /// is known of it.
    private mutating func concludeStatus(_ call: inout PendingCall) {
        guard let entry = call.statusEntry, call.status == nil else { return }
        let marks = call.marks
        let isAnswered =
            marks.contains(.methodKnown) && call.streaming == .unary
            && call.responseMessages == 1 && call.method != .uncatalogued
            && !call.completeness.contains(.responseDamaged)
        if isAnswered { statuses.learn(entry) }
        if statuses.isSuccess(entry) { call.status = 0 }
    }
}

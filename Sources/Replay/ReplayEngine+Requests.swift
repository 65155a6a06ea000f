import Etcd

extension ReplayEngine {
    /// Fills in the request of a call that is to be sent now. False if it cannot be, since its stream has ended: then
    /// it is answered as lost.
    @inline(__always)
    mutating func send(_ call: UInt32, _ intended: Int64, _ released: Int64, _ request: inout StoreRequest) -> Bool {
        let number = slots.take()
        if readsRevisions, learned.needsCurrentRevision(call, plan.patches[plan.calls[Int(call)].patches.range]) {
            slots.fill(number, call: call, stream: 0, intended: intended, released: released)
            readRevision(for: call, number, &request)
            return true
        }
        begun += 1
        var intended = intended
        var released = released
        if !schedule.isOpen {
            // It could go when there was a place for it and all it waits for was answered.
            released = max(released, slots.slots[Int(number)].freed, start)
            intended = released
        }
        if firstIntended == nil { firstIntended = intended }
        lastIntended = max(lastIntended, intended)
        slots.fill(number, call: call, stream: plan.calls[Int(call)].stream, intended: intended, released: released)
        if isOfStream(call), !beginMessage(call, number) { return false }
        fill(&request, call, number)
        if isOfStream(call) {
            takeNote(ofMessage: request, call)
            if case .endStream = request.action { return true }
        }
        counts.sent[Int(request.kind.rawValue)] += 1
        return true
    }

    /// Whether the call is a message on a stream, or ends one.
    @inline(__always)
    func isOfStream(_ call: UInt32) -> Bool {
        if case .call = plan.calls[Int(call)].action { false } else { true }
    }

    /// Takes note of a message that is to be sent on a stream, or of its end. False if that cannot be sent.
    private mutating func beginMessage(_ call: UInt32, _ number: UInt32) -> Bool {
        let place = Int(plan.calls[Int(call)].stream)
        if !canSend(call, on: place) {
            if case .message = plan.calls[Int(call)].action {
                counts.streamLosses += 1
            } else {
                streams[place].isEndedByClient = true
            }
            var lost = StoreAnswer()
            lost.note = .connectionLost
            lost.number = number
            lost.done = now
            answer(lost, isStreamLost: true)
            return false
        }
        if case .endStream = plan.calls[Int(call)].action {
            streams[place].isEndedByClient = true
        } else if streams[place].opened == nil {
            streams[place].opened = now
            streams[place].openingCall = call
        } else {
            reopen(place)
        }
        return true
    }

    @inline(__always)
    mutating func fill(_ request: inout StoreRequest, _ call: UInt32, _ number: UInt32) {
        request.removeAll()
        kept = (0, 0)
        request.number = number
        let place = Int(call)
        request.action = plan.calls[place].action
        request.kind = plan.calls[place].kind
        request.method = plan.calls[place].method
        request.connection = plan.calls[place].connection % connectionCount
        if case .call = request.action {} else { request.stream = streamBase &+ plan.calls[place].stream }
        // Values differ from call to call and from loop to loop; up to 65,536 parts of a call have one of their own.
        request.valueID = (UInt64(loop) &* wholeCount &+ UInt64(self.number(of: call)) &+ 1) &<< 16
        switch plan.calls[place].request {
        case .range(let range):
            range.ask(&request.body)
            keepKeys(&request)
        case .put(let put):
            put.ask(&request.body)
            keepKeys(&request)
        case .delete(let delete):
            delete.ask(&request.body)
            keepKeys(&request)
        case .txn(let txn):
            txn.ask(&request.body)
            if txn.ownCompareCount > 0 { request.body.compares = appendCompares(txn.ownCompares, to: &request) }
            if !txn.parts.isEmpty { appendParts(txn.parts, to: &request) }
        case .watchCreate(let create):
            create.ask(&request.body)
            keepKeys(&request)
        case .other(let other): fillFields(of: other, &request)
        }
        if !plan.calls[place].patches.isEmpty { translate(call, number, &request) }
    }

    /// What has no body. The store gives leases and watches their IDs: what a plan has of a grant or a watch create is
    /// what was answered.
    private mutating func fillFields(of planned: OtherRequest, _ request: inout StoreRequest) {
        request.key = keep(planned.key, in: &request)
        request.revision = planned.revision
        switch request.kind {
        case .leaseGrant: request.ttl = planned.ttl
        case .watchCancel: request.watchID = planned.watchID
        default: request.lease = planned.lease
        }
    }

    // Mutating, although they are not: otherwise the whole engine is copied for each call of one.

    /// The number in the request of a key of the plan.
    @inline(__always)
    private mutating func keep(_ key: KeyNumber, in request: inout StoreRequest) -> KeyNumber {
        if key == 0 { return 0 }
        // A transaction names the same key again and again.
        if key == kept.planned { return kept.number }
        kept = (key, request.keys.number(of: plan.keys.bytes.span, at: plan.keys.range(of: key)))
        return kept.number
    }

    /// Makes keys of the plan in a request's body keys of the request.
    @inline(__always)
    private mutating func keepKeys(_ request: inout StoreRequest) {
        request.body.key = keep(request.body.key, in: &request)
        request.body.rangeEnd = keep(request.body.rangeEnd, in: &request)
    }

    private mutating func appendCompares(_ slice: Slice, to request: inout StoreRequest) -> Slice {
        let start = UInt32(request.compares.count)
        for place in slice.range {
            var compare = plan.compares[place]
            compare.key = keep(compare.key, in: &request)
            compare.rangeEnd = keep(compare.rangeEnd, in: &request)
            request.compares.append(compare)
        }
        return Slice(start: start, count: slice.count)
    }

    private mutating func appendParts(_ slice: Slice, to request: inout StoreRequest) {
        for place in slice.range {
            var part = plan.parts[place]
            part.removeAnswer()
            part.key = keep(part.key, in: &request)
            part.rangeEnd = keep(part.rangeEnd, in: &request)
            if !part.compares.isEmpty { part.compares = appendCompares(part.compares, to: &request) }
            request.parts.append(part)
        }
    }

    /// Puts the target's revisions, leases and watches where the recorded ones stand.
    private mutating func translate(_ call: UInt32, _ number: UInt32, _ request: inout StoreRequest) {
        var numbers = RequestNumbers(lease: request.lease, revision: request.revision, watchID: request.watchID)
        for place in plan.calls[Int(call)].patches.range {
            let patch = plan.patches[place]
            let index = Int(patch.index)
            let recordedKey = plan.key(of: patch, in: call)
            let recorded: Int64
            if recordedKey != 0 {
                recorded = plan.keys.leaseSuffix(of: recordedKey) ?? 0
            } else {
                switch patch.place {
                case .own: recorded = patch.recorded(numbers, request.body)
                case .part: recorded = patch.recorded(request.parts[index])
                case .compare: recorded = request.compares[index].operand
                }
            }
            guard let sent = learned.number(place, of: patch, recorded: recorded) else {
                counts.unmapped[Int(patch.field.rawValue)] += 1
                slots.markUnmapped(number)
                continue
            }
            var key: KeyNumber = 0
            if recordedKey != 0 {
                leaseKey.make(recordedKey, of: plan.keys, lease: sent)
                key = request.keys.number(of: leaseKey.bytes.span, at: leaseKey.bytes.indices)
            }
            switch patch.place {
            case .own:
                if key == 0 {
                    patch.apply(sent, to: &numbers, &request.body)
                } else if request.body.kind == .none {
                    request.key = key
                } else {
                    request.body.key = key
                }
            case .part:
                if key == 0 { patch.apply(sent, to: &request.parts[index]) } else { request.parts[index].key = key }
            case .compare:
                if key == 0 { request.compares[index].operand = sent } else { request.compares[index].key = key }
            }
        }
        request.lease = numbers.lease
        request.revision = numbers.revision
        request.watchID = numbers.watchID
    }
}

extension RequestOp {
    /// Leaves the request alone.
    @inline(__always)
    mutating func removeAnswer() {
        flags = flags.asked
        count = 0
        keyValues = Slice()
    }
}

extension ReplayPlan {
    /// The recorded key that a patch of keys names; 0 for other patches.
    func key(of patch: Patch, in call: UInt32) -> KeyNumber {
        switch patch.field {
        case .key: return calls[Int(call)].key
        case .partKey: return parts[Int(calls[Int(call)].parts.start + patch.index)].key
        case .operandKey: return compares[Int(calls[Int(call)].compares.start + patch.index)].key
        default: return 0
        }
    }
}

import Etcd

// What a gate asks for in each step, and what the answer leads to.

extension ShardGate {
    /// The request of the step; false where there is none.
    func fill(_ request: inout StoreRequest) -> Bool {
        switch step {
        case .countAll: request.askForNames("", limit: 0, isCount: true)
        case .countGate: request.askForNames(ShardGateKeys.prefix, limit: 0, isCount: true)
        case .grantFirst, .grant:
            request.set(.leaseGrant)
            request.ttl = limits.leaseTTL
        case .claim:
            guard let keys else { return false }
            request.putIfAbsent([ShardGateKeys.claim, keys.identity(options.identity.text)], lease: lease)
        case .publish:
            guard let keys else { return false }
            request.put(keys.outcome(chunk) + String(decoding: chunks[chunk], as: UTF8.self), lease: lease)
        case .announce:
            guard let keys else { return false }
            request.put(keys.preloaded(chunks: chunks.count), lease: lease)
        case .look: request.askForName(ShardGateKeys.claim)
        case .feel:
            guard let keys else { return false }
            request.set(.leaseTimeToLive)
            request.lease = keys.run
        case .identify, .gather, .follow:
            guard let keys else { return false }
            // One key each, the identity, the outcome and the start; more is none of ours.
            request.askForNames(keys.gate, limit: options.shard.count + 8)
        case .readOutcome:
            guard let keys else { return false }
            request.askForNames(keys.outcome(chunk), limit: 1)
        case .ready:
            guard let keys else { return false }
            request.putIfAbsent([keys.ready(options.shard.index)], lease: lease)
        case .nameStart:
            guard let keys, let start else { return false }
            request.put(keys.start(start, written: wall), lease: lease)
        case .remove:
            guard let keys else { return false }
            request.delete(prefix: keys.all)
        case .revoke, .giveUp:
            request.set(.leaseRevoke)
            request.lease = lease
        case .preload, .prepared, .hold, .waitForStart, .end: return false
        }
        return true
    }

    /// Takes the answer to it, which is no error.
    func receive(stepAnswer answer: borrowing StoreAnswer) {
        switch step {
        case .countAll:
            guard answer.details.answer.count > 0 else { return enter(.grantFirst) }
            keysFound = answer.details.answer.count
            enter(.countGate)
        case .countGate:
            if answer.details.answer.count == 0 { return give(up: .notEmpty(keys: keysFound)) }
            tryAgainUnlessOccupied(.countAll, .otherRun)
        case .grantFirst:
            keep(answer.details.answeredLease)
            keys = ShardGateKeys(run: lease)
            enter(.claim)
        case .claim:
            guard answer.details.answer.flags.contains(.succeeded) else {
                return tryAgainUnlessOccupied(.claim, .otherRun)
            }
            enter(options.isPreloaded ? .preload : .announce)
        case .publish:
            chunk += 1
            enter(chunk < chunks.count ? .publish : .announce)
        case .announce:
            chunks = []
            enter(.prepared)
        case .gather: gather(answer)
        case .nameStart: enter(.hold)
        case .remove: enter(.revoke)
        case .look: look(answer)
        case .feel:
            // A lease that nobody has kept alive for a while: shard 1 was killed, or has not come to it.
            let isAlive = answer.details.answeredTTL >= limits.leaseTTL - limits.leaseTTL / 6 - 1
            isAlive ? enter(.identify) : lookAgain()
        case .identify: identify(answer)
        case .readOutcome: readOutcome(answer)
        case .grant:
            keep(answer.details.answeredLease)
            enter(.ready)
        case .ready:
            guard answer.details.answer.flags.contains(.succeeded) else {
                return tryAgainUnlessOccupied(.ready, .otherShard)
            }
            enter(.follow)
        case .follow: follow(answer)
        case .revoke:
            endLease()
            enter(.waitForStart)
        case .giveUp:
            endLease()
            enter(.end)
        case .preload, .prepared, .hold, .waitForStart, .end: break
        }
    }

    /// What stands in the way may be what a killed shard left, which goes with its lease.
    private func tryAgainUnlessOccupied(_ step: Step, _ failure: ShardGateFailure) {
        let since = remainsSince ?? now
        remainsSince = since
        if now &- since >= limits.remainsPatience { return give(up: failure) }
        enter(step, at: now &+ 10 * limits.pollInterval)
    }

    private func notices(_ answer: borrowing StoreAnswer) -> ShardGateNotices? {
        guard let keys else { return nil }
        let notices = ShardGateNotices(
            answer.details.keys, of: answer.details.keyValues, gate: keys.gate, shards: options.shard.count,
            limits: limits)
        if let strange = notices.strange {
            give(up: .strangeKey(strange))
            return nil
        }
        return notices
    }

    // MARK: Shard 1

    private func gather(_ answer: borrowing StoreAnswer) {
        guard let notices = notices(answer) else { return }
        if notices.identity == nil { return give(up: .leaseLost) }
        missing = (2..<max(2, options.shard.count + 1)).filter { !notices.isReady[$0 - 1] }
        guard missing.isEmpty else { return enter(.gather, at: now &+ limits.pollInterval) }
        let start = options.start ?? wall &+ limits.lead
        // The others must see it, and the keys be removed, before.
        if start &- wall < 2 * limits.removalLead {
            return give(up: .late(by: max(0, wall &- start)))
        }
        self.start = start
        deadline = .max
        enter(.nameStart)
    }

    // MARK: The others

    private func look(_ answer: borrowing StoreAnswer) {
        guard let record = answer.details.keyValues.first else {
            return enter(.look, at: now &+ limits.pollInterval)
        }
        if record.lease == 0 { return give(up: .strangeKey(ShardGateKeys.claim)) }
        keys = ShardGateKeys(run: record.lease)
        enter(.feel)
    }

    private func identify(_ answer: borrowing StoreAnswer) {
        guard let notices = notices(answer) else { return }
        guard let identity = notices.identity else { return lookAgain() }
        if let difference = options.identity.difference(from: identity) {
            return give(up: .otherIdentity(difference))
        }
        guard let count = notices.chunks else { return enter(.identify, at: now &+ limits.pollInterval) }
        // Of a run that has its start already, this one is no part; it ends, and another may come.
        guard notices.start == nil else { return enter(.identify, at: now &+ limits.pollInterval) }
        guard count <= outcomeBytes / limits.chunkBytes + 1 else { return giveUpOutcome() }
        chunkCount = count
        chunk = 0
        outcomeText = []
        if count == 0 { return takeOutcome() }
        enter(.readOutcome)
    }

    /// The most that the text of an outcome can have: two numbers a put, one a lease.
    private var outcomeBytes: Int { preload.puts.count * 42 + preload.leases.count * 18 + 2 }

    private func readOutcome(_ answer: borrowing StoreAnswer) {
        guard let keys else { return }
        let prefix = keys.outcome(chunk)
        guard let record = answer.details.keyValues.first, record.key != 0 else { return lookAgain() }
        let list = answer.details.keys
        let name = list.bytes[list.range(of: record.key)]
        guard name.starts(with: prefix.utf8),
            outcomeText.count + name.count - prefix.utf8.count <= outcomeBytes
        else { return giveUpOutcome() }
        outcomeText.append(contentsOf: name.dropFirst(prefix.utf8.count))
        chunk += 1
        if chunk < chunkCount { return enter(.readOutcome) }
        takeOutcome()
    }

    private func takeOutcome() {
        if outcomeText.isEmpty, preload.puts.isEmpty, preload.leases.isEmpty {
            outcome = PreloadOutcome()
        } else if let read = PreloadOutcome(
            text: outcomeText, puts: preload.puts.count, leases: preload.leases.count)
        {
            outcome = read
        } else {
            return giveUpOutcome()
        }
        outcomeText = []
        enter(.prepared)
    }

    private func giveUpOutcome() {
        give(up: .strangeKey((keys?.all ?? ShardGateKeys.prefix) + "outcome/"))
    }

    /// The run that was found is over: another shard 1 may come.
    private func lookAgain() {
        keys = nil
        enter(.look, at: now &+ limits.pollInterval)
    }

    private func follow(_ answer: borrowing StoreAnswer) {
        guard let notices = notices(answer) else { return }
        if notices.identity == nil { return give(up: .firstShardGone) }
        guard let (start, written) = notices.start else {
            unstartedWall = askedWall
            return enter(.follow, at: now &+ limits.pollInterval)
        }
        // A look that was sent before the start was written cannot have seen it, nor one that was answered after it.
        if let unstartedWall, unstartedWall &- written > limits.clockDifference {
            return give(up: .clock(ahead: unstartedWall &- written))
        }
        if written &- wall > limits.clockDifference { return give(up: .clock(ahead: wall &- written)) }
        if wall >= start { return give(up: .late(by: wall &- start)) }
        self.start = start
        deadline = .max
        enter(.revoke)
    }
}

import Wire

/// The search for the secret and the sequence number of one record: what may be tried, and what was found.
struct RecordSearch {
    struct Found {
        var keys: RecordKeys
        var epoch: RecordReader.Epoch
        var sequence: UInt64
        /// Bytes that the record protects.
        var count: Int
        /// The keys are those that the direction had.
        var isSameKey: Bool
    }

    /// The smallest record with a tag: header and tag of TLS 1.2 without explicit nonce, or of TLS 1.3 with nothing
    /// but a content type.
    private static let recordBytesMin = RecordHeader.byteCount + RecordCipher.tagBytes + 1
    /// HMACs and key set-up, in trials of a small record.
    private static let keyCost = 32 << 10

    /// Records of a handshake or of early data; OpenSSL's limit of 16 KiB makes one to some hundred.
    let handshakeRecords: UInt64 = 255
    /// ... and of one whose begin was not seen, tried with all connections of the log: those of one flight.
    let firstHandshakeRecords: UInt64 = 7
    let recordBytes: Int
    let limits: TLSLimits
    private(set) var found: Found?

    init(record: Int, limits: TLSLimits) {
        recordBytes = record
        self.limits = limits
    }

    /// How many records may lie in `missing` bytes, if these are whole records.
    func records(in missing: Int) -> ClosedRange<UInt64> {
        let largest = RecordHeader.byteCount &+ RecordHeader.fragmentBytesMax
        let least = missing / largest &+ (missing % largest == 0 ? 0 : 1)
        let most = min(missing / Self.recordBytesMin, least &+ limits.sequences)
        return UInt64(least)...UInt64(max(most, least))
    }

    /// Tries the sequence numbers in `range`; true when one opens the record.
    mutating func tryKeys(
        _ keys: RecordKeys, _ epoch: RecordReader.Epoch, _ range: ClosedRange<UInt64>, isSameKey: Bool = false,
        _ record: Span<UInt8>, _ session: inout TLSSession, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Bool {
        var keys: RecordKeys? = keys
        var sequence = range.lowerBound
        while true {
            guard budget.spend(recordBytes, &session.trials, of: limits.trialsPerConnection) else { return false }
            if let count = output.open(record, with: &keys, sequence: sequence), let keys {
                found = Found(keys: keys, epoch: epoch, sequence: sequence, count: count, isSameKey: isSameKey)
                return true
            }
            if sequence >= range.upperBound { return false }
            sequence &+= 1
        }
    }

    /// Pays for keys that are made for a trial; false where the budget is used up.
    func payForKeys(_ session: inout TLSSession, _ budget: inout TrialBudget) -> Bool {
        budget.spend(Self.keyCost, &session.trials, of: limits.trialsPerConnection)
    }
}

extension RecordReader {
    /// Finds the secret and the sequence number of `record`.
    mutating func find(
        _ record: Span<UInt8>, _ search: inout RecordSearch, _ session: inout TLSSession, _ log: inout KeyLog,
        _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Verdict {
        let lost = search.records(in: missing)
        let fromStart = missingIsKnown ? 0...lost.upperBound : 0...UInt64(limits.sequences &- 1)
        if let keys, missing > 0 || !missingIsKnown {
            let (first, overflow) = sequence.addingReportingOverflow(missingIsKnown ? lost.lowerBound : 0)
            let (last, overflowOfLast) = sequence.addingReportingOverflow(
                missingIsKnown ? lost.upperBound : UInt64(limits.sequences))
            if !overflow, !overflowOfLast,
                search.tryKeys(
                    keys, epoch, first...last, isSameKey: true, record, &session, &budget, &output)
            {
                return .taken
            }
            // A KeyUpdate may have been among what is missing.
            if epoch == .traffic, missing > 0, let next = keys.next,
                search.tryKeys(next, .traffic, fromStart, record, &session, &budget, &output)
            {
                return .taken
            }
        }
        if epoch == .traffic { return .unopened }
        guard let slot = session.slot(in: &log) else {
            if session.clientRandom.isEmpty, !missingIsKnown || missing > 0 {
                return findConnection(record, &search, &session, &log, &budget, &output)
            }
            return .waiting
        }
        return findEpoch(record, fromStart, slot, &search, &session, &log, &budget, &output)
    }

    /// Tries the secrets of the connection that come after those in use.
    private mutating func findEpoch(
        _ record: Span<UInt8>, _ range: ClosedRange<UInt64>, _ slot: Int, _ search: inout RecordSearch,
        _ session: inout TLSSession, _ log: inout KeyLog, _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Verdict {
        if let suite = session.suite, !suite.isTLS13 {
            guard let secret = log.secret(.master, of: slot),
                let keys = session.keys(masterSecret: secret, direction)
            else { return .waiting }
            return search.tryKeys(keys, .traffic, range, record, &session, &budget, &output) ? .taken : .unopened
        }
        for (next, kind) in secrets where next > epoch {
            guard let secret = log.secret(kind, of: slot) else {
                if next == .traffic { return .waiting }
                continue
            }
            // Few records come before the application data: a flight of certificates, some early data.
            let end = next == .traffic ? range.upperBound : min(range.upperBound, search.handshakeRecords)
            for keys in session.keys(trafficSecret: secret)
            where search.tryKeys(keys, next, 0...end, record, &session, &budget, &output) { return .taken }
        }
        return .unopened
    }

    private var secrets: [(Epoch, SecretKind)] {
        switch direction {
        case .request: [(.early, .clientEarly), (.handshake, .clientHandshake), (.traffic, .clientTraffic)]
        case .response: [(.handshake, .serverHandshake), (.traffic, .serverTraffic)]
        }
    }

    /// The hellos were not seen: tries all connections of the log that nobody else is.
    private mutating func findConnection(
        _ record: Span<UInt8>, _ search: inout RecordSearch, _ session: inout TLSSession, _ log: inout KeyLog,
        _ budget: inout TrialBudget, _ output: inout TLSOutput
    ) -> Verdict {
        let slots = log.unclaimed(after: session.triedSerial).prefix(limits.connectionsTried)
        guard !slots.isEmpty else { return .waiting }
        // A recording that begins within a handshake has its records first; nobody joined later has any.
        let mayBeHandshake = session.recordsTried < limits.handshakeRecordsTried
        var candidates: [(slot: Int, epoch: Epoch, keys: RecordKeys)] = []
        for slot in slots {
            for (epoch, kind) in secrets where epoch == .traffic || epoch == .handshake && mayBeHandshake {
                guard let secret = log.secret(kind, of: slot) else { continue }
                for keys in session.keys(trafficSecret: secret) where search.payForKeys(&session, &budget) {
                    candidates.append((slot, epoch, keys))
                }
            }
        }
        // Low numbers of all connections first: most are young. Bytes in the middle of a record may look like one, so
        // half of what is left is kept for the next record.
        let allowed = session.trials &+ (limits.trialsPerConnection &- session.trials) / 2
        var first: UInt64 = 0
        var end: UInt64 = 64
        while first < UInt64(limits.sequences), session.trials < allowed {
            for (slot, epoch, keys) in candidates where epoch == .traffic || first == 0 {
                let last = epoch == .traffic ? end &- 1 : search.firstHandshakeRecords
                guard search.tryKeys(keys, epoch, first...last, record, &session, &budget, &output) else { continue }
                session.identify(as: log.clientRandom(of: slot))
                log.claim(slot)
                return .taken
            }
            first = end
            end = min(end &* 2, UInt64(limits.sequences))
        }
        session.recordsTried &+= 1
        if session.recordsTried >= limits.recordsTried {
            session.recordsTried = 0
            session.triedSerial = log.lastSerial
        }
        return .unopened
    }
}

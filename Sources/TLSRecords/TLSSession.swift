import Wire

/// What both directions of a connection know of its keys.
struct TLSSession {
    private(set) var clientRandom: [UInt8] = []
    private var serverRandom: [UInt8] = []
    /// The suite of the ServerHello; `nil` before it, and where it was lost.
    private(set) var suite: CipherSuite?
    /// A ServerHello chose a version or a suite that is not decrypted.
    private(set) var isUnsupported = false
    private(set) var offersEarlyData = false
    /// Grows when something becomes known that may open what could not be opened before.
    private(set) var changes: UInt64 = 0
    /// Records opened on trial for this connection.
    var trials = 0
    /// Joined midway: the log's connections up to this number were tried.
    var triedSerial: UInt64 = 0
    /// Joined midway: records that were tried with all newer ones.
    var recordsTried = 0

    /// Takes a ClientHello or a ServerHello.
    mutating func receive(_ hello: Hello, _ direction: Direction) {
        switch direction {
        case .request:
            clientRandom = hello.peerRandom
            offersEarlyData = hello.offersEarlyData
        case .response:
            if hello.isRetryRequest { return }
            serverRandom = hello.peerRandom
            suite = CipherSuite(code: hello.suiteCode)
            let isTLS13 = hello.version == 0x0304
            isUnsupported = suite?.isTLS13 != isTLS13 || hello.version < 0x0303
        }
        changes &+= 1
    }

    /// Joined midway: the connection has been found in the key log.
    mutating func identify(as connection: KeyLog.ClientRandom) {
        clientRandom = connection.bytes
        changes &+= 1
    }

    /// The connection's place in the key log, if it is there.
    func slot(in log: inout KeyLog) -> Int? {
        guard clientRandom.count == 32, let slot = log.slot(of: KeyLog.ClientRandom(clientRandom.span)) else {
            return nil
        }
        log.claim(slot)
        return slot
    }

    /// The keys of TLS 1.2; both hellos must have been seen.
    func keys(masterSecret: [UInt8], _ direction: Direction) -> RecordKeys? {
        guard let suite, !suite.isTLS13, serverRandom.count == 32 else { return nil }
        return RecordKeys(
            masterSecret: masterSecret, clientRandom: clientRandom, serverRandom: serverRandom, direction, suite)
    }

    /// The keys that a traffic secret of TLS 1.3 may stand for: of the suite chosen, or of all with such a secret.
    func keys(trafficSecret secret: [UInt8]) -> [RecordKeys] {
        let suites = suite.map { [$0] } ?? CipherSuite.candidates(secretBytes: secret.count)
        return suites.filter(\.isTLS13).compactMap { RecordKeys(trafficSecret: secret, $0) }
    }
}

/// Trials that are left to all connections together.
package struct TrialBudget: Sendable {
    package private(set) var remaining: Int

    package init(limits: TLSLimits = TLSLimits()) { remaining = limits.trialsInTotal }

    /// Takes the cost of opening a record of `byteCount` bytes from both budgets; false where one is used up.
    mutating func spend(_ byteCount: Int, _ used: inout Int, of limit: Int) -> Bool {
        let cost = 1 &+ byteCount / 1024
        guard remaining >= cost, used &+ cost <= limit else { return false }
        remaining &-= cost
        used &+= cost
        return true
    }
}

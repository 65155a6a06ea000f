/// A border of kvreel that takes bytes from outside, and the laws that hold there.
package struct FuzzTarget: Sendable {
    /// Of the executable (`fuzz-NAME`) and of the folders of seeds, finds and regressions.
    package let name: String
    private let laws: @Sendable (Span<UInt8>) throws(BrokenLaw) -> Void

    private init(name: String, laws: @escaping @Sendable (Span<UInt8>) throws(BrokenLaw) -> Void) {
        self.name = name
        self.laws = laws
    }

    /// Throws if a law does not hold for these bytes.
    package func check(_ input: [UInt8]) throws(BrokenLaw) { try laws(input.span) }

    package static let captureFile = FuzzTarget(name: "capture-file", laws: CaptureFileLaws.check)
    package static let packets = FuzzTarget(name: "packets", laws: PacketLaws.check)
    package static let tlsRecords = FuzzTarget(name: "tls-records", laws: TLSLaws.check)
    package static let http2 = FuzzTarget(name: "http2", laws: HTTP2Laws.check)
    package static let etcd = FuzzTarget(name: "etcd", laws: EtcdLaws.check)
    package static let trace = FuzzTarget(name: "trace", laws: TraceLaws.check)
    package static let pipeline = FuzzTarget(name: "pipeline", laws: PipelineLaws.check)
    package static let chainsPaper = FuzzTarget(name: "chains-paper", laws: ChainPaperLaws.check)
    package static let chains = FuzzTarget(name: "chains", laws: ReplicaLaws.check)
    package static let history = FuzzTarget(name: "history", laws: HistoryLaws.check)
    package static let control = FuzzTarget(name: "control", laws: ControlLaws.check)

    /// All but the canary.
    package static let all = [
        captureFile, packets, tlsRecords, http2, etcd, trace, pipeline, chainsPaper, chains, history,
        control,
    ]

    /// Must fail: shows that a broken law is seen. Its law is that no input has the four bytes of "KVR" and a line end
    /// in a row; libFuzzer has them in a second or two.
    package static let canary = FuzzTarget(name: "canary") { (bytes) throws(BrokenLaw) in
        guard bytes.count >= 4 else { return }
        for offset in 0...bytes.count - 4 where bytes[offset] == 0x4b {
            guard bytes[offset + 1] == 0x56, bytes[offset + 2] == 0x52 else { continue }
            try BrokenLaw.unless(bytes[offset + 3] != 0x0a, "no canary sings", "one does at byte \(offset)")
        }
    }
}

/// A law that did not hold.
package struct BrokenLaw: Error, CustomStringConvertible {
    package let law: String
    package let found: String

    package var description: String { "broken law: \(law): \(found)" }

    /// Throws unless the law holds; `found` is what was seen instead.
    static func unless(
        _ holds: Bool, _ law: @autoclosure () -> String, _ found: @autoclosure () -> String
    ) throws(BrokenLaw) {
        if !holds { throw BrokenLaw(law: law(), found: found()) }
    }

    /// Throws unless both are equal.
    static func unlessEqual<Value: Equatable>(
        _ found: Value, _ expected: Value, _ law: @autoclosure () -> String
    ) throws(BrokenLaw) {
        if found != expected { throw BrokenLaw(law: law(), found: "\(found), expected \(expected)") }
    }
}

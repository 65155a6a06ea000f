import Etcd
import Testing

@Suite("Method catalogue")
struct CatalogueTests {
    @Test("numbers are what traces hold, one after the other from 2")
    func numbersAreFixed() {
        #expect(MethodCatalogue.methods.map(\.number.rawValue) == Array(2...50))
        #expect(MethodCatalogue.method(MethodNumber(rawValue: 2))?.path == "/etcdserverpb.KV/Range")
        #expect(MethodCatalogue.method(MethodNumber(rawValue: 8))?.path == "/etcdserverpb.Watch/Watch")
        #expect(MethodCatalogue.method(MethodNumber(rawValue: 43))?.path == "/etcdserverpb.Auth/RoleRevokePermission")
        #expect(MethodCatalogue.method(MethodNumber(rawValue: 50))?.path == "/v3electionpb.Election/Resign")
    }

    @Test("every path finds its method, and nothing else does")
    func pathsAreFound() {
        for method in MethodCatalogue.methods {
            #expect(number(of: method.path) == method.number)
            #expect(number(of: String(method.path.dropLast())) == .uncatalogued)
            #expect(number(of: method.path + "2") == .uncatalogued)
        }
        #expect(number(of: "") == .uncatalogued)
        #expect(number(of: "/etcdserverpb.KV/range") == .uncatalogued)
    }

    private func number(of path: String) -> MethodNumber {
        let bytes = Array(path.utf8)
        return MethodCatalogue.number(ofPath: bytes.span)
    }

    @Test("numbers of no method have none", arguments: [0, 1, 51, 65_535] as [UInt16])
    func othersHaveNone(_ number: UInt16) {
        #expect(MethodCatalogue.method(MethodNumber(rawValue: number)) == nil)
    }

    @Test("what etcd puts to consensus is what the analysis counts as proposals")
    func proposals() {
        let proposals = MethodCatalogue.methods.filter(\.isProposal)
        let auth = MethodCatalogue.methods.filter { $0.kind == .auth }
        #expect(auth.count == 17)
        #expect(
            Set(proposals.map(\.path))
                == Set(auth.map(\.path)).union([
                    "/etcdserverpb.KV/Put", "/etcdserverpb.KV/DeleteRange", "/etcdserverpb.KV/Txn",
                    "/etcdserverpb.KV/Compact", "/etcdserverpb.Lease/LeaseGrant", "/etcdserverpb.Lease/LeaseRevoke",
                    "/etcdserverpb.Maintenance/Alarm",
                ]))
    }

    @Test("only the streaming methods stream")
    func streaming() {
        let streams = MethodCatalogue.methods.filter { $0.streaming != .unary }
        #expect(
            Dictionary(uniqueKeysWithValues: streams.map { ($0.path, $0.streaming) }) == [
                "/etcdserverpb.KV/RangeStream": .serverStreaming,
                "/etcdserverpb.Maintenance/Snapshot": .serverStreaming,
                "/v3electionpb.Election/Observe": .serverStreaming, "/etcdserverpb.Watch/Watch": .bidirectional,
                "/etcdserverpb.Lease/LeaseKeepAlive": .bidirectional,
            ])
    }
}

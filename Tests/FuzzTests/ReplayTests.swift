import Foundation
import FuzzLaws
import TestSupport
import Testing

@Suite("Fuzz targets: what was found stays found, and laws hold near real traffic")
struct ReplayTests {
    /// Inputs a seed and target.
    private static let rounds = isSoak ? 50_000 : 1_500

    @Test("what fuzzing once found", arguments: FuzzInput.all(in: "Regressions"))
    func regressions(_ input: FuzzInput) throws {
        try input.target.check(input.bytes())
    }

    @Test("pieces of real traffic", arguments: FuzzInput.all(in: "Seeds"))
    func pieces(_ input: FuzzInput) throws {
        try input.target.check(input.bytes())
    }

    @Test("every target has seeds", arguments: FuzzTarget.all)
    func hasSeeds(_ target: FuzzTarget) {
        #expect(FuzzInput.all(in: "Seeds").contains { $0.target.name == target.name })
    }

    @Test("folders are named for targets", arguments: ["Seeds", "Regressions"])
    func foldersAreOfTargets(_ folder: String) throws {
        let place = Repository.root.appending(path: "Fuzz/\(folder)").path
        let names = Set(FuzzTarget.all.map(\.name))
        #expect(names.isSuperset(of: try FileManager.default.contentsOfDirectory(atPath: place)))
    }

    @Test("pieces of real traffic, changed in a few bytes", arguments: FuzzTarget.all, seeds(1, 2))
    func changedSeeds(_ target: FuzzTarget, seed: UInt64) throws {
        var mutator = Mutator(seed: seed)
        let inputs = try FuzzInput.all(in: "Seeds").filter { $0.target.name == target.name }.map { try $0.bytes() }
        try #require(!inputs.isEmpty)
        for round in 0..<Self.rounds {
            let input = mutator.change(inputs[round % inputs.count], with: inputs)
            do {
                try target.check(input)
            } catch {
                Issue.record("\(error)\nround \(round), seed \(seed), input \(Data(input).base64EncodedString())")
                return
            }
        }
    }

    @Test("a broken law is seen")
    func canary() {
        #expect(throws: BrokenLaw.self) { try FuzzTarget.canary.check(Array("a KVR\n file".utf8)) }
        #expect(throws: Never.self) { try FuzzTarget.canary.check(Array("a KVR file\n".utf8)) }
    }
}

import Consistency
import TestSupport
import Testing

@Suite("The smallest failing history")
struct SmallestTests {
    @Test("it fails; without any of its reads it does not; and it is the same every time", arguments: seeds(51, 52))
    func smallest(_ seed: UInt64) throws {
        var random = RandomHistory(seed: seed)
        var found = 0
        for _ in 0..<4_000 {
            let history = random.next()
            let check = HistoryCheck(history)
            guard check.verdict == .violation else { continue }
            found += 1
            let example = try #require(check.counterexample)
            #expect(!BruteForce.isLinearizable(example.operations))
            #expect(HistoryCheck(history).counterexample == example)
            // A write may have to stay for what found it; what only finds may not.
            for index in example.operations.indices where example.operations[index].kind == .read {
                var fewer = example.operations
                fewer.remove(at: index)
                #expect(BruteForce.isLinearizable(fewer))
            }
            // What it found was written, if it was written anywhere.
            for read in example.operations where read.kind == .read && read.value != 0 {
                let writes = { (operation: HistoryOperation) in
                    operation.kind != .read && operation.outcome != .failed && operation.value == read.value
                }
                if history.operations.contains(where: writes) { #expect(example.operations.contains(where: writes)) }
            }
        }
        #expect(found > 500)
    }

    @Test("of a long history a few operations are left", arguments: SimulatedRegisters.Style.allCases)
    func long(_ style: SimulatedRegisters.Style) throws {
        var registers = SimulatedRegisters(seed: 5, style: style)
        let history = registers.run(operations: 5_000, clients: 8, keys: 3)
        let stale = try #require(SimulatedRegisters.withStaleRead(history))
        let example = try #require(HistoryCheck(stale).counterexample)
        #expect(example.operations.count <= 4, "\(example.operations)")
    }

    @Test("it is drawn as in docs/check.md, and the reason is a sentence")
    func drawing() throws {
        let history = try History.parsed(
            """
            {"client":1,"key":"k","op":"write","value":"v0","ok":true,"call":0,"return":10}
            {"client":1,"key":"k","op":"write","value":"v1","ok":true,"call":20,"return":90}
            {"client":2,"key":"k","op":"read","value":"v1","ok":true,"call":30,"return":40}
            {"client":3,"key":"k","op":"read","value":"v0","ok":true,"call":50,"return":60}
            {"client":3,"key":"k","op":"read","value":"v1","ok":true,"call":95,"return":99}
            """)
        let example = try #require(HistoryCheck(history).counterexample)
        #expect(
            HistoryDrawing(example.operations, of: history, width: 80).text == """
                client 1  |-write v0-||-------write v1-------|
                client 2               |-read v1-|
                client 3                          |-read v0-|

                """)
        #expect(
            example.reason
                == "Client 3's read found v0 after client 2's read of v1, which had ended before it began; v0 was not "
                + "written again in between: client 1's write of v0 had ended before client 2's read of v1 began.")
    }

    @Test("open ends, overlapping operations of one client, and texts that do not fit", arguments: [40, 100])
    func widths(_ width: Int) {
        var history = History()
        let key = UInt32(history.keys.number(of: "k"))
        let long = Int64(history.values.number(of: "a value with spaces and \u{1b}[31m escapes"))
        history.operations = [
            HistoryOperation(client: 1, key: key, kind: .write, outcome: .unknown, value: long, call: 0),
            HistoryOperation(client: 1, key: key, kind: .delete, call: 5, return: 7),
            HistoryOperation(client: 20, key: key, kind: .cas, value: long, expect: 0, call: 7, return: 9),
        ]
        let text = HistoryDrawing(history.operations, of: history, width: width).text
        #expect(!text.contains("\u{1b}"))
        let lines = text.split(separator: "\n")
        for line in lines.prefix(3) { #expect(line.count <= width, "\(text)") }
        #expect(lines.first?.hasSuffix(">") == true)
        #expect(lines.first?.hasPrefix("client 1 ") == true && lines[1].hasPrefix("          "))
        #expect(lines[2].hasPrefix("client 20 "))
        #expect(text.contains("1: client 1 write 'a value with spaces and ...") == (width < 100))
    }
}

import Testing

@Suite("The rules see code, not comments or literals")
struct SwiftCodeTests {
    @Test(
        "words outside comments and literals are seen, with their line",
        arguments: [
            ("let a = 1 // unsafe", []),
            ("/* unsafe /* unsafe */ unsafe */ let a = 1", []),
            (#"let a = "unsafe \" unsafe""#, []),
            (#"let a = "\(unsafe("x")) unsafe""#, []),
            ("let a = #\"unsafe \\\" unsafe\"#; unsafe", [1]),
            ("let a = \"\"\"\n  unsafe \"quoted\"\n  \"\"\"\nunsafe b", [4]),
            ("unsafe a\n// unsafe\nunsafe b", [1, 3]),
            ("nonisolated(unsafe) var x", [1]),
            ("withUnsafeBytes(unsafely)", []),
        ])
    func wordsOutside(_ source: String, _ lines: [Int]) {
        #expect(SwiftCode(source).words.filter { $0.word == "unsafe" }.map(\.line) == lines)
    }

    @Test(
        "imports are found in all their forms",
        arguments: [
            ("import Wire", "Wire"), ("package import Wire", "Wire"), ("@preconcurrency import Wire", "Wire"),
            ("import struct Wire.CaptureTime", "Wire"), ("import Wire // why", "Wire"),
        ])
    func imports(_ source: String, _ module: String) {
        #expect(SwiftCode(source).imports.map(\.module) == [module])
    }
}

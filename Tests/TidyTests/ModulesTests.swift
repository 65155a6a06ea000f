import Foundation
import Testing

@Suite("Modules keep to the drawing")
struct ModulesTests {
    @Test("every folder of Sources is in the drawing, and the other way round")
    func drawingIsWhole() {
        let folders = Set(RepositoryFile.all.compactMap(\.module))
        let drawn = Set(ModuleDrawing.modules.map(\.name) + ModuleDrawing.systemModules)
        #expect(folders == drawn)
    }

    @Test("imports point one way: a module stands after all that it may import")
    func drawingHasNoCycle() {
        var before = Set(ModuleDrawing.systemModules)
        for module in ModuleDrawing.modules {
            #expect(before.isSuperset(of: module.mayImport), "\(module.name) imports a module that comes after it")
            before.insert(module.name)
        }
    }

    @Test("a module imports what the drawing allows", arguments: ModuleDrawing.modules)
    func imports(_ module: ModuleDrawing) throws {
        let files = RepositoryFile.sources.filter { $0.module == module.name }
        try #require(!files.isEmpty)
        for file in files {
            for (imported, line) in SwiftCode(file.text ?? "").imports {
                #expect(!module.forbidden(imported), "\(file.path):\(line) imports \(imported)")
            }
        }
    }

    @Test("a system library is imported by one file a module, its wrapper", arguments: ModuleDrawing.systemModules)
    func wrappers(_ library: String) {
        let importers = RepositoryFile.sources.filter { file in
            SwiftCode(file.text ?? "").imports.contains { $0.module == library }
        }
        for (module, files) in Dictionary(grouping: importers, by: \.module) {
            #expect(files.count == 1, "\(module ?? ""): \(files.map(\.name))")
        }
    }

    /// Words that a machine has no use for. `Foundation` is among them: with it come files, clocks and locales.
    private static let impure: Set<Substring> = [
        "Foundation", "FoundationEssentials", "Glibc", "Musl", "Dispatch", "Synchronization", "Observation",
        "async", "await", "actor", "Task", "TaskGroup", "Thread", "Mutex", "Atomic", "DispatchQueue", "AsyncStream",
        "print", "debugPrint", "dump", "readLine", "FileHandle", "FileManager", "FileDescriptor", "CommandLine",
        "Date", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "random", "randomElement",
        "shuffled", "getenv", "environment", "socket", "clock_gettime",
    ]

    @Test("pure files know bytes, events and a time they are handed", arguments: ModuleDrawing.modules)
    func purity(_ module: ModuleDrawing) {
        for file in module.pureFiles {
            for (word, line) in SwiftCode(file.text ?? "").words where Self.impure.contains(word) {
                Issue.record("\(file.path):\(line) says `\(word)`")
            }
        }
    }

    @Test("a module's front door says what goes in and out, and holds no logic", arguments: ModuleDrawing.libraries)
    func frontDoor(_ module: ModuleDrawing) throws {
        let path = "Sources/\(module.name)/\(module.name).swift"
        let file = try #require(RepositoryFile.named(path), "\(path) is missing")
        let text = try #require(file.text)
        #expect(text.hasPrefix("// \(module.name): "), "\(path) does not begin with `// \(module.name): `")
        let code = SwiftCode(text).lines.filter { !$0.allSatisfy(\.isWhitespace) && !$0.contains("import ") }
        #expect(code.isEmpty, "\(path) holds code")
    }
}

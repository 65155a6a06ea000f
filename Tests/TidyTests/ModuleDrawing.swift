import Testing

/// What ARCHITECTURE.md draws: every module, what it may import, and which of its files may touch the system.
/// A module stands after all that it may import, so no import can look back.
struct ModuleDrawing: Sendable, CustomTestStringConvertible {
    /// What a pure module may have besides machines.
    enum Purity: Sendable {
        /// No file, socket, clock, thread, terminal: machines only.
        case pure
        /// Pure but for these files.
        case pureExcept([String])
        /// Owns files, clocks, signals or the terminal.
        case shell
    }

    var name: String
    var mayImport: [String]
    var purity: Purity

    var testDescription: String { name }

    static let modules = [
        ModuleDrawing(name: "Wire", mayImport: [], purity: .pure),
        ModuleDrawing(name: "CaptureFiles", mayImport: ["Wire", "CPcap", "CZstd", "CZlib"], purity: .shell),
        ModuleDrawing(name: "Packets", mayImport: ["Wire"], purity: .pure),
        ModuleDrawing(name: "TLSRecords", mayImport: ["Wire"], purity: .pure),
        ModuleDrawing(name: "HTTP2", mayImport: ["Wire"], purity: .pure),
        ModuleDrawing(name: "Etcd", mayImport: ["Wire", "HTTP2", "CZlib"], purity: .pure),
        ModuleDrawing(
            name: "Trace", mayImport: ["Wire", "Etcd", "CZstd"],
            purity: .pureExcept(["TraceFile.swift"])),
        ModuleDrawing(
            name: "Recording",
            mayImport: ["Wire", "CaptureFiles", "Packets", "TLSRecords", "HTTP2", "Etcd", "Trace"],
            purity: .pureExcept(["TraceRecorder.swift"])),
        ModuleDrawing(name: "Consistency", mayImport: ["Wire"], purity: .pure),
        ModuleDrawing(name: "Analysis", mayImport: ["Wire", "Etcd", "Trace", "Consistency"], purity: .pure),
        ModuleDrawing(name: "Replay", mayImport: ["Wire", "Etcd"], purity: .pure),
        ModuleDrawing(
            name: "Report", mayImport: ["Wire", "Etcd", "Trace", "Analysis", "Replay"], purity: .pure),
        ModuleDrawing(name: "Generation", mayImport: ["Wire", "Etcd"], purity: .pure),
        ModuleDrawing(name: "Chains", mayImport: ["Wire"], purity: .pure),
        ModuleDrawing(name: "ChainRuntime", mayImport: ["Wire", "Chains", "CLinux"], purity: .shell),
        ModuleDrawing(name: "Backends", mayImport: ["Wire", "HTTP2", "Etcd", "Replay", "CLinux"], purity: .shell),
        ModuleDrawing(
            name: "ChainBackends", mayImport: ["Wire", "Etcd", "Replay", "Chains", "ChainRuntime"], purity: .shell),
        ModuleDrawing(name: "Simulation", mayImport: ["Wire", "Chains", "Consistency"], purity: .pure),
        ModuleDrawing(
            name: "kvreel",
            mayImport: [
                "Wire", "CaptureFiles", "Packets", "HTTP2", "Etcd", "Trace", "Recording", "Analysis", "Chains",
                "ChainRuntime", "Consistency", "Simulation", "Replay", "Backends", "ChainBackends", "Report",
                "Generation",
            ],
            purity: .shell),
    ]

    /// All but the executable, which nobody imports.
    static let libraries = modules.filter { $0.name != "kvreel" }

    static let systemModules = ["CPcap", "CZstd", "CZlib", "CLinux"]

    /// The modules of this package that `file` may not import.
    func forbidden(_ imported: String) -> Bool {
        let ours = Self.modules.map(\.name) + Self.systemModules
        return ours.contains(imported) && imported != name && !mayImport.contains(imported)
    }

    /// The files of this module that must be pure.
    var pureFiles: [RepositoryFile] {
        let own = RepositoryFile.sources.filter { $0.module == name }
        switch purity {
        case .pure: return own
        case .pureExcept(let shells): return own.filter { !shells.contains($0.name) }
        case .shell: return []
        }
    }
}

import Foundation
import FuzzLaws
import TestSupport
import Testing

/// A file of `Fuzz/Seeds` or `Fuzz/Regressions`, and the target that it is for.
struct FuzzInput: Sendable, CustomTestStringConvertible {
    var target: FuzzTarget
    var path: String

    var testDescription: String { path }

    func bytes() throws -> [UInt8] {
        try [UInt8](Data(contentsOf: Repository.root.appending(path: path)))
    }

    /// The files of all targets below a folder, in the order of their names.
    static func all(in folder: String) -> [FuzzInput] {
        FuzzTarget.all.flatMap { target in
            let place = "Fuzz/\(folder)/\(target.name)"
            let names =
                (try? FileManager.default.contentsOfDirectory(atPath: Repository.root.appending(path: place).path))
                ?? []
            return names.sorted().map { FuzzInput(target: target, path: "\(place)/\($0)") }
        }
    }
}

extension FuzzTarget: CustomTestStringConvertible {
    public var testDescription: String { name }
}

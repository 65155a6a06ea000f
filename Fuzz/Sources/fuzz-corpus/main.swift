// Cuts recordings of real traffic into seeds for every target.
//
//     fuzz-corpus FOLDER COUNT CAPTURE...
//
// writes at most COUNT seeds a target and capture to FOLDER/TARGET. A capture with a `keys.log` beside it is taken for
// encrypted.
import Foundation

let arguments = CommandLine.arguments
guard arguments.count > 3, let count = Int(arguments[2]), count > 0 else {
    FileHandle.standardError.write(Data("usage: fuzz-corpus FOLDER COUNT CAPTURE...\n".utf8))
    exit(2)
}
do {
    var cutter = SeedCutter(folder: URL(filePath: arguments[1]), most: count)
    try cutter.cutNothing()
    for path in arguments.dropFirst(3) { try cutter.cut(path) }
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}

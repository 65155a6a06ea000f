/// A result that goes to a file of its own, whole.
enum OutputFile {
    /// Makes the file, of mode 0600; what is there is written over only with `force`, but for devices and pipes.
    static func write(_ bytes: [UInt8], to path: String, force: Bool) throws(Failure) {
        switch SystemCalls.writeFile(bytes, to: path, force: force) {
        case .written, .readerGone: break
        case .failed(let why, let remedy):
            throw Failure(.system, "cannot write: \(path): \(why)", remedy: remedy)
        }
    }
}

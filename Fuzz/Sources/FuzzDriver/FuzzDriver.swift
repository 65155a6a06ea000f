import Foundation
package import FuzzLaws

#if FUZZING
    import CLibFuzzer
#endif

/// Runs a target: under libFuzzer where it is built with it, else once for each file that the arguments name.
package enum FuzzDriver {
    #if FUZZING
        package static func run(_ target: FuzzTarget) -> Never {
            unsafe current = target
            var count = CommandLine.argc
            var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
            exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, checkCurrent))
        }

        /// libFuzzer calls a function without context; it is set once, before.
        private nonisolated(unsafe) static var current = FuzzTarget.canary

        private static let checkCurrent: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
            let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
            do {
                try unsafe current.check(input)
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
                // The input of a process that aborts is kept.
                abort()
            }
            return 0
        }
    #else
        package static func run(_ target: FuzzTarget) -> Never {
            for path in CommandLine.arguments.dropFirst() {
                do {
                    let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
                    try target.check(bytes)
                } catch {
                    print("\(path): \(error)")
                    exit(1)
                }
                print("\(path): every law holds")
            }
            exit(0)
        }
    #endif
}

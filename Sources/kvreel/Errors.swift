import CaptureFiles
import ChainRuntime
import Trace

// How the errors of the modules end a command.

extension Failure {
    init(_ error: CaptureError) {
        let place = error.offset.map { "\(error.path), byte \($0)" } ?? error.path
        self.init(
            error.kind.status, "\(error.what): \(place): \(error.why)",
            remedy: error.remedy.isEmpty ? nil : error.remedy)
    }

    init(_ error: TraceError) {
        self.init(error.kind == .input ? .input : .system, error.description, remedy: error.remedy)
    }
}

extension Failure {
    init(_ error: SystemError) { self.init(.system, "cannot serve: \(error.what): \(error.words)") }
}

extension CaptureError.Kind {
    /// Everything about an input is 3; what the system refuses to a live recording is 4.
    fileprivate var status: ExitStatus {
        switch self {
        case .missing, .unreadable, .directory, .empty, .notACapture, .damaged, .windowTooLarge, .unsupportedLinkType:
            .input
        case .usage: .usage
        case .noPermission, .captureFailed: .system
        case .noInterface: .input
        }
    }
}

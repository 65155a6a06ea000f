/// Why a stream or a connection is ended (RFC 9113 §7).
package struct ErrorCode: RawRepresentable, Equatable, Sendable {
    package var rawValue: UInt32
    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable package static var noError: ErrorCode { ErrorCode(rawValue: 0x0) }
    @inlinable package static var protocolError: ErrorCode { ErrorCode(rawValue: 0x1) }
    @inlinable package static var internalError: ErrorCode { ErrorCode(rawValue: 0x2) }
    @inlinable package static var flowControlError: ErrorCode { ErrorCode(rawValue: 0x3) }
    @inlinable package static var streamClosed: ErrorCode { ErrorCode(rawValue: 0x5) }
    @inlinable package static var frameSizeError: ErrorCode { ErrorCode(rawValue: 0x6) }
    @inlinable package static var refusedStream: ErrorCode { ErrorCode(rawValue: 0x7) }
    @inlinable package static var cancel: ErrorCode { ErrorCode(rawValue: 0x8) }
    @inlinable package static var compressionError: ErrorCode { ErrorCode(rawValue: 0x9) }
    @inlinable package static var enhanceYourCalm: ErrorCode { ErrorCode(rawValue: 0xb) }

    /// The name that the RFC gives it, or its number.
    package var name: String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
            "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
        ]
        return rawValue < UInt32(names.count) ? names[Int(rawValue)] : "error code \(rawValue)"
    }
}

// What header fields say of a call: method, encoding, status (gRPC over HTTP/2, "Requests", "Responses").

import HTTP2
import Wire

extension PendingCall {
    /// HEADERS of the request were seen: its first message begins with the next DATA. What was lost before, while only
    /// the response had come, was not of this request.
    mutating func beginRequest() {
        marks.insert(.requestHeaders)
        marks.remove(.firstMessageUncertain)
        if requestMessages == 0 { completeness.remove(.requestDamaged) }
        request = MessageAssembler()
    }

    /// The value of `:path` is known.
    mutating func nameCall(path: Span<UInt8>, _ output: inout CallOutput) {
        let method = output.paths.number(of: path)
        self.method = method
        marks.insert(.methodKnown)
        if method == .uncatalogued {
            methodText.removeAll(keepingCapacity: true)
            methodText.append(copying: path.extracting(0..<min(path.count, output.limits.textBytes)))
            return
        }
        kind = output.paths.kind(of: method)
        streaming = output.paths.streaming(of: method)
        marks.insert(.scanned)
    }

    /// HEADERS of the response were seen: its first message begins with the next DATA.
    mutating func beginResponses() {
        marks.insert(.responseHeaders)
        response = MessageAssembler()
    }

    mutating func takeResponseFields(
        _ fields: Span<HeaderField>, _ fieldBytes: Span<UInt8>, isEnd: Bool, _ output: inout CallOutput
    ) {
        for place in 0..<fields.count {
            switch fields[place].name {
            case .grpcEncoding:
                if let value = fields[place].value, fieldBytes.extracting(value).isForeignEncoding {
                    marks.insert(.responseEncodingForeign)
                }
            case .grpcStatus:
                if isEnd, let value = fields[place].value {
                    status = fieldBytes.extracting(value).statusCode
                }
            case .grpcMessage:
                if isEnd, let value = fields[place].value, !value.isEmpty {
                    errorText.removeAll(keepingCapacity: true)
                    errorText.append(
                        percentDecoding: fieldBytes.extracting(value), limit: output.limits.textBytes)
                }
            default: break
            }
        }
    }

    /// Remembers the entry that stood for `grpc-status` in trailers, where its text is not known. It is the first field
    /// of trailers; after `:status` they are the only HEADERS of the stream, and the status is an error's.
    mutating func noteStatusEntry(_ fields: Span<HeaderField>) {
        guard !fields.isEmpty, fields[0].name == .unknown, fields[0].value == nil, let entry = fields[0].entry else {
            return
        }
        statusEntry = StatusEntry(epoch: fields[0].epoch, entry: entry)
    }
}

extension Span<UInt8> {
    /// Whether a `grpc-encoding` is one that is not read.
    var isForeignEncoding: Bool {
        !isEqual(to: ContentEncoding.gzip.span) && !isEqual(to: ContentEncoding.identity.span)
    }

    /// A `grpc-status`: decimal digits. Nil if it is anything else.
    fileprivate var statusCode: UInt32? {
        guard (1...9).contains(count) else { return nil }
        var code: UInt32 = 0
        for place in 0..<count {
            guard (0x30...0x39).contains(self[place]) else { return nil }
            code = code * 10 + UInt32(self[place] - 0x30)
        }
        return code
    }
}

/// The message encodings that are read (gRPC over HTTP/2, "Message-Encoding").
private enum ContentEncoding {
    static let gzip = Array("gzip".utf8)
    static let identity = Array("identity".utf8)
}

extension Array<UInt8> {
    /// Appends a `grpc-message`, in which any byte may be written as `%` and two hexadecimal digits. A `%` without them
    /// stands for itself.
    fileprivate mutating func append(percentDecoding text: Span<UInt8>, limit: Int) {
        var place = 0
        while place < text.count, count < limit {
            if text[place] == 0x25, place + 2 < text.count, let high = text[place + 1].hexDigit,
                let low = text[place + 2].hexDigit
            {
                append(high << 4 | low)
                place += 3
            } else {
                append(text[place])
                place += 1
            }
        }
    }
}

extension UInt8 {
    fileprivate var hexDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}

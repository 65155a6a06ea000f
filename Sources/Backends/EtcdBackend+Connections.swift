import Etcd
import HTTP2
import NIOCore
import Replay
import Wire

// How connections come to stand, and what the backend asks for itself on them.

extension EtcdBackend {
    func dial(_ connection: EtcdConnection) {
        LoopThread.dial(connection, on: self, tls: tls)
    }

    /// A connection stands: the server speaks HTTP/2.
    func didConnect(_ connection: EtcdConnection) {
        if token == nil, options.user != nil {
            authenticate()
        } else if let opening, opening.connected == 0 {
            probe(connection)
        } else {
            connection.sendQueued()
            proceed(connection)
        }
        flush()
    }

    /// Goes on opening, if that is what is done.
    private func proceed(_ connection: EtcdConnection) {
        guard var opening else { return }
        opening.connected += 1
        self.opening = opening
        if opening.connected == 1 { for other in connections.dropFirst() { other.connect() } }
        if opening.connected == opening.waitingFor {
            self.opening = nil
            opening.promise.succeed(())
        }
    }

    /// A connection was lost, or could not be made.
    func retry(_ connection: EtcdConnection) {
        if let opening, connection.attempts >= options.endpoints.count {
            self.opening = nil
            let ends = options.endpoints.map(\.text).joined(separator: ", ")
            for other in connections { other.close() }
            return opening.promise.fail(EtcdFailure.opening(connection.reason, at: ends, options))
        }
        let limits = options.limits
        var pause = connection.attempts <= 1 ? 0 : limits.backOff
        for _ in 0..<max(0, min(connection.attempts, 20) - 2) { pause = min(pause * 2, limits.backOffMax) }
        if pause > 0 { pause = pause / 2 + Int64(random.below(Int(pause))) }
        let deadline = NIODeadline.now() + .nanoseconds(pause)
        _ = LoopThread.at(deadline, on: self) { _ in
            if connection.state == .pausing { connection.connect() }
        }
        didRead()
    }

    // MARK: What the backend asks for itself

    /// Authenticates; the token goes with every call from then on (etcd: Auth/Authenticate, metadata `token`).
    func authenticate() {
        guard !isAuthenticating, let user = options.user,
            let connection = connections.first(where: { $0.state == .ready })
        else { return }
        isAuthenticating = true
        tokenBytes.removeAll()
        writer.writeAuthenticate(user: user, password: options.password)
        ask(connection, .auth, "/etcdserverpb.Auth/Authenticate")
    }

    /// Asks for a key that cannot be there, to learn whether this etcd knows RangeStream.
    private func probe(_ connection: EtcdConnection) {
        var range = RequestOp()
        range.kind = .range
        range.flags = [.serializable, .countOnly]
        var keys = KeyList()
        let nothing: [UInt8] = [0]
        range.key = keys.number(of: nothing.span, at: 0..<1)
        _ = writer.writeOperation(range, parts: [], compares: [], keys: keys, valueID: 0)
        ask(connection, .rangeStream, "/etcdserverpb.KV/RangeStream")
    }

    /// Sends what was written last.
    private func ask(_ connection: EtcdConnection, _ kind: OperationKind, _ path: String) {
        ownCalls[kind] += 1
        let slot = connection.takeSlot(kind, isStream: false)
        connection.calls[slot].request = EtcdCall.Pending(
            number: 0, kind: kind, isOwn: true, deadline: options.callTimeout > 0 ? now + options.callTimeout : .max,
            requestBytes: 0)
        if options.callTimeout > 0 { connection.watch(slot) }
        let path = Array(path.utf8)
        connection.send(slot, MethodCatalogue.number(ofPath: path.span), writer.bytes, endStream: true)
        flush()
    }

    /// Takes the answer to what was asked so; `failure` says why there is none.
    func takeOwn(_ connection: EtcdConnection, _ kind: OperationKind, _ failure: String?) {
        if kind == .rangeStream {
            lacksRangeStream = failure == nil && answer.status == GRPCStatus.unimplemented
            // Lost connections are made anew, and asked again.
            if failure == nil { return proceed(connection) }
            guard connection.state == .ready, let opening else { return }
            self.opening = nil
            for other in connections { other.close() }
            let reason = "\(connection.endpoint.text): \(failure ?? "")"
            opening.promise.fail(EtcdFailure.opening(reason, at: connection.endpoint.text, options))
            return
        }
        isAuthenticating = false
        // Behind the message's prefix.
        let message = Array(tokenBytes.dropFirst(5))
        if failure == nil, answer.status == GRPCStatus.ok, let place = AuthenticateResponse.token(in: message.span) {
            token = String(decoding: message[place], as: UTF8.self)
            for other in connections { other.renewFields() }
            for other in connections where other.state == .ready { didConnect(other) }
        } else if let opening {
            self.opening = nil
            let why = failure ?? String(decoding: answer.errorText, as: UTF8.self)
            for other in connections { other.close() }
            opening.promise.fail(EtcdFailure.authentication(why, at: connection.endpoint.text, options))
        }
    }
}

import NIOCore
import NIOPosix
import NIOSSL
import Replay

/// The border between the event loop's thread, which has a backend's state for itself, and all others. A task says on
/// the loop what is done with the backend; the thread that hands one over waits until it is over, so that never two
/// have the backend at once.
enum LoopThread {
    /// Begins a task on the loop and waits until it, or what it led to, keeps the promise.
    static func run(
        _ backend: EtcdBackend, on loop: any EventLoop,
        _ task: @escaping @Sendable (EtcdBackend, EventLoopPromise<Void>) -> Void
    ) throws {
        let promise = loop.makePromise(of: Void.self)
        nonisolated(unsafe) let lent = backend
        loop.execute { unsafe task(lent, promise) }
        try promise.futureResult.wait()
    }

    /// Runs a task behind what the loop has read by now. To be called on the loop.
    static func soon(_ backend: EtcdBackend, _ task: @escaping @Sendable (EtcdBackend) -> Void) {
        let bound = NIOLoopBound(backend, eventLoop: backend.loop)
        backend.loop.execute { task(bound.value) }
    }

    /// Runs a task at that time. To be called on the loop.
    static func at(
        _ deadline: NIODeadline, on backend: EtcdBackend, _ task: @escaping (EtcdBackend) -> Void
    ) -> Scheduled<Void> {
        let bound = NIOLoopBound((backend, task), eventLoop: backend.loop)
        return backend.loop.scheduleTask(deadline: deadline) {
            let (backend, task) = bound.value
            task(backend)
        }
    }

    /// Runs a task again and again. To be called on the loop.
    static func every(
        _ pause: TimeAmount, on backend: EtcdBackend, _ task: @escaping @Sendable (EtcdBackend) -> Void
    ) -> RepeatedTask {
        let bound = NIOLoopBound(backend, eventLoop: backend.loop)
        return backend.loop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in task(bound.value) }
    }

    /// Connects to the connection's endpoint; the connection hears what comes of it. To be called on the loop.
    static func dial(_ connection: EtcdConnection, on backend: EtcdBackend, tls: EtcdTLS?) {
        let bound = NIOLoopBound(connection, eventLoop: backend.loop)
        let endpoint = connection.endpoint
        ClientBootstrap(group: backend.loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16))
            .connectTimeout(.nanoseconds(backend.options.dialTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(tls.handler(for: endpoint)) }
                    try channel.pipeline.syncOperations.addHandler(EtcdChannelHandler(bound.value))
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .whenComplete { result in
                switch result {
                case .success(let channel): if bound.value.state == .closed { channel.close(promise: nil) }
                case .failure(let error): bound.value.lose(error)
                }
            }
    }
}

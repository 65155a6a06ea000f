import Foundation
package import Replay
import Synchronization

/// Members of etcd on this machine, started and formed into a cluster: `etcd:N`. They listen on the loopback at ports
/// of the system's choice, write to their disk as etcd does by default, and do not outlive this process.
///
/// Members are numbered from 0. All functions may be called from any thread.
package final class LocalCluster: Sendable {
    /// How a member ended that nobody had asked to end.
    package struct Death: Sendable, Equatable {
        package var member: Int
        /// `was killed by signal 9`, `ended with status 1`.
        package var how: String
        /// The end of its log; empty if that says nothing.
        package var log: String
    }

    package enum MemberState: Sendable, Equatable { case running, paused, ended }

    private struct Member: Sendable {
        var process: MemberProcess?
        var clientPort: UInt16
        var peerPort: UInt16
    }

    private struct State: Sendable {
        var members: [Member] = []
        var deaths: [Death] = []
        var version = ""
        /// From the first time that all were healthy until it is closed: an end before that is an error of the start.
        var isServing = false
        var isClosed = false
    }

    /// `etcd:3`.
    package let name: String
    private let options: LocalClusterOptions
    private let program: String
    private let folder: ClusterFolder
    private let died: @Sendable (Death) -> Void
    private let shared = Mutex(State())

    /// Starts the members and waits until they are healthy.
    /// - Parameter died: called on a thread of its own for each member that ends and was not asked to.
    package init(
        _ options: LocalClusterOptions, died: @escaping @Sendable (Death) -> Void = { _ in }
    ) throws(BackendError) {
        guard (1...LocalClusterLimits.members).contains(options.members) else {
            throw BackendError(
                .usage, what: "cannot start etcd", location: "etcd:\(options.members)",
                why: "a local cluster has 1 to \(LocalClusterLimits.members) members")
        }
        self.options = options
        name = "etcd:\(options.members)"
        program = try Self.find(options.program)
        folder = try ClusterFolder(in: options.folder)
        self.died = died
        do throws(BackendError) {
            try start()
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    package var memberCount: Int { options.members }

    /// The folder that the members' data lies in.
    var dataFolder: String { folder.path }

    /// `127.0.0.1:PORT` of each member.
    package var endpoints: [String] { shared.withLock { $0.members.map { "127.0.0.1:\($0.clientPort)" } } }

    /// etcd's own version, `3.4.23`.
    package var version: String { shared.withLock { $0.version } }

    /// Members that ended and were not asked to, in that order.
    package var deaths: [Death] { shared.withLock { $0.deaths } }

    /// The process of a member; another's, once it has ended.
    package func processID(of member: Int) -> Int32? { process(of: member)?.id }

    package func state(of member: Int) -> MemberState {
        guard let process = process(of: member), process.end == nil else { return .ended }
        return process.isPaused ? .paused : .running
    }

    /// Stops a member in the middle of what it does (SIGSTOP): it keeps its connections and answers nothing.
    package func pause(_ member: Int) { process(of: member)?.pause() }

    package func resume(_ member: Int) { process(of: member)?.resume() }

    /// Ends a member at once (SIGKILL), as a failing machine does, and waits until it has ended. Its data stays.
    package func kill(_ member: Int) { process(of: member)?.kill() }

    /// Starts a member again on its data and its ports; one that runs is killed before. Does not wait until it is
    /// healthy.
    package func restart(_ member: Int) throws(BackendError) {
        kill(member)
        try launch(member)
    }

    /// Asks all members to end, kills those that do not in time, and removes their data. May be called more than once;
    /// nothing else may be asked of the cluster from then on.
    package func close() {
        let isFirst = shared.withLock { state in
            defer { state.isClosed = true }
            state.isServing = false
            return !state.isClosed
        }
        if !isFirst { return }
        endMembers()
        folder.remove()
    }

    /// One after the other: a leader hands over before it ends, and tries that for seconds if the others end too.
    private func endMembers() {
        let deadline = MonotonicClock.now + LocalClusterLimits.stopTime
        for process in shared.withLock({ $0.members.compactMap(\.process) }) {
            process.terminate()
            let now = MonotonicClock.now
            if now >= deadline || !process.waitForEnd(atMost: deadline - now) { process.kill() }
        }
    }

    private func process(of member: Int) -> MemberProcess? { shared.withLock { $0.members[member].process } }
}

// Starting.
extension LocalCluster {
    /// Where a program of that name is: a path as it is, else in PATH or where administrators' programs are.
    private static func find(_ program: String) throws(BackendError) -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
        let candidates = program.contains("/") ? [program] : folders.map { $0 + "/" + program }
        for candidate in candidates where FileManager.default.isExecutableFile(atPath: candidate) {
            let type = try? FileManager.default.attributesOfItem(atPath: candidate)[.type] as? FileAttributeType
            if type != .typeDirectory { return candidate }
        }
        throw BackendError(
            .system, what: "cannot start etcd", location: program,
            why: program.contains("/") ? "there is no such program" : "it is not in PATH",
            remedy: "Install it (apt install etcd-server), or say where it is: --etcd PATH")
    }

    private func start() throws(BackendError) {
        for trial in 1... {
            do throws(BackendError) {
                try choosePorts()
                for member in 0..<memberCount { try launch(member) }
                try waitUntilHealthy(Array(0..<memberCount), atMost: options.startTime)
                shared.withLock { $0.isServing = true }
                // One may have ended in between, and have found that nobody was to be told.
                for member in 0..<memberCount { process(of: member).map { noteDeath(of: member, $0) } }
                return
            } catch {
                // Somebody else may take a port between its choice and its use.
                guard trial < LocalClusterLimits.portTrials, hasPortConflict else { throw error }
                endMembers()
                for member in 0..<memberCount { removeData(of: member) }
            }
        }
    }

    private func choosePorts() throws(BackendError) {
        do throws(SystemFailure) {
            let ports = try LoopbackCalls.freePorts(2 * memberCount)
            shared.withLock { state in
                state.members = (0..<memberCount).map { member in
                    Member(process: nil, clientPort: ports[2 * member], peerPort: ports[2 * member + 1])
                }
            }
        } catch {
            throw BackendError(
                .system, what: "cannot choose ports for etcd", location: "127.0.0.1", why: error.words)
        }
    }

    private var hasPortConflict: Bool {
        (0..<memberCount).contains { LogTail.text(of: log(of: $0)).contains("address already in use") }
    }

    private func data(of member: Int) -> String { "\(folder.path)/member-\(member + 1)" }
    private func log(of member: Int) -> String { "\(folder.path)/member-\(member + 1).log" }

    private func removeData(of member: Int) {
        for path in [data(of: member), log(of: member)] { try? FileManager.default.removeItem(atPath: path) }
    }

    private func launch(_ member: Int) throws(BackendError) {
        let arguments = arguments(of: member, among: shared.withLock { $0.members })
        do throws(SystemFailure) {
            let process = try MemberProcess(
                program, arguments, hiding: "ETCD_", output: log(of: member)
            ) { [weak self] process in self?.noteDeath(of: member, process) }
            shared.withLock { $0.members[member].process = process }
        } catch {
            throw BackendError(.system, what: "cannot start etcd", location: program, why: error.words)
        }
    }

    private func arguments(of member: Int, among members: [Member]) -> [String] {
        let peers = members.indices.map { "member-\($0 + 1)=http://127.0.0.1:\(members[$0].peerPort)" }
        let client = "http://127.0.0.1:\(members[member].clientPort)"
        let peer = "http://127.0.0.1:\(members[member].peerPort)"
        return [
            "--name", "member-\(member + 1)", "--data-dir", data(of: member),
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", peers.joined(separator: ","), "--initial-cluster-state", "new",
            // Another cluster that got one of these ports later is not taken for this one.
            "--initial-cluster-token", folder.path,
            "--quota-backend-bytes", "\(LocalClusterLimits.quotaBytes)",
            "--max-request-bytes", "\(LocalClusterLimits.requestBytes)",
            // Requests of the gateway for JSON would be counted among those of the replay, and nobody asks any.
            "--enable-grpc-gateway=false",
            // Lines about slow requests cost time of the store that is measured.
            "--logger", "zap", "--log-level", "error", "--log-outputs", "stderr",
        ] + options.arguments
    }

    private func noteDeath(of member: Int, _ process: MemberProcess) {
        guard shared.withLock({ $0.isServing }), let end = process.takeUnaskedEnd() else { return }
        let death = death(of: member, end)
        shared.withLock { $0.deaths.append(death) }
        died(death)
    }

    private func death(of member: Int, _ end: ChildCalls.End) -> Death {
        let how =
            switch end {
            case .exit(let status): "ended with status \(status)"
            case .signal(let signal): "was killed by signal \(signal)"
            }
        return Death(member: member, how: how, log: LogTail.words(of: log(of: member)))
    }

    private func failure(_ death: Death) -> BackendError {
        let log = LogTail.text(of: log(of: death.member))
        var remedy: String?
        if log.contains("no space left on device") {
            remedy = "Make room in \(folder.parent), or choose another place: TMPDIR=/path kvreel ..."
        } else if log.contains("too many open files") {
            remedy = "Allow more open files: ulimit -n 65536"
        }
        return BackendError(
            .system, what: "etcd ended", location: "member \(death.member + 1) of \(name)",
            why: "it \(death.how)" + (death.log.isEmpty ? ", and its log is empty" : ": \(death.log)"),
            remedy: remedy)
    }
}

// Health.
extension LocalCluster {
    /// Waits until these members serve and one of all leads; without `members`, those that run now. One that ends
    /// meanwhile, unasked, is an error at once.
    package func waitUntilHealthy(_ members: [Int]? = nil, atMost nanoseconds: UInt64) throws(BackendError) {
        let deadline = MonotonicClock.now + nanoseconds
        var waiting = members ?? (0..<memberCount).filter { state(of: $0) == .running }
        while true {
            for member in waiting {
                if let end = process(of: member)?.unaskedEnd { throw failure(death(of: member, end)) }
            }
            waiting = waiting.filter { !isHealthy($0, until: deadline) }
            if waiting.isEmpty, leader() != nil { return }
            if MonotonicClock.now >= deadline { throw failure(waiting: waiting, after: nanoseconds) }
            // Ends at once when a member does.
            _ = process(of: waiting.first ?? 0)?.waitForEnd(atMost: LocalClusterLimits.pollTime)
        }
    }

    private func failure(waiting: [Int], after nanoseconds: UInt64) -> BackendError {
        let time = "after \(nanoseconds / 1_000_000_000) s"
        let why = waiting.first.map { "member \($0 + 1) does not serve \(time)" } ?? "it has no leader \(time)"
        return BackendError(
            .system, what: "etcd does not become healthy", location: name, why: why,
            remedy: "The machine may be too busy, or its disk too slow for so many members.")
    }

    /// The member that leads; nil while none does, or one that was paused has not learned yet that it does no more.
    package func leader() -> Int? {
        let leaders = (0..<memberCount).filter { metrics(of: $0)?.sum("etcd_server_is_leader") == 1 }
        return leaders.count == 1 ? leaders[0] : nil
    }

    /// What a member counts itself; nil if it does not run, or does not answer in time.
    package func metrics(of member: Int) -> ServerMetrics? {
        guard let response = get("/metrics", of: member), response.status == 200 else { return nil }
        return ServerMetrics(response.body)
    }

    /// Requests by method that the members took from their start on, together: what members say to each other is none.
    /// Nil if one does not answer; one that was started again counts from 0.
    package func methodCounts() -> [ServerMetrics.MethodCount]? {
        var counts: [[ServerMetrics.MethodCount]] = []
        for member in 0..<memberCount {
            guard let metrics = metrics(of: member) else { return nil }
            counts.append(metrics.methodCounts)
        }
        return ServerMetrics.total(counts)
    }

    private func isHealthy(_ member: Int, until deadline: UInt64) -> Bool {
        guard let health = get("/health", of: member, until: deadline), health.status == 200,
            Self.text("health", in: health.body) == "true",
            let answer = get("/version", of: member, until: deadline),
            let version = Self.text("etcdserver", in: answer.body),
            // Before the members have agreed on one, they refuse requests.
            let common = Self.text("etcdcluster", in: answer.body), common != "not_decided"
        else { return false }
        shared.withLock { $0.version = version }
        return true
    }

    private func get(_ path: String, of member: Int, until deadline: UInt64 = .max) -> LoopbackHTTP.Response? {
        if state(of: member) != .running { return nil }
        let port = shared.withLock { $0.members[member].clientPort }
        let limit = MonotonicClock.now + LocalClusterLimits.answerTime
        return LoopbackHTTP.get(path, port: port, until: min(deadline, limit))
    }

    private static func text(_ name: String, in json: [UInt8]) -> String? {
        (try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])?[name] as? String
    }
}

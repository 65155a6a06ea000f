import ArgumentParser
import Backends

/// What is done to a member of a local store at a time of the run: `10s kill:member=2`.
struct MemberFault: Sendable, Equatable {
    enum Action: String, Sendable, CaseIterable {
        /// Ends it at once, as a failing machine does.
        case kill
        /// Starts one again that was killed; one that runs is killed before.
        case restart
        /// Lets it stand still: it keeps its connections and answers nothing.
        case pause
        case resume
    }

    enum Target: Sendable, Equatable {
        /// From 0.
        case member(Int)
        /// The member of etcd that leads at that moment.
        case leader
    }

    /// Nanoseconds after the run's first call was due.
    var time: UInt64
    var action: Action
    var target: Target

    private static let form =
        "a fault is such as '10s kill:member=2', '20s restart:member=2' or '5s pause:member=leader'"

    /// The faults that the words stand for: two of `pause:member=1,for=3s`.
    static func faults(_ text: String) throws -> [MemberFault] {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2 else { throw ValidationError(form) }
        let time = try OptionValue.duration(String(words[0]))
        let parts = words[1].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw ValidationError(form) }
        guard let action = Action(rawValue: String(parts[0])) else {
            let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("no such fault: \(parts[0]); there are \(known)")
        }
        var target: Target?
        var length: UInt64?
        for field in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw ValidationError(form) }
            switch pair[0] {
            case "member" where target == nil: target = try Self.target(pair[1])
            case "for" where length == nil: length = try OptionValue.duration(String(pair[1]))
            default: throw ValidationError("a fault names member=, and of kill and pause for=: \(field)")
            }
        }
        guard let target else { throw ValidationError(form) }
        let fault = MemberFault(time: time, action: action, target: target)
        guard let length else { return [fault] }
        let (end, overflow) = time.addingReportingOverflow(length)
        switch action {
        case .kill where !overflow: return [fault, MemberFault(time: end, action: .restart, target: target)]
        case .pause where !overflow: return [fault, MemberFault(time: end, action: .resume, target: target)]
        default: throw ValidationError("for= goes with kill and pause: \(text)")
        }
    }

    private static func target(_ text: Substring) throws -> Target {
        if text == "leader" { return .leader }
        guard let number = Int(text), number > 0 else {
            throw ValidationError("a member is a number from 1, or leader: \(text)")
        }
        return .member(number - 1)
    }

    /// `kill:member=2`.
    var words: String {
        switch target {
        case .member(let number): "\(action.rawValue):member=\(number + 1)"
        case .leader: "\(action.rawValue):member=leader"
        }
    }

    /// Arguments in which `--at 10s kill:member=2` stands as `--at "10s kill:member=2"`, as the parser takes it.
    static func joined(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if joined.count >= 2, joined[joined.count - 2] == "--at", !(joined.last ?? "").contains(" "),
                argument.contains(":member=")
            {
                joined[joined.count - 1] += " " + argument
            } else {
                joined.append(argument)
            }
        }
        return joined
    }
}

/// The members of a store that this process started.
protocol MemberControl: Sendable {
    var memberCount: Int { get }
    /// From 0; nil while none does, or where none ever does.
    func leader() -> Int?
    func kill(_ member: Int) throws
    func restart(_ member: Int) throws
    func pause(_ member: Int) throws
    func resume(_ member: Int) throws
}

extension LocalCluster: MemberControl {}

extension BackendChoice {
    /// Members that are started for the run; nil where the store is no one's to stop.
    private var startedMembers: Int? {
        switch self {
        case .null, .remote: nil
        case .local(let options, _): options.members
        case .chain(let target, _, _): target.startedNodes
        }
    }

    /// Whether these faults can be done to the store.
    func check(_ faults: [MemberFault]) throws(Failure) {
        guard let first = faults.first else { return }
        guard let count = startedMembers else {
            throw Failure(
                .usage, "faults are for stores that are started for the run: \(first.words)",
                remedy: "Say etcd:3 or netcraq:4.")
        }
        for fault in faults {
            switch fault.target {
            case .leader where target != nil:
                throw Failure(
                    .usage, "a chain has no leader: \(fault.words)", remedy: "Its first node is member=1, the head.")
            case .member(let number) where number >= count:
                throw Failure(.usage, "there is no such member: \(fault.words): it has \(count)")
            default: break
            }
        }
    }

    /// Whether of two revisions of a key the higher one is the later.
    var revisionsAreOrdered: Bool { target?.variant.isPaper != true }
}

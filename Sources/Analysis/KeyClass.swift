/// What a key is for, as far as the papers' questions go. The first rule that matches wins.
package enum KeyClass: String, Sendable, CaseIterable {
    /// `PREFIX/health`, read by the API server's health checks, and `health`, read by etcdctl. They never exist.
    case health
    /// A single-key read of a resource's own path (`PREFIX/pods`), which holds nothing: the API server (from
    /// Kubernetes 1.31) asks for the store's revision that way.
    case revisionProbe = "rv-probe"
    case compaction
    case scheduler
    case leaderLease = "leader lease"
    case nodeLease = "node lease"
    case endpointLease = "endpoint lease"
    case otherLease = "other lease"
    case kubernetesService = "kubernetes service"
    case resource
    /// Not under the prefix.
    case foreign
}

/// A key's class, and the Kubernetes resource it belongs to.
package struct KeyIdentity: Sendable, Equatable {
    package var keyClass: KeyClass
    /// As kubectl names it (`pods`, `nodes`, `apiservices.apiregistration.k8s.io`); empty outside the prefix.
    package var resource: String

    /// What people are shown: the class where it says more than the resource.
    package var label: String {
        switch keyClass {
        case .resource: resource.isEmpty ? "-" : resource
        case .foreign: "-"
        case .revisionProbe: "rv-probe (\(resource))"
        case .health, .compaction, .scheduler, .leaderLease, .nodeLease, .endpointLease, .otherLease,
            .kubernetesService:
            keyClass.rawValue
        }
    }
}

/// Names keys of a Kubernetes API server's store; of several ones that share an etcd, too, whose keys have a number
/// behind the first segment (`/registry-3/pods`), as `kvreel generate --like` writes them.
package struct KeyClassifier: Sendable {
    private let prefix: [UInt8]

    /// `prefix`: the API server's `--etcd-prefix`, without a final slash.
    package init(prefix: String = "/registry") { self.prefix = Array(prefix.utf8) }

    /// `foundNothing`: whether the key's reads were answered, and all with "no such key".
    package func identify(_ key: [UInt8], foundNothing: Bool) -> KeyIdentity {
        identify(withoutNumber: Self.withoutNumber(key), foundNothing: foundNothing)
    }

    /// Without the `-` and digits that its first segment ends with, if it does.
    private static func withoutNumber(_ key: [UInt8]) -> [UInt8] {
        let end = key.dropFirst().firstIndex(of: UInt8(ascii: "/")) ?? key.count
        var start = end
        while start > 0, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(key[start - 1]) { start -= 1 }
        guard start < end, start > 1, key[start - 1] == UInt8(ascii: "-") else { return key }
        return Array(key[..<(start - 1)] + key[end...])
    }

    private func identify(withoutNumber key: [UInt8], foundNothing: Bool) -> KeyIdentity {
        if key == Array("health".utf8) { return KeyIdentity(keyClass: .health, resource: "") }
        if key == Array("compact_rev_key".utf8) { return KeyIdentity(keyClass: .compaction, resource: "") }
        guard key.starts(with: prefix), key.count > prefix.count + 1, key[prefix.count] == UInt8(ascii: "/") else {
            return KeyIdentity(keyClass: .foreign, resource: "")
        }
        var segments = key[(prefix.count + 1)...].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        if segments.last == "" { segments.removeLast() }
        guard let first = segments.first else { return KeyIdentity(keyClass: .foreign, resource: "") }
        if segments == ["health"] { return KeyIdentity(keyClass: .health, resource: "") }

        let (resource, name) = Self.resource(of: segments, first: first)
        if name.isEmpty, foundNothing { return KeyIdentity(keyClass: .revisionProbe, resource: resource) }
        return KeyIdentity(keyClass: Self.keyClass(resource: resource, name: name), resource: resource)
    }

    /// The resource, and what is left of the path: namespace and name. Custom resources and aggregated APIs stand
    /// under their group, which has a dot in it; services and their endpoints share a folder; nodes are `minions`.
    private static func resource(of segments: [String], first: String) -> (resource: String, name: ArraySlice<String>) {
        if first == "minions" { return ("nodes", segments.dropFirst()) }
        if first == "services", segments.count > 1 {
            switch segments[1] {
            case "specs": return ("services", segments.dropFirst(2))
            case "endpoints": return ("endpoints", segments.dropFirst(2))
            default: break
            }
        }
        if first.contains("."), segments.count > 1 { return ("\(segments[1]).\(first)", segments.dropFirst(2)) }
        return (first, segments.dropFirst())
    }

    private static func keyClass(resource: String, name: ArraySlice<String>) -> KeyClass {
        let path = name.joined(separator: "/")
        switch resource {
        case "leases":
            if path == "kube-system/kube-scheduler" { return .scheduler }
            if path.hasPrefix("kube-system/") { return .leaderLease }
            return path.hasPrefix("kube-node-lease/") ? .nodeLease : .otherLease
        case "leasecandidates":
            return path.hasPrefix("kube-system/kube-scheduler") ? .scheduler : .resource
        case "masterleases", "peerserverleases":
            return .endpointLease
        case "endpoints":
            switch path {
            case "kube-system/kube-scheduler": return .scheduler
            case "kube-system/kube-controller-manager", "kube-system/cloud-controller-manager": return .leaderLease
            case "default/kubernetes": return .kubernetesService
            default: return .resource
            }
        case "services", "endpointslices":
            return path == "default/kubernetes" ? .kubernetesService : .resource
        default:
            return .resource
        }
    }
}

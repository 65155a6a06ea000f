import Analysis
import Testing

@Suite("Key classes")
struct KeyClassTests {
    @Test(
        "a key has the class and resource of its path",
        arguments: [
            ("/registry/health", KeyClass.health, ""), ("health", .health, ""),
            ("compact_rev_key", .compaction, ""),
            ("/registry/leases/kube-system/kube-scheduler", .scheduler, "leases"),
            ("/registry/services/endpoints/kube-system/kube-scheduler", .scheduler, "endpoints"),
            ("/registry/leasecandidates/kube-system/kube-scheduler-a", .scheduler, "leasecandidates"),
            ("/registry/leases/kube-system/apiserver-abc", .leaderLease, "leases"),
            ("/registry/services/endpoints/kube-system/kube-controller-manager", .leaderLease, "endpoints"),
            ("/registry/leases/kube-node-lease/node-1", .nodeLease, "leases"),
            ("/registry/masterleases/192.0.2.2", .endpointLease, "masterleases"),
            ("/registry/peerserverleases/x", .endpointLease, "peerserverleases"),
            ("/registry/leases/default/mine", .otherLease, "leases"),
            ("/registry/services/specs/default/kubernetes", .kubernetesService, "services"),
            ("/registry/endpointslices/default/kubernetes", .kubernetesService, "endpointslices"),
            ("/registry/services/endpoints/default/kubernetes", .kubernetesService, "endpoints"),
            ("/registry/minions/node-1", .resource, "nodes"), ("/registry/pods/default/a", .resource, "pods"),
            ("/registry/pods", .resource, "pods"),
            ("/registry/apiregistration.k8s.io/apiservices/v1", .resource, "apiservices.apiregistration.k8s.io"),
            ("/registry-07/leases/kube-node-lease/node-1", .nodeLease, "leases"),
            ("/registry-7/health", .health, ""), ("compact_rev_key-7", .compaction, ""),
            ("/registry-/pods/a", .foreign, ""), ("/registry-x7/pods/a", .foreign, ""), ("-7", .foreign, ""),
            ("/registry/", .foreign, ""), ("/registryx/pods/a", .foreign, ""), ("app/1", .foreign, ""),
            ("", .foreign, ""),
        ])
    func identity(_ key: String, _ keyClass: KeyClass, _ resource: String) {
        let identity = KeyClassifier().identify(Array(key.utf8), foundNothing: false)
        #expect(identity.keyClass == keyClass && identity.resource == resource)
    }

    @Test(
        "a resource's own path that is never found is a revision probe, an object's is not",
        arguments: [
            ("/registry/pods", true), ("/registry/pods/", true), ("/registry/services/specs", true),
            ("/registry/cilium.io/ciliumnodes", true), ("/registry/minions", true), ("/registry/health", false),
            ("/registry/pods/default/gone", false), ("/registry/namespaces/kube-system", false), ("app/1", false),
        ])
    func probe(_ key: String, _ isProbe: Bool) {
        let identity = KeyClassifier().identify(Array(key.utf8), foundNothing: true)
        #expect((identity.keyClass == .revisionProbe) == isProbe)
    }

    @Test("the prefix can be another")
    func prefix() {
        let classifier = KeyClassifier(prefix: "/k3s")
        #expect(classifier.identify(Array("/k3s/pods/a/b".utf8), foundNothing: false).resource == "pods")
        #expect(classifier.identify(Array("/registry/pods/a/b".utf8), foundNothing: false).keyClass == .foreign)
    }
}

import Wire

/// Values that look like those of Kubernetes to what stores and compresses them, without being anybody's: text of
/// objects with made-up names, cut from one pool, so that a value costs a copy and nothing else.
///
/// A value begins with its 8-byte ID, big-endian, as far as its size goes; so no two with different IDs and 8 bytes or
/// more are equal. Alone, a value of 3 kB becomes 2.5 times as small by zstd, one of 6 kB 3.3 times, one of 20 kB 4.6
/// times, as objects of Kubernetes do.
package struct ValueSource: Sendable {
    private static let poolBytes = 1 << 18
    /// Twice the same, so that a piece of `poolBytes` can begin anywhere in the first half.
    private let pool: [UInt8]

    package init(seed: UInt64) {
        var numbers = SplitMix64(seed: seed)
        var text: [UInt8] = []
        while text.count < Self.poolBytes { Self.appendObject(to: &text, &numbers) }
        text.removeLast(text.count - Self.poolBytes)
        pool = text + text
    }

    /// Appends a value of that size; nothing if it is not above 0.
    package func append(_ size: Int, id: UInt64, to bytes: inout [UInt8]) {
        var left = size
        for shift in stride(from: 56, through: 0, by: -8) where left > 0 {
            bytes.append(UInt8(truncatingIfNeeded: id >> UInt64(shift)))
            left -= 1
        }
        var place = Int(truncatingIfNeeded: (id &* 0x9e37_79b9_7f4a_7c15) >> 40) % Self.poolBytes
        while left > 0 {
            let count = min(left, Self.poolBytes)
            bytes.append(copying: pool.span.extracting(place..<place + count))
            left -= count
            place = 0
        }
    }

    private static let words = [
        "api", "cache", "controller", "default", "edge", "frontend", "gateway", "ingress", "kube", "metrics", "node",
        "operator", "payments", "proxy", "queue", "registry", "scheduler", "storage", "system", "worker",
    ].map { Array($0.utf8) }

    /// Texts between which made-up ones stand: `#` hexadecimal digits of an ID, `@` a name, `%` a number.
    private static let template = Array(
        """
        {"kind":"Pod","apiVersion":"v1","metadata":{"name":"@-@-#-#","generateName":"@-@-#-","namespace":"@-@",\
        "uid":"##-#-#-#-###","resourceVersion":"%","creationTimestamp":"2024-0%-1%T1%:4%:2%Z","labels":{"app":"@",\
        "app.kubernetes.io/instance":"@-@","pod-template-hash":"##"},"annotations":{"checksum/config":"########"},\
        "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"@-@-##","uid":"##-#-#-#-###",\
        "controller":true,"blockOwnerDeletion":true}]},"spec":{"volumes":[{"name":"@-token-#","secret":\
        {"secretName":"@-token-#","defaultMode":420}}],"containers":[{"name":"@","image":"registry.example/@/@:v%.%.%",\
        "ports":[{"containerPort":%,"protocol":"TCP"}],"env":[{"name":"@","value":"@-%"},{"name":"@","value":"##"}],\
        "resources":{"limits":{"cpu":"%m","memory":"%Mi"},"requests":{"cpu":"%m","memory":"%Mi"}},\
        "terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always",\
        "nodeName":"@-node-%","serviceAccountName":"@"},"status":{"phase":"Running","hostIP":"10.%.%.%",\
        "podIP":"10.%.%.%","containerStatuses":[{"containerID":"containerd://################","ready":true}]}}
        """.utf8)

    private static func appendObject(to text: inout [UInt8], _ numbers: inout SplitMix64) {
        let digits = Array("0123456789abcdef".utf8)
        for byte in template {
            switch byte {
            case UInt8(ascii: "#"): for _ in 0..<4 { text.append(digits[numbers.below(16)]) }
            case UInt8(ascii: "@"): text.append(contentsOf: words[numbers.below(words.count)])
            case UInt8(ascii: "%"): text.append(digits[1 + numbers.below(9)])
            default: text.append(byte)
            }
        }
    }
}

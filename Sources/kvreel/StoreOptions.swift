import ArgumentParser

/// How to reach a store, in etcdctl's words.
struct StoreOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Certificates that the store's is checked by.", valueName: "file"))
    var cacert: String?

    @Option(name: .long, help: ArgumentHelp("Our certificate, for mutual TLS.", valueName: "file"))
    var cert: String?

    @Option(name: .long, help: ArgumentHelp("Its private key.", valueName: "file"))
    var key: String?

    @Option(name: .long, help: ArgumentHelp("Name to authenticate as; with --password-file.", valueName: "name"))
    var user: String?

    @Option(name: .long, help: ArgumentHelp("A file with its password, in its first line.", valueName: "file"))
    var passwordFile: String?

    @Option(
        name: .long, help: ArgumentHelp("For connecting (default: 5s).", valueName: "time"),
        transform: OptionValue.duration)
    var dialTimeout: UInt64?

    @Option(
        name: .long, help: ArgumentHelp("For each call (default: 30s).", valueName: "time"),
        transform: OptionValue.duration)
    var commandTimeout: UInt64?

    @Option(name: .long, help: ArgumentHelp("etcd:N: the program (default: etcd in PATH).", valueName: "path"))
    var etcd: String?

    func validate() throws {
        if (cert == nil) != (key == nil) { throw ValidationError("--cert and --key belong together") }
        if (user == nil) != (passwordFile == nil) {
            throw ValidationError("--user and --password-file belong together")
        }
    }

    /// Options that only a client over the network has a use for.
    var namesForClients: [String] {
        [
            ("--cacert", cacert), ("--cert", cert), ("--key", key), ("--user", user),
            ("--password-file", passwordFile),
        ].compactMap { $1 == nil ? nil : $0 }
    }
}

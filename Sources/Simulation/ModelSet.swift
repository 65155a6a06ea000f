/// Sets of numbers for a network of switches and clients, each with its reason. They say how long things take; what
/// goes wrong is a `FaultPlan`'s matter.
package enum ModelSet: String, CaseIterable, Sendable {
    /// NetChain's testbed: programmable switches, clients that bypass the kernel.
    case hardwareSwitch = "hardware-switch"
    /// Switches as processes on servers of one rack, as `kvreel serve` runs them.
    case softwareSwitch = "software-switch"
    /// BMv2 switches and load generators on one machine of four cores: where NetCRAQ was measured.
    case sharedHost = "shared-host"

    package var network: NetworkModel {
        switch self {
        case .hardwareSwitch: Self.hardware
        case .softwareSwitch: Self.software
        case .sharedHost: Self.host
        }
    }

    private static var hardware: NetworkModel {
        NetworkModel(
            topology: .direct,
            // A switch's pipeline takes below a microsecond, some metres of cable 10 ns; NSDI 2018 §8.1 has 9.7 us a
            // query, most of it in the client's host, so 4 us each way here. 40 Gbit/s ports: 200 ps a byte.
            link: LinkModel(delay: 4_000, jitter: 500, perByte: 200),
            // One pipeline of a Tofino takes a packet a clock cycle of about a nanosecond, whatever its size; its
            // buffers, of 22 MB, hold more small packets than these runs have.
            switchService: ServiceModel(perPacket: 1, perByte: 0, queueLimit: 65_536),
            // 20.5 million queries a second from one server (NSDI 2018 §8.1): 49 ns each; 4096 is a usual receive ring.
            clientService: ServiceModel(perPacket: 49, perByte: 0, queueLimit: 4096))
    }

    private static var software: NetworkModel {
        NetworkModel(
            topology: .direct,
            // From process to process through two kernels and a top-of-rack switch: about 15 us on 10 Gbit/s Ethernet,
            // 800 ps a byte; interrupts and schedulers add up to as much again.
            link: LinkModel(delay: 15_000, jitter: 15_000, perByte: 800),
            // A batched receive and a batched send cost about 0.6 us each for a small datagram, the machine 0.2 us, a
            // copied byte 0.1 ns each way. A default socket buffer of 208 KiB holds 256 of them, at 832 bytes each.
            switchService: ServiceModel(perPacket: 1_400, perByte: 200, queueLimit: SimulationLimits.queuedPackets),
            clientService: ServiceModel(perPacket: 1_400, perByte: 200, queueLimit: SimulationLimits.queuedPackets))
    }

    private static var host: NetworkModel {
        NetworkModel(
            topology: .direct,
            // A pair of virtual Ethernet devices is a function call and a softirq.
            link: LinkModel(delay: 20_000, jitter: 20_000),
            // BMv2 takes about 80 000 small packets a second on a core: 12.5 us for NetCRAQ's 22 bytes. Of them 252
            // bytes' worth are each packet's and the rest its bytes', by the model that the published ratios calibrate
            // (`PublishedModel`): 45.6 ns a byte. BMv2's input buffer holds 1024 packets.
            switchService: ServiceModel(perPacket: 11_500, perByte: 45_600, queueLimit: 1024),
            // Load generators in an interpreted language, with raw sockets.
            clientService: ServiceModel(perPacket: 30_000, perByte: 0, queueLimit: SimulationLimits.queuedPackets),
            // Switches and generators share the i7-4790's four cores.
            processors: 4)
    }
}

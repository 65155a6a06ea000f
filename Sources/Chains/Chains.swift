// Chains: NetChain and NetCRAQ as pure machines: wire formats, switches, control plane, client.
//
// In     datagrams of clients and of other switches, control messages, a time; never a socket
// Out    datagrams, appended to an Outbox of the caller; control messages; counters
// Meet   SwitchMachine, Outbox, Endpoint, FabricFrame, SwitchCounters; for the default variants ReplicaMachine,
//        Controller, ChainClient, ControlMessage, and ControlFrame with ControlFrameReader for streams; for the paper
//        ones PaperControl, PaperClient
// Holds  per key and per client slot what its protocol needs; bounds and reasons in types named ...Limits
// Rules  a datagram that is not well formed is counted and changes nothing; NSDI 2018 is NetChain, the paper on
//        scalable data plane caching is NetCRAQ, USENIX ATC 2009 is CRAQ

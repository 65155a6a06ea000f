// ChainRuntime: the switches, controller and client of Chains on UDP sockets, threads and processes.
//
// In     datagrams at a request and a fabric port of each node; requests of a client; frames of the control interface;
//        the monotonic clock
// Out    datagrams, frames, statistics, the controller's events
// Meet   LocalChain, NodeThread, NodeProcess with NodeChild as its other side, ControlServer, ChainConnection;
//        LocalPaperChain, PaperConnection; SystemCalls for what the system does
// Holds  one batch of datagrams a node; what waits for a thread, in its Mailbox; what waits for a stream, up to
//        ControlStreamLimits
// Rules  a datagram is answered to its source alone; whatever is not handed to a machine is counted in NodeStatistics,
//        whatever stream is closed in ControlCounts; processes are started by a thread that outlives them

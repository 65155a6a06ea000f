// ChainRuntime: the switches, controller and client of Chains on UDP sockets and threads.
//
// In     datagrams at a request and a fabric port of each node; requests of a client; the monotonic clock
// Out    datagrams, statistics, the controller's events
// Meet   LocalChain, NodeThread, ChainConnection; LocalPaperChain, PaperConnection; Datagrams for what the system does
// Holds  one batch of datagrams a node; what waits for a thread, in its Mailbox
// Rules  a datagram is answered to its source alone; whatever is not handed to a machine is counted in NodeStatistics

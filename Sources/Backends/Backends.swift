// Backends: the stores that a replay runs on, with their sockets, clocks, threads and processes.
//
// In     names of stores as people write them; StoreRequests of a StoreDriver
// Out    StoreAnswers with their times; BackendErrors with a remedy; what the store counts itself
// Meet   EtcdBackend (EtcdOptions, EtcdConnection), LocalCluster, NullBackend, ServerMetrics, LargePages
// Holds  members of a local cluster as processes that end with this one; bounds in LocalClusterLimits;
// connections with their calls, bounds in EtcdClientLimits and HTTP2's ClientLimits
// Rules  what a Backend owes its driver stands with the protocol, in Replay

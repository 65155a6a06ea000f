// Simulation: the machines of Chains in a world of discrete events, made from a seed.
//
// In     a seed, a topology, faults, clients' habits
// Out    a history for Consistency, counters, a log of events; the same bytes for the same seed and commit
// Rules  pure; no set or dictionary decides an order

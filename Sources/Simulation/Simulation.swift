// Simulation: the machines of Chains in a world of discrete events, made from a seed.
//
// In     options and a seed; or what a load of clients asks of published switches
// Out    SimulationResult: a history, judged by Consistency, counters, latencies, a log of events; LoadResult: rates
// Meet   Simulator, SimulationOptions, FaultPlan; Network for the world itself; PublishedFigures for the papers' ratios
// Holds  packets on their way, events to come, the history; bounds and reasons in SimulationLimits
// Rules  pure; the same options and seed give the same bytes; no set or dictionary decides an order

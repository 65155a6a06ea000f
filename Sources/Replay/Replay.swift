// Replay: a recorded workload made ready, and played on another store in its order and at its times.
//
// In     OperationBatches of a trace; answers of the store with their times
// Out    StoreRequests, each when it is due and all that it waits for was answered; measurements, outcomes, a verdict
// Meet   ReplayPlan, PlanBuilder, Schedule, ReplayEngine; for shards Shard, ShardGate; for stores Backend,
//        StoreRequest, StoreAnswer
// Holds  the whole plan in flat arrays; bounds and reasons in PlanLimits
// Parts  a plan may be cut into Shards, for engines on several machines: PlanBuilder.finish(shard:), PlannedShard
// Rules  what waits for what, and where numbers come from: docs/replay.md

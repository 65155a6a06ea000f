// Consistency: whether a history of operations on registers is linearizable.
//
// In     histories: operations with the interval from call to return, per key; those without return too
// Out    a verdict for each key and for all: linearizable, violation, unknown; the smallest failing history
// Meet   History, HistoryOperation, HistoryCheck; HistoryParser and HistoryWriter for JSON Lines, HistoryDrawing
// Holds  the history, and for one key at a time what ZoneCheck, OrderSearch, FrontierCheck or VersionCheck need; bounds
//        and reasons in ConsistencyLimits
// Rules  pure; keys are judged one by one, since linearizability is local (Herlihy and Wing 1990, theorem 1)

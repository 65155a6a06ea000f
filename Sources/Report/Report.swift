// Report: replays side by side, as text, Markdown or JSON.
//
// In     the batches of traces that are replays, and what those traces say of themselves
// Out    RunComparison: tables with a column a run, or the repeats of one
// Meet   RunSummary (one run, added up batch by batch), RunCounts (the numbers behind its words), RunShards
//        (shards made one run), RunIdentity (what makes runs repeats), Spread, RunComparison
// Holds  four distributions a run, whatever the trace's length
// Rules  what each time means: docs/measuring.md; what is told of repeated runs, and the JSON: docs/report.md

// Report: replays side by side, as text or Markdown.
//
// In     the batches of traces that are replays, and what those traces say of themselves
// Out    RunComparison: a table with a column a run
// Meet   RunSummary (one run, added up batch by batch), RunComparison
// Holds  four distributions a run, whatever the trace's length
// Rules  what each time means: docs/measuring.md

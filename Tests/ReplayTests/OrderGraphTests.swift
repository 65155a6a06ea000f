import Replay
import Testing

@Suite("Order graph")
struct OrderGraphTests {
    @Test("each node knows how many it waits for, and who waits for it, in the order of the edges")
    func adjacency() {
        let graph = OrderGraph(
            nodeCount: 4,
            edges: [(before: 0, after: 2), (before: 1, after: 2), (before: 0, after: 3), (before: 0, after: 1)])
        #expect(graph.waits == [0, 1, 2, 1])
        #expect(graph.successors[Int(graph.starts[0])..<Int(graph.starts[1])] == [2, 3, 1])
        #expect(graph.successors[Int(graph.starts[1])..<Int(graph.starts[2])] == [2])
        #expect(graph.starts[3] == graph.starts[4])
    }
}

/// One of the parts in which several engines, each on a machine of its own, replay one plan on one store.
package struct Shard: Sendable, Equatable {
    /// From 1 to `count`.
    package let index: Int
    package let count: Int

    /// As many machines as anybody has for one store.
    package static let countLimit = 1024

    /// Nil unless `count` is from 1 to `countLimit` and `index` from 1 to `count`.
    package init?(_ index: Int, of count: Int) {
        guard (1...Self.countLimit).contains(count), (1...count).contains(index) else { return nil }
        self.index = index
        self.count = count
    }

    /// `2/4`.
    package var text: String { "\(index)/\(count)" }

    /// Its part of a number that all shards share: the parts add up, and differ by one at most.
    package func share(of number: Int) -> Int { number / count + (index <= number % count ? 1 : 0) }
}

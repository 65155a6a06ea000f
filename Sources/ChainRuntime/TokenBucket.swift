/// Lets through so many packets a second, and a short burst: the capacity of a switch that this one stands for.
package struct TokenBucket: Sendable {
    /// Packets a second.
    package let rate: Int
    /// Most tokens that are saved up: those of ten milliseconds, and one.
    package let burst: Int
    private var tokens: Int
    private var filledAt: UInt64

    /// Full at `now`. `rate` is 1 to a billion; what is beyond is taken as the nearer of both.
    package init(rate: Int, at now: UInt64) {
        self.rate = min(max(rate, 1), 1_000_000_000)
        burst = 1 + self.rate / 100
        tokens = burst
        filledAt = now
    }

    /// How many of `count` packets at `now` may pass.
    package mutating func take(_ count: Int, at now: UInt64) -> Int {
        if now > filledAt {
            // Beyond a second the bucket is full whatever its rate, so the product stays small.
            let elapsed = min(now - filledAt, 1_000_000_000)
            let gained = elapsed * UInt64(rate) / 1_000_000_000
            if tokens + Int(gained) >= burst {
                tokens = burst
                filledAt = now
            } else {
                tokens += Int(gained)
                // What is left of a token goes on counting.
                filledAt += gained * 1_000_000_000 / UInt64(rate)
            }
        }
        let taken = min(max(count, 0), tokens)
        tokens -= taken
        return taken
    }
}

import ChainRuntime
import Testing

@Suite("A node's limit of packets a second")
struct TokenBucketTests {
    @Test("over a long time the rate passes, and a burst beside it", arguments: [1, 7, 333, 100_000, 999_999_999])
    func rate(_ rate: Int) {
        var bucket = TokenBucket(rate: rate, at: 5)
        var passed = 0
        // Odd steps, so that rounding would add up.
        var now: UInt64 = 5
        while now < 10_000_000_000 {
            passed += bucket.take(.max, at: now)
            now += 999_983
        }
        let exact = Double(rate) * 10
        #expect(Double(passed) <= exact + Double(bucket.burst))
        #expect(Double(passed) >= (exact - 2) * 0.999)
    }

    @Test("what was saved up ends at the burst")
    func burst() {
        var bucket = TokenBucket(rate: 1000, at: 0)
        #expect(bucket.take(100, at: 0) == 11)
        #expect(bucket.take(100, at: 0) == 0)
        #expect(bucket.take(100, at: 2_000_000) == 2)
        #expect(bucket.take(100, at: 3_600_000_000_000) == 11)
    }

    @Test("a clock that seems to go back gives nothing")
    func clock() {
        var bucket = TokenBucket(rate: 1000, at: 1_000_000_000)
        #expect(bucket.take(11, at: 1_000_000_000) == 11)
        #expect(bucket.take(1, at: 0) == 0)
    }
}

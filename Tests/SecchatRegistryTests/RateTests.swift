import Testing

@testable import SecchatRegistry

@Suite struct RateTests {
  @Test func aBucketGivesItsBurstAndThenItsRate() {
    let rate = Rate(2, per: 1_000, burst: 3)
    var bucket = TokenBucket(full: rate, now: 0)
    for _ in 0..<3 { #expect(bucket.take(rate, now: 0) == nil) }
    #expect(bucket.take(rate, now: 0) == 501)
    #expect(bucket.take(rate, now: 499) != nil)
    #expect(bucket.take(rate, now: 500) == nil)
    #expect(bucket.take(rate, now: 500) != nil)
    for _ in 0..<3 { #expect(bucket.take(rate, now: 1_000_000) == nil) }
    #expect(bucket.take(rate, now: 1_000_000) != nil)
  }

  @Test func whatCostsMoreTakesMore() {
    let rate = Rate(2, per: 1_000, burst: 5)
    var bucket = TokenBucket(full: rate, now: 0)
    #expect(bucket.take(rate, cost: 3, now: 0) == nil)
    // Two are left; waiting for more takes none of them.
    #expect(bucket.take(rate, cost: 4, now: 0) == 1_001)
    #expect(bucket.take(rate, cost: 2, now: 0) == nil)
    #expect(bucket.take(rate, now: 0) != nil)
    // What costs more than a burst has to wait for a whole one.
    #expect(bucket.take(rate, cost: 1_000, now: 2_400) != nil)
    #expect(bucket.take(rate, cost: 1_000, now: 2_500) == nil)
    #expect(bucket.take(rate, now: 2_500) != nil)
  }

  @Test func aClockThatGoesBackGivesNothing() {
    let rate = Rate(1, per: 1_000)
    var bucket = TokenBucket(full: rate, now: 5_000)
    #expect(bucket.take(rate, now: 5_000) == nil)
    #expect(bucket.take(rate, now: 0) != nil)
    #expect(bucket.take(rate, now: 5_500) != nil)
    #expect(bucket.take(rate, now: 6_000) == nil)
  }

  @Test func theTableIsBoundedAndForgetsWhatIsFullFirst() {
    var limiter = RateLimiter<Int>(Rate(1, per: 1_000), capacity: 64)
    #expect(limiter.take(-1, now: 10_000) == nil)
    for key in 0..<63 { #expect(limiter.take(key, now: 0) == nil) }
    #expect(limiter.count == 64)
    // All but the first have filled up again.
    #expect(limiter.take(100, now: 10_001) == nil)
    #expect(limiter.count == 2)
    #expect(limiter.take(-1, now: 10_001) != nil)
    for key in 200..<10_000 {
      _ = limiter.take(key, now: 10_001)
      #expect(limiter.count <= 64)
    }
  }

  @Test func whatIsGivenBackMayBeTakenAgain() {
    var limiter = RateLimiter<Int>(Rate(1, per: 1_000))
    #expect(limiter.take(1, now: 0) == nil)
    limiter.refund(1)
    #expect(limiter.take(1, now: 0) == nil)
    #expect(limiter.take(1, now: 0) != nil)
  }

  @Test func theCacheIsBoundedAndKeepsWhatIsUsed() {
    var cache = GenerationCache<Int, Int>(capacity: 10)
    cache[0] = 0
    for key in 1..<1_000 {
      cache[key] = key
      #expect(cache[0] == 0)
      #expect(cache.count <= 10)
    }
    #expect(cache[999] == 999)
    #expect(cache[1] == nil)
    cache[0] = 7
    #expect(cache[0] == 7)
    cache[0] = nil
    #expect(cache[0] == nil)
  }
}

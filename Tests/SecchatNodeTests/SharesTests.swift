import SecchatCore
import SecchatCrypto
import SecchatNet
import Testing

@testable import SecchatNode

/// What is remembered or allowed for each of many, so that none takes it from the others.
@Suite struct SharesTests {
  private func address(_ text: String) throws -> SocketAddress.RateKey {
    try #require(SocketAddress(text)).rateKey
  }

  private func account(_ number: Int) throws -> Account {
    Account(name: try #require(UserName("user\(number)")), registry: try LinkKeyPair.random().publicKey)
  }

  @Test func oneHostsStrangersLeaveRoomForOthers() throws {
    var strangers = StrangerAllowance()
    let now = Instant.now
    func asks(_ text: String, at time: Instant) throws -> Bool {
      let isAllowed = strangers.begin(from: try address(text), at: time)
      if isAllowed { strangers.end() }
      return isAllowed
    }
    for _ in 0..<6 { #expect(try asks("192.0.2.1:1000", at: now)) }
    for port in 1...100 { #expect(try !asks("192.0.2.1:\(port)", at: now)) }
    #expect(try asks("192.0.2.2:1000", at: now))
    // A /64 counts as one.
    for n in 1...6 { #expect(try asks("[2001:db8::\(n)]:1", at: now)) }
    #expect(try !asks("[2001:db8::ffff]:1", at: now))
    #expect(try asks("[2001:db8:0:1::1]:1", at: now))
    // All together have a bound too, and a minute later everybody has a new share.
    let more = try (1...100).count { try asks("198.51.100.\($0):1", at: now) }
    #expect(more == 60 - 14)
    #expect(try asks("192.0.2.1:1000", at: now + 60_000))
  }
}

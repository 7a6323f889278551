import SecchatNet
import Testing

@Suite struct AddressTests {
  @Test(arguments: [
    ("192.0.2.1:80", "192.0.2.1:80"), ("[2001:DB8::1]:443", "[2001:db8::1]:443"), ("[::]:0", "[::]:0"),
    ("[::ffff:10.0.0.1]:5", "10.0.0.1:5"), ("0.0.0.0:65535", "0.0.0.0:65535"),
  ])
  func reads(text: String, canonical: String) throws {
    let address = try #require(SocketAddress(text))
    #expect(address.description == canonical)
    #expect(SocketAddress(canonical) == address)
  }

  @Test(arguments: [
    "", ":80", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:+1", "192.0.2.1: 1",
    "::1:80", "[::1]", "[::1]80", "[192.0.2.1]:80", "192.0.2.256:1", "name:80", "[::1:80",
    "192.0.2.1:8\u{0660}",
    "1:2:3",
  ])
  func refuses(text: String) { #expect(SocketAddress(text) == nil) }

  @Test func splitsNames() throws {
    let name = try #require(SocketAddress.split("chat.example.org:4000"))
    #expect(name == ("chat.example.org", 4000))
    let v6 = try #require(SocketAddress.split("[::1]:4000"))
    #expect(v6 == ("::1", 4000))
    #expect(SocketAddress("127.0.0.1\0x:1") == nil)
    #expect(SocketAddress.split("::1:4000") == nil)
    #expect(SocketAddress.split(String(repeating: "a", count: 300) + ":1") == nil)
  }

  @Test func rateKeys() throws {
    func key(_ text: String) throws -> SocketAddress.RateKey { try #require(SocketAddress(text)).rateKey }
    #expect(try key("192.0.2.1:1") == key("192.0.2.1:2"))
    #expect(try key("192.0.2.1:1") == key("[::ffff:192.0.2.1]:1"))
    #expect(try key("192.0.2.1:1") != key("192.0.2.2:1"))
    #expect(try key("[2001:db8:0:1::1]:1") == key("[2001:db8:0:1:ffff::2]:9"))
    #expect(try key("[2001:db8:0:1::1]:1") != key("[2001:db8:0:2::1]:1"))
    #expect(try key("[::1]:1") != key("0.0.0.0:1"))
  }

  @Test func kinds() throws {
    #expect(try #require(SocketAddress("127.1.2.3:1")).isLoopback)
    #expect(try #require(SocketAddress("[::1]:1")).isLoopback)
    #expect(try !#require(SocketAddress("128.0.0.1:1")).isLoopback)
    #expect(try #require(SocketAddress("0.0.0.0:1")).isUnspecified)
    #expect(try #require(SocketAddress("[::]:1")).isUnspecified)
    #expect(try #require(SocketAddress("[::1]:1")).with(port: 9).description == "[::1]:9")
  }

  @Test func ownAddresses() {
    let addresses = interfaceAddresses()
    #expect(addresses.contains { $0.isLoopback })
    let firstLoopback = addresses.firstIndex { $0.isLoopback } ?? 0
    #expect(addresses[firstLoopback...].allSatisfy { $0.isLoopback })
  }

  @Test func errorsSpeakToPeople() {
    for error: NetError in [.closed, .reset, .timedOut, .refused, .overflow, .system(5)] {
      #expect(!error.description.isEmpty)
    }
    #expect(NetError.system(5) != .system(6))
  }
}

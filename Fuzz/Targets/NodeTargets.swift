internal import FoundationEssentials
internal import SecchatNode

extension FuzzTarget {
  static let node: [FuzzTarget] = [
    FuzzTarget("event", texts: events.map(\.line)) { text in
      guard let event = Event(line: text) else { return .refused }
      return .same(Event(line: event.line), as: event)
    },
    FuzzTarget("request", seeds: requests.compactMap { try? encode($0) }) { bytes in
      guard let request = try? decode(bytes) else { return .refused }
      guard let written = try? encode(request) else { return .broken("what was read cannot be written") }
      return .same(try? decode(written), as: request)
    },
  ]

  private static func encode(_ request: Request) throws -> [UInt8] {
    [UInt8](try JSONEncoder().encode(request))
  }

  private static func decode(_ bytes: [UInt8]) throws -> Request {
    try JSONDecoder().decode(Request.self, from: Data(bytes))
  }

  private static let events: [Event] = [
    .identity(.init(key: "secchat-pub-1abc", fingerprint: "aaaa-bbbb")),
    .sent(.init(id: "00", to: "bob", state: "delivered")),
    .message(
      .init(
        id: "00", from: "bob", to: "alice", text: "hi \"\\\u{1F44B}", time: 1_700_000_000.5, verified: true)),
    .progress(.init(id: "00", to: "bob", name: "a", bytes: .max, total: 2, seconds: 0.25)),
    .transfer(
      .init(
        id: "00", direction: "in", user: "bob", name: "a", items: 1, bytes: 1, total: .max, state: "paused")),
    .keyChange(.init(user: "bob", old: "a", new: "b", verdict: "unexplained")),
    .error(.init(code: .untrusted, message: "no", hint: "")),
  ]

  private static let requests: [Request] = [
    .list, .lookup(user: "bob"), .chat(user: "bob", id: "00", text: "hi", timeout: 10.5),
    .send(user: "bob", paths: ["/a", "/b"], limitRate: 5, checksum: true), .answer(id: "00", accept: false),
    .transfers, .transfer(id: "00", action: .pause),
  ]
}

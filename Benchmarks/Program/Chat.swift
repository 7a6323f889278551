import SecchatCrypto
import SecchatNet
import SecchatNode

/// Messages to a user who is online, each confirmed: one at a time (`--window 1`) or so many under way.
///
/// The profile's node runs in this process, as it does for `secchat chat`; the other side is any node.
@LoopActor func chat(_ options: Options) async throws {
  let user = try options.text("user")
  let window = options.count("window", or: 1)
  let total = options.count("count", or: 10_000)
  let text = String(repeating: "x", count: options.count("size", or: 64))
  let node = try await open(options)
  let conversation = Conversation(node, user, text)
  // The first makes the connection.
  try await conversation.send(100)
  if window == 1 {
    let durations = Box<[Double]>([])
    // A task of the loop, as those of the node are.
    try await inLanes(1) { _ in
      for _ in 0..<total {
        let begun = now()
        try await conversation.send(1)
        durations.value.append(now() - begun)
      }
    }
    report("chat_rtt", durations: durations.value)
  } else {
    let begun = now()
    try await inLanes(window) { _ in try await conversation.send(total / window) }
    report("chat_pipelined", Double(total / window * window) / (now() - begun), "msgs/s")
  }
  await node.finish()
}

@LoopActor private func open(_ options: Options) async throws -> NodeConnection {
  let passphrase = try passphrase(options)
  return try await NodeConnection.open(
    home: options.text("home"), passphrase: .given(Passphrase(passphrase.raw)))
}

/// The first line of `--passphrase-file`.
func passphrase(_ options: Options) throws -> [UInt8] {
  Array(try contents(of: options.text("passphrase-file")).prefix { $0 != 0x0a })
}

@LoopActor private final class Conversation {
  private let node: NodeConnection
  private let user: String
  private let text: String

  init(_ node: NodeConnection, _ user: String, _ text: String) {
    self.node = node
    self.user = user
    self.text = text
  }

  /// Sends so many, one after the other.
  func send(_ count: Int) async throws {
    for _ in 0..<count {
      let id: FixedBytes<16> = Random.bytes()
      let request = Request.chat(user: user, id: Hex.encode(id.array), text: text, timeout: 60)
      let status = await node.perform(request) { _ in }
      guard status == .done else { throw Trouble("a message was not confirmed: \(status)") }
    }
  }
}

import SecchatNode
import SecchatTerminal

/// What commands work with: the profile, its node once it is needed, and where results go.
final class Session: Sendable {
  let home: String
  let output: Output
  let passphrase: PassphraseInput
  /// The shell around the command, where what happens is shown anyway: an answer need not repeat it.
  private let shell: ShellState?
  private let opened: Locked<NodeConnection?>

  init(home: String, output: Output, passphrase: PassphraseInput) {
    self.home = home
    shell = nil
    self.output = output
    self.passphrase = passphrase
    opened = Locked(nil)
  }

  /// The same profile, in a shell.
  init(_ session: Session, in shell: ShellState, _ output: Output, _ connection: NodeConnection) {
    home = session.home
    passphrase = session.passphrase
    self.output = output
    self.shell = shell
    opened = Locked(connection)
  }

  var isInShell: Bool { shell != nil }

  /// From now on this is the profile's node.
  func use(_ connection: NodeConnection) { opened.withLock { $0 = connection } }

  /// The profile's node; opened by the first who asks.
  func connection() async throws(NodeError) -> NodeConnection {
    if let connection = opened.withLock({ $0 }) { return connection }
    let connection = try await NodeConnection.open(home: home, passphrase: await passphrase.source())
    opened.withLock { $0 = connection }
    return connection
  }

  /// Has the passphrase given or asked for, whatever node runs: for what must not be had by whoever sits down here.
  func confirmPassphrase() async throws(NodeError) {
    try await NodeConnection.check(home: home, passphrase: await passphrase.source())
  }

  /// Asks the node and shows what it answers.
  func perform(_ request: Request) async throws(NodeError) -> ExitStatus {
    let output = output
    return try await perform(request) { output.show($0) }
  }

  /// Asks the node.
  func perform(
    _ request: Request, onEvent: @escaping @Sendable (Event) -> Void
  ) async throws(NodeError) -> ExitStatus {
    guard let shell else { return try await performAlone(request, onEvent: onEvent) }
    return await (try connection()).perform(request) { event in
      switch event {
      case .keyChange: return
      case .peer, .registered, .status: _ = shell.note(event)
      default: break
      }
      onEvent(event)
    }
  }

  /// How often a node that ends before it has said a word is replaced.
  private static let attempts = 5

  /// Another command's node may end just as this one asks it. Then the request goes to the next node: a message is
  /// not sent twice, for it keeps its id.
  private func performAlone(
    _ request: Request, onEvent: @escaping @Sendable (Event) -> Void
  ) async throws(NodeError) -> ExitStatus {
    let isSilent = Locked(true)
    for attempt in 1... {
      let status = try await connection().performIfThere(request) { event in
        isSilent.withLock { $0 = false }
        onEvent(event)
      }
      if let status { return status }
      guard isSilent.withLock({ $0 }), attempt < Self.attempts else { break }
      opened.withLock { $0 = nil }
    }
    throw NodeConnection.ended
  }

  /// Lets go of the node.
  func close() async {
    let connection = opened.withLock { opened in
      defer { opened = nil }
      return opened
    }
    await connection?.finish()
  }
}

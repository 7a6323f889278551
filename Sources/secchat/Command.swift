import SecchatArguments
import SecchatNode

/// One command: what it takes, and what it does.
struct Command: Sendable {
  typealias Run = @Sendable (Session, ParsedArguments) async throws(NodeError) -> ExitStatus

  let spec: CommandSpec
  /// Whether the node that it runs ends at signals by itself.
  let handlesSignals: Bool
  let run: Run

  init(_ spec: CommandSpec, handlesSignals: Bool = false, run: @escaping Run) {
    self.spec = spec
    self.handlesSignals = handlesSignals
    self.run = run
  }

  /// In the order that help shows them.
  static let all: [Command] = [
    .keygen, .keyShow, .keyPasswd, .register, .login, .daemon, .list, .lookup, .chat, .history, .outbox,
    .send, .transfers, .verify, .trust, .logout, .completion, .man,
  ]

  static func named(_ name: String?) -> Command? { all.first { $0.spec.name == name } }
}

extension NodeError {
  init(_ error: UsageError) { self.init(.usage, error.message, hint: error.hint) }
}

/// Runs what may find the command line at fault, among what fails otherwise.
func checked<Value>(_ body: () throws(UsageError) -> Value) throws(NodeError) -> Value {
  do { return try body() } catch { throw NodeError(error) }
}

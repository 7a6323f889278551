import SecchatArguments
import SecchatNode
import SecchatTerminal
import Synchronization

/// Where the passphrase of the profile comes from: never from an argument.
struct PassphraseInput: Sendable {
  private enum Origin: Sendable {
    case file(String)
    case descriptor(Int32)
    case prompt
  }

  private let origin: Origin
  private let home: String

  /// - Parameter arguments: with the global options.
  init(
    _ arguments: ParsedArguments, home: String, environment: (String) -> String? = { environmentVariable($0) }
  ) throws(NodeError) {
    self.home = home
    let file = arguments.value("passphrase-file")
    let descriptor = try checked { () throws(UsageError) in
      try arguments.value("passphrase-fd", as: .integer(in: 0...1_048_576))
    }
    if file != nil, descriptor != nil {
      throw NodeError(
        .usage, "--passphrase-file and --passphrase-fd exclude each other", hint: "leave one of them out")
    }
    if let file {
      origin = .file(file)
    } else if let descriptor {
      origin = .descriptor(Int32(descriptor))
    } else if let file = environment("SECCHAT_PASSPHRASE_FILE"), !file.isEmpty {
      origin = .file(file)
    } else {
      origin = .prompt
    }
  }

  /// The passphrase of the key file that is there: read now where it was given, asked for only when needed.
  func source() async throws(NodeError) -> PassphraseSource {
    if let read = reader() { return .given(try await onOwnThread(read).get()) }
    let home = home
    let wasAsked = Atomic(false)
    return .ask { () async throws(NodeError) -> Passphrase in
      let isFirst = !wasAsked.exchange(true, ordering: .relaxed)
      let prompt: SafeText =
        isFirst ? "Passphrase for \(name: home): " : "That is wrong. Passphrase for \(name: home): "
      return try await onOwnThread {
        Self.input(hint: Self.otherWays, status: .authentication) { () throws(InputError) in
          try PassphrasePrompt().ask(prompt)
        }
      }.get()
    }
  }

  /// A passphrase for a new key file, asked for twice.
  func create() async throws(NodeError) -> Passphrase {
    if let read = reader() { return try await onOwnThread(read).get() }
    return try await onOwnThread {
      Self.input(hint: Self.otherWays, status: .usage) { () throws(InputError) in
        try PassphrasePrompt().create("New passphrase: ", again: "The same again: ")
      }
    }.get()
  }

  /// Another passphrase for the key file that is there: from a file, or asked for twice.
  func replacement(file: String?) async throws(NodeError) -> Passphrase {
    if let file {
      return try await onOwnThread {
        Self.input(hint: "", status: .usage) { () throws(InputError) in try SecretInput.read(file: file) }
      }.get()
    }
    return try await onOwnThread {
      Self.input(hint: "use --new-passphrase-file FILE", status: .usage) { () throws(InputError) in
        try PassphrasePrompt().create("New passphrase: ", again: "The same again: ")
      }
    }.get()
  }

  private static let otherWays = "use --passphrase-file FILE or SECCHAT_PASSPHRASE_FILE"

  private func reader() -> (@Sendable () -> Result<Passphrase, NodeError>)? {
    switch origin {
    case .file(let path):
      return {
        Self.input(hint: "", status: .usage) { () throws(InputError) in try SecretInput.read(file: path) }
      }
    case .descriptor(let number):
      return {
        Self.input(hint: "", status: .usage) { () throws(InputError) in
          try SecretInput.read(descriptor: number)
        }
      }
    case .prompt: return nil
    }
  }

  private static func input(
    hint: String, status: ExitStatus, _ body: () throws(InputError) -> SecretInput
  ) -> Result<Passphrase, NodeError> {
    do {
      let secret = try body()
      return .success(Passphrase(secret.bytes))
    } catch {
      return .failure(error.asNodeError(hint: hint, status: status))
    }
  }
}

extension InputError {
  /// - Parameter status: where there is nobody to ask.
  func asNodeError(hint: String, status: ExitStatus) -> NodeError {
    switch self {
    case .noTerminal: NodeError(status, "there is no terminal to ask for the passphrase on", hint: hint)
    case .mismatch: NodeError(.usage, "the two passphrases are not the same", hint: "try again")
    case .tooLong:
      NodeError(
        .usage, "the passphrase is too long",
        hint: "\(SecretInput.maximumBytes) bytes are the most it may have")
    case .empty: NodeError(.usage, "the passphrase is empty", hint: "choose one that is not")
    case .endOfInput: NodeError(.usage, "no passphrase was given", hint: "it is the first line of the input")
    case .interrupted: NodeError(.usage, "interrupted", hint: "")
    case .unreadable(let name, let number):
      NodeError(.usage, "the passphrase cannot be read from \(name)", hint: systemMessage(number))
    }
  }
}

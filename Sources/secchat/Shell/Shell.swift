import Glibc
import SecchatArguments
import SecchatNode
import SecchatTerminal

/// Reads commands, line by line, and shows what happens meanwhile.
final class Shell: Sendable {
  let state = ShellState()
  private let profile: Session
  private let output: Output
  private let queue = JobQueue()
  private let editor = Locked<LineEditor?>(nil)
  private let ended = Locked<ExitStatus?>(nil)
  /// How many log-ins are under way; one is to come when the shell opens.
  private let logins = Locked(1)
  private let withheld = Locked<Event?>(nil)
  private let marks = ReadMarks()

  /// - Parameter profile: the session of the command that opens the shell.
  init(_ profile: Session) {
    self.profile = profile
    output = profile.output.stayingOn(inShell: true)
  }

  /// How the shell ended; nil before it has.
  var status: ExitStatus? { ended.withLock { $0 } }

  /// Logs in, and shows how that goes.
  func logIn(_ session: Session) async throws(NodeError) -> ExitStatus {
    logins.withLock { $0 += 1 }
    defer { endLogin() }
    return try await session.perform(.login) { event in
      if case .error = event { self.output.show(event) } else { self.receive(event) }
    }
  }

  /// Whether what happens is still being shown.
  var isReady: Bool { output.isReady }

  private func endLogin() { logins.withLock { $0 -= 1 } }

  /// Of a shell that was not opened: why not.
  func showWhyNotOpened() {
    if let event = withheld.withLock({ $0 }) { profile.output.show(event) }
  }

  /// Shows what happens, and remembers what it tells.
  func receive(_ event: Event) {
    // Whoever logs in is told the reason as the answer.
    if case .error = event, logins.withLock({ $0 > 0 }) { return withheld.withLock { $0 = event } }
    let isNews = state.note(event)
    if isNews || (output.json && !event.isOnline) {
      output.show(event)
      marks.shown(event)
    }
  }

  /// Reads commands until the end.
  ///
  /// - Parameter subscribes: whether the events of the node have to be asked for.
  /// - Returns: of a shell without a terminal, the status of the first command that failed.
  func run(_ connection: NodeConnection, subscribes: Bool) async -> ExitStatus {
    let session = Session(profile, in: state, output, connection)
    var status = ExitStatus.done
    do throws(NodeError) {
      let editor = try LineEditor.opened(configuration, output.json ? .plain : output.terminal)
      defer { editor.close() }
      self.editor.withLock { $0 = editor }
      // Ctrl-C clears the line; pressed between two lines, it must not end the shell.
      if editor.isInteractive {
        signal(SIGINT, SIG_IGN)
        marks.begin(connection)
      }
      defer { marks.end() }
      status = await start(session, isInteractive: editor.isInteractive)
      // Without an account or a registry some commands still make sense; without the key none does.
      if [.done, .usage, .unreachable].contains(status) || editor.isInteractive {
        let reading = Task { await read(editor, session) }
        let events = subscribes ? Task.detached { await self.follow(connection, reading) } : nil
        let first = await reading.value
        events?.cancel()
        if status == .done { status = first }
      }
    } catch {
      output.fail(error)
      status = error.status
    }
    self.editor.withLock { $0 = nil }
    ended.withLock { $0 = status }
    await output.drain()
    return status
  }

  private var configuration: LineEditor.Configuration {
    let completion = ShellCompletion(state: state)
    return LineEditor.Configuration(complete: { completion.candidates($0) })
  }

  /// Logs in and finds out who is who.
  private func start(_ session: Session, isInteractive: Bool) async -> ExitStatus {
    defer { endLogin() }
    do throws(NodeError) {
      _ = try await session.perform(.status) { _ in }
      if isInteractive, state.user == nil {
        output.say("This profile has no name yet: claim one with 'register NAME@HOST'. Type help for more.")
        return .done
      }
      let status = try await logIn(session)
      _ = try await session.perform(.contacts) { _ in }
      if isInteractive { output.say("Type help for the commands, quit or Ctrl-D to leave.") }
      return status
    } catch {
      output.fail(error)
      return error.status
    }
  }

  /// Shows what happens; a node that ends by itself ends the shell.
  private func follow(_ connection: NodeConnection, _ reading: Task<ExitStatus, Never>) async {
    _ = await connection.perform(.subscribe) { self.receive($0) }
    if !Task.isCancelled { reading.cancel() }
  }

  /// Gives the terminal back, whatever is being read.
  func close() {
    editor.withLock { $0 }?.close()
    _ = output.drainBriefly()
  }

  // MARK: Lines

  private func read(_ editor: LineEditor, _ session: Session) async -> ExitStatus {
    var first = ExitStatus.done
    var isLeaving = false
    while true {
      var status = ExitStatus.done
      do throws(LineError) {
        await output.drain()
        let line = try await editor.nextLine(prompt: state.prompt)
        switch await take(line, editor, session) {
        case .went(let its): status = its
        case .leave:
          guard editor.isInteractive, queue.count > 0, !isLeaving else { return first }
          isLeaving = true
          output.say("Not everything is done yet: quit again to give up on it.")
          continue
        }
      } catch {
        output.fail(error.asNodeError)
        guard error.mayGoOn else { return error.asNodeError.status }
        status = .usage
      }
      isLeaving = false
      if !editor.isInteractive, first == .done { first = status }
    }
  }

  private enum Step {
    case went(ExitStatus)
    case leave
  }

  /// Does what a line says; the end of the input leaves.
  private func take(_ line: String?, _ editor: LineEditor, _ session: Session) async -> Step {
    guard let line else { return .leave }
    let (command, arguments): (ShellCommand, ParsedArguments)
    do throws(UsageError) {
      guard let words = try words(of: line) else { return .went(.done) }
      switch try ShellProgram.spec.parse(words) {
      case .version: return .went(.done)
      case .help(let spec):
        output.say(helpText(spec))
        return .went(.done)
      case .run(let parsed):
        guard let found = ShellProgram.command(named: parsed.command) else { return .went(.done) }
        (command, arguments) = (found, parsed)
      }
    } catch {
      output.fail(NodeError(error))
      return .went(.usage)
    }
    if command.spec.name == ShellProgram.quit.spec.name { return .leave }
    return .went(await start(command, arguments, editor, session))
  }

  private func start(
    _ command: ShellCommand, _ arguments: ParsedArguments, _ editor: LineEditor, _ session: Session
  ) async -> ExitStatus {
    let work = { @Sendable in await self.execute(command, arguments, session) }
    guard editor.isInteractive else { return await queue.add(work).value }
    if command.isLong {
      queue.addBeside(work)
      return .done
    }
    let isConversation = command.spec.name == "chat" && arguments.argument("TEXT") == nil
    if command.asks || isConversation {
      await queue.drain()
      return await work()
    }
    await queue.waitBriefly(for: queue.add(work))
    return .done
  }

  private func execute(
    _ command: ShellCommand, _ arguments: ParsedArguments, _ session: Session
  ) async -> ExitStatus {
    do throws(NodeError) {
      return try await command.run(self, session, arguments)
    } catch {
      output.fail(error)
      return error.status
    }
  }

  /// The words to be parsed; nil for a line without a command. The text of a message stays as it was typed.
  private func words(of line: String) throws(UsageError) -> [String]? {
    var rest = ShellLine(line)
    guard let command = try rest.nextWord(), !command.hasPrefix("#") else { return nil }
    guard command == "chat" else { return try splitWords(line) }
    guard let user = try rest.nextWord() else { return [command] }
    if user.hasPrefix("-") { return [command, user] }
    return [command, user] + (rest.rest.isEmpty ? [] : ["--", rest.rest])
  }

  private func helpText(_ spec: CommandSpec?) -> SafeText {
    var text = ShellProgram.spec.helpText(for: spec)
    while text.hasSuffix("\n") { text.removeLast() }
    return SafeText(body: text)
  }

  // MARK: Conversations

  func converse(_ chat: Chat, in session: Session) async throws(NodeError) -> ExitStatus {
    guard let editor = editor.withLock({ $0 }), editor.isInteractive else {
      throw NodeError(.usage, "chat needs TEXT", hint: "write chat \(chat.user) TEXT")
    }
    output.say("Every line goes to \(name: chat.name, .name); Ctrl-D comes back.")
    return await Conversation(chat, session, editor).run()
  }
}

extension Event {
  fileprivate var isOnline: Bool { if case .online = self { true } else { false } }
}

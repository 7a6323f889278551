import Glibc
import SecchatNode
import SecchatTerminal

/// Every line goes to one user, until Ctrl-D.
struct Conversation: Sendable {
  private let chat: Chat
  private let session: Session
  private let editor: LineEditor
  /// Beside the node: a terminal that is stopped must not stop it.
  let output: Output
  private let queue = JobQueue()
  private let marks = ReadMarks()

  init(_ chat: Chat, _ session: Session, _ editor: LineEditor) {
    self.chat = chat
    self.session = session
    self.editor = editor
    output = session.isInShell ? session.output : session.output.stayingOn(inShell: false)
  }

  /// Without a shell around it: what the user sends is shown as well. Where no node stays, this one does meanwhile,
  /// so that answers can come.
  func runAlone() async throws(NodeError) -> ExitStatus {
    defer { editor.close() }
    let source = try await session.passphrase.source()
    let state = ShellState()
    let (output, name, marks) = (output, chat.name, marks)
    if let running = try await NodeConnection.attach(home: session.home, passphrase: source) {
      session.use(running)
      marks.begin(running)
      let events = Task.detached {
        _ = await running.perform(.subscribe) {
          if state.note($0), Self.concerns(name, $0) {
            output.show($0)
            marks.shown($0)
          }
        }
      }
      defer { events.cancel() }
      return await begin()
    }
    let ended = Locked<ExitStatus?>(nil)
    let status = await NodeConnection.serve(
      home: session.home, options: NodeOptions(), passphrase: source,
      // Nobody else would see what comes from others meanwhile.
      onEvent: {
        guard state.note($0) else { return }
        output.show($0)
        marks.shown($0)
      }, isReady: { output.isReady }
    ) { connection in
      session.use(connection)
      marks.begin(connection)
      // Away from the thread of the node's loop.
      let status = await Task.detached { await begin() }.value
      ended.withLock { $0 = status }
      await connection.finish()
    }
    _ = output.drainBriefly()
    return ended.withLock { $0 } ?? status
  }

  private func begin() async -> ExitStatus {
    let status = await lookUpAndRun()
    await output.drain()
    return status
  }

  private func lookUpAndRun() async -> ExitStatus {
    // Ctrl-C clears the line; pressed between two lines, it must not end the conversation.
    signal(SIGINT, SIG_IGN)
    // A name that nobody has is better known before a message is written.
    let status = await lookUp()
    guard [.done, .unreachable].contains(status) else { return status }
    output.say("Every line goes to \(name: chat.name, .name); Ctrl-D ends the conversation.")
    return await run()
  }

  private func lookUp() async -> ExitStatus {
    do throws(NodeError) {
      let name = chat.name
      return try await session.perform(.lookup(user: chat.user)) { event in
        switch event {
        case .peer(let peer):
          if !peer.online {
            output.say("\(name: name, .name) is offline now; what you write waits.")
          }
        default: output.show(event)
        }
      }
    } catch {
      output.fail(error)
      return error.status
    }
  }

  /// Reads and sends until the end of the input.
  ///
  /// - Returns: `done`: what failed has been said when it did.
  func run() async -> ExitStatus {
    while true {
      do throws(LineError) {
        await output.drain()
        guard let line = try await editor.nextLine(prompt: "to \(chat.name)> ") else { break }
        guard !line.allSatisfy(\.isWhitespace) else { continue }
        await queue.waitBriefly(for: queue.add { await send(line) })
      } catch {
        output.fail(error.asNodeError)
        guard error.mayGoOn else { break }
      }
    }
    await queue.drain()
    return .done
  }

  private func send(_ line: String) async -> ExitStatus {
    do throws(NodeError) {
      return try await chat.send(line, in: session) { event in
        // The line itself stands above; only what goes wrong needs words.
        if case .sent(let sent) = event, sent.state == "delivered" || sent.state == "read" { return }
        output.show(event)
      }
    } catch {
      output.fail(error)
      return error.status
    }
  }

  static func concerns(_ user: String, _ event: Event) -> Bool {
    switch event {
    case .message(let message): message.from == user
    case .presence(let presence): presence.user == user
    case .keyChange(let change): change.user == user
    case .file(let file): file.from == user
    case .offered(let offered): offered.from == user
    case .online, .offline: true
    default: false
    }
  }
}

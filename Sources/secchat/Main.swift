import CSystem
import Glibc
import SecchatArguments
import SecchatNode
import SecchatTerminal

@main
struct Main {
  static func main() async {
    // A peer or reader that goes is told by the write, not by the end of the process.
    signal(SIGPIPE, SIG_IGN)
    umask(0o077)
    // A dump would hold messages and the keys of links.
    secchat_forbid_core_dumps()
    openStandardDescriptors()
    let status = await run()
    // Nothing is left in buffers of this process, and `exit` would take down what the loop's thread still uses.
    Terminal.restoreMode()
    _exit(status)
  }

  /// Where one is closed, the next file opened would take its place, and be written to.
  private static func openStandardDescriptors() {
    for (descriptor, mode) in [
      (STDIN_FILENO, O_RDONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY),
    ]
    where fcntl(descriptor, F_GETFD) < 0 {
      // What is printed to a standard output that is closed fails, as it should.
      _ = unsafe open("/dev/null", mode)
    }
  }

  private static func run() async -> Int32 {
    var output = Output(.standard, json: false)
    do throws(NodeError) {
      let words = try commandLine()
      // Known before the words are understood, so that what is wrong with them is said in the right form.
      output = Output(.standard, json: words.prefix { $0 != "--" }.contains("--json"))
      let parsed = try checked { () throws(UsageError) in try Program.spec.parse(words) }
      switch parsed {
      case .help(let command): output.terminal.emit(bytes: Array(Program.spec.helpText(for: command).utf8))
      case .version: output.terminal.emit("\(Program.spec.name) \(Program.spec.version)")
      case .run(var arguments):
        if arguments.command == nil {
          // Without a command: the shell, with its options at their defaults.
          let again = try checked { () throws(UsageError) in try Program.spec.parse(["login"] + words) }
          if case .run(let login) = again { arguments = login }
        }
        return try await run(arguments, output)
      }
      return ExitStatus.done.rawValue
    } catch {
      output.fail(error)
      return error.status.rawValue
    }
  }

  private static func run(_ arguments: ParsedArguments, _ output: Output) async throws(NodeError) -> Int32 {
    guard let command = Command.named(arguments.command) else { return ExitStatus.internal.rawValue }
    let home = try ProfileFolder.path(option: arguments.value("home"))
    let passphrase = try PassphraseInput(arguments, home: home)
    let session = Session(home: home, output: output, passphrase: passphrase)
    let work = { @Sendable () async -> Int32 in
      var status: ExitStatus
      do throws(NodeError) {
        status = try await command.run(session, arguments)
      } catch {
        output.fail(error)
        status = error.status
      }
      await session.close()
      return status.rawValue
    }
    return command.handlesSignals ? await work() : await interruptible(session, work)
  }

  private enum Ending {
    case status(Int32)
    case signal(Int32)
  }

  /// Does the work, unless a signal comes first; then the node is let go of before the process ends.
  private static func interruptible(
    _ session: Session, _ work: @escaping @Sendable () async -> Int32
  ) async -> Int32 {
    let (endings, continuation) = AsyncStream<Ending>.makeStream()
    let job = Task.detached { continuation.yield(.status(await work())) }
    Task.detached {
      for await number in Interruption.first() { continuation.yield(.signal(number)) }
    }
    for await ending in endings {
      switch ending {
      case .status(let status): return status
      case .signal(let number):
        job.cancel()
        session.output.silence()
        Task.detached {
          await session.close()
          continuation.yield(.status(128 + number))
        }
        Task.detached {
          try? await Task.sleep(for: .seconds(3))
          continuation.yield(.status(128 + number))
        }
        // Whatever status the cancelled command ends with, the signal is why.
        for await ending in endings { if case .status(128 + number) = ending { return 128 + number } }
      }
    }
    return ExitStatus.internal.rawValue
  }

  /// The words after the program's name.
  private static func commandLine() throws(NodeError) -> [String] {
    var words: [String] = []
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let bytes = unsafe CommandLine.unsafeArgv[index] else { continue }
      guard let word = unsafe String(validatingCString: bytes) else {
        throw NodeError(
          .usage, "argument \(index) is not valid UTF-8", hint: "texts and names are UTF-8 here")
      }
      words.append(word)
    }
    return words
  }
}

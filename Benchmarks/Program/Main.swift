import Glibc

/// Measures parts of secchat that no command shows by itself. Each subcommand prints lines of `name value unit`;
/// `scripts/bench` sets them beside limits and peers.
@main
struct Main {
  static func main() async {
    let words = Array(CommandLine.arguments.dropFirst())
    let options = Options(Array(words.dropFirst()))
    do {
      switch words.first {
      case "primitives": try primitives(seconds: options.number("seconds", or: 1))
      case "handshakes": try handshakes(seconds: options.number("seconds", or: 1))
      case "ratchet": try ratchet(seconds: options.number("seconds", or: 1))
      case "chat": try await chat(options)
      case "connect": try await connect(options)
      case "registry": try await serveRegistry(options)
      case "logins": try await logins(options)
      case "lookups": try await lookups(options)
      case "idle": try await idle(options)
      default:
        print(
          "usage: secchat-bench primitives|handshakes|ratchet|chat|connect|registry|logins|lookups|idle [--name value] …"
        )
        exit(1)
      }
    } catch {
      let line = Array("secchat-bench: \(error)\n".utf8)
      unsafe _ = write(STDERR_FILENO, line, line.count)
      exit(2)
    }
  }
}

import Foundation
import Glibc
import SecchatTerminal
import TestSupport
import Testing

/// Signal handlers belong to the whole process: whatever uses them runs one after the other.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TerminalTests {}

typealias Answer = Result<[UInt8], InputError>

func bytes(of secret: borrowing SecretInput) -> [UInt8] { unsafe secret.withBytes { unsafe Array($0) } }

private func ask(_ path: String) -> Answer {
  do throws(InputError) {
    return .success(bytes(of: try PassphrasePrompt(terminalPath: path).ask("Passphrase: ")))
  } catch {
    return .failure(error)
  }
}

extension TerminalTests {
  @Suite struct PassphrasePromptTests {
    @Test func readsWithoutEchoAndRestores() async {
      let terminal = PseudoTerminal()
      defer { terminal.close() }
      #expect(terminal.echoes)
      async let answer = onThread { ask(terminal.path) }
      #expect(await eventually { terminal.output.contains("Passphrase: ") && !terminal.echoes })
      terminal.type("correct horse é\n")
      #expect(await answer == .success(Array("correct horse é".utf8)))
      #expect(terminal.echoes)
      #expect(!terminal.output.contains("horse"))
    }

    @Test func createAsksTwice() async {
      let terminal = PseudoTerminal()
      defer { terminal.close() }
      async let answer = onThread { () -> Answer in
        do throws(InputError) {
          return .success(bytes(of: try PassphrasePrompt(terminalPath: terminal.path).create("New: ")))
        } catch {
          return .failure(error)
        }
      }
      #expect(await eventually { terminal.output.contains("New: ") })
      terminal.type("one\ntwo\n")
      #expect(await eventually { terminal.output.contains("not the same") })
      terminal.type("\n")
      #expect(await eventually { terminal.output.contains("must not be empty") })
      terminal.type("three\nthree\n")
      #expect(await answer == .success(Array("three".utf8)))
      #expect(terminal.echoes)
    }

    @Test func threeMismatchesEnd() async {
      let terminal = PseudoTerminal()
      defer { terminal.close() }
      async let answer = onThread { () -> InputError? in
        do throws(InputError) {
          _ = try PassphrasePrompt(terminalPath: terminal.path).create("New: ")
          return nil
        } catch {
          return error
        }
      }
      #expect(await eventually { !terminal.echoes })
      terminal.type("a\nb\na\nb\na\nb\n")
      #expect(await answer == .mismatch)
      #expect(terminal.echoes)
    }

    @Test func tooLongIsRefusedWhole() async {
      let terminal = PseudoTerminal()
      defer { terminal.close() }
      async let answer = onThread { ask(terminal.path) }
      #expect(await eventually { !terminal.echoes })
      terminal.type(String(repeating: "x", count: 1025) + "\n")
      #expect(await answer == .failure(.tooLong))
      #expect(terminal.echoes)
      async let exact = onThread { ask(terminal.path) }
      #expect(await eventually { !terminal.echoes })
      terminal.type(String(repeating: "y", count: 1024) + "\n")
      #expect(await exact == .success([UInt8](repeating: 0x79, count: 1024)))
    }

    @Test func endOfInputEnds() async {
      let terminal = PseudoTerminal()
      defer { terminal.close() }
      async let answer = onThread { ask(terminal.path) }
      #expect(await eventually { !terminal.echoes })
      terminal.type("\u{4}")
      #expect(await answer == .failure(.endOfInput))
      #expect(terminal.echoes)
    }

    /// In a process of its own: what else runs in this one watches signals too, and puts handlers back.
    @Test func signalRestoresAndReachesTheProgram() async throws {
      await #expect(processExitsWith: .success) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
          guard await isInterrupted(by: number) else { exit(number) }
        }
      }
    }

    @Test func withoutTerminalThereIsNoQuestion() {
      #expect(ask("/dev/null") == .failure(.noTerminal))
      #expect(ask("/nonexistent") == .failure(.noTerminal))
    }

    @Test(arguments: [("yes\n", true), ("no\n", false), ("maybe\n\nyes\n", true), ("SHA:abc\n", true)])
    func confirms(_ typed: String, _ expected: Bool) async {
      let terminal = PseudoTerminal()
      defer { terminal.close() }
      async let answer = onThread { () -> Bool? in
        try? PassphrasePrompt(terminalPath: terminal.path).confirm("Sure (yes/no)?", fingerprint: "SHA:abc")
      }
      #expect(await eventually { terminal.output.contains("Sure (yes/no)? ") })
      #expect(terminal.echoes)
      terminal.type(typed)
      #expect(await answer == expected)
      let asksAgain = typed.hasPrefix("maybe")
      #expect(await eventually { terminal.output.contains("Please type") == asksAgain })
    }
  }

  @Suite struct SecretInputTests {
    private func read(_ contents: [UInt8]) throws -> Answer {
      let folder = try TemporaryFolder()
      let path = try folder.write("secret", contents)
      do throws(InputError) {
        return .success(bytes(of: try SecretInput.read(file: path)))
      } catch {
        return .failure(error)
      }
    }

    @Test(arguments: [
      ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("a b \nrest\n", "a b "),
      ("\n", ""),
    ])
    func takesTheFirstLine(_ contents: String, _ expected: String) throws {
      #expect(try read(Array(contents.utf8)) == .success(Array(expected.utf8)))
    }

    @Test func bounds() throws {
      let longest = [UInt8](repeating: 0x61, count: 1024)
      #expect(try read(longest) == .success(longest))
      #expect(try read(longest + [0x0A]) == .success(longest))
      #expect(try read(longest + [0x0D, 0x0A]) == .success(longest))
      #expect(try read(longest + [0x61]) == .failure(.tooLong))
      #expect(try read(longest + [0x61, 0x0A]) == .failure(.tooLong))
      #expect(try read([]) == .failure(.endOfInput))
    }

    @Test func takesNothingBeyondItsLine() throws {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      defer { for end in ends { close(end) } }
      _ = unsafe write(ends[1], "one\ntwo\n", 8)
      let first = try SecretInput.read(descriptor: ends[0])
      let second = try SecretInput.read(descriptor: ends[0])
      #expect(bytes(of: first) == Array("one".utf8))
      #expect(bytes(of: second) == Array("two".utf8))
      #expect(second.bytes.byteCount == 3)
    }

    @Test func missingFileIsNamed() {
      #expect(throws: InputError.unreadable(name: "/nonexistent", errno: ENOENT)) {
        _ = try SecretInput.read(file: "/nonexistent")
      }
    }
  }
}

/// Whether a signal ends a question with the terminal as it was, and reaches the former handler once.
private func isInterrupted(by number: Int32) async -> Bool {
  let terminal = PseudoTerminal()
  defer { terminal.close() }
  var action = sigaction()
  unsafe action.__sigaction_handler.sa_handler = { _ in unsafe seenSignals += 1 }
  unsafe sigaction(number, &action, nil)
  let before = unsafe seenSignals
  async let answer = onThread { ask(terminal.path) }
  guard await eventually({ terminal.output.contains("Passphrase: ") && !terminal.echoes }) else {
    return false
  }
  kill(getpid(), number)
  let after = await answer == .failure(.interrupted) ? unsafe seenSignals : before
  return after == before + 1 && terminal.echoes
}

/// Counted by a handler; a handler can reach globals only.
nonisolated(unsafe) private var seenSignals = 0

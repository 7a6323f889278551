import Foundation
import SecchatCrypto
import TestSupport
import Testing

@testable import SecchatNode

@Suite struct PassphraseTests {
  /// Opens the profile with one answer after another.
  ///
  /// - Returns: how often it asked, and the error it ended with.
  private func open(_ home: String, answers: [String]) async -> (asked: Int, error: NodeError?) {
    let asked = Lock(0)
    let source = PassphraseSource.ask { () throws(NodeError) in
      let number = asked.withLock { asked in
        defer { asked += 1 }
        return asked
      }
      guard number < answers.count else { throw NodeError(.authentication, "nobody to ask") }
      return passphrase(answers[number])
    }
    do throws(NodeError) {
      await (try NodeConnection.open(home: home, passphrase: source)).finish()
      return (asked.withLock { $0 }, nil)
    } catch { return (asked.withLock { $0 }, error) }
  }

  @Test func aPersonMayTryThreeTimes() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = folder.path + "/p"
    _ = try await NodeConnection.generateIdentity(home: home, passphrase: passphrase("right"))
    let third = await open(home, answers: ["wrong", "", "right"])
    #expect(third.asked == 3 && third.error == nil)
    let never = await open(home, answers: ["wrong", "wrong", "wrong", "right"])
    #expect(never.asked == 3 && never.error?.status == .authentication)
    // Where there is nobody to ask, nobody is asked again.
    let nobody = await open(home, answers: [])
    #expect(nobody.asked == 1 && nobody.error?.message == "nobody to ask")
  }

  @Test func whatIsGivenIsTriedOnce() async throws {
    let folder = try TemporaryFolder(inMemory: true)
    let home = folder.path + "/p"
    _ = try await NodeConnection.generateIdentity(home: home, passphrase: passphrase("right"))
    let error = await #expect(throws: NodeError.self) {
      try await NodeConnection.open(home: home, passphrase: .given(passphrase("wrong")))
    }
    #expect(error?.status == .authentication)
  }
}

private func passphrase(_ text: String) -> Passphrase {
  let bytes = Array(text.utf8)
  return Passphrase(bytes.raw)
}

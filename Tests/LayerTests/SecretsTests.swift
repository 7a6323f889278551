import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// No real secret is in the repository, and the test identities are what `keys/README.md` says.
@Suite struct SecretsTests {
  private static let shared = ["test-alice", "test-bob"]

  @Test func `nothing but identities for tests holds a secret key`() throws {
    // The protocol's worked example is an identity of its own, with its passphrase beside it.
    let allowed = Set(Self.shared.map { "keys/\($0).identity" } + ["docs/protocol.md"])
    // Longer than the start of one that a document quotes.
    let bodies = [/SECCHAT-SECRET-KEY-1[A-Z2-7]{200}/, /SECCHAT-REGISTRY-KEY-1[A-Z2-7]{56}/]
    var seen: Set<String> = []
    for file in SourceTree.files {
      // Not every file is text.
      let data = try Data(contentsOf: Vectors.packageRoot.appending(path: file))
      let text = String(decoding: data, as: UTF8.self)
      for body in bodies where text.firstMatch(of: body) != nil {
        #expect(allowed.contains(file), "\(file) holds a secret key")
        seen.insert(file)
      }
    }
    #expect(seen == allowed, "the identities for tests were not found: the search finds nothing")
  }

  @Test func `keys holds only what it says`() {
    let names = SourceTree.files.filter { $0.hasPrefix("keys/") }.map { String($0.dropFirst(5)) }
    let expected = ["README.md"] + Self.shared.flatMap { ["\($0).identity", "\($0).pub"] }
    #expect(Set(names) == Set(expected))
  }

  @Test(arguments: shared)
  func `a test identity opens with its passphrase`(name: String) throws {
    let text = try SourceTree.text("keys/\(name).identity")
    let published = try SourceTree.text("keys/\(name).pub").trimmingCharacters(in: .newlines)
    let file = try KeyFile(decoding: text)
    #expect(KeyText.encode(file.publicKey) == published)

    let readme = try SourceTree.text("keys/README.md")
    let row = try #require(readme.split(separator: "\n").first { $0.contains("`\(name).identity`") })
    let passphrase = try #require(row.firstMatch(of: /`(test passphrase[^`]*)`/)?.1)
    #expect(row.contains(Fingerprint(of: file.publicKey).description), "its fingerprint is not in the README")
    let (right, wrong) = (Array(passphrase.utf8), Array("another".utf8))
    let secret = try file.open(passphrase: right.raw)
    #expect(secret.identity.publicKey == file.publicKey)
    do throws(KeyFile.Failure) {
      _ = try file.open(passphrase: wrong.raw)
      Issue.record("any passphrase opens it")
    } catch { #expect(error == .wrongPassphrase) }
  }
}

import Foundation
import TestSupport
import Testing

/// With whom somebody writes, what waits for whom, and what was sent from where: nothing in the profile's folder tells it,
/// but for the download folder, which has a folder for each sender.
@Suite struct ProfileSecrecyTests {
  /// Nothing else is called so.
  private static func canary(_ kind: String) -> String {
    kind + String(UInt64.random(in: 1 << 60...UInt64.max), radix: 36)
  }

  /// Those that are in a file's path below a folder, or in its content.
  private func found(_ canaries: Canaries, below folder: String, where fits: (String) -> Bool) -> Set<String>
  {
    let paths =
      FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }.filter(fits) ?? []
    return canaries.found(in: paths.joined(separator: "\n")).union(canaries.found(below: folder, where: fits))
  }

  @Test func `neither names and paths nor what waits`() async throws {
    let world = try World()
    let registry = try await world.registry()
    var users: [Profile] = []
    for kind in ["sender-", "receiver-", "away-"] {
      users.append(try await world.user(Self.canary(kind), at: registry))
    }
    let (sender, receiver, away) = (users[0], users[1], users[2])
    let senders = try await sender.daemon()
    let receivers = try await receiver.daemon("--accept-files", "always")

    let (said, waiting) = (Self.canary("said-"), Self.canary("waiting-"))
    let (folder, file, content) = (Self.canary("folder-"), Self.canary("file-"), Self.canary("content-"))
    let path = try world.folder.write(folder + "/" + file, content)
    try await sender.run("chat", receiver.name, said).expect(0)
    try await receiver.run("chat", sender.name, said).expect(0)
    try await sender.run("send", receiver.name, path).expect(0)
    let arrived = try await receivers.record("file")
    // For one who is away.
    try await sender.run("chat", away.name, waiting).expect(6)
    try await sender.run("send", away.name, path).expect(6)
    #expect(try await sender.run("outbox").expect(0).records("message").map { $0["text"] } == [waiting])
    #expect(try await sender.run("transfers").expect(0).records("transfer").map { $0["user"] } == [away.name])

    let canaries = Canaries([
      "the sender's name": sender.name, "the receiver's name": receiver.name,
      "the name of who is away": away.name, "what was said": said, "what waits": waiting,
      "the folder": folder, "the file's name": file, "its content": content,
    ])
    func search() {
      for profile in [sender, receiver] {
        #expect(found(canaries, below: profile.home) { !$0.hasPrefix("downloads/") }.isEmpty)
      }
    }
    search()
    try await senders.stop()
    try await receivers.stop()
    search()
    // There it is.
    #expect(arrived["path"] == receiver.home + "/downloads/\(sender.name)/\(file)")
    #expect(
      found(canaries, below: receiver.home) { _ in true } == [
        "the sender's name", "the file's name", "its content in downloads/\(sender.name)/\(file)",
      ])
  }
}

import Foundation
import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// The examples of `docs/protocol.md` are what the code makes. After a change of the protocol,
/// `SECCHAT_WRITE_EXAMPLES=1 swift test --filter ProtocolDocument` writes them anew.
@Suite struct ProtocolDocumentTests {
  private static let path = Vectors.packageRoot.appending(path: "docs/protocol.md")

  /// Made once, since salt and nonce are random.
  private static let keyFileTag = "text key-file"

  @Test func examplesAreWhatTheCodeMakes() throws {
    var expected = try ProtocolExamples.all()
    var document = try Document(contentsOf: Self.path)
    if ProcessInfo.processInfo.environment["SECCHAT_WRITE_EXAMPLES"] == "1" {
      if document.blocks[Self.keyFileTag]?.isEmpty ?? true { expected[Self.keyFileTag] = try Self.keyFile() }
      try document.fill(expected, at: Self.path)
      document = try Document(contentsOf: Self.path)
    }
    #expect(!expected.isEmpty)
    expected[Self.keyFileTag] = nil
    for (tag, text) in expected { #expect(document.blocks[tag] == text, "\(tag)") }
    let unknown = Set(document.blocks.keys).subtracting(expected.keys).subtracting([Self.keyFileTag])
    #expect(unknown.isEmpty, "examples that nothing makes")
    #expect(document.repeated.isEmpty, "examples of the same name")
  }

  private static let passphrase = Array("correct horse battery staple".utf8)

  private static func keyFile() throws -> String {
    let cost = PasswordHash.Cost(passes: 1, kibibytes: 8)
    let file = try KeyFile(sealing: Users.alice, passphrase: passphrase.raw, cost: cost)
    return String(file.encoded.dropLast())
  }

  @Test func keyFileOpens() throws {
    let text = try #require(Document(contentsOf: Self.path).blocks[Self.keyFileTag])
    let secret = try KeyFile(decoding: text + "\n").open(passphrase: Self.passphrase.raw)
    #expect(secret.publicDevice == Users.alice.publicDevice)
    #expect(secret.identity.publicKey == Users.alice.identity.publicKey)
  }

  @Test func listsEveryLabel() throws {
    let document = try Document(contentsOf: Self.path)
    let source = try String(
      contentsOf: Vectors.packageRoot.appending(path: "Sources/SecchatCore/Identity/Labels.swift"),
      encoding: .utf8)
    let labels = source.matches(of: /"(secchat [^"]*)"/).map { String($0.output.1) }
    #expect(labels.count >= 10)
    #expect(Set(labels).count == labels.count, "a label used twice")
    for label in labels { #expect(document.text.contains("| `\(label)` |"), "\(label)") }
    #expect(document.text.matches(of: /\n\| `secchat [^`]* v1` \|/).count == labels.count)
  }

  @Test func listsEveryFrameType() throws {
    let document = try Document(contentsOf: Self.path)
    for type in FrameType.allCases {
      // loggedIn is LOGGED_IN.
      let name = "\(type)".map { $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
      let row = "| `\(Hex.encode([type.rawValue]))` | \(name) |"
      #expect(document.text.contains(row), "\(row)")
    }
    #expect(document.text.matches(of: /\n\| `[0-9a-f]{2}` \| [A-Z_]+ \|/).count == FrameType.allCases.count)
  }

  @Test func listsTheLimits() throws {
    let document = try Document(contentsOf: Self.path)
    func grouped(_ number: Int) -> String {
      number < 1_000 ? "\(number)" : grouped(number / 1_000) + "," + "\(1_000 + number % 1_000)".dropFirst()
    }
    let rows = [
      "handshake message | \(grouped(Limits.handshakeMessage)) bytes",
      "handshake, in all | \(Limits.handshakeTime / 1_000) seconds",
      "Noise message in a frame | \(grouped(Limits.noiseMessage)) bytes",
      "plaintext of a frame | \(grouped(Limits.framePlaintext)) bytes",
      "user name | \(Limits.userName.lowerBound) to \(Limits.userName.upperBound) bytes",
      "devices on a list | \(Limits.devices.lowerBound) to \(Limits.devices.upperBound)",
      "signed device list | \(grouped(SignedDeviceList.maximumLength)) bytes",
      "text of a message | \(grouped(Limits.chatText)) bytes",
      "bucket of a message's padding | \(Limits.chatBucket) bytes",
      "ids in a read message | \(Limits.readIDs)",
      "one-time prekeys of a device at its registry, not handed out | \(Limits.oneTimePrekeys)",
      "messages passed over at once; keys of such messages kept; receiving chains | \(grouped(Int(RatchetLimits.skip))); \(grouped(RatchetLimits.skipped)); \(RatchetLimits.chains)",
      "data of a CHUNK | 1 to \(grouped(Limits.chunkData)) bytes",
      "path of an ENTRY | \(grouped(Limits.path)) bytes",
      "component of a path; name of an OFFER | \(Limits.pathComponent) bytes",
      "components of a path | \(Limits.pathDepth)",
      "entries of an OFFER | \(grouped(Int(Limits.offerEntries)))",
      "names in a WATCH | \(grouped(Limits.watchBatch))",
      "names that a session watches | \(grouped(Limits.watchedNames))",
      "entries in a LISTED | \(Limits.listPage)",
      "ids, and keys, in a PUBLISH; one-time prekeys of a device that lie there | \(Limits.oneTimePrekeys)",
      "frames of a direction before its REKEY | 2^\(Limits.rekeyFrames.trailingZeroBitCount), REKEY included",
      "bytes of plaintext of a direction before its REKEY | 2^\(Limits.rekeyBytes.trailingZeroBitCount), REKEY included",
      "CHATs granted beyond those handled | \(Limits.chatCredit)",
      "CHUNK data granted beyond what is written | \(Limits.fileCredit >> 20) MiB",
    ]
    for row in rows { #expect(document.text.contains("\n| \(row) |"), "\(row)") }
    let after = try #require(document.text.components(separatedBy: "\n## 11 Limits").last)
    let section = try #require(after.components(separatedBy: "\n## ").first)
    #expect(section.components(separatedBy: "\n| ").count == rows.count + 2, "a row that nothing checks")
  }

  @Test func namesSourceFilesThatExist() throws {
    let document = try Document(contentsOf: Self.path)
    let matches = document.text.matches(of: /`((?:Sources|Tests)\/[A-Za-z\/]+\.swift)`/)
    let names = Set(matches.map { String($0.output.1) })
    #expect(names.count > 20)
    for name in names {
      let path = Vectors.packageRoot.appending(path: name).path
      #expect(FileManager.default.fileExists(atPath: path), "\(name)")
    }
  }
}

/// A Markdown page with fenced blocks whose opening line is a tag and a name.
private struct Document {
  private static let tags = ["hex", "text"]

  let text: String
  private(set) var blocks: [String: String] = [:]
  private(set) var repeated: [String] = []

  init(contentsOf path: URL) throws {
    text = try String(contentsOf: path, encoding: .utf8)
    var open: (tag: String, lines: [String])?
    for line in text.components(separatedBy: "\n") {
      if let block = open {
        if line == "```" {
          if blocks[block.tag] != nil { repeated.append(block.tag) }
          blocks[block.tag] = block.lines.joined(separator: "\n")
          open = nil
        } else {
          open?.lines.append(line)
        }
      } else if let tag = Self.tag(line) {
        open = (tag, [])
      }
    }
  }

  private static func tag(_ line: String) -> String? {
    guard line.hasPrefix("```") else { return nil }
    let words = line.dropFirst(3).split(separator: " ")
    return words.count == 2 && tags.contains(String(words[0])) ? words.joined(separator: " ") : nil
  }

  /// Writes the page with new blocks.
  func fill(_ contents: [String: String], at path: URL) throws {
    var lines: [String] = []
    var isSkipping = false
    for line in text.components(separatedBy: "\n") {
      if isSkipping, line != "```" { continue }
      isSkipping = false
      lines.append(line)
      guard let tag = Self.tag(line), let content = contents[tag] else { continue }
      lines.append(content)
      isSkipping = true
    }
    try lines.joined(separator: "\n").write(to: path, atomically: true, encoding: .utf8)
  }
}

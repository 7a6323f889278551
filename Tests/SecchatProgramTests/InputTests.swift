import SecchatArguments
import SecchatNode
import Testing

@testable import secchat

@Suite struct InputTests {
  @Test(
    arguments: [
      ("alice@host", nil, "alice@host:7499", nil),
      ("alice@host:7500", "secchat-registry-1k", "alice@host:7500", "secchat-registry-1k"),
      ("alice@[::1]", nil, "alice@[::1]:7499", nil),
      ("alice@secchat://host:7500/secchat-registry-1k", nil, "alice@host:7500", "secchat-registry-1k"),
      ("alice", "secchat://host/secchat-registry-1k", "alice@host:7499", "secchat-registry-1k"),
      ("alice@host", "secchat://host:7499/secchat-registry-1k", "alice@host:7499", "secchat-registry-1k"),
    ] as [(String, String?, String, String?)])
  func registriesAreReadInEveryForm(
    text: String, key: String?, user: String, expectedKey: String?
  ) throws {
    let target = try RegistryTarget(text, key: key)
    #expect(target.user == user)
    #expect(target.key == expectedKey)
  }

  @Test(
    arguments: [
      ("alice", nil), ("@host", nil), ("alice@", nil), ("alice@host:0", nil), ("alice@host:70000", nil),
      ("alice@secchat://host:7500", nil), ("alice@secchat://host:7500/a/b", nil),
      ("alice@other", "secchat://host:7500/k"), ("alice@secchat://host/k", "another"), ("a@b@c", nil),
    ] as [(String, String?)])
  func whatNamesNoRegistryIsRefused(text: String, key: String?) {
    #expect(throws: UsageError.self) { try RegistryTarget(text, key: key) }
  }

  @Test func profilesLieWhereTheyAreNamed() throws {
    func path(_ option: String?, _ environment: [String: String]) throws -> String {
      try ProfileFolder.path(option: option) { environment[$0] }
    }
    let all = ["SECCHAT_HOME": "/s", "XDG_DATA_HOME": "/x", "HOME": "/h"]
    #expect(try path("/o", all) == "/o")
    #expect(try path(nil, all) == "/s")
    #expect(try path(nil, ["SECCHAT_HOME": "", "XDG_DATA_HOME": "/x", "HOME": "/h"]) == "/x/secchat")
    #expect(try path(nil, ["XDG_DATA_HOME": "x", "HOME": "/h"]) == "/h/.local/share/secchat")
    #expect(try path("o", all).hasSuffix("/o"))
    #expect(try path("o", all).hasPrefix("/"))
    #expect(throws: NodeError.self) { try path(nil, [:]) }
    #expect(throws: NodeError.self) { try path("", all) }
  }

  @Test func safetyNumbersAreReadWithOrWithoutBlanks() {
    let digits = String(repeating: "1234567890", count: 6)
    let groups = SafetyDigits.lines(digits).flatMap { $0.split(separator: " ").map(String.init) }
    #expect(SafetyDigits.parse([digits]) == digits)
    #expect(SafetyDigits.parse(groups) == digits)
    #expect(SafetyDigits.parse([SafetyDigits.lines(digits).joined(separator: "\n")]) == digits)
    #expect(SafetyDigits.parse([groups.joined(separator: "-")]) == digits)
  }

  @Test(arguments: [
    [], ["12345"], [String(repeating: "1", count: 59)], [String(repeating: "1", count: 61)],
    [String(repeating: "1", count: 59) + "x"], [String(repeating: "١", count: 60)],
  ])
  func whatIsNoSafetyNumberIsNotCompared(words: [String]) {
    #expect(SafetyDigits.parse(words) == nil)
  }

  @Test func idsAreHexadecimalAndDiffer() {
    let ids = (0..<100).map { _ in randomID() }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { $0.count == 32 && $0.allSatisfy { $0.isHexDigit && !$0.isUppercase } })
  }

  @Test func noOptionTakesASecret() {
    let options = Program.spec.options + Program.spec.commands.flatMap(\.options)
    let allowed: Set = ["passphrase-file", "passphrase-fd", "new-passphrase-file"]
    let suspicious = options.filter { option in
      ["passphrase", "password", "secret", "recovery", "words"].contains { option.name.contains($0) }
    }
    #expect(Set(suspicious.map(\.name)) == allowed)
  }

  /// Whoever tries to give a secret in a word is told that it cannot be, and the secret is not repeated.
  @Test func aSecretAsAnArgumentIsRefused() {
    for command in [[]] + Program.spec.commands.map({ $0.name.split(separator: " ").map(String.init) }) {
      for option in ["passphrase", "password", "pass", "secret", "secret-key", "key", "words"] {
        for words in [["--\(option)", "hunter2"], ["--\(option)=hunter2"]] {
          let error = #expect(throws: UsageError.self, "\(command + words)") {
            try Program.spec.parse(command + words)
          }
          #expect(error?.description.contains("hunter2") == false, "\(command + words)")
        }
      }
    }
    #expect(throws: UsageError.self) { try Program.spec.parse(["keygen", "hunter2"]) }
  }

  @Test func everyCommandHasAnExampleAndItsOwnName() {
    for command in Command.all {
      #expect(!command.spec.examples.isEmpty, "\(command.spec.name)")
      #expect(Command.named(command.spec.name)?.spec.summary == command.spec.summary)
    }
    let names = Program.spec.commands.flatMap { [$0.name] + $0.aliases }
    #expect(Set(names).count == names.count)
  }
}

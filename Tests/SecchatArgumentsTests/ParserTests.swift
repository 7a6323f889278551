import SecchatArguments
import Testing

@Suite struct ParserTests {
  @Test(arguments: [
    ["--home", "D", "send", "bob", "--rate", "5k", "a", "b"],
    ["send", "--home=D", "--rate=5k", "bob", "a", "b"],
    ["send", "bob", "a", "b", "-r", "5k", "--home", "D"],
    ["s", "bob", "-r5k", "a", "--home", "D", "b"],
    ["--home=D", "s", "-r=5k", "--", "bob", "a", "b"],
  ])
  func optionsStandAnywhere(_ words: [String]) throws {
    guard case .run(let parsed) = try example.parse(words) else {
      Issue.record("not a run")
      return
    }
    #expect(parsed.command == "send")
    #expect(parsed.value("home") == "D")
    #expect(parsed.value("rate") == "5k")
    #expect(parsed.argument("USER") == "bob")
    #expect(parsed.arguments("PATH") == ["a", "b"])
    #expect(!parsed.flag("json"))
  }

  @Test func flagsCountAndCluster() throws {
    let parsed = try run("send", "-qvv", "bob", "--verbose")
    #expect(parsed.flag("quiet"))
    #expect(parsed.count("verbose") == 3)
  }

  @Test func clusterEndsWithAValue() throws {
    let parsed = try run("send", "bob", "-qr", "9")
    #expect(parsed.flag("quiet"))
    #expect(parsed.value("rate") == "9")
  }

  @Test func dashIsAWordAndAValue() throws {
    let parsed = try run("send", "-", "--home", "-")
    #expect(parsed.argument("USER") == "-")
    #expect(parsed.value("home") == "-")
  }

  @Test func doubleDashEndsOptions() throws {
    #expect(try run("send", "--", "--json", "-x").positionals == ["--json", "-x"])
  }

  @Test func lastWinsAndRepeatingKeepsAll() throws {
    let parsed = try run("send", "bob", "--rate", "1", "--rate", "2", "--tag", "a", "--tag=")
    #expect(parsed.value("rate") == "2")
    #expect(parsed.values("tag") == ["a", ""])
  }

  @Test func emptyWordIsAnArgument() throws {
    #expect(try run("send", "").argument("USER") == "")
  }

  @Test func groupsNeedNoDeclaration() throws {
    #expect(try run("key", "--json", "show", "--qr").command == "key show")
    #expect(failure("key")?.message == "mail key needs to know what to do")
    #expect(failure("key")?.hint == "say mail key show, or mail key make")
    #expect(failure("key", "shwo")?.hint == "did you mean 'key show'?")
  }

  @Test func noCommandIsARun() throws {
    let parsed = try run("--json")
    #expect(parsed.command == nil)
    #expect(parsed.flag("json"))
  }

  @Test(
    arguments: [
      (["sned", "bob"], "there is no command 'sned'", "did you mean 'send'?"),
      (["xylophone"], "there is no command 'xylophone'", "see mail --help"),
      (["send", "bob", "--rats", "5"], "there is no option --rats", "did you mean --rate?"),
      (["send", "bob", "--unlike-anything"], "there is no option --unlike-anything", "see mail send --help"),
      (
        ["--rate", "5", "send"], "there is no option --rate before a command",
        "put it after the command's name"
      ),
      (["send", "bob", "--rate"], "--rate needs a value", "write --rate BYTES"),
      (["send", "--rate", "--quiet", "bob"], "--rate needs a value", "write --rate BYTES"),
      (["send", "bob", "-r"], "-r needs a value", "write -r BYTES"),
      (["send", "bob", "--quiet=yes"], "--quiet takes no value", "leave out what follows the ="),
      (["send"], "mail send needs USER", "see mail send --help"),
      (["list", "more"], "'more' is one argument too many", "see mail list --help"),
      (["list", "--secret-door"], "there is no option --secret-door", "see mail list --help"),
    ] as [([String], String, String)])
  func errorsSayWhatToDo(_ words: [String], _ message: String, _ hint: String) {
    #expect(throws: UsageError(message, hint: hint)) { try example.parse(words) }
  }

  @Test func unknownLetter() {
    #expect(failure("send", "bob", "-x")?.message == "there is no option -x")
    #expect(failure("send", "bob", "-5")?.hint.contains("--") == true)
  }

  @Test func errorIsOneLine() {
    #expect(failure("send")?.description == "mail send needs USER; see mail send --help")
  }

  @Test(arguments: [
    ["send", "--help"], ["--help", "send"], ["help", "send"], ["send", "-h", "--rate", "1"], ["help", "s"],
  ])
  func helpOfACommand(_ words: [String]) throws {
    guard case .help(let command) = try example.parse(words) else {
      Issue.record("no help")
      return
    }
    #expect(command?.name == "send")
  }

  @Test(arguments: [["--help"], ["help"], ["-h"], ["key", "--help"]])
  func helpOfTheProgram(_ words: [String]) throws {
    guard case .help(nil) = try example.parse(words) else {
      Issue.record("no help")
      return
    }
  }

  @Test func helpOfAnUnknownCommandFails() {
    #expect(failure("help", "sned")?.hint == "did you mean 'send'?")
  }

  @Test func versionNeedsNothingElse() throws {
    guard case .version = try example.parse(["--version", "--nonsense"]) else {
      Issue.record("no version")
      return
    }
  }

  @Test func programWithoutCommands() throws {
    let parsed = try run("--listen", "h:1", "file", of: server)
    #expect(parsed.command == nil)
    #expect(parsed.value("listen") == "h:1")
    #expect(parsed.argument("CONFIG") == "file")
    #expect(failure("a", "b", of: server)?.hint == "see mail-server --help")
    #expect(try run("help", of: server).argument("CONFIG") == "help")
  }

  @Test func shellHasNoProgramName() {
    var shell = example
    shell.name = ""
    #expect(failure("send", of: shell)?.description == "send needs USER; type help send")
    #expect(failure("nonsense", of: shell)?.hint == "type help")
    #expect(shell.helpText(for: shell.command(named: "list")).contains("Usage: list"))
  }

  @Test func typedAccessNamesTheOption() throws {
    let parsed = try run("send", "bob", "--rate", "fast")
    #expect(
      throws: UsageError("--rate cannot be 'fast'", hint: "it must be bytes a second such as 500k or 10M")
    ) {
      try parsed.value("rate", as: .byteRate)
    }
    #expect(try run("send", "bob").value("rate", as: .byteRate) == nil)
  }
}

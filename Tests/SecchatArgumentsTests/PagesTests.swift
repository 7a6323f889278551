import Foundation
import SecchatArguments
import Testing

@Suite struct PagesTests {
  @Test func helpOfTheProgram() {
    #expect(
      example.helpText() == """
        Sends mail to people

        Usage: mail [OPTIONS] COMMAND …

        The first paragraph is long enough that it has to be wrapped, since a line has
        eighty columns.

        Second.

        Commands:
          send        Sends something
          key show    Shows the key
          key make    Makes a key
          list        Lists

        Options:
          --home DIR       the profile folder (default: ~/.mail)
          --json           one JSON object a line
          -v, --verbose    say more
          -h, --help       show this help
          --version        show the version

        Example:
          mail list
              lists everybody

        Exit status:
          0    done
          1    usage error

        Environment:
          MAIL_HOME    the profile folder

        'mail help COMMAND' tells more about one command.

        """)
  }

  @Test func helpOfACommand() {
    let text = example.helpText(for: example.command(named: "s"))
    for part in [
      "Sends something\n", "Usage: mail send [--rate BYTES] [--tag WORD]… [--quiet] USER [PATH…]\n",
      "Also: s\n", "Arguments:\n  USER    who gets it\n", "  -r, --rate BYTES    at most",
      "Global options:\n",
      "Example:\n  mail send bob letter.txt\n", "Exit status:\n  6    bob is away",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(!text.contains("secret-door"))
  }

  @Test func noLineIsWiderThanEighty() {
    var long = example
    long.commands[0].options += (1...12).map {
      .value("option-number-\($0)", "SOMETHING-LONG", help: String(repeating: "words and ", count: 20))
    }
    for text in [long.helpText(), long.helpText(for: long.commands[0])] {
      for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
  }

  @Test func manPageEscapesWhatRoffReads() {
    var program = example
    program.discussion = ".starts with a period\n\n'and a quote, a back\\slash, a da-sh"
    let page = program.manPage(date: "2025-06-01")
    #expect(page.hasPrefix(".TH \"MAIL\" \"1\" \"2025\\-06\\-01\" \"mail 1.2\" \"User Commands\"\n"))
    #expect(page.contains("\n\\&.starts with a period\n"))
    #expect(page.contains("\n\\&'and a quote, a back\\(rsslash, a da\\-sh\n"))
    for part in [".SH \"NAME\"", ".SS \"key show\"", "\\fB\\-r, \\-\\-rate BYTES\\fR", ".SH \"EXIT STATUS\""]
    {
      #expect(page.contains(part), "\(part)")
    }
    let requests = ["TH", "SH", "SS", "PP", "TP", "nf", "fi"]
    for line in page.split(separator: "\n") where line.hasPrefix(".") {
      #expect(requests.contains { line.hasPrefix(".\($0)") }, "\(line)")
    }
    #expect(!page.contains("secret"))
  }

  /// bash itself completes a command line with the script.
  @Test(
    arguments: [
      ("mail ", ["send", "s", "key", "list", "help"]),
      ("mail se", ["send"]),
      ("mail --h", ["--home", "--help"]),
      ("mail key ", ["show", "make"]),
      ("mail key show --q", ["--qr"]),
      ("mail --home /tmp send --ta", ["--tag"]),
      ("mail send bob --tag ", ["red", "blue"]),
      ("mail --home send list --j", ["--json"]),
      ("mail send bob /etc/host", ["/etc/hostname", "/etc/hosts"]),
      ("mail list ", []),
    ] as [(String, [String])])
  func bashCompletes(_ line: String, _ expected: [String]) throws {
    let words = line.split(separator: " ", omittingEmptySubsequences: false).map { "'\($0)'" }
    let script = """
      \(example.completionScript(for: .bash))
      compopt() { :; }
      COMP_WORDS=(\(words.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
      _mail
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["--norc", "-c", script]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let found = Set(text.split(separator: "\n").map(String.init))
    #expect(found.isSuperset(of: expected))
    if !line.contains("/etc") { #expect(found == Set(expected)) }
  }

  @Test func zshAndFishNameEverything() {
    let zsh = example.completionScript(for: .zsh)
    #expect(zsh.hasPrefix("#compdef mail\n"))
    for part in ["'send:Sends something'", "'*--tag=[a tag]:WORD:(red blue)'", "_mail__key()", "_files -/"] {
      #expect(zsh.contains(part), "\(part)")
    }
    let fish = example.completionScript(for: .fish)
    for part in [
      "-n __fish_use_subcommand -a send -d 'Sends something'", "-l tag -r -f -a 'red blue' -d 'a tag'",
      "-n '__fish_seen_subcommand_from send' -l rate -s r -r -f", "-a show",
    ] {
      #expect(fish.contains(part), "\(part)")
    }
    for script in [zsh, fish] { #expect(!script.contains("secret") && !script.contains("internal")) }
  }
}

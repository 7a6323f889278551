internal import SecchatArguments
internal import SecchatCore
internal import SecchatNet

extension FuzzTarget {
  static let text: [FuzzTarget] = [
    FuzzTarget("file-path", texts: ["a", "a/b c/\u{1F600}.txt", ".hidden/..."]) { text in
      guard let path = try? FilePath(text) else { return .refused }
      let leaves = path.components.contains { $0.isEmpty || $0 == "." || $0 == ".." || $0.utf8.contains(0) }
      guard !leaves, !path.components.isEmpty else { return .broken("a path out of its folder") }
      return .same(Array(path.components.joined(separator: "/").utf8), as: Array(text.utf8))
    },
    FuzzTarget("shell-line", texts: [#"chat bob "hi \"you\"" 'and $so' on\ and on"#, " list ", ""]) { text in
      guard let words = try? splitWords(text) else { return .refused }
      // A combining mark at a word's beginning would join the quote before it.
      guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return .accepted }
      let quoted = words.map { word in
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
      }
      guard let again = try? splitWords(quoted.joined(separator: " ")) else {
        return .broken("words in quotes are not words")
      }
      return .same(again.map { Array($0.utf8) }, as: words.map { Array($0.utf8) })
    },
    FuzzTarget(
      "arguments",
      texts: ["send\n-v\n--rate=5k\nbob\n--\n-x", "--home\n/tmp\nkey\nshow\n--qr", "help\nsend", "--version"]
    ) { text in
      let words = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      guard let invocation = try? program.parse(words) else { return .refused }
      guard case .run(let arguments) = invocation else { return .accepted }
      return .holds(arguments.positionals.count <= words.count, "arguments out of nothing")
    },
    FuzzTarget(
      "argument-value",
      texts: [
        "[::1]:7000", "example.org:80", "10M", "1.5h", "2024-02-29 12:30", "2024-01-02T03:04:05Z", "500ms",
      ]
    ) { text in
      let found = [
        ValueParser<HostPort>.hostPort(listening: true, defaultPort: 7_499).convert(text) != nil,
        ValueParser<Int>.byteCount.convert(text).map { $0 >= 0 } ?? false,
        ValueParser<Int>.byteRate.convert(text).map { $0 > 0 } ?? false,
        ValueParser<Duration>.duration.convert(text).map { $0 >= .zero } ?? false,
        ValueParser<Int64>.pastTime(now: 1_700_000_000).convert(text) != nil,
      ]
      return found.contains(true) ? .accepted : .refused
    },
    FuzzTarget("socket-address", texts: ["127.0.0.1:80", "[2001:db8::1]:65535"]) { text in
      guard let address = SocketAddress(text) else { return .refused }
      return .same(SocketAddress(address.description), as: address)
    },
  ]

  private static let program = ProgramSpec(
    name: "mail", version: "1", summary: "Sends mail",
    options: [
      .value("home", "DIR", help: "the folder"), .flag("verbose", short: "v", help: "more"), .help, .version,
    ],
    commands: [
      CommandSpec(
        "send", aliases: ["s"], summary: "Sends",
        arguments: [
          ArgumentSpec("USER", help: "who"),
          ArgumentSpec("PATH", help: "what", optional: true, repeating: true),
        ],
        options: [.value("rate", short: "r", "BYTES", help: "how fast")]),
      CommandSpec("key show", summary: "Shows the key", options: [.flag("qr", help: "as a picture")]),
      CommandSpec("key make", summary: "Makes a key"),
    ])
}

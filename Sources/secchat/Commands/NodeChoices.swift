import SecchatArguments
import SecchatNode

/// The options of a node that stays, as `daemon` and `login` take them.
enum NodeChoices {
  static let options: [OptionSpec] = [
    .value("listen", "HOST:PORT", help: "listen for peers here; port 0 picks one", default: "any, port 0"),
    .value(
      "accept-files", "RULE", help: "what to do with offered files: ask, always or never", default: "ask",
      completion: .words(FilePolicy.allCases.map(\.rawValue))),
    .value(
      "downloads", "DIR", help: "where files arrive, in a folder for each sender",
      default: "downloads in the profile", completion: .directory),
    .value(
      "strangers", "RULE",
      help: "what to do with people not known yet: \(strangerRules.joined(separator: ", "))",
      default: "accept", completion: .words(strangerRules)),
    .value(
      "read-receipts", "WHETHER",
      help: "whether senders are told that you have read their messages: on or off",
      default: "on", completion: .words(["on", "off"])),
    visibility,
  ]

  static let visibility = OptionSpec.value(
    "visibility", "WHO", help: "who may see when you are online", default: "everyone",
    completion: .words(Visibility.allCases.map(\.rawValue)))

  /// There is one visibility so far, so that there is nothing to keep; others are known by name.
  static func checkVisibility(_ arguments: ParsedArguments) throws(UsageError) {
    try known("visibility", of: arguments, later: ["contacts", "nobody"])
    _ = try arguments.value("visibility", as: .choice(Visibility.self))
  }

  private static func known(
    _ option: String, of arguments: ParsedArguments, later: Set<String>
  ) throws(UsageError) {
    guard let value = arguments.value(option), later.contains(value) else { return }
    throw UsageError(
      "--\(option) \(value) needs contacts, which come later", hint: "leave --\(option) out for now")
  }

  private static var strangerRules: [String] { StrangerPolicy.allCases.map(\.rawValue) }

  static func parse(_ arguments: ParsedArguments) throws(NodeError) -> NodeOptions {
    try checked { () throws(UsageError) in
      var options = NodeOptions()
      if var listen = try arguments.value("listen", as: .hostPort(listening: true)) {
        // Every interface.
        if listen.host.isEmpty { listen.host = "::" }
        options.listen = listen.description
      }
      options.files = try arguments.value("accept-files", as: .choice(FilePolicy.self))
      try checkVisibility(arguments)
      try known("strangers", of: arguments, later: ["hold", "refuse"])
      options.strangers = try arguments.value("strangers", as: .choice(StrangerPolicy.self))
      if let receipts = arguments.value("read-receipts") {
        guard receipts == "on" || receipts == "off" else {
          throw UsageError("--read-receipts is on or off", hint: "write --read-receipts off")
        }
        options.receipts = receipts == "on"
      }
      if let folder = arguments.value("downloads") {
        guard !folder.isEmpty else {
          throw UsageError("--downloads names no folder", hint: "write --downloads DIR")
        }
        options.downloads = absolutePath(folder)
      }
      return options
    }
  }
}

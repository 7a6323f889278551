import Glibc
import SecchatArguments
import SecchatTerminal

/// What the tab key offers in the shell: commands, peers, offers and paths.
struct ShellCompletion: Sendable {
  let state: ShellState

  func candidates(_ request: CompletionRequest) -> [String] {
    var words = request.beforeCursor.split(separator: " ").map(String.init)
    if request.word.isEmpty { words.append("") }
    let spec = ShellProgram.spec
    let names = spec.commands.flatMap { [$0.name] + $0.aliases }
    guard words.count > 1 else { return matching(names + ["help"], request.word) }
    guard words[0] != "help" else { return words.count == 2 ? matching(names, request.word) : [] }
    guard let command = spec.command(named: words[0]), !command.arguments.isEmpty else { return [] }
    if request.word.hasPrefix("-") { return matching(command.options.map { "--\($0.name)" }, request.word) }
    let place = words.dropFirst().filter { !$0.hasPrefix("-") || $0 == "-" }.count - 1
    let argument = command.arguments[min(max(place, 0), command.arguments.count - 1)]
    guard place < command.arguments.count || argument.repeats else { return [] }
    if argument.completion == .file { return paths(request.word) }
    switch argument.name {
    case "USER": return matching(state.peers, request.word)
    case "ID": return matching(state.offers.ids.map { String($0.prefix(Offers.shownDigits)) }, request.word)
    default: return []
    }
  }

  private func matching(_ words: [String], _ start: String) -> [String] {
    words.filter { $0.hasPrefix(start) }.sorted()
  }

  /// Files and folders that begin so; blanks in their names are typed with a backslash.
  private func paths(_ start: String) -> [String] {
    let cut = start.lastIndex(of: "/").map { start.index(after: $0) } ?? start.startIndex
    let folder = String(start[..<cut])
    guard let directory = unsafe opendir(folder.isEmpty ? "." : plain(folder)) else { return [] }
    defer { unsafe closedir(directory) }
    var found: [String] = []
    while found.count < 1_000, let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name != ".", name != "..", !name.hasPrefix(".") || start[cut...].hasPrefix(".") else { continue }
      let isFolder = isFolder(plain(folder) + name)
      let candidate = folder + escaped(name) + (isFolder ? "/" : "")
      if candidate.hasPrefix(start) { found.append(candidate) }
    }
    return found.sorted()
  }

  private func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// As the shell's words are read.
  private func plain(_ word: String) -> String {
    var line = ShellLine(word)
    return (try? line.nextWord()) ?? word
  }

  private func escaped(_ name: String) -> String {
    name.map { " '\"\\".contains($0) ? "\\\($0)" : String($0) }.joined()
  }
}

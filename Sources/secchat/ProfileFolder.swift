import Glibc
import SecchatArguments
import SecchatNode
import SecchatTerminal

/// Where a profile lies.
enum ProfileFolder {
  /// `--home`, else `SECCHAT_HOME`, else `secchat` in the folder for data of the XDG base directories.
  static func path(
    option: String?, environment: (String) -> String? = { environmentVariable($0) }
  ) throws(NodeError) -> String {
    if let option {
      guard !option.isEmpty else {
        throw NodeError(.usage, "--home names no folder", hint: "write --home DIR")
      }
      return absolutePath(option)
    }
    if let home = environment("SECCHAT_HOME"), !home.isEmpty { return absolutePath(home) }
    // A relative path is to be ignored, says the specification of the base directories.
    if let data = environment("XDG_DATA_HOME"), data.hasPrefix("/") { return data + "/secchat" }
    guard let home = environment("HOME"), home.hasPrefix("/") else {
      throw NodeError(.usage, "there is no home folder for a profile", hint: "name one: --home DIR")
    }
    return home + "/.local/share/secchat"
  }
}

/// The path seen from the root; symbolic links stay as they are.
func absolutePath(_ path: String) -> String {
  guard !path.hasPrefix("/") else { return path }
  guard let folder = unsafe getcwd(nil, 0) else { return path }
  defer { unsafe free(folder) }
  let base = unsafe String(cString: folder)
  return base == "/" ? "/" + path : base + "/" + path
}

internal import CSystem
internal import Glibc
internal import SecchatCore

/// A file or folder to send, and where to find it.
struct SourceEntry {
  var item: UInt32
  /// For the ENTRY: the item's name, and what is below it.
  var path: String
  var isFolder: Bool
  /// Nil for what the user named, by its absolute path.
  var folder: Descriptor?
  /// With a zero at its end.
  var name: [UInt8]
  var status: stat

  /// Opens it: for what the user named through symbolic links, else not. Never waits for a pipe's other end.
  func open(folder isFolder: Bool) throws(SystemError) -> Descriptor {
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let more = (isFolder ? O_DIRECTORY : 0) | (folder == nil ? 0 : O_NOFOLLOW)
    let number = try SystemError.check {
      unsafe withPath(name) { unsafe openat(folder?.number ?? AT_FDCWD, $0, flags | more) }
    }
    return Descriptor(taking: number)
  }
}

/// Goes through the files and folders that a user named, in a stable order, a folder before what is in it. Symbolic
/// links below those, sockets, pipes and devices are left out and counted. Holds the names of the folders on the way only.
final class SourceWalk {
  private struct Level {
    var folder: Descriptor
    /// As the system has it, and as it goes into the ENTRY.
    var names: [(raw: [UInt8], shown: String)]
    var path: String
    var next = 0
  }

  private let paths: [String]
  /// Whether to make sure that each file could be opened.
  private let probes: Bool
  private var item = 0
  private var levels: [Level] = []
  /// How many were left out, of each item.
  private(set) var skipped: [Int]

  /// - Parameter paths: absolute.
  init(_ paths: [String], probing probes: Bool = false) {
    self.paths = paths
    self.probes = probes
    skipped = Array(repeating: 0, count: paths.count)
  }

  /// The next one; nil after the last. Blocks.
  func next() throws(NodeError) -> SourceEntry? {
    while let level = levels.last {
      guard level.next < level.names.count else {
        levels.removeLast()
        continue
      }
      levels[levels.count - 1].next += 1
      let name = level.names[level.next]
      let path = level.path + "/" + name.shown
      if let entry = try entry(path, item: item - 1, folder: level.folder, name: name.raw) { return entry }
      skipped[item - 1] += 1
    }
    guard item < paths.count else { return nil }
    let path = paths[item]
    item += 1
    guard path.hasPrefix("/"), !path.utf8.contains(0) else {
      throw NodeError(.usage, "\(Self.shown(path)) is not an absolute path")
    }
    guard
      let entry = try entry(Self.itemName(path), item: item - 1, folder: nil, name: Array(path.utf8) + [0])
    else {
      throw NodeError(.usage, "\(Self.shown(path)) is neither a file nor a folder")
    }
    return entry
  }

  private func entry(
    _ path: String, item: Int, folder: Descriptor?, name: [UInt8]
  ) throws(NodeError) -> SourceEntry? {
    do throws(SystemError) {
      var entry = SourceEntry(
        item: UInt32(item), path: path, isFolder: false, folder: folder, name: name, status: stat())
      let place = folder?.number ?? AT_FDCWD
      _ = try SystemError.check {
        unsafe withPath(name) {
          unsafe fstatat(place, $0, &entry.status, folder == nil ? 0 : AT_SYMLINK_NOFOLLOW)
        }
      }
      switch entry.status.st_mode & S_IFMT {
      case S_IFREG:
        if probes {
          _ = try SystemError.check { unsafe withPath(name) { unsafe faccessat(place, $0, R_OK, 0) } }
        }
      case S_IFDIR:
        entry.isFolder = true
        let descriptor = try entry.open(folder: true)
        levels.append(Level(folder: descriptor, names: Self.shown(try descriptor.names()), path: path))
      default: return nil
      }
      // What the receiver would not take, it shall not be offered: other file systems have longer names than these.
      guard (try? FilePath(path)) != nil else { throw SystemError(ENAMETOOLONG) }
      return entry
    } catch {
      throw NodeError(
        .usage, "cannot read \(Self.shown(folder == nil ? paths[item] : path)): \(error)",
        hint: folder == nil
          ? "give the path of a file or folder that you may read" : "leave it out, or allow it")
    }
  }

  /// Names in the order of their bytes. Those that had to be changed for the journey stay distinct.
  private static func shown(_ names: [[UInt8]]) -> [(raw: [UInt8], shown: String)] {
    let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
    var list = sorted.map { (raw: $0, shown: FileName.outgoing($0.dropLast())) }
    let changed = list.indices.filter { !list[$0].shown.utf8.elementsEqual(list[$0].raw.dropLast()) }
    guard !changed.isEmpty else { return list }
    var taken = Set(list.indices.lazy.filter { !changed.contains($0) }.map { list[$0].shown })
    for index in changed {
      let wanted = list[index].shown
      var number = 1
      while !taken.insert(list[index].shown).inserted {
        number += 1
        list[index].shown = FileName.numbered(wanted, number)
      }
    }
    return list
  }

  /// The name that an item gets: the last component, where that is a name.
  private static func itemName(_ path: String) throws(NodeError) -> String {
    func last(_ path: String) -> String? {
      guard let name = path.split(separator: "/").last, name != ".", name != ".." else { return nil }
      return FileName.outgoing(name.utf8)
    }
    if let name = last(path) { return name }
    if let real = unsafe realpath(path, nil) {
      defer { unsafe free(real) }
      if let name = last(unsafe String(cString: real)) { return name }
    }
    throw NodeError(.usage, "\(shown(path)) has no name to send it under", hint: "name a folder below it")
  }

  /// A local path for an error's one line.
  static func shown(_ path: String) -> String { FileName.tidied(path) }
}

/// Calls with a name as C takes it.
func withPath<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
  precondition(name.last == 0, "a name ends with a zero")
  return unsafe name.withUnsafeBufferPointer { bytes in
    unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
      return unsafe body(bytes.baseAddress.unsafelyUnwrapped)
    }
  }
}

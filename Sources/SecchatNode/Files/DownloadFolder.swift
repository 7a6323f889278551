internal import CSystem
internal import Glibc
package import SecchatCore
internal import SecchatCrypto

/// One sender's folder in the downloads. Everything in it is reached from its descriptor, so that nothing can be put in
/// the way afterwards.
package final class DownloadFolder: Sendable {
  /// Which ways of the kernel are used; the others are for kernels and file systems that lack these.
  package struct Ways: Sendable {
    /// openat2, else a step for each component.
    package var openat2 = true
    /// renameat2 with RENAME_NOREPLACE, else a link or a new folder to rename onto.
    package var renameat2 = true
    package init() {}
  }

  /// Its absolute path.
  package let path: String
  let descriptor: Descriptor
  let beneath: Beneath
  private let renames: Bool

  /// Opens `downloads/sender`, making what is missing with mode 0700, and removes what a crash has left there.
  /// Blocks: not for the loop's thread.
  ///
  /// - Parameters:
  ///   - downloads: an absolute path, chosen by the user: may lead through symbolic links.
  ///   - sender: a user's name; `downloads/sender` itself may not be a symbolic link.
  ///   - kept: transfers that may go on: what is there of them stays.
  /// - Throws: 1 where it cannot be made or opened.
  package init(
    downloads: String, sender: String, keeping kept: Set<MessageID> = [], ways: Ways = Ways()
  ) throws(NodeError) {
    let name = FileName.item(sender)
    guard downloads.hasPrefix("/"), (try? FilePath(name))?.components.count == 1 else {
      throw NodeError(.internal, "no folder for downloads")
    }
    path = (downloads.last == "/" ? String(downloads.dropLast()) : downloads) + "/" + name
    beneath = Beneath(usesKernel: ways.openat2)
    renames = ways.renameat2
    do throws(SystemError) {
      let root = try Self.makeRoot(downloads)
      if unsafe mkdirat(root.number, name, 0o700) != 0, errno != EEXIST { throw SystemError.last }
      descriptor = try beneath.open([name], under: root, flags: O_RDONLY | O_DIRECTORY)
    } catch {
      throw NodeError(
        .usage, "cannot use the download folder \(FileName.tidied(path)): \(error)",
        hint: "see to its permissions, or choose another with --downloads")
    }
    sweep(keeping: kept)
  }

  /// Removes what crashes have left in the folders of these senders under `downloads`, but for the transfers that may go
  /// on; other folders there are not ours. Blocks: not for the loop's thread.
  package static func sweep(downloads: String, of senders: [String], keeping kept: Set<MessageID> = []) {
    guard downloads.hasPrefix("/"), let root = try? openFolder(downloads) else { return }
    for sender in senders {
      _ = try? DownloadFolder(
        downloads: downloads, existing: FileName.item(sender), under: root, keeping: kept)
    }
  }

  private init(
    downloads: String, existing name: String, under root: Descriptor, keeping kept: Set<MessageID>
  ) throws(SystemError) {
    path = downloads + "/" + name
    beneath = Beneath(usesKernel: true)
    renames = true
    descriptor = try beneath.open([name], under: root, flags: O_RDONLY | O_DIRECTORY)
    sweep(keeping: kept)
  }

  private static func openFolder(_ path: String) throws(SystemError) -> Descriptor {
    Descriptor(taking: try SystemError.check { unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
  }

  private static func makeRoot(_ path: String) throws(SystemError) -> Descriptor {
    var end = path.utf8.startIndex
    while end < path.utf8.endIndex {
      end = path.utf8[path.utf8.index(after: end)...].firstIndex(of: UInt8(ascii: "/")) ?? path.utf8.endIndex
      let parent = String(path[..<end])
      if unsafe mkdir(parent, 0o700) != 0, errno != EEXIST, errno != EROFS, errno != EACCES {
        throw SystemError.last
      }
    }
    return try openFolder(path)
  }

  static func text(_ name: [UInt8]) -> String? { String(validating: name.dropLast(), as: UTF8.self) }

  /// How many bytes may be received with something left over; none where there is no room for so many files.
  func spare(entries: UInt64) throws(SystemError) -> UInt64 {
    var space = statvfs()
    _ = try SystemError.check { unsafe fstatvfs(descriptor.number, &space) }
    // A file system that does not count its files has as many as one likes.
    guard space.f_files == 0 || entries <= space.f_favail else { return 0 }
    return DiskRoom.spare(space)
  }

  // MARK: Items

  /// A name of its own for an item that is still coming.
  static func partialName(_ name: String) -> String {
    FileName.partial(name, tag: Hex.encode(Random.bytes(FixedBytes<4>.self).array))
  }

  /// Gives the item called `partial` its final name: `name`, or `name (2)` and so on where that is taken.
  ///
  /// - Parameters:
  ///   - item: what was written; should something else have its name by now, that is no item of ours.
  ///   - numbers: of the items that came before.
  func settle(
    _ item: Descriptor, called partial: String, as name: String, isFolder: Bool, numbers: inout NameNumbers
  ) throws(SystemError) -> String {
    try verify(item, hasName: partial)
    let free = try numbers.firstFree(name) { (name) throws(SystemError) in
      try move(partial, to: name, isFolder: isFolder) ? true : nil
    }
    guard let free else { throw SystemError(EEXIST) }
    try verify(item, hasName: free.name)
    return free.name
  }

  private func verify(_ item: Descriptor, hasName name: String) throws(SystemError) {
    let written = try item.status()
    var named = stat()
    _ = try SystemError.check {
      unsafe fstatat(descriptor.number, name, &named, AT_SYMLINK_NOFOLLOW)
    }
    guard named.st_dev == written.st_dev, named.st_ino == written.st_ino else { throw SystemError(ELOOP) }
  }

  /// Whether `name` was free.
  private func move(_ partial: String, to name: String, isFolder: Bool) throws(SystemError) -> Bool {
    if renames {
      switch unsafe -secchat_rename_new(descriptor.number, partial, name) {
      case 0: return true
      case EEXIST: return false
      case EINVAL, ENOSYS, EPERM: break
      case let code: throw SystemError(code)
      }
    }
    do throws(SystemError) {
      let here = descriptor.number
      if isFolder {
        // A folder may be renamed onto an empty one, and onto nothing else: the new one keeps the name.
        _ = try SystemError.check { unsafe mkdirat(here, name, 0o700) }
        if unsafe renameat(here, partial, here, name) != 0 {
          let error = SystemError.last
          unsafe _ = unlinkat(here, name, AT_REMOVEDIR)
          throw error
        }
      } else {
        _ = try SystemError.check { unsafe linkat(here, partial, here, name, 0) }
        unsafe _ = unlinkat(here, partial, 0)
      }
      return true
    } catch  where error.code == EEXIST || error.code == ENOTEMPTY {
      return false
    }
  }

  /// Removes a file, or a folder with all that is in it; symbolic links are removed, never followed.
  func remove(_ name: String) { Self.remove(Array(name.utf8) + [0], under: descriptor, depth: 0) }

  private static func remove(_ name: [UInt8], under folder: Descriptor, depth: Int) {
    guard unsafe withPath(name, { unsafe unlinkat(folder.number, $0, 0) }) != 0 else { return }
    // A little deeper than anything that was received could be: others may have put something there.
    guard depth < 2 * Limits.pathDepth else { return }
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let number = unsafe withPath(name) { unsafe openat(folder.number, $0, flags) }
    guard number >= 0 else { return }
    let inner = Descriptor(taking: number)
    for entry in (try? inner.names()) ?? [] { remove(entry, under: inner, depth: depth + 1) }
    _ = unsafe withPath(name) { unsafe unlinkat(folder.number, $0, AT_REMOVEDIR) }
  }

  /// Removes what is in a folder besides these paths and what leads to them. They are bytes: of two names that differ in
  /// how an accent is written, one may have been put there by somebody else.
  func clean(
    _ folder: Descriptor, keeping paths: Set<[UInt8]>, below path: [UInt8] = [], depth: Int = 0
  ) {
    guard depth < 2 * Limits.pathDepth else { return }
    for name in (try? folder.names()) ?? [] {
      let inner = path + name.dropLast()
      guard paths.contains(inner) else {
        Self.remove(name, under: folder, depth: depth)
        continue
      }
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      let number = unsafe withPath(name) { unsafe openat(folder.number, $0, flags) }
      if number >= 0 {
        let below = inner + [UInt8(ascii: "/")]
        clean(Descriptor(taking: number), keeping: paths, below: below, depth: depth + 1)
      }
    }
  }

  /// Makes an item and locks it, with nobody sweeping in between.
  func locking(_ make: () throws(SystemError) -> Descriptor) throws(SystemError) -> Descriptor {
    _ = flock(descriptor.number, LOCK_SH)
    defer { _ = flock(descriptor.number, LOCK_UN) }
    let made = try make()
    _ = made.tryLock()
    return made
  }

  /// The name of the item, where one has this identity: a part that has it is another's, made since.
  func name(of identity: FileIdentity) throws(SystemError) -> String? {
    for name in try descriptor.names() {
      var status = stat()
      guard
        unsafe withPath(name, { unsafe fstatat(descriptor.number, $0, &status, AT_SYMLINK_NOFOLLOW) }) == 0
      else { continue }
      guard FileIdentity(status) == identity, let text = Self.text(name), !FileName.isPartial(text) else {
        continue
      }
      return text
    }
    return nil
  }

  /// Removes incomplete items of transfers that no longer run: those at work hold a lock.
  private func sweep(keeping kept: Set<MessageID>) {
    guard descriptor.tryLock() else { return }
    defer { _ = flock(descriptor.number, LOCK_UN) }
    for name in ((try? descriptor.names()) ?? []).compactMap(Self.text) where FileName.isPartial(name) {
      if let transfer = FileName.transfer(ofPartial: name), kept.contains(transfer) { continue }
      guard let left = try? beneath.open([name], under: descriptor, flags: O_RDONLY | O_NONBLOCK),
        left.tryLock()
      else { continue }
      remove(name)
    }
  }
}

internal import CSystem
internal import Glibc

/// Opens what lies beneath a folder: never above it, never through a symbolic link, whatever others do to the folders
/// meanwhile.
struct Beneath: Sendable {
  /// Whether the kernel is asked to see to it (openat2); else, and where it cannot, each folder on the way is opened.
  let usesKernel: Bool

  /// Opens the file or folder at `path`, one or more components, each checked by `FilePath`.
  func open(
    _ path: ArraySlice<String>, under folder: Descriptor, flags: Int32, mode: mode_t = 0
  ) throws(SystemError) -> Descriptor {
    let flags = flags | O_NOFOLLOW | O_CLOEXEC
    if usesKernel {
      switch Self.resolve(path.joined(separator: "/"), under: folder, flags: flags, mode: mode) {
      case .success(let descriptor): return descriptor
      // Not there, forbidden by a sandbox, or not sure after a rename nearby: step by step then.
      case .failure(let error) where [ENOSYS, EPERM, EAGAIN].contains(error.code): break
      case .failure(let error): throw error
      }
    }
    return try Self.walk(path, under: folder, flags: flags, mode: mode)
  }

  /// Makes a folder at `path`, and opens it.
  func makeFolder(_ path: ArraySlice<String>, under folder: Descriptor) throws(SystemError) -> Descriptor {
    guard let name = path.last else { throw SystemError(EINVAL) }
    let parent =
      path.count == 1 ? folder : try open(path.dropLast(), under: folder, flags: O_RDONLY | O_DIRECTORY)
    _ = try SystemError.check { unsafe mkdirat(parent.number, name, 0o700) }
    return try open([name], under: parent, flags: O_RDONLY | O_DIRECTORY)
  }

  private static func resolve(
    _ path: String, under folder: Descriptor, flags: Int32, mode: mode_t
  ) -> Result<Descriptor, SystemError> {
    let resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
    while true {
      let number = unsafe secchat_openat2(folder.number, path, UInt64(flags), UInt64(mode), resolve)
      if number >= 0 { return .success(Descriptor(taking: number)) }
      if errno != EINTR { return .failure(.last) }
    }
  }

  private static func walk(
    _ path: ArraySlice<String>, under folder: Descriptor, flags: Int32, mode: mode_t
  ) throws(SystemError) -> Descriptor {
    guard let name = path.last else { throw SystemError(EINVAL) }
    var parent = folder
    for component in path.dropLast() {
      parent = try step(component, under: parent, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    return try step(name, under: parent, flags: flags, mode: mode)
  }

  private static func step(
    _ name: String, under folder: Descriptor, flags: Int32, mode: mode_t = 0
  ) throws(SystemError) -> Descriptor {
    // One component and no more, or the folder above would be a step away.
    guard !name.isEmpty, name != "..", !name.utf8.contains(UInt8(ascii: "/")) else {
      throw SystemError(EINVAL)
    }
    let number = try SystemError.check { unsafe openat(folder.number, name, flags, mode) }
    return Descriptor(taking: number)
  }
}

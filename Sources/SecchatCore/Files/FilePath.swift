/// A relative path from an ENTRY that cannot leave the folder it is put under: checked once, at the edge.
package struct FilePath: Hashable, Sendable {
  /// At least one; none empty, `.`, `..`, or with a slash, control character or NUL in it.
  package let components: [String]

  /// - Throws: `tooLong`, or `malformed` for a path that is not safe to put under a folder.
  package init(_ text: String) throws(WireError) {
    guard text.utf8.count <= Limits.path else { throw .tooLong }
    // By bytes: as characters, a slash before a combining mark would be no slash.
    let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    guard components.count <= Limits.pathDepth else { throw .tooLong }
    for component in components { try Self.check(component) }
    self.components = components
  }

  /// What a component may be. Names that are merely odd are for the node to tidy up, these are hostile.
  private static func check(_ component: String) throws(WireError) {
    guard component.utf8.count <= Limits.pathComponent else { throw .tooLong }
    guard !component.isEmpty, component != ".", component != "..",
      !component.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
    else { throw .malformed }
  }
}

internal import SecchatCrypto

/// LIST asks who is online, a page at a time.
///
///     0  request  u32
///     4  after    u8: 0, or 1 and a name (u8 length): names after it, in byte order
package struct List: WireMessage, Numbered {
  package static let type = FrameType.list
  package var request: UInt32
  package var after: UserName?

  package init(request: UInt32, after: UserName?) {
    self.request = request
    self.after = after
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    after = try body.flag() ? UserName(from: &body) : nil
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.flag(after != nil)
    after?.encode(into: &writer)
  }
}

/// LISTED answers LIST.
///
///     0  request  u32
///     4  more     u8: 1 where names after the last one remain
///     5  count    u16, at most 700
///     .  entries  each: name (u8 length), identity key (32 bytes), address (family, address, port)
package struct Listed: WireMessage, Numbered {
  package static let type = FrameType.listed

  package struct Entry: Equatable, Sendable {
    package var name: UserName
    package var identity: IdentityPublicKey
    package var address: NetworkAddress

    package init(name: UserName, identity: IdentityPublicKey, address: NetworkAddress) {
      self.name = name
      self.identity = identity
      self.address = address
    }
  }

  package var request: UInt32
  package var more: Bool
  package var entries: [Entry]

  package init(request: UInt32, more: Bool, entries: [Entry]) {
    self.request = request
    self.more = more
    self.entries = entries
  }

  package init(body: inout WireReader) throws(WireError) {
    request = try body.u32()
    more = try body.flag()
    let count = Int(try body.u16())
    guard count <= Limits.listPage else { throw .tooLong }
    entries = []
    for _ in 0..<count {
      entries.append(
        Entry(
          name: try UserName(from: &body), identity: IdentityPublicKey(try body.fixed()),
          address: try NetworkAddress(from: &body)))
    }
  }

  package func encodeBody(into writer: inout WireWriter) {
    writer.u32(request)
    writer.flag(more)
    writer.u16(UInt16(entries.count))
    for entry in entries {
      entry.name.encode(into: &writer)
      writer.fixed(entry.identity.raw)
      entry.address.encode(into: &writer)
    }
  }
}

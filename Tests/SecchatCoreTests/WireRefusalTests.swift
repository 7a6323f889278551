import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// Bodies that are not canonical, or over a limit.
@Suite struct WireRefusalTests {
  /// A name as nobody may send it.
  private func name(_ text: String) -> [UInt8] { WireWriter.bytes { $0.vector8(Array(text.utf8)) } }

  private let request: [UInt8] = [0, 0, 0, 7]

  @Test func `a flag is 0 or 1`() {
    for flag: UInt8 in [2, 3, 0x80, 0xff] {
      #expect(wireError(Registered.self, request + [flag]) == .malformed)
      #expect(wireError(List.self, request + [flag] + name("alice")) == .malformed)
      #expect(wireError(Listed.self, request + [flag, 0, 0]) == .malformed)
      #expect(wireError(Watch.self, request + [flag, 0, 0]) == .malformed)
      #expect(wireError(Presence.self, name("bob") + [flag, 4, 1, 2, 3, 4, 0, 80]) == .malformed)
      #expect(wireError(Found.self, request + [flag, 4, 1, 2, 3, 4, 0, 80, 0, 0]) == .malformed)
      #expect(wireError(Publish.self, request + [flag, 0, 0, 0]) == .malformed)
      #expect(wireError(Publish.self, request + [0, flag, 0, 0]) == .malformed)
      #expect(wireError(Fetch.self, request + name("bob") + [0, 0, 0, 1, flag]) == .malformed)
      var bundle = Array(Messages.bundle.encoded.dropFirst())
      bundle[4 + SignedPrekey.length] = flag
      #expect(wireError(Bundle.self, bundle) == .malformed)
      var end = Array(Messages.end.encoded.dropFirst())
      end[12] = flag
      #expect(wireError(End.self, end) == .malformed)
      var entry = Array(Messages.entry.encoded.dropFirst())
      entry[9] = flag
      #expect(wireError(Entry.self, entry) == .malformed)
    }
  }

  @Test func `an enumeration has no other values`() {
    for value: UInt8 in [5, 6, 0xff] { #expect(wireError(Close.self, [value]) == .malformed) }
    for value: UInt8 in [0, 8, 0xff] {
      #expect(wireError(Refuse.self, Messages.id.array + [value]) == .malformed)
    }
    for value: UInt8 in [0, 10, 0xff] {
      #expect(wireError(Failure.self, request + [value, 0, 0, 0, 0]) == .malformed)
    }
    for value: UInt8 in [0, 8, 0xff] { #expect(wireError(Cancel.self, request + [value]) == .malformed) }
    for value: UInt8 in [0, 3, 0xff] {
      var entry = Array(Messages.entry.encoded.dropFirst())
      entry[8] = value
      #expect(wireError(Entry.self, entry) == .malformed)
    }
    for value: UInt8 in [0, 1, 5, 7, 0xff] {
      #expect(wireError(Presence.self, name("bob") + [1, value, 1, 2, 3, 4, 0, 80]) == .malformed)
    }
  }

  @Test func `an address has one form`() {
    let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff, 192, 0, 2, 7]
    #expect(NetworkAddress(bytes: mapped, port: 80) == nil)
    #expect(wireError(Presence.self, name("bob") + [1, 6] + mapped + [0, 80]) == .malformed)
    for count in [0, 3, 5, 15, 17] {
      #expect(NetworkAddress(bytes: [UInt8](repeating: 1, count: count), port: 80) == nil)
    }
  }

  @Test(arguments: ["Bob", "bO", "bob ", "bo", "", ".bob", "-bob", "b\u{f6}b", "bo/b", "bo\u{0}b"])
  func `a name on the wire is canonical`(_ text: String) {
    #expect(wireError(Lookup.self, request + name(text)) == .malformed)
    #expect(wireError(Login.self, request + name(text) + [0, 0, 0, 1, 0, 80]) == .malformed)
    #expect(wireError(List.self, request + [1] + name(text)) == .malformed)
    #expect(wireError(Presence.self, name(text) + [0]) == .malformed)
    #expect(wireError(Watch.self, request + [1, 0, 1] + name(text)) == .malformed)
    #expect(wireError(Fetch.self, request + name(text) + [0, 0, 0, 1, 0]) == .malformed)
  }

  @Test func `a name has 3 to 32 bytes`() {
    #expect(wireError(Lookup.self, request + name(String(repeating: "x", bytes: 32))) == nil)
    #expect(wireError(Lookup.self, request + name(String(repeating: "x", bytes: 33))) == .malformed)
    #expect(wireError(Lookup.self, request + name("xyz")) == nil)
    #expect(wireError(Lookup.self, request + name("xy")) == .malformed)
  }

  @Test(
    arguments: [
      [0x80], [0xff], [0xfe], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xe2, 0x82], [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80],
      [0x61, 0x80, 0x62], [0xf0, 0x9f, 0x91],
    ] as [[UInt8]])
  func `text is well-formed UTF-8`(_ bytes: [UInt8]) {
    let text = WireWriter.bytes { $0.vector16(bytes) }
    let padding = [UInt8](repeating: 0, count: 256 - text.count)
    let chat = [0] + Messages.id.array + [UInt8](repeating: 0, count: 8) + text + padding
    #expect(wireError(Chat.self, chat) == .malformed)
    let offer = Array(Messages.offer.encoded.dropFirst().prefix(36)) + text
    #expect(wireError(Offer.self, offer) == .malformed)
    let entry = Array(Messages.entry.encoded.dropFirst().prefix(26)) + text
    #expect(wireError(Entry.self, entry) == .malformed)
  }

  @Test func `only envelope 1 is read`() {
    let body = Array(Messages.chat.encoded.dropFirst())
    let version = 17
    #expect(body[version] == 1)
    for envelope: UInt8 in 0...255 where envelope != 1 {
      var changed = body
      changed[version] = envelope
      #expect(wireError(Chat.self, changed) == .malformed)
    }
  }

  @Test func `nothing stands in the place for a second agreement`() {
    for (message, slot) in [
      (Array(Messages.chat.encoded.dropFirst()), 17 + 1 + 16 + 1 + 32 + 4 + 5),
      (Array(Messages.prekeys.encoded.dropFirst()), 108 + 37),
    ] {
      #expect(message[slot] == 0)
      var changed = message
      changed[slot] = 1
      #expect(
        message.count > 200
          ? wireError(Chat.self, changed) == .malformed : wireError(Prekeys.self, changed) == .malformed)
    }
  }

  @Test func `an offer's numbers agree`() {
    func offer(_ change: (inout Offer) -> Void) -> WireError? {
      var offer = Messages.offer
      change(&offer)
      return wireError(offer)
    }
    #expect(offer { $0.stream = 0 } == .malformed)
    #expect(offer { $0.items = 0 } == .malformed)
    #expect(offer { $0.items = 2 } == .malformed)
    #expect(offer { $0.entries = 0 } == .malformed)
    #expect(offer { $0.entries = Limits.offerEntries } == nil)
    #expect(offer { $0.entries = Limits.offerEntries + 1 } == .tooLong)
    #expect(offer { $0.name = String(repeating: "x", bytes: 255) } == nil)
    #expect(offer { $0.name = String(repeating: "x", bytes: 256) } == .tooLong)
  }

  @Test func `an entry's fields agree`() {
    func entry(_ change: (inout Entry) -> Void) -> WireError? {
      var entry = Messages.entry
      change(&entry)
      return wireError(entry)
    }
    #expect(entry { $0.path = String(repeating: "x", bytes: Limits.path) } == nil)
    #expect(entry { $0.path = String(repeating: "x", bytes: Limits.path + 1) } == .tooLong)
    #expect(entry { $0.kind = .folder } == .malformed, "a folder with a size")
    #expect(entry { ($0.kind, $0.size) = (.folder, 0) } == nil)
    #expect(entry { ($0.kind, $0.size, $0.executable) = (.folder, 0, true) } == .malformed)
  }

  @Test func `counts have limits`() {
    let names = [UserName](repeating: Messages.bobsName, count: Limits.watchBatch + 1)
    #expect(wireError(Watch(request: 7, add: true, names: names.dropLast())) == nil)
    #expect(wireError(Watch(request: 7, add: true, names: names)) == .tooLong)
    let entries = [Listed.Entry](
      repeating: Messages.listed.entries[0], count: Limits.listPage + 1)
    #expect(wireError(Listed(request: 7, more: false, entries: entries.dropLast())) == nil)
    #expect(wireError(Listed(request: 7, more: false, entries: entries)) == .tooLong)
    // Refused before anything of them is read.
    #expect(wireError(Watch.self, request + [1, 0xff, 0xff]) == .tooLong)
    #expect(wireError(Listed.self, request + [1, 0xff, 0xff]) == .tooLong)
  }

  @Test func `prekeys are few, and their ids ascend`() {
    let ids = [UInt32](1...UInt32(Limits.oneTimePrekeys) + 1)
    let keys = ids.map { OneTimePrekey(id: $0, key: Messages.prekey(0x62)) }
    #expect(wireError(Publish(request: 7, used: ids.dropLast(), keys: keys.dropLast())) == nil)
    #expect(wireError(Publish(request: 7, used: ids)) == .tooLong)
    #expect(wireError(Publish(request: 7, keys: keys)) == .tooLong)
    // Refused before anything of them is read.
    #expect(wireError(Publish.self, request + [0, 0, 101]) == .tooLong)
    #expect(wireError(Publish.self, request + [0, 0, 0, 0xff]) == .tooLong)
    for wrong: [UInt32] in [[0], [0, 1], [2, 2], [2, 1], [1, 3, 2], [.max, 1]] {
      #expect(wireError(Publish(request: 7, used: wrong)) == .malformed, "\(wrong)")
      let keys = wrong.map { OneTimePrekey(id: $0, key: Messages.prekey(0x62)) }
      #expect(wireError(Publish(request: 7, keys: keys)) == .malformed, "\(wrong)")
    }
  }

  @Test func `no prekey has the id 0, and none a second agreement yet`() {
    var publish = Array(Messages.publish.encoded.dropFirst())
    for index in 6..<10 { publish[index] = 0 }
    #expect(wireError(Publish.self, publish) == .malformed)
    let reset = Fetch.Reset(failed: 0, signature: FixedBytes())
    #expect(wireError(Fetch(request: 7, name: Messages.bobsName, device: 1, reset: reset)) == .malformed)
    for kem: UInt8 in [1, 2, 0xff] {
      let bundle = Array(Messages.bundle.encoded.dropFirst().dropLast()) + [kem]
      #expect(wireError(Bundle.self, bundle) == .malformed)
    }
  }

  @Test func `a list in a message is no longer than lists can be`() {
    let most = [UInt8](repeating: 0, count: SignedDeviceList.maximumLength)
    #expect(wireError(Found(request: 7, address: nil, list: most)) == nil)
    #expect(wireError(Found(request: 7, address: nil, list: most + [0])) == .tooLong)
    #expect(wireError(Register(request: 7, list: most, signature: FixedBytes())) == nil)
    #expect(wireError(Register(request: 7, list: most + [0], signature: FixedBytes())) == .tooLong)
  }
}

import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

/// The limits fit one another: the largest of everything fits a frame.
@Suite struct LimitTests {
  private let longName = must(UserName(String(repeating: "x", bytes: Limits.userName.upperBound)))
  private let longAddress = Messages.aliceAddress

  private func fits(_ message: some WireMessage) -> Bool {
    message.encoded.count <= Limits.framePlaintext && wireError(message) == nil
  }

  private func largestList() -> SignedDeviceList {
    let account = Account(name: longName, registry: Users.registry)
    let devices = (0..<Limits.devices.upperBound).map { index in
      let device = Users.alice.publicDevice
      return Device(
        id: UInt32(index), link: device.link, messaging: device.messaging, signing: device.signing,
        created: device.created)
    }
    let list = must(
      DeviceList(
        identity: Users.alice.identity.publicKey, account: account, version: .max, previous: FixedBytes(),
        devices: devices))
    return SignedDeviceList(
      signing: list, with: Users.alice.identity,
      continuity: (id: 1, sign: { Users.alice.signing.sign(label: $0, message: $1.raw) }))
  }

  @Test func `the largest device list is as long as its limit says, and fits a handshake`() {
    let list = largestList()
    #expect(list.encoded.count == SignedDeviceList.maximumLength)
    // The third message: a sealed key and the sealed HELLO.
    let hello = Hello(device: 1, list: list).encoded
    #expect(32 + 16 + hello.count + 16 <= Limits.handshakeMessage)
    #expect(fits(Found(request: 7, address: longAddress, list: list.encoded)))
    #expect(fits(Register(request: 7, list: list.encoded, signature: FixedBytes())))
  }

  @Test func `the largest answers and requests fit a frame`() {
    let entry = Listed.Entry(
      name: longName, identity: Users.alice.identity.publicKey, address: longAddress)
    #expect(
      fits(
        Listed(request: 7, more: true, entries: [Listed.Entry](repeating: entry, count: Limits.listPage))))
    #expect(
      fits(Watch(request: 7, add: true, names: [UserName](repeating: longName, count: Limits.watchBatch))))
  }

  @Test func `the largest PUBLISH fits a frame`() {
    let ids = [UInt32](1...UInt32(Limits.oneTimePrekeys))
    let keys = ids.map { OneTimePrekey(id: $0, key: Messages.prekey(0x62)) }
    #expect(fits(Publish(request: 7, replace: true, signed: Messages.signedPrekey, used: ids, keys: keys)))
  }

  @Test func `the largest messages of peers fit a frame`() {
    let longest = Message(
      id: Messages.id, sent: 0, body: .text(String(repeating: "x", bytes: Limits.chatText)))
    let content = Content(sequence: 1, previous: FixedBytes(), message: longest)
    #expect(content.encoded.count == Limits.content)
    let sealed = [UInt8](repeating: 0, count: Limits.content + XChaChaPoly.nonceLength + aeadTagLength)
    #expect(
      fits(
        Chat(
          id: Messages.id, first: true,
          envelope: Envelope(
            session: FixedBytes(), initiation: Messages.initiation, header: Messages.envelope.header,
            sealed: sealed))))
    var entry = Messages.entry
    entry.path = String(repeating: "x", bytes: Limits.path)
    #expect(fits(entry))
    #expect(ChunkHeader.frameOverhead + Limits.chunkData <= Limits.framePlaintext)
    #expect(Limits.chunkData % 512 == 0)
  }

  @Test func `limits fit one another`() {
    #expect(Limits.noiseMessage == NoiseLimits.messageLength)
    #expect(Limits.framePlaintext == Limits.noiseMessage - aeadTagLength)
    #expect(Limits.handshakeMessage <= Limits.noiseMessage)
    #expect(Limits.watchBatch <= Limits.watchedNames)
    #expect(UInt64(Limits.framePlaintext) < Limits.rekeyBytes)
    #expect(UInt64(Limits.chunkData) <= Limits.fileCredit)
    #expect(Limits.linkAge < 3_600_000)
    #expect(Limits.pathComponent * 2 < Limits.path)
  }

  @Test func `what is sealed is padded to buckets`() {
    for count in [1, 184, 185, 186, 440, 441, 442, Limits.chatText] {
      let message = Message(id: Messages.id, sent: 0, body: .text(String(repeating: "x", bytes: count)))
      let content = Content(sequence: 1, previous: FixedBytes(), message: message).encoded.count
      #expect(content % Limits.chatBucket == 0 && content - 71 - count < Limits.chatBucket, "\(count)")
    }
  }
}

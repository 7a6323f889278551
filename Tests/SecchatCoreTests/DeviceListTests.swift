import SecchatCore
import SecchatCrypto
import TestSupport
import Testing

@Suite struct DeviceListTests {
  private typealias Failure = SignedDeviceList.Failure

  private func verify(_ bytes: [UInt8]) throws(SignedDeviceList.Failure) -> SignedDeviceList {
    try SignedDeviceList(verifying: bytes.raw)
  }

  /// Alice's list with something else in it; nil where it may not be made.
  private func list(
    version: UInt64 = 1, previous: FixedBytes<32> = FixedBytes(), devices: [Device]
  ) -> DeviceList? {
    DeviceList(
      identity: Users.alice.identity.publicKey, account: Users.aliceAccount, version: version,
      previous: previous, devices: devices)
  }

  private func device(_ id: UInt32) -> Device {
    let device = Users.alice.publicDevice
    return Device(
      id: id, link: device.link, messaging: device.messaging, signing: device.signing, created: 1)
  }

  @Test func `a list has 1 to 16 devices whose ids ascend, and a version`() {
    #expect(list(devices: []) == nil)
    #expect(list(devices: (0..<16).map(device)) != nil)
    #expect(list(devices: (0..<17).map(device)) == nil)
    #expect(list(devices: [device(2), device(1)]) == nil)
    #expect(list(devices: [device(1), device(1)]) == nil)
    #expect(list(version: 0, devices: [device(1)]) == nil)
    #expect(list(version: .max, devices: [device(1)]) != nil)
  }

  @Test func `a device is found by its id`() {
    let list = Users.aliceSecondList.list
    #expect(list.device(1) == Users.alice.publicDevice)
    #expect(list.device(2) == Users.aliceSecondDevice)
    #expect(list.device(0) == nil)
    #expect(list.device(3) == nil)
  }

  @Test func `a signed list is read as it was written`() throws {
    for signed in [Users.aliceList, Users.bobList, Users.aliceSecondList] {
      let read = try verify(signed.encoded)
      #expect(read == signed)
      #expect(read.list == signed.list)
      #expect(read.encoded == signed.encoded)
      #expect(read.hash == signed.hash)
    }
    #expect(Users.aliceList.hash != Users.aliceSecondList.hash)
  }

  @Test func `every changed bit of the list or its signature is refused`() {
    let bytes = Users.aliceList.encoded
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << bit
        #expect(throws: Failure.self, "byte \(index), bit \(bit)") { try verify(changed) }
      }
    }
  }

  @Test func `a cut or prolonged list is refused`() {
    for signed in [Users.aliceList, Users.aliceSecondList] {
      for count in signed.encoded.indices {
        #expect(throws: Failure.wire(.truncated)) { try verify(Array(signed.encoded[..<count])) }
      }
      #expect(throws: Failure.wire(.trailing)) { try verify(signed.encoded + [0]) }
    }
  }

  @Test func `what is no list is refused, whoever signed it`() {
    func signed(_ body: [UInt8]) -> [UInt8] {
      WireWriter.bytes {
        $0.vector16(body)
        $0.fixed(Users.alice.identity.sign(label: Labels.deviceList, message: body.raw))
        $0.flag(false)
      }
    }
    let good = Users.aliceList.list.encoded
    #expect((try? verify(signed(good))) == Users.aliceList)
    let (version, count) = (1 + 32 + 38, 1 + 32 + 38 + 8 + 32)
    let cases: [([UInt8], WireError)] = [
      (replacing(good, 0, [2]), .malformed),
      (replacing(good, version, [UInt8](repeating: 0, count: 8)), .malformed),
      (replacing(good, count, [0]), .tooLong), (replacing(good, count, [17]), .tooLong),
      (replacing(good, count, [2]), .truncated), (good + [0], .trailing), ([], .truncated),
      (replacing(good, 66, [0x41]), .malformed),
    ]
    for (body, error) in cases {
      #expect(throws: Failure.wire(error)) { try verify(signed(body)) }
    }
    let two = Users.aliceSecondList.list.encoded
    let first = count + 1
    #expect(throws: Failure.wire(.malformed), "ids the same") {
      try verify(signed(replacing(two, first, [0, 0, 0, 2])))
    }
    #expect(throws: Failure.wire(.malformed), "ids descend") {
      try verify(signed(replacing(two, first, [0, 0, 0, 3])))
    }
  }

  private func replacing(_ bytes: [UInt8], _ index: Int, _ new: [UInt8]) -> [UInt8] {
    Array(bytes[..<index]) + new + Array(bytes[(index + new.count)...])
  }

  @Test func `a signature of another key or under another label is refused`() {
    let body = Users.aliceList.list.encoded
    func signed(_ signature: SignatureBytes) -> [UInt8] {
      WireWriter.bytes {
        $0.vector16(body)
        $0.fixed(signature)
        $0.flag(false)
      }
    }
    let wrong = [
      Users.bob.identity.sign(label: Labels.deviceList, message: body.raw),
      Users.alice.signing.sign(label: Labels.deviceList, message: body.raw),
      Users.alice.identity.sign(label: Labels.continuity, message: body.raw),
      Users.alice.identity.sign(label: Labels.register, message: body.raw),
      Users.alice.identity.signBare(body.raw),
    ]
    for signature in wrong {
      #expect(throws: Failure.badSignature) { try verify(signed(signature)) }
    }
  }

  // MARK: Continuity

  @Test func `a list is continuous when a device of the one before vouches for it`() {
    #expect(Users.aliceSecondList.isContinuous(after: Users.aliceList))
    #expect(!Users.aliceNext(continuity: false).isContinuous(after: Users.aliceList))
    #expect(!Users.aliceSecondList.isContinuous(after: Users.bobList))
    #expect(!Users.aliceSecondList.isContinuous(after: Users.aliceSecondList))
    #expect(!Users.aliceList.isContinuous(after: Users.aliceList))
  }

  @Test func `a changed statement is not continuous, and never more than that`() throws {
    let bytes = Users.aliceSecondList.encoded
    let statement = bytes.count - 4 - 64
    for index in statement..<bytes.count {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << bit
        let read = try verify(changed)
        #expect(!read.isContinuous(after: Users.aliceList), "byte \(index), bit \(bit)")
      }
    }
    // The flag itself.
    #expect(throws: Failure.wire(.trailing)) {
      var changed = bytes
      changed[statement - 1] = 0
      return try verify(changed)
    }
    #expect(throws: Failure.wire(.malformed)) {
      var changed = bytes
      changed[statement - 1] = 2
      return try verify(changed)
    }
  }

  @Test func `only a device of the list before can vouch`() throws {
    let list = Users.aliceSecondList.list
    func signed(_ id: UInt32, _ key: borrowing SigningPrivateKey<DevicePurpose>, _ label: SignatureLabel)
      -> SignedDeviceList
    {
      let statement = key.sign(label: label, message: list.encoded.raw)
      return SignedDeviceList(
        signing: list, with: Users.alice.identity, continuity: (id: id, sign: { _, _ in statement }))
    }
    let second = try Users.secret(0x04, device: 2, created: 0)
    #expect(signed(1, Users.alice.signing, Labels.continuity).isContinuous(after: Users.aliceList))
    #expect(
      !signed(2, second.signing, Labels.continuity).isContinuous(after: Users.aliceList), "a new device")
    #expect(!signed(1, second.signing, Labels.continuity).isContinuous(after: Users.aliceList), "another key")
    #expect(
      !signed(1, Users.alice.signing, Labels.deviceList).isContinuous(after: Users.aliceList), "another label"
    )
  }

  // MARK: HELLO

  @Test func `HELLO is read as it was written, and in one form`() throws {
    let hello = Hello(device: 1, list: Users.aliceList)
    #expect(try Hello(decoding: hello.encoded.raw) == hello)
    for count in hello.encoded.indices {
      let cut = Array(hello.encoded[..<count])
      #expect(throws: Failure.self) { try Hello(decoding: cut.raw) }
    }
    let longer = hello.encoded + [0]
    #expect(throws: Failure.wire(.trailing)) { try Hello(decoding: longer.raw) }
    for index in hello.encoded.indices.dropFirst(4) {
      var changed = hello.encoded
      changed[index] ^= 1
      #expect(throws: Failure.self) { try Hello(decoding: changed.raw) }
    }
  }

  @Test func `HELLO speaks for the key of its device only`() {
    let hello = Hello(device: 1, list: Users.aliceSecondList)
    #expect(hello.speaks(for: Users.alice.link.publicKey))
    #expect(!hello.speaks(for: Users.aliceSecondDevice.link))
    #expect(!hello.speaks(for: Users.bob.link.publicKey))
    #expect(Hello(device: 2, list: Users.aliceSecondList).speaks(for: Users.aliceSecondDevice.link))
    #expect(!Hello(device: 3, list: Users.aliceSecondList).speaks(for: Users.alice.link.publicKey))
  }
}

import SecchatCore
import SecchatCrypto
import SecchatRegistry
import Testing

/// What any `RegistryStore` must do with prekeys: the rules of docs/protocol.md, sections 6.10 and 6.11.
struct PrekeyConformance<Store: RegistryStore> {
  let open: @Sendable () async throws -> Store
  let registry: LinkPublicKey

  static var start: UInt64 { 1_700_000_000 }
  static var hour: UInt64 { PrekeyMemory.hour }
  private let bounds = PrekeyLimits(perDevice: 60, perRequester: 6)

  func run() async throws {
    try await whatIsPublishedIsThereAfterARestart()
    try await onlyTheDeviceOnTheListPublishes()
    try await noIdIsTakenTwice()
    try await neverMoreThanAHundred()
    try await replacingDropsEverything()
    try await eachGoesToOneRequester()
    try await manyAtOnceGetDifferentOnes()
    try await theSameWithinTheHour()
    try await whatIsUsedIsNotGivenAgain()
    try await aResetBringsAnother()
    try await aResetOfAnythingElseChangesNothing()
    try await anExpiredSignedPrekeyIsNone()
    try await oneDeviceHasItsLimit()
    try await oneRequesterHasItsLimit()
    try await usingThemUpRaisesNoLimit()
    try await whatIsOldIsForgotten()
    try await aDeviceThatGoesTakesItsPrekeysAlong()
    try await anotherSigningKeyTakesThemAlongToo()
  }

  // MARK: Users

  /// A user whose first device has a signed prekey and those one-time prekeys there.
  private func owner(
    _ name: String, _ ids: ClosedRange<UInt32>, in store: Store
  ) async throws -> (User, [OneTimePrekey]) {
    let user = try User(name)
    #expect(try await store.claim(user.account(at: registry)) == .claimed)
    let keys = oneTimePrekeys(ids)
    let message = Publish(request: 1, signed: user.signedPrekey(at: registry), keys: keys)
    #expect(
      try await store.publish(message, of: user.owner, now: Self.start)
        == .published(signed: 1, left: keys.count))
    return (user, keys)
  }

  private func take(
    _ user: User, for requester: String, failed: UInt32? = nil, at time: UInt64 = start,
    limits: PrekeyLimits? = nil, mayHaveNew: Bool = true, in store: Store
  ) async throws -> PrekeyOutcome {
    let order = PrekeyOrder(
      owner: user.owner, requester: try #require(UserName(requester)), failed: failed,
      limits: limits ?? bounds,
      mayHaveNew: mayHaveNew)
    return try await store.prekeys(for: order, now: time)
  }

  private func left(_ user: User, in store: Store) async throws -> PublishOutcome {
    try await store.publish(Publish(request: 1), of: user.owner, now: Self.start)
  }

  // MARK: Publishing

  private func whatIsPublishedIsThereAfterARestart() async throws {
    var store = try await open()
    let (user, keys) = try await owner("published", 1...3, in: store)
    await store.close()
    store = try await open()
    #expect(try await left(user, in: store) == .published(signed: 1, left: 3))
    // A newer signed prekey takes the place of the old one, and the one-time prekeys stay.
    let signed = user.signedPrekey(at: registry, id: 2)
    let message = Publish(request: 1, signed: signed)
    #expect(
      try await store.publish(message, of: user.owner, now: Self.start) == .published(signed: 2, left: 3))
    #expect(
      try await take(user, for: "somebody", in: store)
        == .handedOut(PrekeyOffer(signed: signed, oneTime: keys[0]), left: 2))
    await store.close()
  }

  private func onlyTheDeviceOnTheListPublishes() async throws {
    let store = try await open()
    let (user, other) = (try User("publisher"), try User("publisher"))
    #expect(try await left(user, in: store) == .refused, "nobody has the name")
    #expect(try await store.claim(user.account(at: registry)) == .claimed)
    #expect(try await left(user, in: store) == .published(signed: 0, left: 0))
    func publish(_ signed: SignedPrekey, device: UInt32 = 1) async throws -> PublishOutcome {
      let message = Publish(request: 1, signed: signed, keys: oneTimePrekeys(1...2))
      return try await store.publish(
        message, of: PrekeyOwner(name: user.name, device: device), now: Self.start)
    }
    // Signed by another's device, for another registry, for another device of the list's.
    #expect(try await publish(other.signedPrekey(at: registry)) == .refused)
    #expect(try await publish(user.signedPrekey(at: LinkKeyPair.random().publicKey)) == .refused)
    #expect(try await publish(user.signedPrekey(at: registry), device: 2) == .refused)
    #expect(try await left(user, in: store) == .published(signed: 0, left: 0))
    #expect(try await publish(user.signedPrekey(at: registry)) == .published(signed: 1, left: 2))
    #expect(try await publish(other.signedPrekey(at: registry, id: 2)) == .refused)
    #expect(try await left(user, in: store) == .published(signed: 1, left: 2))
    await store.close()
  }

  /// Sent again after a lost answer they are there once; one that was used does not come back.
  private func noIdIsTakenTwice() async throws {
    let store = try await open()
    let (user, keys) = try await owner("twice", 5...9, in: store)
    func publish(_ keys: [OneTimePrekey]) async throws -> PublishOutcome {
      try await store.publish(Publish(request: 1, keys: keys), of: user.owner, now: Self.start)
    }
    #expect(try await publish(keys) == .published(signed: 1, left: 5))
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    #expect(try await publish(keys) == .published(signed: 1, left: 4))
    #expect(try await publish(oneTimePrekeys(5...5)) == .refused)
    #expect(try await publish(oneTimePrekeys(9...10)) == .refused)
    let used = Publish(request: 1, used: [5, 6])
    #expect(try await store.publish(used, of: user.owner, now: Self.start) == .published(signed: 1, left: 3))
    while try await store.forgetPrekeys(now: Self.start + 2 * Self.hour) {}
    #expect(try await publish(keys) == .published(signed: 1, left: 3))
    #expect(try await publish(oneTimePrekeys(1...4)) == .published(signed: 1, left: 3))
    #expect(try await publish(keys + oneTimePrekeys(10...10)) == .published(signed: 1, left: 4))
    await store.close()
  }

  private func neverMoreThanAHundred() async throws {
    let store = try await open()
    let (user, _) = try await owner("hundred", 1...60, in: store)
    func publish(_ ids: ClosedRange<UInt32>, used: [UInt32] = []) async throws -> PublishOutcome {
      let message = Publish(request: 1, used: used, keys: oneTimePrekeys(ids))
      return try await store.publish(message, of: user.owner, now: Self.start)
    }
    #expect(try await publish(61...101) == .tooMany)
    #expect(try await left(user, in: store) == .published(signed: 1, left: 60))
    #expect(try await publish(61...100) == .published(signed: 1, left: 100))
    #expect(try await publish(101...101) == .tooMany)
    // Ids that are not there make no room.
    #expect(try await publish(101...101, used: [4_000]) == .tooMany)
    #expect(try await publish(101...101, used: [50]) == .published(signed: 1, left: 100))
    #expect(try await take(user, for: "somebody", in: store).oneTime?.id == 1)
    #expect(try await publish(102...102) == .published(signed: 1, left: 100))
    await store.close()
  }

  private func replacingDropsEverything() async throws {
    let store = try await open()
    let (user, keys) = try await owner("replaced", 50...52, in: store)
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    let signed = user.signedPrekey(at: registry, id: 9)
    let new = oneTimePrekeys(1...2)
    let message = Publish(request: 1, replace: true, signed: signed, keys: new)
    #expect(
      try await store.publish(message, of: user.owner, now: Self.start) == .published(signed: 9, left: 2))
    #expect(try await take(user, for: "somebody", failed: 50, in: store) == .badReset)
    #expect(
      try await take(user, for: "somebody", in: store)
        == .handedOut(PrekeyOffer(signed: signed, oneTime: new[0]), left: 1))
    let nothing = Publish(request: 1, replace: true)
    #expect(
      try await store.publish(nothing, of: user.owner, now: Self.start) == .published(signed: 0, left: 0))
    #expect(try await take(user, for: "somebody", in: store) == .none)
    await store.close()
  }

  // MARK: Handing out

  private func eachGoesToOneRequester() async throws {
    var store = try await open()
    let (user, keys) = try await owner("handed", 1...3, in: store)
    #expect(try await take(user, for: "first", in: store).oneTime == keys[0])
    await store.close()
    store = try await open()
    #expect(try await take(user, for: "second", in: store).oneTime == keys[1])
    #expect(try await take(user, for: "third", in: store).oneTime == keys[2])
    guard case .offer(let offer) = try await take(user, for: "fourth", in: store) else {
      Issue.record("something was handed out where nothing is left")
      return
    }
    #expect(offer.oneTime == nil && offer.signed.id == 1)
    await store.close()
  }

  private func manyAtOnceGetDifferentOnes() async throws {
    var store = try await open()
    let (user, keys) = try await owner("crowd", 1...80, in: store)
    let wide = PrekeyLimits(perDevice: 1_000, perRequester: 6)
    let offers = try await withThrowingTaskGroup(of: PrekeyOutcome.self) { [store] group in
      for index in 0..<100 {
        group.addTask { try await take(user, for: "crowd-\(index)", limits: wide, in: store) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let handed = offers.compactMap(\.oneTime)
    #expect(handed.count == 80 && Set(handed) == Set(keys))
    #expect(offers.count { $0.offer?.signed.id == 1 } == 100)
    await store.close()
    store = try await open()
    #expect(try await left(user, in: store) == .published(signed: 1, left: 0))
    await store.close()
  }

  private func theSameWithinTheHour() async throws {
    var store = try await open()
    let (user, keys) = try await owner("same", 1...9, in: store)
    func oneTime(_ time: UInt64, mayHaveNew: Bool = true) async throws -> OneTimePrekey? {
      try await take(user, for: "somebody", at: time, mayHaveNew: mayHaveNew, in: store).oneTime
    }
    #expect(try await oneTime(Self.start) == keys[0])
    let again = try await withThrowingTaskGroup(of: OneTimePrekey?.self) { [store] group in
      for _ in 0..<20 { group.addTask { try await take(user, for: "somebody", in: store).oneTime } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(again == [keys[0]])
    await store.close()
    store = try await open()
    #expect(try await oneTime(Self.start + Self.hour - 1, mayHaveNew: false) == keys[0])
    // It was not handed out anew: the hour still counts from the beginning.
    #expect(try await oneTime(Self.start + Self.hour, mayHaveNew: false) == nil)
    #expect(try await oneTime(Self.start + Self.hour) == keys[1])
    // A clock that was set back a little.
    #expect(try await oneTime(Self.start + Self.hour - 60) == keys[1])
    await store.close()
  }

  private func whatIsUsedIsNotGivenAgain() async throws {
    let store = try await open()
    let (user, keys) = try await owner("used", 1...5, in: store)
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    // Of another device, and of ids that are not there, nothing comes.
    let used = Publish(request: 1, used: [1, 3, 77])
    #expect(
      try await store.publish(used, of: PrekeyOwner(name: user.name, device: 2), now: Self.start) == .refused)
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    #expect(try await store.publish(used, of: user.owner, now: Self.start) == .published(signed: 1, left: 3))
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[1])
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[1])
    #expect(try await take(user, for: "another", in: store).oneTime == keys[3])
    await store.close()
  }

  private func aResetBringsAnother() async throws {
    let store = try await open()
    let (user, keys) = try await owner("reset", 1...5, in: store)
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    #expect(try await take(user, for: "somebody", failed: 1, in: store).oneTime == keys[1])
    // The answer was lost: the same RESET again, or none.
    #expect(try await take(user, for: "somebody", failed: 1, in: store).oneTime == keys[1])
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[1])
    #expect(try await take(user, for: "somebody", failed: 2, in: store).oneTime == keys[2])
    // Days later as well.
    let later = Self.start + 20 * 86_400
    #expect(try await take(user, for: "somebody", failed: 3, at: later, in: store).oneTime == keys[3])
    // Where no other may be had, the failed one does not come back.
    #expect(
      try await take(user, for: "somebody", failed: 4, at: later, mayHaveNew: false, in: store).oneTime == nil
    )
    #expect(try await take(user, for: "somebody", at: later, mayHaveNew: false, in: store).oneTime == nil)
    #expect(try await take(user, for: "somebody", at: later, in: store).oneTime == keys[4])
    await store.close()
  }

  private func aResetOfAnythingElseChangesNothing() async throws {
    let store = try await open()
    let (user, keys) = try await owner("no-reset", 1...5, in: store)
    let (other, others) = try await owner("no-reset-2", 3...5, in: store)
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    #expect(try await take(user, for: "another", in: store).oneTime == keys[1])
    #expect(try await take(other, for: "somebody", in: store).oneTime == others[0])
    // Another's, one that nobody has, one of another's device, one that never was.
    for failed: UInt32 in [2, 4, 3, 99] {
      #expect(try await take(user, for: "somebody", failed: failed, in: store) == .badReset, "\(failed)")
    }
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    #expect(try await take(user, for: "another", in: store).oneTime == keys[1])
    #expect(try await left(user, in: store) == .published(signed: 1, left: 3))
    await store.close()
  }

  private func anExpiredSignedPrekeyIsNone() async throws {
    let store = try await open()
    let user = try User("expired")
    #expect(try await store.claim(user.account(at: registry)) == .claimed)
    let keys = oneTimePrekeys(1...2)
    let bare = Publish(request: 1, keys: keys)
    #expect(try await store.publish(bare, of: user.owner, now: Self.start) == .published(signed: 0, left: 2))
    #expect(try await take(user, for: "somebody", in: store) == .none)
    let signed = user.signedPrekey(at: registry, expires: Self.start + 10)
    let message = Publish(request: 1, signed: signed)
    #expect(
      try await store.publish(message, of: user.owner, now: Self.start) == .published(signed: 1, left: 2))
    #expect(try await take(user, for: "somebody", at: Self.start + 10, in: store) == .none)
    #expect(try await left(user, in: store) == .published(signed: 1, left: 2), "none was spent on it")
    #expect(try await take(user, for: "somebody", at: Self.start + 9, in: store).oneTime == keys[0])
    await store.close()
  }

  // MARK: Limits

  private func oneDeviceHasItsLimit() async throws {
    let store = try await open()
    let (user, _) = try await owner("drained", 1...100, in: store)
    func handed(_ crowd: String, at time: UInt64) async throws -> Int {
      var count = 0
      for index in 0..<80 {
        let outcome = try await take(user, for: "\(crowd)-\(index)", at: time, in: store)
        #expect(outcome.offer?.signed.id == 1, "never an error")
        if outcome.oneTime != nil { count += 1 }
      }
      return count
    }
    #expect(try await handed("one", at: Self.start) == 60)
    // Who has one keeps it.
    #expect(try await take(user, for: "one-7", in: store).oneTime?.id == 8)
    #expect(try await handed("two", at: Self.start + Self.hour - 1) == 0)
    #expect(try await handed("two", at: Self.start + Self.hour) == 40, "all that are left")
    await store.close()
  }

  private func oneRequesterHasItsLimit() async throws {
    let store = try await open()
    let (user, keys) = try await owner("one-drains", 1...20, in: store)
    var last: UInt32?
    for index in 0..<6 {
      let outcome = try await take(user, for: "somebody", failed: last, in: store)
      #expect(outcome.oneTime == keys[index])
      last = outcome.oneTime?.id
    }
    #expect(try await take(user, for: "somebody", failed: last, in: store).oneTime == nil)
    #expect(try await take(user, for: "somebody", in: store).oneTime == nil)
    #expect(try await take(user, for: "another", in: store).oneTime == keys[6])
    #expect(try await take(user, for: "somebody", at: Self.start + Self.hour, in: store).oneTime == keys[7])
    await store.close()
  }

  /// Whoever really uses what it takes has its owner report it used: the hour counts it all the same.
  private func usingThemUpRaisesNoLimit() async throws {
    let store = try await open()
    let (user, keys) = try await owner("burnt", 1...20, in: store)
    for index in 0..<6 {
      #expect(try await take(user, for: "somebody", in: store).oneTime == keys[index])
      let used = Publish(request: 1, used: [keys[index].id])
      _ = try await store.publish(used, of: user.owner, now: Self.start)
      _ = try await store.forgetPrekeys(now: Self.start)
    }
    #expect(try await take(user, for: "somebody", in: store).oneTime == nil)
    await store.close()
  }

  private func whatIsOldIsForgotten() async throws {
    let store = try await open()
    let (user, keys) = try await owner("forgotten", 1...5, in: store)
    #expect(try await take(user, for: "somebody", in: store).oneTime == keys[0])
    #expect(try await take(user, for: "another", in: store).oneTime == keys[1])
    let used = Publish(request: 1, used: [2])
    _ = try await store.publish(used, of: user.owner, now: Self.start)
    let month = Self.start + PrekeyMemory.unused
    while try await store.forgetPrekeys(now: Self.start + Self.hour) {}
    #expect(try await take(user, for: "another", failed: 2, at: month, in: store) == .badReset)
    while try await store.forgetPrekeys(now: month - 1) {}
    #expect(try await take(user, for: "somebody", failed: 1, at: month - 1, in: store).oneTime == keys[2])
    while try await store.forgetPrekeys(now: 2 * month) {}
    #expect(try await take(user, for: "somebody", failed: 3, at: 2 * month, in: store) == .badReset)
    // What nobody was given stays.
    #expect(try await left(user, in: store) == .published(signed: 1, left: 2))
    await store.close()
  }

  // MARK: Devices

  private func aDeviceThatGoesTakesItsPrekeysAlong() async throws {
    let store = try await open()
    let (user, _) = try await owner("gone", 1...5, in: store)
    let phone = try User("phone").secret.publicDevice
    let first = try user.list(at: registry)
    let both = try user.list(
      after: first,
      devices: first.list.devices + [
        Device(id: 2, link: phone.link, messaging: phone.messaging, signing: phone.signing, created: 1)
      ])
    #expect(try await store.claim(StoredAccount(both)) == .updated)
    #expect(
      try await left(user, in: store) == .published(signed: 1, left: 5), "a device that stays keeps them")
    let second = PrekeyOwner(name: user.name, device: 2)
    let keys = Publish(request: 1, keys: oneTimePrekeys(1...3))
    #expect(try await store.publish(keys, of: second, now: Self.start) == .published(signed: 0, left: 3))
    let one = try user.list(after: both, devices: [both.list.devices[1]])
    #expect(try await store.claim(StoredAccount(one)) == .updated)
    #expect(try await take(user, for: "somebody", in: store) == .none)
    #expect(try await left(user, in: store) == .refused)
    #expect(
      try await store.publish(Publish(request: 1), of: second, now: Self.start)
        == .published(signed: 0, left: 3))
    let back = try user.list(after: one, devices: both.list.devices)
    #expect(try await store.claim(StoredAccount(back)) == .updated)
    #expect(try await left(user, in: store) == .published(signed: 0, left: 0))
    await store.close()
  }

  private func anotherSigningKeyTakesThemAlongToo() async throws {
    let store = try await open()
    let (user, _) = try await owner("resigned", 1...5, in: store)
    let first = try user.list(at: registry)
    let old = first.list.devices[0]
    let device = Device(
      id: 1, link: old.link, messaging: old.messaging, signing: try User("other").secret.signing.publicKey,
      created: old.created)
    #expect(try await store.claim(StoredAccount(user.list(after: first, devices: [device]))) == .updated)
    #expect(try await take(user, for: "somebody", in: store) == .none)
    #expect(try await left(user, in: store) == .published(signed: 0, left: 0))
    let message = Publish(request: 1, signed: user.signedPrekey(at: registry))
    #expect(try await store.publish(message, of: user.owner, now: Self.start) == .refused)
    await store.close()
  }
}

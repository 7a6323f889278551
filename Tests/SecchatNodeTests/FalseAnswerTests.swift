import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// Whom a node dials and who is not the one: nothing goes out, not even who asks, and the user hears it.
@Suite(.serialized) struct FalseAnswerTests {
  /// Somebody who is dialled, and answers as a test likes.
  @LoopActor private final class Answerer {
    private let listener: Listener
    var key: LinkKeyPair
    var device: UInt32 = 1
    var hello: [UInt8] = []
    /// Who has said who he is.
    private(set) var links: [SealedLink] = []
    private(set) var calls = 0

    init(_ account: Account, _ key: LinkKeyPair) throws {
      self.key = key
      let listener = try Listener(address: try #require(SocketAddress("127.0.0.1:0")))
      self.listener = listener
      Loop.spawn { [weak self] in
        while let stream = try? await listener.accept() {
          guard let self else { return }
          self.calls += 1
          let link = try? await SealedLink.accept(
            stream, prologue: Prologue.peer(account, device: self.device), local: self.key,
            payload: self.hello)
          if let link { self.links.append(link) }
        }
      }
    }

    var address: NetworkAddress? { listener.address.flatMap(NetworkAddress.init) }
    func close() {
      listener.close()
      for link in links { link.abort() }
    }
  }

  @Test @LoopActor func whoAnswersAndIsNotTheOneLearnsNothing() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let (bob, mallory) = (try Stranger("bob", at: registry), try Stranger("mallory", at: registry))
    let phone = try SecretIdentity.generate(now: 2)
    let newer = try bob.next([bob.identity.device(1), phone.device(2)])
    let answerer = try Answerer(bob.account, bob.identity.link)
    registry.enrol(newer, at: answerer.address)
    let other = try #require(mallory.identity.firstDeviceList(for: bob.account))
    func hello(_ list: SignedDeviceList, _ device: UInt32 = 1) -> [UInt8] {
      Hello(device: device, list: list).encoded
    }
    var broken = hello(newer)
    broken[40] ^= 1
    let devices = [bob.identity.device(1)]
    let before = alice.remains
    let claims: [(String, [UInt8])] = [
      ("an older list", hello(bob.list)),
      ("another list of that version", hello(try bob.next(devices))),
      ("another's list", hello(mallory.list)),
      ("another account's", hello(try bob.next(devices, version: 3, for: mallory.account))),
      ("another identity's", hello(other)), ("another device", hello(newer, 2)),
      ("no device of it", hello(newer, 3)), ("a changed byte", broken), ("nothing", []),
      ("more than HELLO", hello(newer) + [0]), ("less", hello(newer).dropLast()),
    ]
    for (what, hello) in claims {
      answerer.hello = hello
      let (status, error) = await alice.chat("bob")
      #expect(status == .untrusted && error?.contains("nothing was sent") == true, "\(what): \(error ?? "")")
      #expect(alice.remains == before, "\(what)")
    }
    #expect(answerer.calls == claims.count && answerer.links.isEmpty)
    // The one that it is.
    answerer.hello = hello(newer)
    Loop.spawn { _ = await alice.chat("bob", timeout: 5) }
    #expect(await eventually { !answerer.links.isEmpty })
    #expect(await eventually { alice.node.contacts[bob.account]?.pinned == newer })
    answerer.close()
    await alice.node.close()
    registry.stop()
  }

  /// A device that was stolen and then taken off the list, with its key and the list that had it, and a registry that
  /// helps: who has seen the newer list does not come back to the older one.
  @Test @LoopActor func anOldDeviceIsNotGoneBackTo() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let phone = try SecretIdentity.generate(now: 2)
    let newer = try bob.next([phone.device(2)])
    registry.enrol(newer)
    let link = try await alice.dialled(by: phone.link, saying: Hello(device: 2, list: newer).encoded)
    let there = Stranger(phone, newer, device: 2)
    there.letters.note(alice, at: link)
    try await there.say("hello", on: link)
    link.abort()
    #expect(await eventually { alice.node.sessions.isEmpty })
    #expect(alice.node.contacts[bob.account]?.pinned == newer)

    let thief = try Answerer(bob.account, bob.identity.link)
    thief.hello = bob.hello
    let before = alice.remains
    // The older list is not even dialled with.
    registry.enrol(bob.list, at: thief.address)
    let (status, error) = await alice.chat("bob")
    #expect(status == .untrusted && error?.contains("device list") == true, "\(error ?? "")")
    #expect(await alice.ask(.lookup(user: "bob")).status == .untrusted)
    let folder = try TemporaryFolder(inMemory: true)
    let file = try folder.write("file", [1])
    let send = Request.send(user: "bob", paths: [file], limitRate: nil, checksum: false)
    #expect(await alice.ask(send).status == .untrusted)
    #expect(thief.calls == 0)
    // Nor does the old key do for the new list.
    registry.enrol(newer, at: thief.address)
    #expect(await alice.chat("bob").status == .peerOffline)
    thief.device = 2
    #expect(await alice.chat("bob").status == .peerOffline)
    // Nor where it comes by itself, whatever the registry's record is.
    registry.enrol(bob.list)
    for (device, list) in [(1, bob.list), (1, newer), (2, newer)] as [(UInt32, SignedDeviceList)] {
      let hello = Hello(device: device, list: list).encoded
      #expect(await !bob.isTaken(try await alice.dialled(by: bob.identity.link, saying: hello)))
    }
    #expect(thief.links.isEmpty && alice.remains == before)
    thief.close()
    await alice.node.close()
    registry.stop()
  }

  /// The other direction of a name that is not bound to a key: mallory's own list names bob's link key as its device, and
  /// his address as hers. Alice writes to mallory, and nobody else gets it.
  @Test @LoopActor func aListThatNamesAnothersKeyReachesNobody() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try await NodeAtWork("bob", at: registry)
    let mallory = try Stranger("mallory", at: registry)
    let address = bob.node.listener?.address.flatMap { NetworkAddress($0) }
    registry.enrol(try mallory.next([bob.node.identity.device(1)], version: 1), at: address)
    let before = [alice.remains, bob.remains]
    let (status, error) = await alice.chat("mallory")
    #expect(status == .peerOffline && error?.contains("cannot be reached") == true, "\(error ?? "")")
    #expect(bob.remains == before[1] && alice.node.contacts.all.map(\.account) == [mallory.account])
    #expect(await alice.ask(.outbox).events.count == 1)
    // The names swapped: each list is its own account's.
    registry.lie { registry, request in
      guard case .lookup(let lookup) = request,
        let other = UserName(lookup.name.text == "bob" ? "mallory" : "bob"), let list = registry.lists[other]
      else { return nil }
      return Found(request: lookup.request, address: address, list: list.encoded)
    }
    for name in ["bob", "mallory"] { #expect(await alice.chat(name).status == .untrusted) }
    #expect(bob.remains == before[1] && alice.node.contacts.all.map(\.account) == [mallory.account])
    #expect(await alice.ask(.outbox).events.count == 1)
    await alice.node.close()
    await bob.node.close()
    registry.stop()
  }

  /// A registry, or a thief of a device's own keys, puts a device on a list that the identity key has not signed.
  @Test @LoopActor func anInjectedDeviceIsRefused() async throws {
    let registry = try LyingRegistry()
    let alice = try await NodeAtWork("alice", at: registry)
    let bob = try Stranger("bob", at: registry)
    let more = try SecretIdentity.generate(now: 2)
    let genuine = bob.list.encoded
    let injected = try bob.next([bob.identity.device(1), more.device(2)])
    // The list with one device more under the signature of the one without, as the first and as the next.
    let signature = genuine.dropFirst(genuine.count - 65)
    let body = Array(injected.encoded.prefix(injected.encoded.count - 65 - 68))
    let lists: [[UInt8]] = [
      body + signature,
      SignedDeviceList(signing: injected.list, with: more.identity).encoded,
      SignedDeviceList(
        signing: injected.list, with: more.identity,
        continuity: (
          id: 1, sign: { label, bytes in bob.identity.signing.sign(label: label, message: bytes.raw) }
        )
      ).encoded,
    ]
    for isPinned in [false, true] {
      if isPinned {
        let link = try await bob.dial(alice)
        try await bob.say("hello", on: link)
        link.abort()
        #expect(await eventually { alice.node.sessions.isEmpty })
      }
      let before = alice.remains
      for (index, list) in lists.enumerated() {
        registry.lie { _, request in
          guard case .lookup(let lookup) = request else { return nil }
          return Found(request: lookup.request, address: nil, list: list)
        }
        #expect(await alice.ask(.lookup(user: "bob")).status == .integrity, "list \(index)")
        #expect(await alice.chat("bob").status == .integrity, "list \(index)")
        #expect(await alice.ask(.verify(user: "bob", number: nil)).status == (isPinned ? .done : .integrity))
      }
      #expect(alice.remains == before)
      registry.lie { _, _ in nil }
    }
    await alice.node.close()
    registry.stop()
  }
}

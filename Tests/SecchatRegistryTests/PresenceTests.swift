import SecchatCore
import SecchatCrypto
import SecchatLink
import SecchatNet
import SecchatRegistry
import TestSupport
import Testing

@Suite struct PresenceTests {
  @Test func whatIsWatchedIsToldAtOnceAndWhenItChanges() async throws {
    try await withRegistry(configure: { $0.presenceInterval = 20 }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      #expect(try await watcher.watch([bob.name]).watching != nil)
      #expect(try await watcher.presence() == Presence(name: bob.name, address: nil))
      let here = { NetworkAddress(bytes: [127, 0, 0, 1], port: $0) }

      let first = try await registry.online(bob, port: 4_000)
      #expect(try await watcher.presence() == Presence(name: bob.name, address: here(4_000)))
      _ = try await first.logIn(bob, port: 4_001)
      #expect(try await watcher.presence() == Presence(name: bob.name, address: here(4_001)))
      let second = try await registry.online(bob, port: 4_002)
      #expect(try await watcher.presence() == Presence(name: bob.name, address: here(4_002)))
      _ = try await second.logOut()
      #expect(try await watcher.presence() == Presence(name: bob.name, address: nil))
      let third = try await registry.online(bob, port: 4_003)
      #expect(try await watcher.presence().address == here(4_003))
      third.link.abort()
      #expect(try await watcher.presence().address == nil)
    }
  }

  @Test func aSessionThatLapsesIsTold() async throws {
    try await withRegistry(configure: { $0.life = 2_000 }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      let silent = try await registry.online(bob)
      _ = try await watcher.watch([bob.name])
      #expect(try await watcher.presence().address != nil)
      let ended = Loop.spawn { #expect(await silent.ending() == .closed(.idle)) }
      let gone = try await eventually {
        _ = try await watcher.heartbeat()
        return registry.registry.onlineCount == 1
      }
      #expect(gone)
      #expect(try await watcher.presence() == Presence(name: bob.name, address: nil))
      await ended.value
    }
  }

  @Test func whatIsNotWatchedIsNotTold() async throws {
    try await withRegistry { registry in
      let (ann, bob, cid) = (try User("ann"), try User("bob"), try User("cid"))
      let watcher = try await registry.online(ann)
      _ = try await watcher.watch([bob.name, cid.name])
      for _ in 0..<2 { #expect(try await watcher.presence().address == nil) }
      _ = try await watcher.watch([bob.name], add: false)
      _ = try await registry.online(bob)
      let client = try await registry.online(cid)
      // The next word is of the one still watched.
      #expect(try await watcher.presence().name == cid.name)
      _ = try await client.logIn(cid, port: 0)
      #expect(try await watcher.presence() == Presence(name: cid.name, address: nil))
    }
  }

  @Test func whatIsWatchedAlreadyIsNotToldAgain() async throws {
    try await withRegistry { registry in
      let names = try ["a1c", "b2c", "c3c"].map { try #require(UserName($0)) }
      let watcher = try await registry.online(User("ann"))
      _ = try await watcher.watch([names[0]])
      #expect(try await watcher.presence().name == names[0])
      for _ in 0..<3 { _ = try await watcher.watch([names[0]]) }
      _ = try await watcher.watch([names[0], names[1]])
      #expect(try await watcher.presence().name == names[1])
      // Taken off and added again, it is new.
      _ = try await watcher.watch([names[0]], add: false)
      _ = try await watcher.watch([names[0]])
      #expect(try await watcher.presence().name == names[0])
      _ = try await watcher.watch([names[2]])
      #expect(try await watcher.presence().name == names[2])
    }
  }

  @Test func afterLogoutNothingIsTold() async throws {
    try await withRegistry { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      _ = try await watcher.watch([bob.name])
      _ = try await watcher.presence()
      _ = try await watcher.logOut()
      _ = try await registry.online(bob)
      _ = try await watcher.logIn(ann)
      // Nothing but the answer comes.
      #expect(try await watcher.heartbeat().alive != nil)
      _ = try await watcher.watch([ann.name])
      #expect(try await watcher.presence().name == ann.name)
    }
  }

  @Test func aSessionMayWatchSoManyNamesAndNoMore() async throws {
    try await withRegistry { registry in
      let client = try await registry.online(User("ann"))
      let names = try (0...SecchatCore.Limits.watchedNames).map { try #require(UserName("user-\($0)")) }
      let half = SecchatCore.Limits.watchBatch
      for start in stride(from: 0, to: SecchatCore.Limits.watchedNames, by: half) {
        #expect(try await client.watch(Array(names[start..<start + half])).watching != nil)
      }
      let last = Array(names.suffix(1))
      #expect(try await client.watch(last).failure == .tooMany)
      // What is watched already may be asked for again.
      #expect(try await client.watch(Array(names.prefix(half))).watching != nil)
      #expect(try await client.watch(Array(names.prefix(1)), add: false).watching != nil)
      #expect(try await client.watch(last).watching != nil)
    }
  }

  @Test func aWatcherThatDoesNotReadCostsABoundedAmount() async throws {
    try await withRegistry(configure: {
      $0.presenceInterval = 0; $0.logins = Rate(10_000, per: 1_000)
    }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      _ = try await watcher.watch([bob.name])
      let client = try await registry.online(bob)
      for port in 0..<500 { _ = try await client.logIn(bob, port: UInt16(10_000 + port)) }
      _ = try await client.logIn(bob, port: 9_999)
      // Whatever was left out between, the last word is the truth.
      while try await watcher.presence().address?.port != 9_999 {}
    }
  }

  @Test func whoComesAndGoesAllTheTimeIsToldNowAndThen() async throws {
    try await withRegistry(configure: { $0.presenceInterval = 1_000 }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      _ = try await watcher.watch([bob.name])
      #expect(try await watcher.presence().address == nil)
      let start = Instant.now
      let client = try await registry.online(bob)
      for port in 0..<50 { _ = try await client.logIn(bob, port: UInt16(10_000 + port)) }
      _ = try await client.logIn(bob, port: 9_999)
      // Whatever was left out between, the last word is the truth.
      var told = 1
      while try await watcher.presence().address?.port != 9_999 { told += 1 }
      #expect(told <= (Instant.now - start) / 1_000 + 1)
    }
  }

  @Test func theFirstChangeIsToldAtOnceAndNoneTwice() async throws {
    try await withRegistry(configure: { $0.presenceInterval = 3_600_000 }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      _ = try await watcher.watch([ann.name, bob.name])
      for _ in 0..<2 { _ = try await watcher.presence() }
      let client = try await registry.online(bob)
      #expect(try await watcher.presence().address?.port == 4_000)
      _ = try await client.logOut()
      // Nothing before the hour is over, but another name has its own.
      _ = try await watcher.logIn(ann, port: 4_001)
      let last = try await watcher.presence()
      #expect(last.name == ann.name && last.address?.port == 4_001)
    }
  }

  @Test func aNewPortIsOneChange() async throws {
    try await withRegistry(configure: { $0.presenceInterval = 50 }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let watcher = try await registry.online(ann)
      let client = try await registry.online(bob)
      _ = try await watcher.watch([bob.name])
      #expect(try await watcher.presence().address?.port == 4_000)
      for port: UInt16 in 4_001..<4_010 {
        _ = try await client.logIn(bob, port: port)
        #expect(try await watcher.presence().address?.port == port)
      }
    }
  }

  @Test func theSessionsOfAnAccountShareABoundOnWatching() async throws {
    try await withRegistry(configure: {
      $0.watchesPerAccount = 3; $0.watches = 5
    }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let names = try ["a1c", "b2c", "c3c", "d4c"].map { try #require(UserName($0)) }
      let first = try await registry.online(ann, port: 0)
      let second = try await registry.online(ann, port: 0)
      #expect(try await first.watch(Array(names[0..<2])).watching != nil)
      #expect(try await second.watch(Array(names[0..<2])).failure == .tooMany)
      #expect(try await second.watch([names[0], names[0]]).watching != nil)
      #expect(try await first.watch(Array(names[0..<2])).watching != nil, "no new ones")
      // Another account has its own, as far as there are any.
      let third = try await registry.online(bob)
      #expect(try await third.watch(Array(names[0..<3])).failure == .tooMany)
      #expect(try await third.watch(Array(names[0..<2])).watching != nil)
      // What is taken off, or ends, makes room.
      #expect(try await first.watch([names[0]], add: false).watching != nil)
      // Where so much is taken, that is for who has less than others.
      #expect(try await third.watch([names[3]]).failure == .tooMany)
      #expect(try await registry.online(User("cid")).watch([names[3]]).watching != nil)
      _ = try await first.logOut()
      second.link.abort()
      let again = try await registry.online(ann)
      #expect(try await eventually { try await again.watch([names[1], names[2]]).watching != nil })
    }
  }

  @Test func whereWatchingGetsTightEachAccountHasItsShare() async throws {
    try await withRegistry(configure: {
      $0.watches = 16; $0.watchesPerAccount = 16
    }) { registry in
      let names = try (0..<16).map { try #require(UserName("user-\($0)")) }
      let greedy = try await registry.online(User("ann"))
      #expect(try await greedy.watch(Array(names[0..<12])).watching != nil)
      #expect(try await greedy.watch([names[12]]).watching != nil)
      // Above three quarters the only one has more than its share.
      #expect(try await greedy.watch([names[13]]).failure == .tooMany)
      #expect(try await greedy.watch(names.prefix(13).shuffled()).watching != nil, "no new ones")
      let late = [try await registry.online(User("bob")), try await registry.online(User("cid"))]
      #expect(try await late[0].watch(Array(names[0..<2])).watching != nil)
      #expect(try await late[1].watch(Array(names[0..<1])).watching != nil)
      #expect(try await late[1].watch(Array(names[1..<2])).failure == .tooMany, "there are no more")
      #expect(try await greedy.watch(Array(names[0..<4]), add: false).watching != nil)
      // Twelve are taken: no shares any more.
      #expect(try await greedy.watch([names[13]]).watching != nil)
    }
  }

  // MARK: Listing

  @Test func theListIsInOrderAndInPages() async throws {
    // Logging so many in may take longer than a session lives.
    try await withRegistry(configure: {
      $0.life = 3_600_000
      $0.lookups = Rate(60, per: 3_600_000)
    }) { registry in
      let count = 720
      let users = try (0..<count).map { try User("user-\($0)") }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for user in users {
          group.addTask { _ = try await registry.store.claim(user.account(at: registry.key)) }
        }
        try await group.waitForAll()
      }
      var clients: [Client] = []
      for user in users {
        let client = try await registry.client(of: user)
        #expect(try await client.logIn(user).loggedIn != nil)
        clients.append(client)
      }
      let first = try await clients[0].list()
      #expect(first.entries.count == SecchatCore.Limits.listPage)
      #expect(first.more)
      let second = try await clients[0].list(after: first.entries.last?.name)
      #expect(second.entries.count == count - SecchatCore.Limits.listPage)
      #expect(!second.more)
      #expect((first.entries + second.entries).map(\.name) == users.map(\.name).sorted())
      let keys = Dictionary(uniqueKeysWithValues: users.map { ($0.name, $0.secret.identity.publicKey) })
      #expect((first.entries + second.entries).allSatisfy { keys[$0.name] == $0.identity })

      // A name that went between two pages is no obstacle.
      let middle = try #require(UserName("user-5"))
      _ = try await clients[5].logOut()
      #expect(try await clients[0].list(after: middle).entries.first?.name.text == "user-50")

      // A page of 700 costs as much as fifteen look-ups.
      #expect(try await clients[0].list().entries.count == SecchatCore.Limits.listPage)
      #expect(try await clients[0].lookUp(middle).failure == .rateLimited)
    }
  }

  // MARK: Look-ups

  @Test func aLookUpTellsTheListAsItWasRegistered() async throws {
    try await withRegistry { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let client = try await registry.online(ann)
      #expect(try await client.lookUp(bob.name).failure == .unknownName)
      _ = try await registry.register(bob, over: registry.client(of: bob))
      let found = try #require(try await client.lookUp(bob.name).found)
      #expect(found.address == nil)
      #expect(found.list == (try bob.list(at: registry.key).encoded))
      _ = try await registry.online(bob, port: 4_444)
      #expect(try await client.lookUp(bob.name).found?.address?.port == 4_444)
    }
  }

  @Test func whoNamesManyPaysForMany() async throws {
    try await withRegistry(configure: { $0.lookups = Rate(10, per: 3_600_000) }) { registry in
      let ann = try User("ann")
      let names = try (0..<400).map { try #require(UserName("user-\($0)")) }
      let client = try await registry.online(ann)
      // Nine of ten.
      #expect(try await client.watch(names).watching != nil)
      #expect(try await client.watch(names, add: false).failure == .rateLimited)
      #expect(try await client.lookUp(ann.name).found != nil)
      #expect(try await client.lookUp(ann.name).failure == .rateLimited)
    }
  }

  @Test func lookUpsOfAUserAreLimitedOnAllLinksTogether() async throws {
    try await withRegistry(configure: { $0.lookups = Rate(5, per: 60_000) }) { registry in
      let (ann, bob) = (try User("ann"), try User("bob"))
      let client = try await registry.online(ann)
      for _ in 0..<3 { #expect(try await client.lookUp(ann.name).found != nil) }
      _ = try await client.list()
      let again = try await registry.online(ann, port: 0)
      #expect(try await again.watch([ann.name]).watching != nil)
      #expect(try await client.lookUp(ann.name).failure == .rateLimited)
      #expect(try await again.lookUp(ann.name).failure == .rateLimited)
      #expect(try await registry.online(bob).lookUp(ann.name).found != nil)
    }
  }
}

import SecchatCore
import SecchatLink
import SecchatNet
import Testing

extension LinkTests {
  @Suite struct RequestTests {
    /// A client whose answers are settled, and the registry's end.
    @LoopActor private func connected() async throws -> (Requests, SealedLink) {
      let (near, far) = try await Shake.link()
      let requests = Requests(on: near)
      Loop.spawn {
        do throws(LinkError) {
          while true {
            requests.settle(
              try await near.receive { (type, body) throws(WireError) in
                try RegistryAnswer(type: type, body: body)
              })
          }
        } catch { requests.end(.closed) }
      }
      return (requests, far)
    }

    @LoopActor private func request(_ link: SealedLink) async throws(LinkError) -> UInt32 {
      let request = try await link.receive { (type, body) throws(WireError) in
        try RegistryRequest(type: type, body: body)
      }
      guard case .heartbeat(let message) = request else { throw .protocolError }
      return message.request
    }

    @LoopActor private func ask(_ requests: Requests, patience: Int = 20_000) async -> Result<
      RegistryAnswer, LinkError
    > {
      await result { () throws(LinkError) in
        try await requests.ask(patience: patience) { Heartbeat(request: $0) }
      }
    }

    @Test @LoopActor func `answers find their questions in any order`() async throws {
      let (requests, registry) = try await connected()
      async let first = ask(requests)
      async let second = ask(requests)
      async let third = ask(requests)
      var ids: [UInt32] = []
      for _ in 0..<3 { ids.append(try await request(registry)) }
      #expect(Set(ids).count == 3)
      for id in ids.reversed() { registry.send(Alive(request: id, life: id + 100)) }
      registry.flush()
      var answers: Set<UInt32> = []
      for answer in await [first, second, third] {
        guard case .alive(let alive) = try answer.get() else {
          Issue.record("another answer")
          continue
        }
        #expect(alive.life == alive.request + 100)
        answers.insert(alive.request)
      }
      #expect(answers == Set(ids))
    }

    @Test @LoopActor func `a late answer is dropped, and the next is not mistaken for it`() async throws {
      let (requests, registry) = try await connected()
      #expect(await ask(requests, patience: 50).error == .network(.timedOut))
      let late = try await request(registry)
      registry.send(Alive(request: late, life: 1))
      async let answer = ask(requests)
      let next = try await request(registry)
      #expect(next != late)
      registry.send(Alive(request: late, life: 2))
      registry.send(Alive(request: 999, life: 3))
      registry.send(Presence(name: try #require(UserName("bob")), address: nil))
      registry.send(Alive(request: next, life: 4))
      registry.send(Alive(request: next, life: 5))
      registry.flush()
      #expect(try await answer.get() == .alive(Alive(request: next, life: 4)))
    }

    @Test @LoopActor func `the end of the link ends all that wait, and all that ask later`() async throws {
      let (requests, registry) = try await connected()
      async let first = ask(requests)
      async let second = ask(requests)
      _ = try await request(registry)
      _ = try await request(registry)
      registry.close()
      #expect(await first.error == .network(.closed))
      #expect(await second.error == .network(.closed))
      #expect(await ask(requests).error == .network(.closed))
    }
  }
}

import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

/// How a node keeps itself logged in.
@Suite struct RegistryClientTests {
  @LoopActor private final class Heard {
    var online = 0
    var offline: [(NodeError, Bool)] = []
    var presence: [Presence] = []
  }

  @LoopActor private func client(
    at registry: LyingRegistry, renewal: Int = Limits.linkAge
  ) throws -> (RegistryClient, Heard, UserName) {
    let name = try #require(UserName("alice"))
    let client = RegistryClient(
      identity: try SecretIdentity.generate(now: 1),
      account: Account(name: name, registry: registry.key.publicKey),
      registry: RegistryAddress(host: "127.0.0.1", port: registry.port, key: registry.key.publicKey),
      port: 7, renewal: renewal)
    let heard = Heard()
    client.onOnline = { _ in heard.online += 1 }
    client.onOffline = { heard.offline.append(($0, $1)) }
    client.onPresence = { heard.presence.append($0) }
    return (client, heard, name)
  }

  /// A fresh handshake takes the old link's place; that the registry ends the old one is no other program.
  @Test @LoopActor func renewsItsLinkUnnoticed() async throws {
    let registry = try LyingRegistry()
    registry.lie { _, request in
      guard case .login(let login) = request, let address = NetworkAddress(bytes: [127, 0, 0, 1], port: 7)
      else { return nil }
      // A beat every second, and each beat finds the link too old.
      return LoggedIn(request: login.request, address: address, life: 90, heartbeat: 1)
    }
    let (client, heard, _) = try client(at: registry, renewal: 0)
    client.stay { _ in Issue.record("gave up") }
    #expect(await eventually { heard.online >= 4 })
    #expect(heard.offline.isEmpty)
    #expect(client.isOnline)
    await client.stop(sayingSo: true)
    registry.stop()
  }

  @Test @LoopActor func anotherProgramIsGivenWay() async throws {
    let registry = try LyingRegistry()
    let (client, heard, name) = try client(at: registry)
    client.stay { _ in }
    #expect(await eventually { heard.online == 1 })
    registry.end(name)
    #expect(await eventually { heard.offline.count == 1 })
    #expect(heard.offline.first?.1 == false)
    registry.stop()
  }

  /// A log-in that is under way when the user logs out leaves nobody online.
  @Test @LoopActor func stopsALogInUnderWay() async throws {
    let registry = try LyingRegistry()
    let (client, heard, _) = try client(at: registry)
    let (attempt, asked, stopped) = (OneShot<Bool>(), OneShot<Void>(), OneShot<Void>())
    registry.beforeAnswer = { request in
      guard case .login = request else { return }
      asked.fulfil(())
      try? await stopped.wait()
    }
    Loop.spawn {
      do throws(NodeError) {
        _ = try await client.session()
        attempt.fulfil(true)
      } catch { attempt.fulfil(false) }
    }
    try await asked.wait(deadline: .now + 60_000)
    await client.stop(sayingSo: true)
    stopped.fulfil(())
    #expect(try await attempt.wait(deadline: .now + 60_000) == false)
    #expect(heard.online == 0 && !client.isOnline)
    registry.stop()
  }

  @Test @LoopActor func presenceOfNobodyWatchedIsIgnored() async throws {
    let registry = try LyingRegistry()
    let (client, heard, name) = try client(at: registry)
    client.stay { _ in }
    #expect(await eventually { heard.online == 1 })
    let bob = try #require(UserName("bob"))
    await client.watch([bob])
    registry.push(Presence(name: try #require(UserName("mallory")), address: nil), to: name)
    registry.push(Presence(name: bob, address: nil), to: name)
    #expect(await eventually { !heard.presence.isEmpty })
    #expect(heard.presence.map(\.name) == [bob])
    await client.stop(sayingSo: false)
    registry.stop()
  }

  @Test @LoopActor func comesBackWhenTheRegistryDoes() async throws {
    let registry = try LyingRegistry()
    let (client, heard, _) = try client(at: registry)
    client.stay { _ in }
    #expect(await eventually { heard.online == 1 })
    registry.hangUp()
    #expect(await eventually { !heard.offline.isEmpty })
    #expect(heard.offline.allSatisfy { _, retrying in retrying })
    #expect(await eventually { heard.online == 2 })
    await client.stop(sayingSo: true)
    registry.stop()
  }

  // MARK: A registry that lies

  /// Any other answer to LOGIN is no log-in.
  @Test @LoopActor func anotherAnswerIsNoLogIn() async throws {
    let registry = try LyingRegistry()
    let list = try Stranger("bob", at: registry).list.encoded
    for index in 0..<6 {
      registry.lie { _, request in
        guard case .login(let login) = request else { return nil }
        let number = login.request
        let others: [any WireMessage] = [
          Registered(request: number, already: true), Listed(request: number, more: false, entries: []),
          Found(request: number, address: nil, list: list), Alive(request: number, life: 1),
          LoggedOut(request: number), Watching(request: number),
        ]
        return others[index]
      }
      let (client, heard, _) = try client(at: registry)
      let error = await failure { () throws(NodeError) in _ = try await client.session() }
      #expect(error?.status == .internal)
      #expect(!client.isOnline && heard.online == 0)
      await client.stop(sayingSo: true)
    }
    registry.stop()
  }

  /// A session whose beats are not answered is none: the client logs in anew, with pauses that grow.
  @Test(arguments: [false, true]) @LoopActor func aBeatWithoutItsAnswerEndsTheSession(isRefused: Bool)
    async throws
  {
    let registry = try LyingRegistry()
    var lies = 2
    registry.lie { _, request in
      guard case .heartbeat(let beat) = request, lies > 0 else { return nil }
      lies -= 1
      return isRefused
        ? Failure(request: beat.request, reason: .notLoggedIn) : Watching(request: beat.request)
    }
    let (client, heard, _) = try client(at: registry)
    client.stay { _ in Issue.record("gave up") }
    #expect(await eventually { heard.online == 3 && client.isOnline })
    #expect(heard.offline.allSatisfy { _, retrying in retrying } && !heard.offline.isEmpty)
    #expect(registry.logins == 3)
    await client.stop(sayingSo: true)
    registry.stop()
  }

  @Test(arguments: [0, 1, .max] as [UInt32]) @LoopActor func oddTimesDoNoHarm(time: UInt32) async throws {
    let registry = try LyingRegistry()
    registry.lie { _, request in
      switch request {
      case .login(let login):
        return LoggedIn(
          request: login.request, address: NetworkAddress(unspecified: ()), life: time, heartbeat: time)
      case .heartbeat(let beat): return Alive(request: beat.request, life: time)
      default: return nil
      }
    }
    let (client, heard, _) = try client(at: registry)
    client.stay { _ in Issue.record("gave up") }
    #expect(await eventually { heard.online == 1 })
    #expect(try await client.session().list().isEmpty)
    #expect(client.isOnline && heard.offline.isEmpty)
    await client.stop(sayingSo: true)
    registry.stop()
  }

  @Test(arguments: Close.Reason.allCases.filter { $0 != .replaced })
  @LoopActor func whateverEndsTheLinkItComesBack(reason: Close.Reason) async throws {
    let registry = try LyingRegistry()
    let (client, heard, name) = try client(at: registry)
    client.stay { _ in Issue.record("gave up") }
    #expect(await eventually { heard.online == 1 })
    registry.end(name, reason)
    #expect(await eventually { heard.online == 2 })
    await client.stop(sayingSo: true)
    registry.stop()
  }
}

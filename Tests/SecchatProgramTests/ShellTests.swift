import SecchatNode
import Synchronization
import Testing

@testable import SecchatTerminal
@testable import secchat

@Suite struct ShellTests {
  private let online = Event.online(.init(user: "alice@r:7499", address: "10.0.0.1:1", listen: "0.0.0.0:1"))

  @Test func thePromptFollowsTheEvents() {
    let state = ShellState()
    #expect(state.prompt == "secchat (offline)> ")
    #expect(state.note(online))
    #expect(state.prompt == "alice> ")
    #expect(state.note(.offline(.init(user: "alice@r:7499", retrying: true))))
    #expect(state.prompt == "alice (offline)> ")
  }

  @Test func beingOnlineIsToldOnce() {
    let state = ShellState()
    #expect(state.note(online))
    #expect(!state.note(online))
    #expect(state.note(.offline(.init(user: "alice", retrying: true))))
    #expect(!state.note(.offline(.init(user: "alice", retrying: true))))
    #expect(state.note(.offline(.init(user: "alice", retrying: false))))
    #expect(state.note(online))
  }

  @Test func whoIsOfflineFromTheStartIsNoNews() {
    let state = ShellState()
    func presence(_ online: Bool) -> Bool { state.note(.presence(.init(user: "bob", online: online))) }
    #expect(!presence(false))
    #expect(presence(true))
    #expect(!presence(true))
    #expect(presence(false))
    #expect(!presence(false))
  }

  private func offered(_ id: String) -> Event {
    .offered(.init(id: id, from: "bob", name: "f", items: 1, bytes: 1))
  }

  @Test func offersAreFoundByTheirFirstDigits() throws {
    let state = ShellState()
    #expect(throws: NodeError.self) { try state.offers.find(nil) }
    _ = state.note(offered("abc1"))
    _ = state.note(offered("abd2"))
    #expect(throws: NodeError.self) { try state.offers.find(nil) }
    #expect(try state.offers.find("abc") == "abc1")
    #expect(try state.offers.find("ABC1") == "abc1")
    #expect(throws: NodeError.self) { try state.offers.find("ab") }
    #expect(throws: NodeError.self) { try state.offers.find("x") }
    state.offers.remove("abd2")
    #expect(try state.offers.find(nil) == "abc1")
  }

  @Test func completionKnowsCommandsAndPeers() {
    let state = ShellState()
    _ = state.note(.presence(.init(user: "bob", online: true)))
    _ = state.note(.presence(.init(user: "barbara", online: true)))
    _ = state.note(offered("abcdef0123456789"))
    let completion = ShellCompletion(state: state)
    #expect(completion.candidates("lo") == ["login", "logout", "lookup"])
    #expect(completion.candidates("chat b") == ["barbara", "bob"])
    #expect(completion.candidates("chat ") == ["barbara", "bob"])
    #expect(completion.candidates("chat bob b") == [])
    #expect(completion.candidates("accept ") == ["abcdef"])
    #expect(completion.candidates("help who") == ["whoami"])
    #expect(completion.candidates("send --check") == ["--checksum"])
    #expect(completion.candidates("frob b") == [])
    #expect(completion.candidates("send bob /et") == ["/etc/"])
  }

  @Test func jobsKeepTheirOrder() async {
    let queue = JobQueue()
    let order = Mutex<[Int]>([])
    for number in 0..<50 {
      _ = queue.add {
        if number % 7 == 0 { await Task.yield() }
        order.withLock { $0.append(number) }
        return .done
      }
    }
    await queue.drain()
    #expect(order.withLock { $0 } == Array(0..<50))
    #expect(queue.count == 0)
  }
}

extension ShellCompletion {
  fileprivate func candidates(_ line: String) -> [String] {
    candidates(CompletionRequest(line: line, beforeCursor: line))
  }
}

import SecchatNode
import Testing

@testable import secchat

@Suite struct ConversationTests {
  private func message(from user: String) -> Event {
    .message(.init(id: "1", from: user, to: "alice", text: "hi", time: 0, verified: false))
  }

  @Test(arguments: ["bob", "Bob", "BOB@chat.example.org:7499", "bob@[::1]:7499"])
  func answersConcernIt(typed: String) {
    let name = Chat(user: typed).name
    #expect(name == "bob")
    #expect(Conversation.concerns(name, message(from: "bob")))
    #expect(!Conversation.concerns(name, message(from: "bobby")))
    #expect(Conversation.concerns(name, .presence(.init(user: "bob", online: false))))
    #expect(!Conversation.concerns(name, .presence(.init(user: "carol", online: false))))
  }
}

import SecchatArguments
import SecchatNode
import Testing

@testable import secchat

@Suite struct ChoiceTests {
  private func options(_ words: String...) throws -> NodeOptions {
    guard case .run(let arguments) = try Program.spec.parse(words) else { return NodeOptions() }
    return try NodeChoices.parse(arguments)
  }

  @Test func choicesAreRead() throws {
    #expect(try options("daemon") == NodeOptions())
    let all = try options(
      "login", "--listen", ":0", "--accept-files", "never", "--downloads", "/d", "--strangers", "accept",
      "--visibility", "everyone")
    #expect(all.listen == "[::]:0")
    #expect(all.files == .never)
    #expect(all.downloads == "/d")
    #expect(all.strangers == .accept)
  }

  @Test(arguments: [
    ["--visibility", "contacts"], ["--visibility", "nobody"], ["--strangers", "hold"],
    ["--strangers", "refuse"],
  ])
  func whatComesLaterSaysSo(choice: [String]) {
    let error = #expect(throws: NodeError.self) { try options("daemon", choice[0], choice[1]) }
    #expect(error?.status == .usage)
    #expect(error?.message.contains("later") == true)
  }

  @Test(arguments: [
    ["--visibility", "me"], ["--strangers", ""], ["--accept-files", "yes"], ["--listen", "x"],
    ["--downloads", ""],
  ])
  func whatIsNoChoiceIsRefused(choice: [String]) {
    let error = #expect(throws: NodeError.self) { try options("daemon", choice[0], choice[1]) }
    #expect(error?.status == .usage)
    #expect(error?.message.contains("later") == false)
  }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// `peers/secchat_client.py`, which knows the protocol from docs/protocol.md alone.
final class DocumentedPeer: Sendable {
  /// What the peer could not do: the kind of error, and its words.
  struct Failure: Error, Equatable {
    let how: String
    let why: String
  }

  let program: JSONProgram
  private let number = Mutex(0)

  init() throws {
    program = JSONProgram(try .python("secchat_client.py"))
  }

  /// Asks for one thing and waits for its answer.
  @discardableResult
  func ask(
    _ method: String, _ arguments: [String: JSONValue] = [:], within limit: Duration = patience
  ) async throws -> JSONValue {
    let number = number.withLock { number in
      number += 1
      return number
    }
    let asked: [String: JSONValue] = ["do": .string(method), "number": JSONValue(integerLiteral: number)]
    try program.say(.object(arguments.merging(asked) { $1 }))
    let answer = try await program.next("answer", or: "failed", within: limit) {
      $0["number"].int == number
    }
    guard answer.type == "answer" else {
      throw Failure(how: answer["how"].string ?? "", why: answer["why"].string ?? "")
    }
    return answer
  }

  /// Links to a user who is looked up first, by `dial` or another method of its kind.
  func dial(_ user: String, by method: String = "dial") async throws -> JSONValue {
    let address = try #require(try await ask("lookup", ["user": .string(user)])["address"].string)
    let (host, port) = try hostAndPort(address)
    return try await ask(method, ["user": .string(user), "host": host, "port": port])
  }
}

/// The two parts of `HOST:PORT`.
func hostAndPort(_ address: String) throws -> (host: JSONValue, port: JSONValue) {
  let colon = try #require(address.lastIndex(of: ":"))
  let port = try #require(Int(address[address.index(after: colon)...]))
  return (.string(String(address[..<colon])), JSONValue(integerLiteral: port))
}

import Foundation
import Glibc
import SecchatTerminal
import TestSupport
import Testing

extension TerminalTests {
  @Suite struct PlainLinesTests {
    private func lines(_ contents: [UInt8]) async throws -> [Result<String, LineError>] {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      let (input, output) = (ends[0], ends[1])
      let editor = try LineEditor(terminal: Terminal(output: output, error: output), input: input)
      #expect(!editor.isInteractive)
      Thread.detachNewThread {
        _ = unsafe write(output, contents, contents.count)
        close(output)
      }
      defer { close(input) }
      var found: [Result<String, LineError>] = []
      while true {
        do throws(LineError) {
          guard let line = try await editor.nextLine() else { break }
          found.append(.success(line))
        } catch {
          found.append(.failure(error))
        }
      }
      editor.close()
      return found
    }

    @Test func splitsLines() async throws {
      #expect(
        try await lines(Array("a\r\n\nb c\nlast".utf8)) == ["a", "", "b c", "last"].map { .success($0) })
      #expect(try await lines([]) == [])
      #expect(try await lines([0x61, 0xFF, 0x0A]) == [.failure(.notText)])
      #expect(try await lines([0xFF, 0x0A, 0x62]) == [.failure(.notText), .success("b")])
    }

    @Test func longLinesAreToldAndPassedOver() async throws {
      let longest = [UInt8](repeating: 0x61, count: 65_536)
      let found = try await lines(
        Array("x\n".utf8) + longest + [0x0A] + longest + [0x61, 0x0A] + longest + longest + [0x0A, 0x79])
      #expect(
        found == [
          .success("x"), .success(String(decoding: longest, as: UTF8.self)), .failure(.tooLong),
          .failure(.tooLong), .success("y"),
        ])
    }
  }
}

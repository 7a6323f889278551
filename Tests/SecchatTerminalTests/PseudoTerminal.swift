import Foundation
import Glibc

/// A terminal without a screen: what the program writes is collected, what is typed is written to it.
final class PseudoTerminal: @unchecked Sendable {
  let master: Int32
  let slave: Int32
  let path: String
  private let lock = NSLock()
  private var bytes: [UInt8] = []
  private let isFinished = DispatchSemaphore(value: 0)

  /// - Parameter isRead: whether what is written is taken from the start; otherwise from `startReading` on.
  init(columns: UInt16 = 40, rows: UInt16 = 10, isRead: Bool = true) {
    master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // TIOCGPTN and TIOCSPTLCK: what unlockpt and ptsname do, which the Glibc module leaves out.
    var number: Int32 = 0
    var unlocked: Int32 = 0
    _ = unsafe ioctl(master, 0x8004_5430, &number)
    _ = unsafe ioctl(master, 0x4004_5431, &unlocked)
    path = "/dev/pts/\(number)"
    slave = unsafe open(path, O_RDWR | O_NOCTTY)
    resize(columns: columns, rows: rows)
    if isRead { startReading() }
  }

  func startReading() { Thread.detachNewThread { [self] in collect() } }

  /// Writes spaces until there is no room for more; for a terminal that nobody reads.
  func fill() {
    let own = unsafe open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK)
    while unsafe write(own, " ", 1) == 1 {}
    Glibc.close(own)
  }

  func resize(columns: UInt16, rows: UInt16) {
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    _ = unsafe ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  /// The slave's last descriptor goes: the collector sees the end and the master goes as well.
  func close() {
    Glibc.close(slave)
    isFinished.wait()
    Glibc.close(master)
  }

  private func collect() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(master, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      lock.withLock { bytes += chunk[..<count] }
    }
    isFinished.signal()
  }

  func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(master, bytes, bytes.count)
  }

  var output: String { lock.withLock { String(decoding: bytes, as: UTF8.self) } }

  /// What a person would see: the rows with what is scrolled out above them.
  var screen: Screen {
    var size = winsize()
    _ = unsafe ioctl(master, UInt(TIOCGWINSZ), &size)
    var screen = Screen(columns: Int(size.ws_col), rows: Int(size.ws_row))
    screen.feed(output)
    return screen
  }

  var mode: termios {
    var mode = termios()
    _ = unsafe tcgetattr(slave, &mode)
    return mode
  }

  var echoes: Bool { mode.c_lflag & tcflag_t(ECHO) != 0 }
  var isCooked: Bool { mode.c_lflag & tcflag_t(ICANON) != 0 }
}

/// Just enough of a VT100 to see what libedit makes of a line.
struct Screen {
  let columns: Int
  let rows: Int
  private var cells: [[Character]] = []
  private(set) var row = 0
  private(set) var column = 0
  /// A character in the last column leaves the cursor there until the next one comes.
  private var wraps = false

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
  }

  /// Rows with something on them, without blanks at their ends.
  var lines: [String] {
    cells.map { row in
      var row = row
      while row.last == " " { row.removeLast() }
      return String(row.filter { $0 != "\0" })
    }.reversed().drop { $0.isEmpty }.reversed()
  }

  mutating func feed(_ text: String) {
    var scalars = Array(text.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\r":
        column = 0
        wraps = false
      case "\n": down()
      case "\u{8}": column = max(0, column - 1)
      case "\u{7}": break
      case "\t": column = min(columns - 1, (column / 8 + 1) * 8)
      case "\u{1B}": escape(&scalars)
      default: put(Character(scalar))
      }
    }
  }

  private mutating func down() {
    row += 1
    while row >= cells.count { cells.append(Array(repeating: " ", count: columns)) }
  }

  private mutating func put(_ character: Character) {
    if wraps {
      column = 0
      down()
      wraps = false
    }
    cells[row][column] = character
    if column == columns - 1 { wraps = true } else { column += 1 }
  }

  private mutating func escape(_ scalars: inout ArraySlice<Unicode.Scalar>) {
    guard scalars.first == "[" else {
      scalars = scalars.dropFirst()
      return
    }
    scalars = scalars.dropFirst()
    var parameter = ""
    while let scalar = scalars.popFirst() {
      guard !("0"..."9").contains(scalar), scalar != ";", scalar != "?" else {
        parameter.unicodeScalars.append(scalar)
        continue
      }
      let number = Int(parameter) ?? 0
      wraps = false
      switch scalar {
      case "A": row = max(0, row - max(1, number))
      case "B": row += max(1, number)
      case "C": column = min(columns - 1, column + max(1, number))
      case "D": column = max(0, column - max(1, number))
      case "G": column = max(1, number) - 1
      case "K": for index in column..<columns { cells[row][index] = " " }
      case "J":
        for index in column..<columns { cells[row][index] = " " }
        for below in cells.indices where below > row {
          cells[below] = Array(repeating: " ", count: columns)
        }
      case "@":
        let blanks = Array(repeating: Character(" "), count: max(1, number))
        cells[row].insert(contentsOf: blanks, at: column)
        cells[row] = Array(cells[row].prefix(columns))
      case "P":
        let count = min(max(1, number), columns - column)
        cells[row].removeSubrange(column..<column + count)
        cells[row] += Array(repeating: Character(" "), count: count)
      default: break
      }
      return
    }
  }
}

/// Runs what blocks on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: body()) }
  }
}

import CUV

/// What a deadline belongs to.
@LoopActor protocol Expirable: AnyObject {
  /// The entry has left the queue because its time has come.
  func expired()
}

/// One place in the queue of deadlines. The owner removes it before it goes.
@safe @LoopActor final class DeadlineEntry {
  // Unsafe, because the owner may be reached while its deinit waits for its turn on the loop.
  private unowned(unsafe) let owner: any Expirable
  fileprivate(set) var due = Instant(milliseconds: .max)
  fileprivate var index = -1

  init(owner: any Expirable) { unsafe self.owner = owner }

  fileprivate func fire() { unsafe owner.expired() }

  var isScheduled: Bool { index >= 0 }

  /// Makes sure that the entry fires at `instant` or before: an owner whose deadline moved on since schedules
  /// it anew when it fires, so that pushing a deadline back costs nothing.
  func schedule(by instant: Instant) { Deadlines.shared.schedule(self, by: instant) }

  func cancel() { Deadlines.shared.cancel(self) }
}

/// All deadlines of the loop: a binary heap under one timer.
@safe @LoopActor final class Deadlines {
  static let shared = Deadlines()

  private var heap: ContiguousArray<DeadlineEntry> = []
  private let timer = unsafe Handle<uv_timer_t>()
  private var armed: Instant?

  private init() {
    unsafe uv_timer_init(Loop.shared.uv, timer.pointer)
    unsafe timer.retain(self)
  }

  fileprivate func schedule(_ entry: DeadlineEntry, by instant: Instant) {
    if entry.isScheduled {
      guard instant < entry.due else { return }
      entry.due = instant
    } else {
      entry.due = instant
      entry.index = heap.count
      heap.append(entry)
    }
    rise(entry.index)
    arm()
  }

  fileprivate func cancel(_ entry: DeadlineEntry) {
    guard entry.isScheduled else { return }
    remove(at: entry.index)
  }

  private func arm() {
    guard let first = heap.first else { return }
    if let armed, armed <= first.due { return }
    armed = first.due
    unsafe uv_update_time(Loop.shared.uv)
    unsafe uv_timer_start(
      timer.pointer,
      { timer in
        let queue = unsafe Handle<uv_timer_t>.owner(timer?.pointee.data, as: Deadlines.self)
        LoopActor.onLoop { queue?.sweep() }
      }, UInt64(max(0, first.due - .now)), 0)
  }

  private func sweep() {
    armed = nil
    let now = Instant.now
    while let first = heap.first, first.due <= now {
      remove(at: 0)
      first.fire()
    }
    arm()
  }

  // MARK: Heap

  private func remove(at index: Int) {
    heap[index].index = -1
    let last = heap.removeLast()
    guard index < heap.count else { return }
    heap[index] = last
    last.index = index
    rise(index)
    sink(last.index)
  }

  private func rise(_ start: Int) {
    let entry = heap[start]
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard entry.due < heap[parent].due else { break }
      heap[index] = heap[parent]
      heap[index].index = index
      index = parent
    }
    heap[index] = entry
    entry.index = index
  }

  private func sink(_ start: Int) {
    let entry = heap[start]
    var index = start
    while true {
      var child = 2 * index + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].due < heap[child].due { child += 1 }
      guard heap[child].due < entry.due else { break }
      heap[index] = heap[child]
      heap[index].index = index
      index = child
    }
    heap[index] = entry
    entry.index = index
  }
}

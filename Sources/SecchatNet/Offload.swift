import CUV

extension Loop {
  /// Runs `work` on libuv's thread pool and resumes on the loop: for the disk, hashing, passphrases.
  @LoopActor package static func offload<T: Sendable, E: Error>(
    _ work: @Sendable @escaping () throws(E) -> T
  ) async throws(E) -> T {
    let box = OffloadBox(work)
    let result: Result<T, E> = await unsafe withUnsafeContinuation { continuation in
      box.finish = { unsafe continuation.resume(returning: $0) }
      box.start()
    }
    return try result.get()
  }
}

/// What libuv's pool knows of a piece of work.
private class Offloaded: @unchecked Sendable {
  func run() {}
  func done() {}

  @LoopActor func start() {
    let request = UnsafeMutablePointer<uv_work_t>.allocate(capacity: 1)
    unsafe request.initialize(to: uv_work_t())
    unsafe request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    // Fails only for a null callback.
    unsafe uv_queue_work(Loop.shared.uv, request, runWork, finishWork)
  }
}

private let runWork: @convention(c) (UnsafeMutablePointer<uv_work_t>?) -> Void = { request in
  guard let data = unsafe request?.pointee.data else { return }
  unsafe Unmanaged<Offloaded>.fromOpaque(data).takeUnretainedValue().run()
}

private let finishWork: @convention(c) (UnsafeMutablePointer<uv_work_t>?, Int32) -> Void = { request, _ in
  guard let request = unsafe request, let data = unsafe request.pointee.data else { return }
  unsafe request.deallocate()
  unsafe Unmanaged<Offloaded>.fromOpaque(data).takeRetainedValue().done()
}

private final class OffloadBox<T: Sendable, E: Error>: Offloaded, @unchecked Sendable {
  private let work: @Sendable () throws(E) -> T
  private var result: Result<T, E>?
  var finish: ((Result<T, E>) -> Void)?

  init(_ work: @Sendable @escaping () throws(E) -> T) { self.work = work }

  override func run() {
    do throws(E) {
      result = .success(try work())
    } catch {
      result = .failure(error)
    }
  }

  override func done() {
    // Nothing here cancels work, so it has run.
    if let result { finish?(result) }
  }
}

import CUV
import Glibc

func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

extension Loop {
  /// The signals `numbers` (SIGINT, SIGTERM, SIGHUP, SIGWINCH …) as they arrive. While the stream is held they
  /// lose their default effect.
  @LoopActor package static func signals(_ numbers: Int32...) -> AsyncStream<Int32> {
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(16))
    let sources = numbers.map { SignalSource($0, continuation) }
    continuation.onTermination = { _ in
      Loop.spawn { for source in sources { source.close() } }
    }
    return stream
  }
}

@safe @LoopActor private final class SignalSource {
  private let handle = unsafe Handle<uv_signal_t>()
  private let continuation: AsyncStream<Int32>.Continuation

  init(_ number: Int32, _ continuation: AsyncStream<Int32>.Continuation) {
    self.continuation = continuation
    unsafe uv_signal_init(Loop.shared.uv, handle.pointer)
    unsafe handle.retain(self)
    unsafe uv_signal_start(
      handle.pointer,
      { handle, number in
        let source = unsafe Handle<uv_signal_t>.owner(handle?.pointee.data, as: SignalSource.self)
        LoopActor.onLoop { _ = source?.continuation.yield(number) }
      }, number)
  }

  func close() { unsafe handle.close() }
}

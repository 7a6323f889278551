import Glibc

/// Seconds of the monotonic clock.
func now() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// How often `body` runs in a second, by running it for about so long.
func rate(seconds: Double, _ body: () throws -> Void) rethrows -> Double {
  let begun = now()
  var count = 0
  while true {
    for _ in 0..<16 { try body() }
    count += 16
    let passed = now() - begun
    if passed >= seconds { return Double(count) / passed }
  }
}

/// One line of the answer.
func report(_ name: String, _ value: Double, _ unit: String) {
  let digits = value >= 100 ? 0 : value >= 1 ? 2 : 5
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let rounded = (value * scale).rounded() / scale
  print(name, digits == 0 ? String(Int(rounded)) : String(rounded), unit)
  fflush(nil)
}

/// Durations in seconds; reports the median and the 99th percentile in microseconds.
func report(_ name: String, durations: [Double]) {
  let sorted = durations.sorted()
  guard let last = sorted.indices.last else { return }
  report("\(name)_median", sorted[last / 2] * 1e6, "us")
  report("\(name)_p99", sorted[last * 99 / 100] * 1e6, "us")
}

import Foundation
import Liventix

/// Clocks that a test sets.
public final class ManualClock: HostClock {
    private let lock = NSLock()
    nonisolated(unsafe) private var now: ClockSample
    nonisolated(unsafe) private var reads = 0

    public init(wallMs: Int64) {
        now = ClockSample(wallMs: wallMs, monoMs: 1_000_000, boot: 1)
    }

    public func sample() -> ClockSample {
        lock.withLock {
            reads += 1
            return now
        }
    }

    /// How often it was read.
    public var readings: Int { lock.withLock { reads } }

    /// Lets time pass.
    public func advance(ms: Int64) {
        change { ClockSample(wallMs: $0.wallMs + ms, monoMs: $0.monoMs + ms, boot: $0.boot) }
    }

    /// Sets the wall clock, as a person does.
    public func setWall(ms: Int64) {
        change { ClockSample(wallMs: ms, monoMs: $0.monoMs, boot: $0.boot) }
    }

    /// Restarts the machine.
    public func reboot() {
        change { ClockSample(wallMs: $0.wallMs, monoMs: 0, boot: $0.boot + 1) }
    }

    private func change(_ body: (ClockSample) -> ClockSample) {
        lock.withLock { now = body(now) }
    }
}

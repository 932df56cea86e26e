import Foundation

/// A clock for those who wait, which stands still until a test moves it.
public final class SteppedClock: Clock, Sendable {
    public struct Instant: InstantProtocol {
        let offset: Duration

        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [UUID: Sleeper] = [:]
        var waiting: [UUID: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
    }

    private let lock = NSLock()
    nonisolated(unsafe) private var state = State()

    public init() {}

    public var now: Instant { lock.withLock { state.now } }
    public var minimumResolution: Duration { .zero }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = UUID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                fallAsleep(id, Sleeper(deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            lock.withLock { state.sleepers.removeValue(forKey: id) }?.continuation
                .resume(throwing: CancellationError())
        }
    }

    private func fallAsleep(_ id: UUID, _ sleeper: Sleeper) {
        lock.lock()
        guard !Task.isCancelled else {
            lock.unlock()
            return sleeper.continuation.resume(throwing: CancellationError())
        }
        guard sleeper.deadline > state.now else {
            lock.unlock()
            return sleeper.continuation.resume()
        }
        state.sleepers[id] = sleeper
        let asleep = state.sleepers.count
        let satisfied = state.waiting.filter { $0.value.count <= asleep }
        for id in satisfied.keys { state.waiting[id] = nil }
        lock.unlock()
        for waiter in satisfied.values { waiter.continuation.resume() }
    }

    /// Returns once so many sleep on this clock, or once the test has run out of time.
    public func asleep(_ count: Int) async {
        let id = UUID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = lock.withLock {
                    if state.sleepers.count >= count || Task.isCancelled { return true }
                    state.waiting[id] = (count, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            lock.withLock { state.waiting.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    /// How many sleep on this clock.
    public var sleepers: Int { lock.withLock { state.sleepers.count } }

    /// Lets time pass, and wakes those whose time has come.
    public func advance(by duration: Duration) {
        let woken = lock.withLock {
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }
}

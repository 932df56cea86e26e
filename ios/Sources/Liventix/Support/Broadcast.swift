/// One source, any number of listeners, each with a stream of its own.
///
/// Sending never waits: a listener that falls too far behind misses the oldest of what it has not read.
final class Broadcast<Element: Sendable>: Sendable {
    private struct State {
        var listeners: [UInt64: AsyncStream<Element>.Continuation] = [:]
        var next: UInt64 = 0
        var latest: Element?
        var isFinished = false
    }

    private let state = Locked(State())
    private let keeps: Int
    private let replaysLatest: Bool

    /// - Parameters:
    ///   - keeps: How many elements wait for a listener that is slow.
    ///   - replaysLatest: Whether a new listener first hears the latest element: right for a state, wrong for news.
    init(keeps: Int, replaysLatest: Bool = false) {
        self.keeps = keeps
        self.replaysLatest = replaysLatest
    }

    /// A new listener. It hears what is sent from now on, until it ends its loop or the source finishes.
    func stream() -> AsyncStream<Element> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Element.self, bufferingPolicy: .bufferingNewest(keeps))
        let id = state.withValue { state in
            // Nobody reads yet, so this wakes nobody while the lock is held.
            if replaysLatest, let latest = state.latest { continuation.yield(latest) }
            guard !state.isFinished else { return UInt64?.none }
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [state] _ in
            state.withValue { $0.listeners[id] = nil }
        }
        return stream
    }

    /// Tells every listener.
    func send(_ element: Element) {
        let listeners = state.withValue { state in
            if replaysLatest { state.latest = element }
            return state.listeners
        }
        for listener in listeners.values { listener.yield(element) }
    }

    /// Ends every stream, now and later.
    func finish() {
        let listeners = state.withValue { state in
            state.isFinished = true
            defer { state.listeners = [:] }
            return state.listeners
        }
        for listener in listeners.values { listener.finish() }
    }
}

import Observation

/// Returns once `condition` holds for what a model shows, or once its test has run out of time. Waits for its
/// changes, not for time to pass.
@MainActor
public func until(_ condition: @MainActor () -> Bool) async {
    // A cancelled task waits for no stream: it would go round for ever.
    while !Task.isCancelled {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self)
        // Tells before the value changes; this goes on only after, because both are on the main actor.
        let holds = withObservationTracking(condition) { continuation.finish() }
        if holds { return }
        for await _ in changes {}
    }
}
